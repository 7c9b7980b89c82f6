package marathon

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tranship/tranship/lab/oldworld/definition"
)

// groupUpdate is a change of a group: what it does not speak of stays, what it lists is all that there is to be.
type groupUpdate struct {
	ID           string            `json:"id"`
	Apps         []json.RawMessage `json:"apps"`
	Groups       []groupUpdate     `json:"groups"`
	Pods         []json.RawMessage `json:"pods"`
	Dependencies []string          `json:"dependencies"`
	EnforceRole  *bool             `json:"enforceRole"`
	ScaleBy      *float64          `json:"scaleBy"`
	Version      string            `json:"version"`
}

// PutGroup creates (create) or changes a group with all that is below; dry only tells the steps.
func (m *Marathon) PutGroup(base string, text []byte, create, force, dry bool) (id string, d *Deployment, err error) {
	var u groupUpdate
	if err := json.Unmarshal(text, &u); err != nil {
		return "", nil, definition.Malformed(err)
	}
	id = definition.AbsoluteID(base, "/")
	if u.ID != "" {
		id = definition.AbsoluteID(u.ID, id)
	}
	if id != "/" && !definition.ValidPath(id) {
		return id, nil, &definition.InvalidError{Details: []definition.Detail{{Path: "/id", Errors: []string{"must fully match the form of a path"}}}}
	}
	edit := func(t *tree) error {
		switch {
		case create && (t.groups[id] != nil || id == "/"):
			return &ConflictError{fmt.Sprintf("Group %s is already created. Use PUT to change this group.", id)}
		case t.apps[id] != nil:
			return &ConflictError{fmt.Sprintf("An app with the path %s already exists.", id)}
		case u.ScaleBy != nil:
			return t.scaleBy(id, *u.ScaleBy)
		case u.Version != "":
			return m.backTo(t, id, u.Version)
		}
		return t.group(id, u)
	}
	if dry {
		m.mu.Lock()
		defer m.mu.Unlock()
		t := &tree{apps: maps.Clone(m.s.Apps), groups: maps.Clone(m.s.Groups), restart: map[string]bool{}}
		if err := edit(t); err != nil {
			return id, nil, err
		}
		m.number(t, m.stamp())
		return id, &Deployment{Steps: plan(m.s.Apps, t.apps, nil)}, nil
	}
	d, err = m.change(force, edit)
	return id, d, err
}

// group makes a group what the update says.
func (t *tree) group(id string, u groupUpdate) error {
	if len(u.Pods) > 0 {
		return &definition.InvalidError{Details: []definition.Detail{{Path: "/pods", Errors: []string{"pods are not enabled"}}}}
	}
	g := &Group{ID: id}
	if had := t.groups[id]; had != nil {
		*g = *had
	}
	if u.Dependencies != nil {
		g.Dependencies = nil
		for _, d := range u.Dependencies {
			g.Dependencies = append(g.Dependencies, definition.AbsoluteID(d, parent(id)))
		}
	}
	if u.EnforceRole != nil {
		g.EnforceRole = u.EnforceRole
	}
	if id != "/" {
		t.groups[id] = g
		for p := parent(id); p != "/"; p = parent(p) {
			if t.groups[p] == nil {
				t.groups[p] = &Group{ID: p}
			}
		}
	}
	if u.Groups != nil {
		var named []string
		for _, sub := range u.Groups {
			named = append(named, definition.AbsoluteID(sub.ID, id))
		}
		for other := range t.groups {
			if other != id && parent(other) == id && !slices.Contains(named, other) {
				t.drop(other)
			}
		}
		for n, sub := range u.Groups {
			if err := t.group(named[n], sub); err != nil {
				return err
			}
		}
	}
	if u.Apps == nil {
		return nil
	}
	var named []string
	for n, text := range u.Apps {
		a, err := definition.Parse(text, id)
		if err != nil {
			return inApps(err, n)
		}
		if parent(a.ID) != id {
			return &definition.InvalidError{Details: []definition.Detail{{Path: fmt.Sprintf("/apps(%d)/id", n), Errors: []string{fmt.Sprintf("identifier %s is not child of %s. Hint: use relative paths.", a.ID, id)}}}}
		}
		// An app that is there is replaced whole: fields that are not said have their defaults again.
		if err := t.put(a); err != nil {
			return err
		}
		named = append(named, a.ID)
	}
	for app := range t.apps {
		if parent(app) == id && !slices.Contains(named, app) {
			delete(t.apps, app)
		}
	}
	return nil
}

