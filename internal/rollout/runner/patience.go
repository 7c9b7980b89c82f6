package runner

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tranship/tranship/internal/rollout"
)

const (
	firstPause = 200 * time.Millisecond
	lastPause  = 5 * time.Second
)

// change does what changes a world. What fails in a way that may pass is tried
// again until the unit's patience ends; what was refused is not. An attempt
// that has begun is not cut off when the mover is told to end: it has the
// unit's patience to come to its own end.
func (r *Runner) change(ctx context.Context, u *rollout.Unit, what string, attempt func(context.Context) error) error {
	until := r.opts.Clock.Now().Add(u.Patience)
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		own, cancel := context.WithTimeoutCause(context.WithoutCancel(ctx), max(u.Patience, time.Second),
			fmt.Errorf("no answer within %s", u.Patience))
		err := attempt(own)
		if err != nil && own.Err() != nil {
			err = fmt.Errorf("%w (%w)", err, context.Cause(own))
		}
		cancel()
		switch {
		case err == nil:
			return nil
		case errors.Is(err, ErrRefused):
			return fmt.Errorf("%s: %w", what, err)
		case !r.opts.Clock.Now().Before(until):
			return fmt.Errorf("%s, tried for %s: %w", what, u.Patience, err)
		}
		if err := r.opts.Clock.Sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// await asks until ask says yes. It waits limit at most for a no to become a
// yes, and the unit's patience for a world that does not answer.
func (r *Runner) await(ctx context.Context, u *rollout.Unit, what string, limit time.Duration, ask func(context.Context) (ok bool, why string, err error)) error {
	start := r.opts.Clock.Now()
	answered := start
	for {
		ok, why, err := ask(ctx)
		now := r.opts.Clock.Now()
		switch {
		case err == nil && ok:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, ErrRefused):
			return fmt.Errorf("%s: %w", what, err)
		case err == nil:
			answered = now
			if now.Sub(start) >= limit {
				return fmt.Errorf("%s: not within %s: %s", what, limit, why)
			}
		case now.Sub(answered) >= u.Patience:
			return fmt.Errorf("%s: no answer for %s: %w", what, u.Patience, err)
		}
		if err := r.opts.Clock.Sleep(ctx, r.opts.Poll); err != nil {
			return err
		}
	}
}
