package marathon

import (
	"math"
	"slices"

	"github.com/tranship/tranship/lab/oldworld/definition"
	"github.com/tranship/tranship/lab/oldworld/mesos"
)

// progress is what a restart under way remembers.
type progress struct {
	least     int // healthy ones at least
	capacity  int // instances at most
	immediate int // old ones that may end before a new one is ready
	before    int // old ones at its beginning
	passed    map[string]bool
}

// restartPlan is Marathon's own rule for how many may be missing and how many may be there beside.
func restartPlan(a *definition.App, healthy, all int) progress {
	least := int(math.Ceil(float64(a.Instances) * a.UpgradeStrategy.MinimumHealthCapacity))
	most := int(float64(a.Instances) * (1 + a.UpgradeStrategy.MaximumOverCapacity))
	at := max(0, healthy-least)
	if least == most && most <= healthy {
		if a.Resident() {
			at = healthy - least + 1
		} else {
			most++
		}
	}
	if a.Instances < all {
		at = max(all-a.Instances, at)
	}
	return progress{least: least, capacity: most, immediate: at, passed: map[string]bool{}}
}

// perform brings an action forward, and tells whether it is done.
func (m *Marathon) perform(d *Deployment, a Action) bool {
	switch a.Action {
	case "StartApplication":
		return true
	case "StopApplication":
		for _, i := range m.instances(a.App) {
			m.kill(i, true)
		}
		if len(m.instances(a.App)) > 0 {
			return false
		}
		if key := d.ID + " " + a.App; m.began[key] == nil {
			m.began[key] = &progress{}
			m.terminated(a.App)
		}
		return true
	case "ScaleApplication":
		return m.scale(d, d.Target[a.App])
	}
	app := d.Target[a.App]
	if app.Instances == 0 {
		return m.scale(d, app)
	}
	return m.restart(d, app)
}

// scale has as many instances as are wanted, those above by the app's kill selection.
func (m *Marathon) scale(d *Deployment, a *definition.App) bool {
	var live []*Instance
	ending := false
	for _, i := range m.instances(a.ID) {
		if i.Goal == goalRunning {
			live = append(live, i)
		} else {
			ending = true
		}
	}
	if n := len(live) - a.Instances; n > 0 {
		for _, i := range m.victims(a, live, n, d.Kill) {
			m.kill(i, false)
		}
		return false
	}
	if n := a.Instances - len(live); n > 0 {
		m.add(a, n)
		return false
	}
	for _, i := range live {
		if i.Spec.Version == a.Version && !m.isReady(i) {
			return false
		}
	}
	return !ending
}

// victims chooses who goes: those that were named, those that do not run, then by age, keeping a spread that the app asks for.
func (m *Marathon) victims(a *definition.App, live []*Instance, n int, named map[string]bool) []*Instance {
	byID := map[string]mesos.Agent{}
	for _, x := range m.cluster.Agents() {
		byID[x.ID] = x.Agent
	}
	rank := func(i *Instance) int {
		switch {
		case named[i.TaskID] && i.TaskID != "":
			return 0
		case i.TaskID == "":
			return 1
		case !m.healthy(i):
			return 2
		}
		return 3
	}
	left := slices.Clone(live)
	var out []*Instance
	for len(out) < n {
		crowd := func(*Instance) int { return 0 }
		for _, c := range a.Constraints {
			if c[1] == "GROUP_BY" {
				count := map[string]int{}
				for _, i := range left {
					v, _ := byID[i.Agent].Value(c[0])
					count[v]++
				}
				crowd = func(i *Instance) int { v, _ := byID[i.Agent].Value(c[0]); return count[v] }
			}
		}
		slices.SortStableFunc(left, func(x, y *Instance) int {
			switch {
			case rank(x) != rank(y):
				return rank(x) - rank(y)
			case crowd(x) != crowd(y):
				return crowd(y) - crowd(x)
			}
			if a.KillSelection == "OLDEST_FIRST" {
				return x.StartedAt.Compare(y.StartedAt)
			}
			return y.StartedAt.Compare(x.StartedAt)
		})
		out, left = append(out, left[0]), left[1:]
	}
	return out
}

// restart replaces instances of other versions: never more beside each other, nor fewer healthy, than the app allows.
func (m *Marathon) restart(d *Deployment, a *definition.App) bool {
	var old, fresh []*Instance
	healthy := 0
	for _, i := range m.instances(a.ID) {
		if m.healthy(i) && i.Goal == goalRunning {
			healthy++
		}
		switch {
		case i.Goal != goalRunning:
		case i.Spec.Version != a.Version:
			old = append(old, i)
		default:
			fresh = append(fresh, i)
		}
	}
	key := d.ID + " " + a.ID
	p := m.began[key]
	if p == nil {
		made := restartPlan(a, healthy, len(old)+len(fresh))
		made.before = len(old)
		p = &made
		m.began[key] = p
	}
	ready := 0
	for _, i := range fresh {
		if m.isReady(i) {
			ready++
			p.passed[i.ID] = true
		}
	}
	slices.SortStableFunc(old, func(x, y *Instance) int { return score(m.healthy(x)) - score(m.healthy(y)) })
	for ended := p.before - len(old); ended < p.immediate+len(p.passed) && len(old) > 0; ended++ {
		m.kill(old[0], false)
		old = old[1:]
	}
	remaining := 0
	for _, i := range m.instances(a.ID) {
		if i.Spec.Version != a.Version {
			remaining++
		}
	}
	if len(fresh) == 0 && len(old) > 0 && remaining >= p.capacity && p.spares(healthy, m.healthy(old[0])) {
		// Nothing new could ever begin: those that were not healthy when it began were not counted as ones to end.
		m.kill(old[0], false)
		return false
	}
	if n := min(a.Instances-len(fresh), p.capacity-remaining-len(fresh)); n > 0 {
		m.add(a, n)
		return false
	}
	return ready >= a.Instances && remaining == 0
}

// spares tells whether enough healthy ones are left without this one.
func (p *progress) spares(healthy int, well bool) bool {
	if well {
		healthy--
	}
	return healthy >= p.least
}

func score(healthy bool) int {
	if healthy {
		return 1
	}
	return 0
}
