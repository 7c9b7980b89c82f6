package fake

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/rollout/runner"
)

// Source stands in for the old world: runner.Source.
type Source struct {
	faults
	now  Clock
	opts SourceOptions

	mu   sync.Mutex
	apps map[estate.Name]*app
}

// SourceOptions say how the old world behaves. With the zero value copies come
// and go at once.
type SourceOptions struct {
	// Start is how long copies take to be ready, Stop how long they take to end.
	Start, Stop time.Duration
}

// app is one workload at the source: had copies until since, then wanted.
type app struct {
	version     string
	wanted, had int
	since       time.Time
	locked      time.Time // until when a change is under way
	refused     error
}

// NewSource gives an old world without any workload.
func NewSource(now Clock, opts SourceOptions) *Source {
	return &Source{now: now, opts: opts, apps: map[estate.Name]*app{}}
}

// Add has n copies of a workload run.
func (s *Source) Add(w estate.Name, version string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apps[w] = &app{version: version, wanted: n, had: n}
}

// Change gives a workload another version, as somebody who deploys does.
func (s *Source) Change(w estate.Name, version string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apps[w].version = version
}

// Lock has a change be under way until then.
func (s *Source) Lock(w estate.Name, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apps[w].locked = until
}

// Refuse has every change of a workload be refused.
func (s *Source) Refuse(w estate.Name, why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apps[w].refused = why
}

// Observe implements runner.Source.
func (s *Source) Observe(ctx context.Context, w estate.Name) (rollout.Copies, error) {
	now := s.now()
	torn, err := s.begin(ctx, now, "observe "+string(w))
	if err != nil || torn != nil {
		return rollout.Copies{}, orTorn(err, torn)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.apps[w]
	if a == nil {
		return rollout.Copies{Absent: true}, nil
	}
	out := rollout.Copies{Version: a.version, Wanted: a.wanted, Running: a.wanted, Ready: a.wanted, Locked: now.Before(a.locked)}
	switch since := now.Sub(a.since); {
	case a.had > a.wanted && since < s.opts.Stop:
		out.Running = a.had
	case a.had < a.wanted && since < s.opts.Start:
		out.Ready = a.had
	}
	return out, nil
}

// Scale implements runner.Source.
func (s *Source) Scale(ctx context.Context, w estate.Name, n int) error {
	now := s.now()
	torn, err := s.begin(ctx, now, fmt.Sprintf("scale %s to %d", w, n))
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.apps[w]
	switch {
	case a == nil:
		return fmt.Errorf("scale %s: %w", w, runner.ErrAbsent)
	case a.refused != nil:
		return fmt.Errorf("scale %s: %w: %w", w, runner.ErrRefused, a.refused)
	case now.Before(a.locked):
		return fmt.Errorf("scale %s: %w", w, runner.ErrLocked)
	case a.wanted != n:
		a.had, a.wanted, a.since = a.wanted, n, now
	}
	return torn
}

func orTorn(err, torn error) error {
	if err != nil {
		return err
	}
	return torn
}
