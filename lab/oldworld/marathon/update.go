package marathon

import (
	"math"
	"slices"
	"time"

	"github.com/tranship/tranship/lab/oldworld/definition"
	"github.com/tranship/tranship/lab/oldworld/mesos"
)

// Delay is how long an app that fails waits for its next start.
type Delay struct {
	Version string    `json:"version"`
	Seconds float64   `json:"seconds"`
	Until   time.Time `json:"until"`
}

// abandoned is the condition of an instance that failed while nobody starts anything again.
const abandoned = "Failed"

// calm is how long an instance has to run until its failures are forgotten.
const calm = time.Minute

// update takes a task's status in. The cluster calls it, one update after another.
func (m *Marathon) update(u mesos.Update) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := m.ofTask(u.Task.ID)
	if i == nil {
		return // of an earlier life
	}
	m.events.publish("status_update_event", map[string]any{
		"slaveId": u.Task.Agent, "taskId": u.Task.ID, "taskStatus": u.Status.State, "message": u.Status.Message, "appId": i.App, "host": i.Host,
		"ipAddresses": []map[string]string{{"ipAddress": i.Address, "protocol": "IPv4"}}, "ports": i.Ports, "version": i.Spec.Version,
	})
	if u.Status.State.Terminal() {
		m.over(i, u.Task, u.Status, m.opts.Faults().NoRestart)
		return
	}
	if was := i.Condition; was != condition(u.Status.State) {
		i.Condition = condition(u.Status.State)
		m.changedInstance(i)
		if u.Status.State == mesos.Running && i.StartedAt.IsZero() {
			i.StartedAt = u.Status.At
			m.watch(i)
		}
	}
	m.touch()
}

func (m *Marathon) ofTask(id string) *Instance {
	for _, i := range m.s.Instances {
		if i.TaskID == id {
			return i
		}
	}
	return nil
}

// over draws the conclusions from a task's end. The lock is held.
func (m *Marathon) over(i *Instance, t mesos.Task, s mesos.Status, noRestart bool) {
	if stop := m.checkers[i.ID]; stop != nil {
		stop()
		delete(m.checkers, i.ID)
	}
	delete(m.health, i.ID)
	delete(m.ready, i.ID)
	ran := i.StartedAt
	i.Condition, i.Ending, i.Well = condition(s.State), false, false
	m.changedInstance(i)
	if i.Goal != goalRunning {
		i.TaskID = ""
		m.forget(i)
		return
	}
	failed := i.Sick || s.State != mesos.Killed && s.State != mesos.Gone && s.State != mesos.Finished
	i.Sick = false
	if failed || s.State == mesos.Finished {
		m.s.Failures[i.App] = &TaskFailure{
			AppID: i.App, Host: i.Host, Message: s.Message, State: string(s.State), TaskID: i.TaskID,
			Timestamp: Stamp(s.At), Version: i.Spec.Version, SlaveID: i.Agent,
		}
		m.slower(i.Spec, ran)
	}
	i.TaskID, i.StartedAt = "", time.Time{}
	if noRestart && failed && !t.Drained() {
		// The fault of the story: nobody starts it again. It stays among the wanted instances, so that the app shows fewer
		// running than wanted, until somebody acts on the app.
		i.Condition = abandoned
		m.touch()
		return
	}
	// An instance that runs on an agent that is gone takes its volumes' loss: they were there.
	if i.Home != "" && !slices.ContainsFunc(m.cluster.Agents(), func(a mesos.AgentState) bool { return a.ID == i.Home }) {
		i.Home, i.Volumes = "", nil
	}
	if i.Home == "" {
		i.Agent, i.Host, i.Address = "", "", ""
	}
	i.Condition = scheduled
	// A version that is no more is not started again: what it was to be, it becomes.
	if a := m.s.Apps[i.App]; a != nil && a.Version != i.Spec.Version && a.SameButInstances(i.Spec) {
		i.Spec = a
	}
	m.touch()
}

// terminated tells that the last instance of an app that is gone has ended. The lock is held.
func (m *Marathon) terminated(app string) {
	for _, r := range m.s.Reserved[app] {
		m.destroy(r.Agent, r.Volumes)
	}
	delete(m.s.Reserved, app)
	delete(m.s.Delays, app)
	delete(m.s.Failures, app)
	delete(m.declined, app)
	m.events.publish("app_terminated_event", map[string]any{"appId": app})
	m.touch()
}

