package marathon

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tranship/tranship/lab/oldworld/definition"
	"github.com/tranship/tranship/lab/oldworld/mesos"
)

// NotFoundError is what is asked of what is not there: 404.
type NotFoundError struct{ Message string }

func (e *NotFoundError) Error() string { return e.Message }

// ConflictError is a creation of what is there: 409.
type ConflictError struct{ Message string }

func (e *ConflictError) Error() string { return e.Message }

// tree is all definitions, as an order changes them: apps and groups are replaced in it, never changed.
type tree struct {
	apps    map[string]*definition.App
	groups  map[string]*Group
	restart map[string]bool // apps to be restarted although nothing differs
	kill    map[string]bool // tasks that go first
}

// change carries out an order: it has edit change the tree, makes the deployment that leads there, and begins it.
func (m *Marathon) change(force bool, edit func(*tree) error) (*Deployment, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t := &tree{apps: maps.Clone(m.s.Apps), groups: maps.Clone(m.s.Groups), restart: map[string]bool{}, kill: map[string]bool{}}
	if err := edit(t); err != nil {
		return nil, err
	}
	if err := circle(t.apps); err != nil {
		return nil, err
	}
	d := &Deployment{ID: mesos.UUID(), Version: m.stamp(), Original: map[string]*definition.App{}, Target: map[string]*definition.App{}, Groups: m.s.Groups, Kill: t.kill}
	m.number(t, d.Version)
	d.Steps = plan(m.s.Apps, t.apps, t.restart)
	affected := d.affected()
	if locks := m.locks(affected); len(locks) > 0 {
		if !force {
			e := &LockedError{}
			for _, l := range locks {
				e.IDs = append(e.IDs, l.ID)
			}
			return nil, e
		}
		for _, l := range locks {
			m.cancel(l, "forced by deployment "+d.ID)
		}
	}
	for _, id := range affected {
		d.Original[id], d.Target[id] = m.s.Apps[id], t.apps[id]
	}
	m.commit(t, d)
	return d, m.flush()
}

// number gives what has changed its version, and its ports.
func (m *Marathon) number(t *tree, version string) {
	for _, id := range slices.Sorted(maps.Keys(t.apps)) {
		a, old := t.apps[id], m.s.Apps[id]
		if a == old && !t.restart[id] {
			continue
		}
		a = a.Clone()
		assign(a, old, t.apps)
		if old != nil && old.Same(a) && !t.restart[id] {
			t.apps[id] = old
			continue
		}
		a.Version = version
		a.VersionInfo = &definition.VersionInfo{LastScalingAt: version, LastConfigChangeAt: version}
		if old != nil && old.SameButInstances(a) && !t.restart[id] && old.VersionInfo != nil {
			a.VersionInfo.LastConfigChangeAt = old.VersionInfo.LastConfigChangeAt
		}
		t.apps[id] = a
	}
}

// Service ports that Marathon gives out by itself.
const (
	firstPort = 10000
	lastPort  = 20000
)

// assign gives service ports where any will do: those that the app had, else free ones.
func assign(a, old *definition.App, apps map[string]*definition.App) {
	taken := map[int]bool{}
	for id, other := range apps {
		if id != a.ID {
			for _, p := range other.ServicePorts() {
				taken[p] = true
			}
		}
	}
	var had []int
	if old != nil {
		had = old.ServicePorts()
	}
	for _, p := range a.ServicePorts() {
		taken[p] = true
	}
	next := firstPort
	give := func(n int) int {
		if n < len(had) && had[n] != 0 && !slices.Contains(a.ServicePorts(), had[n]) {
			return had[n]
		}
		for ; next <= lastPort; next++ {
			if !taken[next] {
				taken[next] = true
				return next
			}
		}
		return 0
	}
	for n := range a.PortDefinitions {
		if a.PortDefinitions[n].Port == 0 {
			a.PortDefinitions[n].Port = give(n)
		}
	}
	if a.Container != nil {
		for n := range a.Container.PortMappings {
			if a.Container.PortMappings[n].ServicePort == 0 {
				a.Container.PortMappings[n].ServicePort = give(n)
			}
		}
	}
}

// commit makes the tree the one that is. The lock is held.
func (m *Marathon) commit(t *tree, d *Deployment) {
	for id, a := range t.apps {
		if m.s.Apps[id] != a {
			m.s.Versions[id] = keepLast(append(m.s.Versions[id], a))
		}
		if m.s.Apps[id] == nil {
			for _, h := range a.HealthChecks {
				m.events.publish("add_health_check_event", map[string]any{"appId": id, "version": a.Version, "healthCheck": h})
			}
		} else if m.s.Apps[id].Version != a.Version && m.s.Apps[id].SameButInstances(a) && !t.restart[id] {
			m.rescaled(a)
		}
	}
	for id, a := range m.s.Apps {
		if t.apps[id] == nil {
			delete(m.s.Versions, id)
			for range a.HealthChecks {
				m.events.publish("remove_health_check_event", map[string]any{"appId": id})
			}
		}
	}
	m.s.Apps, m.s.Groups, m.s.Version = t.apps, t.groups, d.Version
	m.s.GroupLog = keepLast(append(m.s.GroupLog, snapshot{Version: d.Version, Apps: t.apps, Groups: t.groups}))
	m.s.Deployments = append(m.s.Deployments, d)
	m.touch()
}

