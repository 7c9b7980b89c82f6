// Package fake holds both worlds as state in memory: one type for each
// interface of package runner, with knobs for faults. It takes acts and gives
// what the real adapter would give, by the clock that it is handed. It never
// waits, starts a goroutine or reads a clock of its own, so a whole move runs
// in virtual time.
package fake

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Clock tells the time of the world that is played.
type Clock func() time.Time

// ErrUnreachable is what a world that does not answer gives.
var ErrUnreachable = errors.New("connection refused")

// faults are what every edge can suffer. Its zero value suffers nothing.
type faults struct {
	lock  sync.Mutex
	next  []fault
	until time.Time
}

type fault struct {
	err  error
	torn bool
}

// FailNext has the next n calls fail with err, before they do anything.
func (f *faults) FailNext(n int, err error) { f.add(n, fault{err: err}) }

// TearNext has the next n calls do their work and fail with err all the same,
// as when the answer is lost on its way.
func (f *faults) TearNext(n int, err error) { f.add(n, fault{err: err, torn: true}) }

func (f *faults) add(n int, x fault) {
	f.lock.Lock()
	defer f.lock.Unlock()
	for range n {
		f.next = append(f.next, x)
	}
}

// Unreachable has all calls fail with ErrUnreachable until then.
func (f *faults) Unreachable(until time.Time) {
	f.lock.Lock()
	defer f.lock.Unlock()
	f.until = until
}

// due gives the fault that a call at that time suffers, nil if none. A torn call
// fails here too, for edges that do not tell the two apart.
func (f *faults) due(now time.Time) error {
	torn, err := f.take(now)
	if err != nil {
		return err
	}
	return torn
}

func (f *faults) take(now time.Time) (torn, err error) {
	f.lock.Lock()
	defer f.lock.Unlock()
	if now.Before(f.until) {
		return nil, ErrUnreachable
	}
	if len(f.next) == 0 {
		return nil, nil
	}
	x := f.next[0]
	f.next = f.next[1:]
	if x.torn {
		return x.err, nil
	}
	return nil, x.err
}

// begin is the first thing that a call does. If err is not nil the call gives it
// and does nothing; else it does its work and gives torn, which is nil unless
// the answer is to be lost.
func (f *faults) begin(ctx context.Context, now time.Time, call string) (torn, err error) {
	if ctx.Err() != nil {
		return nil, fmt.Errorf("%s: %w", call, context.Cause(ctx))
	}
	if torn, err = f.take(now); torn != nil {
		torn = fmt.Errorf("%s: %w", call, torn)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", call, err)
	}
	return torn, err
}