// inApps puts complaints under the app's place in the list.
func inApps(err error, n int) error {
	if bad, ok := err.(*definition.InvalidError); ok { //nolint:errorlint // made two lines above, never wrapped
		for i := range bad.Details {
			bad.Details[i].Path = fmt.Sprintf("/apps(%d)%s", n, bad.Details[i].Path)
		}
	}
	return err
}

// drop removes a group with all below it.
func (t *tree) drop(id string) {
	for app := range t.apps {
		if strings.HasPrefix(app, id+"/") {
			delete(t.apps, app)
		}
	}
	for g := range t.groups {
		if g == id || strings.HasPrefix(g, id+"/") {
			delete(t.groups, g)
		}
	}
}

func (t *tree) scaleBy(id string, factor float64) error {
	if t.groups[id] == nil && id != "/" {
		return unknownGroup(id)
	}
	for app, a := range t.apps {
		if strings.HasPrefix(app, strings.TrimSuffix(id, "/")+"/") {
			c := a.Clone()
			c.Instances = int(float64(a.Instances)*factor + 0.999999)
			t.apps[app] = c
		}
	}
	return nil
}

// backTo has a group be what it was at a version. The lock is held.
func (m *Marathon) backTo(t *tree, id, version string) error {
	for _, s := range m.s.GroupLog {
		if s.Version != version {
			continue
		}
		t.drop(id)
		under := strings.TrimSuffix(id, "/") + "/"
		for app, a := range s.Apps {
			if strings.HasPrefix(app, under) {
				t.apps[app] = a.Clone()
			}
		}
		for g, x := range s.Groups {
			if g == id || strings.HasPrefix(g, under) {
				t.groups[g] = x
			}
		}
		return nil
	}
	return &NotFoundError{fmt.Sprintf("Group '%s' does not exist in version %s", id, version)}
}

// DeleteGroup removes a group with all that is below it.
func (m *Marathon) DeleteGroup(id string, force bool) (*Deployment, error) {
	return m.change(force, func(t *tree) error {
		if id != "/" && t.groups[id] == nil {
			return unknownGroup(id)
		}
		if id == "/" {
			t.apps, t.groups = map[string]*definition.App{}, map[string]*Group{}
			return nil
		}
		t.drop(id)
		return nil
	})
}

// KillTasks ends tasks: those of the apps are started again, unless scale has the apps want fewer. The tasks that were
// found are given back.
func (m *Marathon) KillTasks(ids []string, scale, wipe, force bool) ([]TaskView, *Deployment, error) {
	m.mu.Lock()
	fewer := map[string]int{}
	var found []TaskView
	for _, id := range ids {
		i := m.ofTask(id)
		if i == nil {
			continue
		}
		found = append(found, m.taskView(i))
		fewer[i.App]++
		switch {
		case scale:
		case wipe:
			m.kill(i, true)
			if a := m.s.Apps[i.App]; a != nil && !m.deploying(i.App) {
				m.add(a, 1)
			}
		case i.Goal == goalRunning:
			m.end(i)
		}
	}
	err := m.flush()
	m.mu.Unlock()
	if !scale || err != nil {
		return found, nil, err
	}
	d, err := m.change(force, func(t *tree) error {
		for app, n := range fewer {
			if a := t.apps[app]; a != nil {
				c := a.Clone()
				c.Instances = max(0, a.Instances-n)
				t.apps[app] = c
			}
		}
		for _, id := range ids {
			t.kill[id] = true
		}
		return nil
	})
	return found, d, err
}