// rescaled has instances that wait take the new version: only their number has changed.
func (m *Marathon) rescaled(a *definition.App) {
	for _, i := range m.instances(a.ID) {
		if i.Condition == scheduled && i.Goal == goalRunning {
			i.Spec = a
		}
	}
}

func unknownApp(id string) error { return &NotFoundError{fmt.Sprintf("App '%s' does not exist", id)} }

func unknownGroup(id string) error {
	return &NotFoundError{fmt.Sprintf("Group '%s' does not exist", id)}
}

// CreateApp makes a new app, and gives its definition.
func (m *Marathon) CreateApp(text []byte, force bool) (*definition.App, *Deployment, error) {
	a, err := definition.Parse(text, "/")
	if err != nil {
		return nil, nil, err
	}
	d, err := m.change(force, func(t *tree) error {
		if t.apps[a.ID] != nil {
			return &ConflictError{fmt.Sprintf("An app with id [%s] already exists.", a.ID)}
		}
		return t.put(a)
	})
	if err != nil {
		return nil, nil, err
	}
	return d.Target[a.ID], d, nil
}

// put enters an app, and the groups above it.
func (t *tree) put(a *definition.App) error {
	twice := &definition.InvalidError{Details: []definition.Detail{{Path: "/", Errors: []string{"Groups and Applications may not have the same identifier."}}}}
	if t.groups[a.ID] != nil || t.below(a.ID) {
		return twice
	}
	for g := parent(a.ID); g != "/"; g = parent(g) {
		if t.apps[g] != nil {
			return twice
		}
		if t.groups[g] == nil {
			t.groups[g] = &Group{ID: g}
		}
	}
	t.apps[a.ID] = a
	return nil
}

// below tells whether there are apps under a path.
func (t *tree) below(id string) bool {
	for app := range t.apps {
		if strings.HasPrefix(app, id+"/") {
			return true
		}
	}
	return false
}

// UpdateApp changes an app, or replaces it as a whole; created tells that it was not there.
func (m *Marathon) UpdateApp(id string, text []byte, partial, create, force bool) (d *Deployment, created bool, err error) {
	d, err = m.change(force, func(t *tree) error {
		created, err = t.update(id, text, partial, create)
		return err
	})
	return d, created, err
}

func (t *tree) update(id string, text []byte, partial, create bool) (created bool, err error) {
	old := t.apps[id]
	var a *definition.App
	switch {
	case old == nil && !create:
		return false, unknownApp(id)
	case old != nil && partial:
		a, err = definition.Merge(old, text)
	default:
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(text, &fields); err != nil {
			return false, definition.Malformed(err)
		}
		fields["id"] = raw(id)
		a, err = definition.Of(fields, "/")
	}
	if err != nil {
		return false, err
	}
	return old == nil, t.put(a)
}

// UpdateApps changes many at once, in one deployment.
func (m *Marathon) UpdateApps(text []byte, partial, create, force bool) (*Deployment, error) {
	var list []json.RawMessage
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, definition.Malformed(err)
	}
	return m.change(force, func(t *tree) error {
		for _, one := range list {
			var named struct{ ID string }
			if err := json.Unmarshal(one, &named); err != nil {
				return definition.Malformed(err)
			}
			if named.ID == "" {
				return &definition.InvalidError{Details: []definition.Detail{{Path: "/id", Errors: []string{"App Update must have app id set"}}}}
			}
			if _, err := t.update(definition.AbsoluteID(named.ID, "/"), one, partial, create); err != nil {
				return err
			}
		}
		return nil
	})
}

// DeleteApp removes an app, its instances and their volumes.
func (m *Marathon) DeleteApp(id string, force bool) (*Deployment, error) {
	return m.change(force, func(t *tree) error {
		if t.apps[id] == nil {
			return unknownApp(id)
		}
		delete(t.apps, id)
		return nil
	})
}

// RestartApp replaces all instances of an app by new ones.
func (m *Marathon) RestartApp(id string, force bool) (*Deployment, error) {
	return m.change(force, func(t *tree) error {
		if t.apps[id] == nil {
			return unknownApp(id)
		}
		t.restart[id] = true
		return nil
	})
}

// CancelDeployment leaves things as they are (force), or begins the deployment that leads back.
func (m *Marathon) CancelDeployment(id string, force bool) (*Deployment, error) {
	m.mu.Lock()
	var found *Deployment
	for _, d := range m.s.Deployments {
		if d.ID == id {
			found = d
		}
	}
	if found == nil {
		m.mu.Unlock()
		return nil, &NotFoundError{fmt.Sprintf("DeploymentPlan %s does not exist", id)}
	}
	if force {
		defer m.mu.Unlock()
		m.cancel(found, "cancelled")
		return nil, m.flush()
	}
	m.mu.Unlock()
	return m.change(true, func(t *tree) error {
		for _, app := range found.affected() {
			if had := found.Original[app]; had != nil {
				t.apps[app] = had.Clone()
				if to := found.Target[app]; to != nil && to.Same(had) {
					t.restart[app] = true // a restart is undone by another
				}
			} else {
				delete(t.apps, app)
			}
		}
		for g := range t.groups {
			if found.Groups[g] == nil && !t.below(g) {
				delete(t.groups, g)
			}
		}
		return nil
	})
}
