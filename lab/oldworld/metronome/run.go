package metronome

import (
	"crypto/rand"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tranship/tranship/lab/oldworld/marathon"
	"github.com/tranship/tranship/lab/oldworld/mesos"
)

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
