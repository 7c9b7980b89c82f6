package mesos

import (
	"fmt"
	"slices"
	"syscall"
	"time"

	"github.com/tranship/tranship/lab/oldworld/proc"
)

const memoryPoll = 500 * time.Millisecond

// holdMemory ends tasks that take more than they have.
func (c *Cluster) holdMemory() {
	c.mu.Lock()
	var held []*run
	for _, r := range c.tasks {
		if r.process.PID != 0 && !r.Now().State.Terminal() && r.Resources.Mem > 0 {
			held = append(held, r)
		}
	}
	c.mu.Unlock()
	if len(held) == 0 {
		return
	}
	used := proc.Sessions()
	for _, r := range held {
		// What is not that very process any more is signalled by nobody.
		if used[r.process.PID].RSS > int64(r.Resources.Mem*(1<<20)) {
			c.mu.Lock()
			r.over = true
			c.mu.Unlock()
			r.process.Signal(syscall.SIGKILL, true)
		}
	}
}

// Statistics is what an agent tells of one container.
type Statistics struct {
	Task       Task
	At         time.Time
	UserSecs   float64
	SystemSecs float64
	RSS        int64
	Processes  int
}

// Statistics measures the tasks of an agent.
func (c *Cluster) Statistics(agent string) []Statistics {
	c.mu.Lock()
	var runs []*run
	for _, r := range c.tasks {
		if r.Agent == agent && r.process.PID != 0 && !r.Now().State.Terminal() {
			runs = append(runs, r)
		}
	}
	c.mu.Unlock()
	var out []Statistics
	used := proc.Sessions()
	for _, r := range runs {
		u := used[r.process.PID]
		c.mu.Lock()
		t := r.copy()
		c.mu.Unlock()
		out = append(out, Statistics{Task: t, At: time.Now(), UserSecs: u.User, SystemSecs: u.System, RSS: u.RSS, Processes: u.Processes})
	}
	slices.SortFunc(out, func(a, b Statistics) int { return compare(a.Task.ID, b.Task.ID) })
	return out
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// change does something to an agent that is there. The lock is held by do.
func (c *Cluster) change(id string, do func(*agent) error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.agents[id]
	if a == nil || a.gone {
		return fmt.Errorf("agent %s: not known", id)
	}
	if err := do(a); err != nil {
		return err
	}
	return c.save()
}

// DrainAgent has all tasks of an agent end by their kill policies, none longer than limit if there is one.
func (c *Cluster) DrainAgent(id string, limit time.Duration, limited, markGone bool) error {
	return c.change(id, func(a *agent) error {
		if a.drain != nil && a.drain.MarkGone && !markGone {
			return fmt.Errorf("agent %s is draining to be marked gone", id)
		}
		a.drain = &Drain{State: "DRAINING", MarkGone: markGone, MaxGrace: limit, Limited: limited, Began: time.Now().UTC()}
		a.deactivated = true
		c.clear(a, byDrain, limit, limited)
		return nil
	})
}

// clear kills what runs on an agent. The lock is held.
func (c *Cluster) clear(a *agent, asked string, limit time.Duration, limited bool) {
	for _, r := range c.tasks {
		if r.Agent != a.ID {
			continue
		}
		grace := r.Grace
		if limited {
			grace = min(grace, limit)
		}
		c.kill(r, asked, grace)
	}
}

// settleDrains sees which drains are done.
func (c *Cluster) settleDrains() {
	c.mu.Lock()
	defer c.mu.Unlock()
	changed := false
	for _, a := range c.agents {
		if a.drain == nil || a.drain.State != "DRAINING" || slices.ContainsFunc(c.on(a.ID), func(r *run) bool { return !r.Now().State.Terminal() }) {
			continue
		}
		drained := *a.drain
		drained.State = "DRAINED"
		a.drain, a.gone, changed = &drained, a.gone || drained.MarkGone, true
	}
	if changed {
		if err := c.save(); err != nil {
			c.opts.Log("%v", err)
		}
	}
}

func (c *Cluster) on(agent string) []*run {
	var out []*run
	for _, r := range c.tasks {
		if r.Agent == agent {
			out = append(out, r)
		}
	}
	return out
}

// Deactivate keeps an agent out of offers; what runs there goes on.
func (c *Cluster) Deactivate(id string) error {
	return c.change(id, func(a *agent) error { a.deactivated = true; return nil })
}

// Reactivate undoes Deactivate and DrainAgent.
func (c *Cluster) Reactivate(id string) error {
	return c.change(id, func(a *agent) error {
		if a.drain != nil && a.drain.State == "DRAINING" {
			return fmt.Errorf("agent %s is draining", id)
		}
		a.deactivated, a.drain = false, nil
		return nil
	})
}

// MarkGone takes an agent out for ever; its tasks end at once.
func (c *Cluster) MarkGone(id string) error {
	return c.change(id, func(a *agent) error {
		a.gone = true
		c.clear(a, byRemoval, 0, true)
		return nil
	})
}

// Schedule gives the maintenance schedule, and the machines that are down.
func (c *Cluster) Schedule() (windows []Window, down []Machine) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.schedule), slices.Clone(c.down)
}

// SetSchedule replaces the maintenance schedule. A machine that is down has to stay in it.
func (c *Cluster) SetSchedule(windows []Window) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	seen := map[Machine]bool{}
	for _, w := range windows {
		if len(w.Machines) == 0 {
			return fmt.Errorf("a window has no machines")
		}
		for _, m := range w.Machines {
			if m.Hostname == "" && m.IP == "" {
				return fmt.Errorf("a machine has neither hostname nor IP")
			}
			if seen[m] {
				return fmt.Errorf("machine %s%s stands twice", m.Hostname, m.IP)
			}
			seen[m] = true
		}
	}
	for _, m := range c.down {
		if !seen[m] {
			return fmt.Errorf("machine %s%s is down and has to stay in the schedule", m.Hostname, m.IP)
		}
	}
	c.schedule = windows
	return c.save()
}

// StartMaintenance takes machines of the schedule down: their tasks are lost.
func (c *Cluster) StartMaintenance(machines []Machine) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range machines {
		if !slices.ContainsFunc(c.schedule, func(w Window) bool { return slices.Contains(w.Machines, m) }) {
			return fmt.Errorf("machine %s%s is not in a maintenance window", m.Hostname, m.IP)
		}
		if slices.Contains(c.down, m) {
			return fmt.Errorf("machine %s%s is down already", m.Hostname, m.IP)
		}
	}
	for _, m := range machines {
		c.down = append(c.down, m)
		for _, a := range c.agents {
			if m.is(a.Agent) {
				c.clear(a, byDrain, 0, false)
			}
		}
	}
	return c.save()
}

// StopMaintenance brings machines up again, out of the schedule.
func (c *Cluster) StopMaintenance(machines []Machine) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range machines {
		if !slices.Contains(c.down, m) {
			return fmt.Errorf("machine %s%s is not down", m.Hostname, m.IP)
		}
	}
	for _, m := range machines {
		c.down = slices.DeleteFunc(c.down, func(x Machine) bool { return x == m })
		for i := range c.schedule {
			c.schedule[i].Machines = slices.DeleteFunc(slices.Clone(c.schedule[i].Machines), func(x Machine) bool { return x == m })
		}
	}
	c.schedule = slices.DeleteFunc(c.schedule, func(w Window) bool { return len(w.Machines) == 0 })
	return c.save()
}
