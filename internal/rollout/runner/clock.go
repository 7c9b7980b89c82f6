package runner

import (
	"context"
	"time"
)

// wall is the time of the machine.
type wall struct{}

func (wall) Now() time.Time {
	return time.Now() //nolint:forbidigo // the one place of the runner that reads it
}

func (wall) Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}

func (wall) Go(f func()) { go f() }
