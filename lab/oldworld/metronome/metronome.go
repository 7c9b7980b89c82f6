// Package metronome is a double of Metronome: jobs, their schedules by cron in time zones, and runs that are tasks of
// package mesos.
//
// Input: definitions and orders, the clock, status updates. Output: runs, and their history. It never starts a run of a
// schedule that forbids it beside one that has not ended.
//
// Left out: dependencies between jobs, artifacts, secrets' values, /v0, networks other than the host's.
package metronome

import (
	"context"
	"encoding/json"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/tranship/tranship/lab/oldworld/keep"
	"github.com/tranship/tranship/lab/oldworld/mesos"
)

// Options are the parts that have defaults.
type Options struct {
	Address string
	Now     func() time.Time // time.Now if nil
	Log     func(format string, args ...any)
}

// Metronome is the scheduler of jobs.
type Metronome struct {
	cluster *mesos.Cluster
	frame   *mesos.Framework
	file    string
	opts    Options
	wake    chan struct{}

	mu    sync.Mutex
	s     state
	dirty bool
}

type state struct {
	Jobs    map[string]*Job     `json:"jobs"`
	Runs    map[string]*Run     `json:"runs"` // that have not ended
	History map[string]*History `json:"history"`
}

// Run is one execution of a job.
type Run struct {
	ID        string          `json:"id"`
	Job       string          `json:"jobId"`
	Spec      json.RawMessage `json:"spec"` // the job's run when it was started
	Status    string          `json:"status"`
	Created   time.Time       `json:"createdAt"`
	Completed *time.Time      `json:"completedAt"`
	Deadline  time.Time       `json:"deadline,omitzero"` // to be running
	Tasks     []RunTask       `json:"tasks"`
	Stopping  bool            `json:"stopping,omitempty"`
	Next      time.Time       `json:"next,omitzero"` // when a failed task is started again
	Delay     time.Duration   `json:"delay,omitempty"`
}

// RunTask is a task of a run.
type RunTask struct {
	ID        string     `json:"id"`
	Status    string     `json:"status"`
	Started   *time.Time `json:"startedAt,omitempty"`
	Completed *time.Time `json:"completedAt,omitempty"`
}

// History is what has become of a job's runs.
type History struct {
	Success     int        `json:"successCount"`
	Failure     int        `json:"failureCount"`
	LastSuccess *time.Time `json:"lastSuccessAt"`
	LastFailure *time.Time `json:"lastFailureAt"`
	Succeeded   []Finished `json:"successfulFinishedRuns"`
	Failed      []Finished `json:"failedFinishedRuns"`
}

// Finished is a run of the history.
type Finished struct {
	ID       string    `json:"id"`
	Created  time.Time `json:"createdAt"`
	Finished time.Time `json:"finishedAt"`
	Tasks    []string  `json:"tasks"`
}

// The states of a run.
const (
	initial  = "INITIAL"
	starting = "STARTING"
	active   = "ACTIVE"
	success  = "SUCCESS"
	failed   = "FAILED"
)

// keptRuns is how many runs of each kind a history has.
const keptRuns = 10

// pass is how often the loop looks when nothing wakes it.
const pass = 100 * time.Millisecond

// New reads what an earlier life left in the folder, and registers with the cluster. It starts nothing.
func New(dir string, cluster *mesos.Cluster, opts Options) (*Metronome, error) {
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.Log == nil {
		opts.Log = func(string, ...any) {}
	}
	m := &Metronome{cluster: cluster, file: filepath.Join(dir, "metronome.json"), opts: opts, wake: make(chan struct{}, 1)}
	if _, err := keep.Load(m.file, &m.s); err != nil {
		return nil, err
	}
	if m.s.Jobs == nil {
		m.s = state{Jobs: map[string]*Job{}, Runs: map[string]*Run{}, History: map[string]*History{}}
	}
	host, _, _ := strings.Cut(opts.Address, ":")
	m.frame = cluster.Register("metronome", host, "http://"+opts.Address, m.update)
	return m, nil
}

// Run acts until ctx ends.
func (m *Metronome) Run(ctx context.Context) error {
	m.mu.Lock()
	m.reconcile()
	m.mu.Unlock()
	tick := time.NewTicker(pass)
	defer tick.Stop()
	for {
		m.mu.Lock()
		m.trigger()
		m.place()
		err := m.flush()
		m.mu.Unlock()
		if err != nil {
			m.opts.Log("%v", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-m.wake:
		}
	}
}

func (m *Metronome) flush() error {
	if !m.dirty {
		return nil
	}
	m.dirty = false
	return keep.Save(m.file, m.s)
}

func (m *Metronome) touch() {
	m.dirty = true
	select {
	case m.wake <- struct{}{}:
	default: // it is awake
	}
}

// reconcile compares the runs on disk with what runs, and has schedules begin now: what was missed is missed.
func (m *Metronome) reconcile() {
	live := map[string]mesos.Task{}
	for _, t := range m.cluster.Tasks() {
		if t.Framework == m.frame.ID {
			live[t.ID] = t
		}
	}
	for _, r := range m.s.Runs {
		if n := len(r.Tasks); n > 0 && r.Tasks[n-1].Completed == nil {
			t, known := live[r.Tasks[n-1].ID]
			switch {
			case !known:
				m.ended(r, mesos.Status{State: mesos.Lost, At: m.opts.Now()})
			case t.Now().State.Terminal():
				m.ended(r, t.Now())
			case t.Now().State == mesos.Running:
				r.Status = active
			}
		}
	}
	for _, t := range live {
		if !t.Now().State.Terminal() && m.ofTask(t.ID) == nil {
			_ = m.cluster.Kill(t.ID) // it may have ended meanwhile
		}
	}
	now := m.opts.Now()
	for _, j := range m.s.Jobs {
		for _, s := range j.Schedules {
			s.next = s.after(now)
		}
	}
	m.touch()
}

// trigger starts what is due. The lock is held.
func (m *Metronome) trigger() {
	now := m.opts.Now()
	for _, id := range slices.Sorted(maps.Keys(m.s.Jobs)) {
		j := m.s.Jobs[id]
		for _, s := range j.Schedules {
			if s.next.IsZero() {
				s.next = s.after(now)
			}
			if now.Before(s.next) {
				continue
			}
			due := s.next
			s.next = s.after(now)
			switch {
			case !s.Enabled:
			case now.Sub(due) > time.Duration(s.Deadline)*time.Second:
				m.opts.Log("job %s: its run of %s was not started in time", id, due)
			case s.Concurrency == "FORBID" && len(m.runsOf(id)) > 0:
				m.opts.Log("job %s: its run of %s was left out, one is active", id, due)
			default:
				m.begin(j, due.Add(time.Duration(s.Deadline)*time.Second))
			}
		}
	}
}

func (s *Schedule) after(t time.Time) time.Time {
	zone, err := time.LoadLocation(s.Timezone)
	if err != nil {
		zone = time.UTC
	}
	c, err := cron.ParseStandard(s.Cron)
	if err != nil {
		return time.Time{} // refused before
	}
	return c.Next(t.In(zone))
}

// runsOf gives the runs of a job that have not ended, the oldest first. The lock is held.
func (m *Metronome) runsOf(job string) []*Run {
	var out []*Run
	for _, r := range m.s.Runs {
		if r.Job == job {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b *Run) int { return a.Created.Compare(b.Created) })
	return out
}
