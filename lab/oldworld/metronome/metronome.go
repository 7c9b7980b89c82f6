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
	"crypto/rand"
	"encoding/json"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/tranship/tranship/lab/oldworld/keep"
	"github.com/tranship/tranship/lab/oldworld/marathon"
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

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

// begin makes a run. The lock is held.
func (m *Metronome) begin(j *Job, deadline time.Time) *Run {
	now := m.opts.Now().UTC()
	var tail [5]byte
	_, _ = rand.Read(tail[:]) // it never fails
	for i := range tail {
		tail[i] = letters[int(tail[i])%len(letters)]
	}
	r := &Run{ID: now.Format("20060102150405") + string(tail[:]), Job: j.ID, Spec: j.Run, Status: initial, Created: now, Deadline: deadline, Tasks: []RunTask{}}
	m.s.Runs[r.ID] = r
	m.touch()
	return r
}

// place starts the runs that have no task. The lock is held.
func (m *Metronome) place() {
	now := m.opts.Now()
	for _, id := range slices.Sorted(maps.Keys(m.s.Runs)) {
		r := m.s.Runs[id]
		if n := len(r.Tasks); n > 0 && r.Tasks[n-1].Completed == nil || now.Before(r.Next) {
			continue
		}
		switch {
		case r.Stopping:
			m.finish(r, false)
		case len(r.Tasks) == 0 && !r.Deadline.IsZero() && now.After(r.Deadline):
			m.finish(r, false)
		default:
			m.launch(r)
		}
	}
}

func (m *Metronome) launch(r *Run) {
	spec, err := parseRun(r.Spec)
	if err != nil {
		m.finish(r, false)
		return
	}
	for _, a := range m.cluster.Agents() {
		free := a.Free()
		if !a.Offered() || spec.CPUs > free.CPUs || spec.Mem > free.Mem || spec.Disk > free.Disk || !spec.fits(a.Agent) {
			continue
		}
		id := strings.ReplaceAll(r.Job, ".", "_") + "_" + r.ID + "." + mesos.UUID()
		r.Tasks = append(r.Tasks, RunTask{ID: id, Status: string(mesos.Staging)})
		r.Status = starting
		m.dirty = true
		if err := m.flush(); err != nil { // known before it runs
			m.opts.Log("%v", err)
			return
		}
		app := spec.app(r.Job, r.ID)
		info := mesos.Info{
			ID: id, Name: discoveryName(r.Job, r.ID), Shell: spec.Cmd, Args: spec.Args, Image: spec.image(), Docker: spec.Docker != nil,
			Resources: mesos.Resources{CPUs: spec.CPUs, Mem: spec.Mem, Disk: spec.Disk}, Grace: spec.grace(), Env: marathon.Env(app, id, a.Address, nil),
			Labels: m.labels(r.Job),
		}
		for _, v := range spec.Volumes {
			info.Volumes = append(info.Volumes, mesos.Volume{ContainerPath: v.ContainerPath, HostPath: v.HostPath, ReadOnly: v.Mode == "RO"})
		}
		if err := m.cluster.Launch(m.frame, a.ID, info); err != nil {
			r.Tasks, r.Status = r.Tasks[:len(r.Tasks)-1], initial
			continue
		}
		m.touch()
		return
	}
}

func (m *Metronome) labels(job string) map[string]string {
	if j := m.s.Jobs[job]; j != nil {
		return j.Labels
	}
	return nil
}

func discoveryName(job, run string) string {
	parts := append([]string{run}, reversed(strings.Split(job, "."))...)
	return strings.Join(parts, ".")
}

func reversed(in []string) []string {
	out := slices.Clone(in)
	slices.Reverse(out)
	return out
}

func (m *Metronome) ofTask(id string) *Run {
	for _, r := range m.s.Runs {
		if slices.ContainsFunc(r.Tasks, func(t RunTask) bool { return t.ID == id }) {
			return r
		}
	}
	return nil
}

// update takes a task's status in.
func (m *Metronome) update(u mesos.Update) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r := m.ofTask(u.Task.ID)
	if r == nil || r.Tasks[len(r.Tasks)-1].ID != u.Task.ID || r.Tasks[len(r.Tasks)-1].Completed != nil {
		return
	}
	t := &r.Tasks[len(r.Tasks)-1]
	t.Status = string(u.Status.State)
	if u.Status.State == mesos.Running && t.Started == nil {
		at := u.Status.At
		t.Started, r.Status = &at, active
	}
	if u.Status.State.Terminal() {
		m.ended(r, u.Status)
	}
	m.touch()
}

// ended draws the conclusions from the end of a run's task. The lock is held.
func (m *Metronome) ended(r *Run, s mesos.Status) {
	t := &r.Tasks[len(r.Tasks)-1]
	at := s.At
	t.Status, t.Completed = string(s.State), &at
	spec, err := parseRun(r.Spec)
	again := err == nil && spec.Restart.Policy == "ON_FAILURE" && !r.Stopping &&
		(spec.Restart.Deadline == 0 || m.opts.Now().Sub(r.Created) < time.Duration(spec.Restart.Deadline)*time.Second)
	switch {
	case s.State == mesos.Finished:
		m.finish(r, true)
	case again:
		r.Status = starting
		r.Delay = min(max(time.Second, r.Delay*115/100), 5*time.Minute)
		r.Next = m.opts.Now().Add(r.Delay)
	default:
		m.finish(r, false)
	}
	m.touch()
}

func (m *Metronome) finish(r *Run, good bool) {
	now := m.opts.Now().UTC()
	r.Completed, r.Status = &now, failed
	if good {
		r.Status = success
	}
	delete(m.s.Runs, r.ID)
	if m.s.Jobs[r.Job] == nil {
		m.touch()
		return
	}
	h := m.s.History[r.Job]
	if h == nil {
		h = &History{}
		m.s.History[r.Job] = h
	}
	f := Finished{ID: r.ID, Created: r.Created, Finished: now, Tasks: []string{}}
	for _, t := range r.Tasks {
		f.Tasks = append(f.Tasks, t.ID)
	}
	if good {
		h.Success++
		h.LastSuccess, h.Succeeded = &now, last(append(h.Succeeded, f))
	} else {
		h.Failure++
		h.LastFailure, h.Failed = &now, last(append(h.Failed, f))
	}
	m.touch()
}

func last(list []Finished) []Finished { return slices.Clone(list[max(0, len(list)-keptRuns):]) }

// stop asks a run to end. The lock is held.
func (m *Metronome) stop(r *Run) {
	r.Stopping = true
	if n := len(r.Tasks); n > 0 && r.Tasks[n-1].Completed == nil {
		_ = m.cluster.Kill(r.Tasks[n-1].ID) // it may have ended by itself
	}
	m.touch()
}
