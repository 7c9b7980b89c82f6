package marathon

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tranship/tranship/lab/oldworld/definition"
)

// Action is one of a step: Start, Scale, Stop or RestartApplication.
type Action struct {
	Action string `json:"action"`
	App    string `json:"app"`
}

// Step is a set of actions that go on beside each other.
type Step struct {
	Actions []Action `json:"actions"`
}

// Deployment is a change under way.
type Deployment struct {
	ID       string                     `json:"id"`
	Version  string                     `json:"version"`
	Steps    []Step                     `json:"steps"`
	Current  int                        `json:"current"` // the step under way, from 0
	Told     bool                       `json:"told"`    // its beginning has been told
	Original map[string]*definition.App `json:"original"`
	Target   map[string]*definition.App `json:"target"`
	Groups   map[string]*Group          `json:"groups"` // before it
	Kill     map[string]bool            `json:"kill,omitempty"`
}

// affected gives the apps of a deployment.
func (d *Deployment) affected() []string {
	seen := map[string]bool{}
	for _, s := range d.Steps {
		for _, a := range s.Actions {
			seen[a.App] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

// LockedError is returned for a change of what a deployment is changing.
type LockedError struct{ IDs []string }

func (e *LockedError) Error() string {
	return "App is locked by one or more deployments. Override with the option '?force=true'. View details at '/v2/deployments/<DEPLOYMENT_ID>'."
}

// plan makes the steps from the tree as it is to the apps as they are to be; an app that maps to nil goes.
func plan(now, target map[string]*definition.App, restart map[string]bool) []Step {
	var stop, start Step
	level := map[int]*Step{}
	depth := depths(target)
	for _, id := range slices.Sorted(maps.Keys(now)) {
		if target[id] == nil {
			stop.Actions = append(stop.Actions, Action{"StopApplication", id})
		}
	}
	for _, id := range slices.Sorted(maps.Keys(target)) {
		old, a := now[id], target[id]
		kind := ""
		switch {
		case old == nil:
			start.Actions = append(start.Actions, Action{"StartApplication", id})
			kind = "ScaleApplication"
		case old.Version == a.Version && !restart[id]:
			continue
		case (old.SameButInstances(a) || a.Instances == 0) && !restart[id]:
			kind = "ScaleApplication"
		default:
			kind = "RestartApplication"
		}
		if level[depth[id]] == nil {
			level[depth[id]] = &Step{}
		}
		level[depth[id]].Actions = append(level[depth[id]].Actions, Action{kind, id})
	}
	var steps []Step
	for _, s := range []Step{stop, start} {
		if len(s.Actions) > 0 {
			steps = append(steps, s)
		}
	}
	for _, n := range slices.Sorted(maps.Keys(level)) {
		steps = append(steps, *level[n])
	}
	return steps
}

// depths gives each app the length of its longest chain of dependencies, which may name groups.
func depths(apps map[string]*definition.App) map[string]int {
	out := map[string]int{}
	var walk func(id string, way []string) int
	walk = func(id string, way []string) int {
		if n, ok := out[id]; ok {
			return n
		}
		if slices.Contains(way, id) {
			return 0 // a circle; orders refuse them before
		}
		n := 1
		for _, dep := range apps[id].Dependencies {
			for other := range apps {
				if other != id && (other == dep || strings.HasPrefix(other, strings.TrimSuffix(dep, "/")+"/")) {
					n = max(n, 1+walk(other, append(way, id)))
				}
			}
		}
		out[id] = n
		return n
	}
	for id := range apps {
		walk(id, nil)
	}
	return out
}

// act looks at every deployment and every instance that waits. The lock is held.
func (m *Marathon) act() {
	if !m.opts.Faults().NoRestart {
		for _, i := range m.s.Instances {
			if i.Condition == abandoned && i.TaskID == "" {
				i.Condition = scheduled
				m.touch()
			}
		}
	}
	for _, d := range slices.Clone(m.s.Deployments) {
		m.advance(d)
	}
	m.place()
}

func (m *Marathon) advance(d *Deployment) {
	for d.Current < len(d.Steps) {
		step := d.Steps[d.Current]
		if !d.Told {
			d.Told = true
			m.events.publish("deployment_info", map[string]any{"plan": m.planView(d), "currentStep": step})
			for _, a := range step.Actions {
				m.revive(a.App)
			}
			m.touch()
		}
		done := true
		for _, a := range step.Actions {
			if !m.perform(d, a) {
				done = false
			}
		}
		if !done {
			return
		}
		m.events.publish("deployment_step_success", map[string]any{"plan": m.planView(d), "currentStep": step})
		d.Current++
		d.Told = false
		m.touch()
	}
	m.close(d)
	m.events.publish("deployment_success", map[string]any{"id": d.ID, "plan": m.planView(d)})
	m.events.publish("group_change_success", map[string]any{"groupId": "/", "version": d.Version})
}

// revive has instances start again that nobody started, and forgets delays: somebody acts on the app.
func (m *Marathon) revive(app string) {
	delete(m.s.Delays, app)
	for _, i := range m.instances(app) {
		if i.Condition == abandoned && i.TaskID == "" {
			i.Condition = scheduled
		}
	}
}

// close takes a deployment off the list.
func (m *Marathon) close(d *Deployment) {
	m.s.Deployments = slices.DeleteFunc(m.s.Deployments, func(x *Deployment) bool { return x == d })
	for key := range m.began {
		if strings.HasPrefix(key, d.ID+" ") {
			delete(m.began, key)
		}
	}
	m.touch()
}

// cancel ends a deployment that others have taken over.
func (m *Marathon) cancel(d *Deployment, why string) {
	m.close(d)
	m.events.publish("deployment_failed", map[string]any{"id": d.ID, "plan": m.planView(d), "reason": why})
	m.events.publish("group_change_failed", map[string]any{"groupId": "/", "version": d.Version, "reason": why})
}

// deploying tells whether a deployment changes an app. The lock is held.
func (m *Marathon) deploying(app string) bool { return len(m.locks([]string{app})) > 0 }

// locks gives the deployments that change one of the apps. The lock is held.
func (m *Marathon) locks(apps []string) []*Deployment {
	var out []*Deployment
	for _, d := range m.s.Deployments {
		if slices.ContainsFunc(d.affected(), func(id string) bool { return slices.Contains(apps, id) }) {
			out = append(out, d)
		}
	}
	return out
}

func (m *Marathon) planView(d *Deployment) map[string]any {
	return map[string]any{"id": d.ID, "version": d.Version, "steps": d.Steps}
}

// circle finds dependencies that lead back to themselves.
func circle(apps map[string]*definition.App) error {
	const entered, left = 1, 2
	state := map[string]int{}
	var walk func(id string) bool
	walk = func(id string) bool {
		if apps[id] == nil || state[id] == left {
			return false
		}
		if state[id] == entered || func() bool {
			state[id] = entered
			return slices.ContainsFunc(apps[id].Dependencies, walk)
		}() {
			return true
		}
		state[id] = left
		return false
	}
	for _, id := range slices.Sorted(maps.Keys(apps)) {
		if walk(id) {
			return &definition.InvalidError{Details: []definition.Detail{{Path: "/", Errors: []string{fmt.Sprintf("Dependency graph has cyclic dependencies, at %s.", id)}}}}
		}
	}
	return nil
}