// slower lengthens an app's delay after a failure. The lock is held.
func (m *Marathon) slower(a *definition.App, ran time.Time) {
	d := m.s.Delays[a.ID]
	if d == nil || d.Version != a.Version || !ran.IsZero() && time.Since(ran) >= calm {
		d = &Delay{Version: a.Version}
	}
	if d.Seconds == 0 {
		d.Seconds = a.BackoffSeconds
	} else {
		d.Seconds = math.Min(d.Seconds*a.BackoffFactor, a.MaxLaunchDelaySeconds)
	}
	d.Until = time.Now().Add(time.Duration(d.Seconds * float64(time.Second)))
	m.s.Delays[a.ID] = d
}

// Declined counts why offers were not taken, for /v2/queue.
type Declined struct {
	Since     time.Time
	Processed int
	Unused    int
	Reasons   map[string]int
	LastUsed  time.Time
	LastNot   time.Time
}

// place finds offers for the instances that wait. The lock is held.
func (m *Marathon) place() {
	slow := m.opts.Faults().Slow
	for _, id := range m.appsWithInstances() {
		for _, i := range m.instances(id) {
			if i.Condition != scheduled || i.Goal != goalRunning {
				continue
			}
			if d := m.s.Delays[i.App]; d != nil && time.Now().Before(d.Until) || time.Since(i.Since) < slow {
				break
			}
			m.offer(i)
		}
	}
}

func (m *Marathon) appsWithInstances() []string {
	seen := map[string]bool{}
	for _, i := range m.s.Instances {
		seen[i.App] = true
	}
	var out []string
	for id := range seen {
		out = append(out, id)
	}
	slices.Sort(out)
	return out
}

// offer looks through all agents, the emptiest first, for one that fits.
func (m *Marathon) offer(i *Instance) {
	a := i.Spec
	d := m.declined[a.ID]
	if d == nil {
		d = &Declined{Since: time.Now().UTC(), Reasons: map[string]int{}}
		m.declined[a.ID] = d
	}
	agents := m.cluster.Agents()
	byID := map[string]mesos.Agent{}
	for _, x := range agents {
		byID[x.ID] = x.Agent
	}
	var others []mesos.Agent
	for _, o := range m.instances(a.ID) {
		if o.TaskID != "" && o != i {
			others = append(others, byID[o.Agent])
		}
	}
	slices.SortStableFunc(agents, func(x, y mesos.AgentState) int {
		fx, fy := x.Free().CPUs/x.CPUs, y.Free().CPUs/y.CPUs
		switch {
		case fx > fy:
			return -1
		case fx < fy:
			return 1
		}
		return 0
	})
	for _, x := range agents {
		d.Processed++
		why := m.refuse(i, x, others)
		if why == "" {
			if ports := m.portsOn(a, x); ports != nil {
				d.LastUsed = time.Now().UTC()
				m.launch(i, x, ports)
				return
			}
			why = "InsufficientPorts"
		}
		d.Unused++
		d.LastNot = time.Now().UTC()
		d.Reasons[why]++
	}
}

// refuse says why an agent's offer is of no use to an instance; empty if it is.
func (m *Marathon) refuse(i *Instance, x mesos.AgentState, others []mesos.Agent) string {
	a, free := i.Spec, x.Free()
	switch {
	case !x.Offered():
		return "AgentMaintenance"
	case i.Home != "" && i.Home != x.ID:
		return "NoCorrespondingReservationFound"
	case a.CPUs > free.CPUs+1e-9:
		return "InsufficientCpus"
	case a.Mem > free.Mem+1e-9:
		return "InsufficientMemory"
	case a.Disk > free.Disk+1e-9:
		return "InsufficientDisk"
	case a.GPUs > 0:
		return "InsufficientGpus"
	}
	if i.Home == "" {
		for _, c := range a.Constraints {
			if !definition.Fits(c, x.Agent, a.Instances, others) {
				return "UnfulfilledConstraint"
			}
		}
	}
	return ""
}

// portsOn gives ports of an agent for an app, nil if there are not enough. A mapping without a host port has 0.
func (m *Marathon) portsOn(a *definition.App, x mesos.AgentState) []int {
	wanted := a.Ports()
	var fixed []int
	open := 0
	for _, p := range wanted {
		switch {
		case p.Fixed != 0:
			fixed = append(fixed, p.Fixed)
		case !p.None:
			open++
		}
	}
	free, enough := m.cluster.FreePorts(x.ID, open, fixed)
	if !enough {
		return nil
	}
	out := make([]int, len(wanted))
	for n, p := range wanted {
		switch {
		case p.Fixed != 0:
			out[n] = p.Fixed
		case !p.None:
			out[n], free = free[0], free[1:]
		}
	}
	return out
}
