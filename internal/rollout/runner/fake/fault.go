package fake

import (
	"errors"
	"sync"
	"time"
)

// ErrUnreachable is what a world that does not answer gives.
var ErrUnreachable = errors.New("connection refused")

// faults are what every edge can suffer. Its zero value suffers nothing.
type faults struct {
	lock  sync.Mutex
	next  []error
	until time.Time
}

// FailNext has the next n calls fail with err, before they do anything.
func (f *faults) FailNext(n int, err error) {
	f.lock.Lock()
	defer f.lock.Unlock()
	for range n {
		f.next = append(f.next, err)
	}
}

// Unreachable has all calls fail with ErrUnreachable until then.
func (f *faults) Unreachable(until time.Time) {
	f.lock.Lock()
	defer f.lock.Unlock()
	f.until = until
}

// due gives the fault that a call at that time suffers, nil if none.
func (f *faults) due(now time.Time) error {
	f.lock.Lock()
	defer f.lock.Unlock()
	if now.Before(f.until) {
		return ErrUnreachable
	}
	if len(f.next) == 0 {
		return nil
	}
	err := f.next[0]
	f.next = f.next[1:]
	return err
}
