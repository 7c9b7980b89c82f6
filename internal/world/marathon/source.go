// Package marathon is the old world as Marathon and Metronome run it. It takes
// the names of workloads and numbers of copies, and gives what runs. It never
// deletes, never forces a change through a lock, and changes nothing of a
// definition but the number of copies and whether schedules are on.
//
// # Drift
//
// A Version that Observe gives is the plan's own as long as the definition is
// the one that was planned, whatever the number of copies has become:
//
//   - An app's or a pod's version is the time of its last change, scaling by the
//     mover included. It is still the planned one if it is the same; if
//     versionInfo.lastConfigChangeAt, which scaling and restarting leave alone, is
//     not after it; or if the definition that Marathon keeps under the planned
//     version differs in nothing but the number of copies.
//   - A job has no version. The plan has the digest of its definition; it is
//     compared with the schedules that the plan has on taken as on, since the
//     mover turns them off.
//   - A plan that was made of files without versions has a digest of an app as
//     somebody wrote it, which no answer of Marathon's can have: the Version is
//     empty, and nothing is compared.
package marathon

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/rollout/runner"
	"github.com/tranship/tranship/internal/world/wire"
)

// A Source is runner.Source over Marathon's v2 and Metronome's v1.
type Source struct {
	find      func(estate.Name) *estate.Workload
	marathon  *wire.Client
	metronome *wire.Client

	mu   sync.Mutex
	pods map[estate.Name]bool
	same map[comparison]bool
}

// comparison is of two versions of one definition.
type comparison struct {
	workload     estate.Name
	planned, now string
}

// New makes a source of the workloads that find knows, as they were planned. A
// client may be nil: what would need it is refused.
func New(find func(estate.Name) *estate.Workload, marathon, metronome *wire.Client) *Source {
	return &Source{find: find, marathon: marathon, metronome: metronome, pods: map[estate.Name]bool{}, same: map[comparison]bool{}}
}

// dialect is what keeps a workload.
type dialect int

const (
	marathonApp dialect = iota // or a pod
	metronomeJob
)

// of gives a workload as planned and what keeps it.
func (s *Source) of(name estate.Name) (*estate.Workload, dialect, error) {
	w := s.find(name)
	switch {
	case w == nil:
		return nil, 0, fmt.Errorf("it is not in the plan: %w", runner.ErrAbsent)
	case strings.HasPrefix(w.Origin.Pointer, "/services/"):
		// Not ErrAbsent: it may well run there.
		return nil, 0, fmt.Errorf("%w: it is a service of Docker Swarm, which only a person can scale; move it by hand", runner.ErrRefused)
	case w.Kind == estate.Job || w.Kind == estate.Schedule:
		if s.metronome == nil {
			return nil, 0, fmt.Errorf("%w: it is a job, and spec.move.source.metronome names no address", runner.ErrRefused)
		}
		return w, metronomeJob, nil
	case s.marathon == nil:
		return nil, 0, fmt.Errorf("%w: spec.move.source.marathon names no address", runner.ErrRefused)
	}
	return w, marathonApp, nil
}

// Observe implements runner.Source. Copies that are starting, ending or out of
// reach count as Running: whoever has to prove that nothing runs wants to know.
func (s *Source) Observe(ctx context.Context, name estate.Name) (rollout.Copies, error) {
	w, d, err := s.of(name)
	if err != nil {
		return rollout.Copies{}, fmt.Errorf("observe %s at the source: %w", name, err)
	}
	var c rollout.Copies
	switch {
	case d == metronomeJob:
		c, err = s.observeJob(ctx, w)
	case s.isPod(name):
		c, err = s.observePod(ctx, w)
	default:
		c, err = s.observeApp(ctx, w)
		if errors.Is(err, runner.ErrAbsent) {
			if c, err = s.observePod(ctx, w); err == nil {
				s.setPod(name)
			}
		}
	}
	if errors.Is(err, runner.ErrAbsent) {
		return rollout.Copies{Absent: true}, nil
	}
	if err != nil {
		return rollout.Copies{}, fmt.Errorf("observe %s at the source: %w", name, err)
	}
	return c, nil
}

// Scale implements runner.Source.
func (s *Source) Scale(ctx context.Context, name estate.Name, n int) error {
	w, d, err := s.of(name)
	switch {
	case err != nil:
	case d == metronomeJob:
		err = s.switchJob(ctx, w, n > 0)
	case s.isPod(name):
		err = s.scalePod(ctx, name, n)
	default:
		err = s.scaleApp(ctx, name, n)
		if errors.Is(err, runner.ErrAbsent) {
			if err = s.scalePod(ctx, name, n); err == nil {
				s.setPod(name)
			}
		}
	}
	if err != nil {
		return fmt.Errorf("scale %s to %d at the source: %w", name, n, err)
	}
	return nil
}

// isPod reports whether a name was found to be a pod's. Apps and pods share their
// names in Marathon, so it is one or the other.
func (s *Source) isPod(name estate.Name) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pods[name]
}

func (s *Source) setPod(name estate.Name) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pods[name] = true
}
