package fake

import (
	"context"
	"sync"

	"github.com/tranship/tranship/internal/estate"
)

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
