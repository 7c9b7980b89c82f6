package fake

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/rollout/runner"
)

// Source stands in for the old world: runner.Source. As there, a change of the
// number of copies is a deployment, which locks the workload until it is done.
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

// app is one workload at the source: it had copies until since, then wanted.
type app struct {
	version     string
	wanted, had int
	since       time.Time
	locked      time.Time // until when somebody's change is under way
	refused     error
	failing     string
	// A job has no copies, but runs that end by themselves.
	job  bool
	runs []time.Time // when each ends
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

// AddJob adds a job whose schedule is on.
func (s *Source) AddJob(w estate.Name, version string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apps[w] = &app{version: version, wanted: 1, had: 1, job: true}
}

// Run begins a run of a job, which ends then, whether or not its schedule is on.
func (s *Source) Run(w estate.Name, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apps[w].runs = append(s.apps[w].runs, until)
}

// EndRuns ends all runs of a job.
func (s *Source) EndRuns(w estate.Name) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apps[w].runs = nil
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

// Refuse has every change of a workload be refused; nil lets it pass again.
func (s *Source) Refuse(w estate.Name, why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apps[w].refused = why
}

// Fail has no copy of a workload be ready, for that reason; "" makes it well.
func (s *Source) Fail(w estate.Name, why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.apps[w].failing = why
}

// Delete takes a workload away, as somebody who tidies up does.
func (s *Source) Delete(w estate.Name) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.apps, w)
}

// Observe implements runner.Source.
func (s *Source) Observe(ctx context.Context, w estate.Name) (rollout.Copies, error) {
	now := s.now()
	torn, err := s.begin(ctx, now, "observe "+string(w))
	if err != nil || torn != nil {
		return rollout.Copies{}, cmp.Or(err, torn)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.apps[w]
	if a == nil {
		return rollout.Copies{Absent: true}, nil
	}
	out := rollout.Copies{Version: a.version, Wanted: a.wanted, Locked: now.Before(a.locked) || s.changing(a, now)}
	if a.job {
		for _, end := range a.runs {
			if now.Before(end) {
				out.Running++
			}
		}
		out.Ready = a.wanted
		return out, nil
	}
	out.Running, out.Ready = a.wanted, a.wanted
	if s.changing(a, now) {
		out.Running, out.Ready = max(a.had, a.wanted), min(a.had, a.wanted)
	}
	if a.failing != "" {
		out.Ready, out.Failing = 0, a.failing
	}
	return out, nil
}

// changing reports whether copies are still coming or going.
func (s *Source) changing(a *app, now time.Time) bool {
	switch {
	case a.job || a.had == a.wanted:
		return false
	case a.had > a.wanted:
		return now.Sub(a.since) < s.opts.Stop
	}
	return now.Sub(a.since) < s.opts.Start
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
	if a != nil && a.job {
		n = min(n, 1)
	}
	switch {
	case a == nil:
		return fmt.Errorf("scale %s: %w", w, runner.ErrAbsent)
	case a.refused != nil:
		return fmt.Errorf("scale %s: %w: %w", w, runner.ErrRefused, a.refused)
	case a.wanted == n:
	case now.Before(a.locked) || s.changing(a, now):
		return fmt.Errorf("scale %s: %w", w, runner.ErrLocked)
	default:
		a.had, a.wanted, a.since = a.wanted, n, now
	}
	return torn
}

// Hosts stands in for the source's machines: runner.Hosts.
type Hosts struct {
	faults
	now  Clock
	opts HostsOptions

	mu      sync.Mutex
	list    map[string]*host
	refused error
}

// HostsOptions say how machines behave. With the zero value they are empty at once.
type HostsOptions struct {
	// Leave is how long tasks take to be gone from a host that is drained.
	Leave time.Duration
}

type host struct {
	tasks   int
	drained bool
	since   time.Time
}

// NewHosts gives a source without machines.
func NewHosts(now Clock, opts HostsOptions) *Hosts {
	return &Hosts{now: now, opts: opts, list: map[string]*host{}}
}

// Add has a host run that many tasks.
func (h *Hosts) Add(name string, tasks int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.list[name] = &host{tasks: tasks}
}

// Refuse has every drain be refused; nil lets it pass again.
func (h *Hosts) Refuse(why error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.refused = why
}

// Start has the source try to start a task on a host, and tells whether it may.
func (h *Hosts) Start(name string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	x := h.list[name]
	if x == nil || x.drained {
		return false
	}
	x.tasks++
	return true
}

// Drain implements runner.Hosts.
func (h *Hosts) Drain(ctx context.Context, hosts []string) error {
	now := h.now()
	torn, err := h.begin(ctx, now, "drain "+strings.Join(hosts, ", "))
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.refused != nil {
		return fmt.Errorf("drain %s: %w: %w", strings.Join(hosts, ", "), runner.ErrRefused, h.refused)
	}
	var unknown []string
	for _, name := range hosts {
		x := h.list[name]
		switch {
		case x == nil:
			unknown = append(unknown, name)
		case !x.drained:
			x.drained, x.since = true, now
		}
	}
	if unknown != nil {
		return fmt.Errorf("drain %s: %w", strings.Join(unknown, ", "), runner.ErrAbsent)
	}
	return torn
}

// Tasks implements runner.Hosts.
func (h *Hosts) Tasks(ctx context.Context, hosts []string) (map[string]int, error) {
	now := h.now()
	torn, err := h.begin(ctx, now, "count tasks on "+strings.Join(hosts, ", "))
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	out := map[string]int{}
	for _, name := range hosts {
		x := h.list[name]
		if x == nil {
			continue
		}
		out[name] = x.tasks
		if x.drained && now.Sub(x.since) >= h.opts.Leave {
			out[name] = 0
		}
	}
	return out, torn
}
