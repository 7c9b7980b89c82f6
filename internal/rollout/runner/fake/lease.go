package fake

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/rollout/runner"
)

// Lease stands in for what keeps other movers out.
type Lease struct {
	faults
	now Clock

	mu     sync.Mutex
	holder string
	until  time.Time
}

// NewLease makes a lease that nobody has.
func NewLease(now Clock) *Lease { return &Lease{now: now} }

// Take implements runner.Lease.
func (l *Lease) Take(ctx context.Context, holder string, ttl time.Duration) error {
	now := l.now()
	torn, err := l.begin(ctx, now, "take the lease")
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.holder != "" && l.holder != holder && now.Before(l.until) {
		return fmt.Errorf("%w: %s, until %s", runner.ErrHeld, l.holder, l.until.UTC().Format(time.RFC3339))
	}
	l.holder, l.until = holder, now.Add(ttl)
	return torn
}

// Give implements runner.Lease.
func (l *Lease) Give(ctx context.Context, holder string) error {
	torn, err := l.begin(ctx, l.now(), "give the lease back")
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.holder == holder {
		l.holder = ""
	}
	return torn
}

// Holder gives who has the lease, empty if nobody.
func (l *Lease) Holder() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.now().Before(l.until) {
		return l.holder
	}
	return ""
}

// Fences stand in for the records of which world may run a workload.
type Fences struct {
	faults
	now Clock

	mu      sync.Mutex
	records map[estate.Name]fenceRecord
}

type fenceRecord struct {
	world string
	token int64
}

// NewFences makes records of nothing.
func NewFences(now Clock) *Fences {
	return &Fences{now: now, records: map[estate.Name]fenceRecord{}}
}

// Fence implements runner.Fences.
func (f *Fences) Fence(ctx context.Context, w estate.Name, world string) (int64, error) {
	torn, err := f.begin(ctx, f.now(), "fence "+string(w))
	if err != nil {
		return 0, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.records[w]
	if r.world != world {
		r = fenceRecord{world, r.token + 1}
		f.records[w] = r
	}
	if torn != nil {
		return 0, torn
	}
	return r.token, nil
}

// Fenced implements runner.Fences.
func (f *Fences) Fenced(ctx context.Context, w estate.Name) (string, int64, error) {
	torn, err := f.begin(ctx, f.now(), "read the fence of "+string(w))
	if err != nil {
		return "", 0, err
	}
	if torn != nil {
		return "", 0, torn
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.records[w]
	return r.world, r.token, nil
}
