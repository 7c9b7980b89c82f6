package marathon

import (
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/tranship/tranship/lab/oldworld/definition"
)

// TaskView is a task as the API shows it.
type TaskView struct {
	IPAddresses  []map[string]string `json:"ipAddresses"`
	StagedAt     string              `json:"stagedAt,omitempty"`
	StartedAt    string              `json:"startedAt,omitempty"`
	State        string              `json:"state"`
	Ports        []int               `json:"ports"`
	Version      string              `json:"version"`
	ID           string              `json:"id"`
	AppID        string              `json:"appId"`
	SlaveID      string              `json:"slaveId"`
	Host         string              `json:"host"`
	Region       string              `json:"region,omitempty"`
	Zone         string              `json:"zone,omitempty"`
	Role         string              `json:"role"`
	Results      []*Health           `json:"healthCheckResults,omitempty"`
	ServicePorts []int               `json:"servicePorts,omitempty"`
	LocalVolumes []map[string]string `json:"localVolumes,omitempty"`
}

func (m *Marathon) taskView(i *Instance) TaskView {
	v := TaskView{
		IPAddresses: []map[string]string{{"ipAddress": i.Address, "protocol": "IPv4"}}, State: taskState(i.Condition), Ports: i.Ports,
		Version: i.Spec.Version, ID: i.TaskID, AppID: i.App, SlaveID: i.Agent, Host: i.Host, Region: i.Region, Zone: i.Zone, Role: "*",
		ServicePorts: i.Spec.ServicePorts(),
	}
	if v.Ports == nil {
		v.Ports = []int{}
	}
	if !i.StagedAt.IsZero() {
		v.StagedAt = Stamp(i.StagedAt)
	}
	if !i.StartedAt.IsZero() {
		v.StartedAt = Stamp(i.StartedAt)
	}
	for n := range i.Spec.HealthChecks {
		if h := m.health[i.ID][n]; h != nil {
			c := *h
			v.Results = append(v.Results, &c)
		}
	}
	for _, id := range i.Volumes {
		parts := strings.SplitN(id, "#", 3)
		if len(parts) == 3 {
			v.LocalVolumes = append(v.LocalVolumes, map[string]string{"runSpecId": i.App, "containerPath": parts[1], "uuid": parts[2], "persistenceId": id})
		}
	}
	return v
}

func taskState(condition string) string {
	switch condition {
	case "Provisioned", "Staging":
		return "TASK_STAGING"
	case "Starting", "Running", "Killing", "Finished", "Killed":
		return "TASK_" + strings.ToUpper(condition)
	}
	return "TASK_STAGING"
}

// Tasks gives the tasks of the apps that are accepted.
func (m *Marathon) Tasks(accept func(app string) bool) []TaskView {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := []TaskView{}
	for _, app := range m.appsWithInstances() {
		for _, i := range m.instances(app) {
			if i.TaskID != "" && accept(app) {
				out = append(out, m.taskView(i))
			}
		}
	}
	return out
}

// AppView is an app with what is known of it now.
type AppView struct {
	*definition.App
	Staged      *int                `json:"tasksStaged,omitempty"`
	Running     *int                `json:"tasksRunning,omitempty"`
	Healthy     *int                `json:"tasksHealthy,omitempty"`
	Unhealthy   *int                `json:"tasksUnhealthy,omitempty"`
	Deployments []map[string]string `json:"deployments,omitzero"`
	Readiness   []Readiness         `json:"readinessCheckResults,omitempty"`
	Tasks       *[]TaskView         `json:"tasks,omitempty"`
	LastFailure *TaskFailure        `json:"lastTaskFailure,omitempty"`
}

// Embed says what of a view is wanted.
type Embed struct{ Counts, Tasks, Deployments, Readiness, Failure bool }

func (m *Marathon) appView(a *definition.App, e Embed) AppView {
	v := AppView{App: a}
	var staged, running, healthy, unhealthy int
	tasks := []TaskView{}
	for _, i := range m.instances(a.ID) {
		if i.TaskID == "" {
			continue
		}
		tasks = append(tasks, m.taskView(i))
		switch i.Condition {
		case "Running":
			running++
			if known := m.health[i.ID]; len(a.HealthChecks) > 0 && len(known) > 0 {
				if m.healthy(i) {
					healthy++
				} else {
					unhealthy++
				}
			}
		case "Provisioned", "Staging", "Starting":
			staged++
		}
		if e.Readiness {
			for _, name := range slices.Sorted(maps.Keys(m.ready[i.ID])) {
				v.Readiness = append(v.Readiness, m.ready[i.ID][name])
			}
		}
	}
	if e.Counts {
		v.Staged, v.Running, v.Healthy, v.Unhealthy = &staged, &running, &healthy, &unhealthy
	}
	if e.Tasks {
		v.Tasks = &tasks
	}
	if e.Deployments {
		v.Deployments = []map[string]string{}
		for _, d := range m.locks([]string{a.ID}) {
			v.Deployments = append(v.Deployments, map[string]string{"id": d.ID})
		}
	}
	if e.Failure {
		v.LastFailure = m.s.Failures[a.ID]
	}
	return v
}

// App gives one app, false if there is none.
func (m *Marathon) App(id string, e Embed) (AppView, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	a := m.s.Apps[id]
	if a == nil {
		return AppView{}, false
	}
	return m.appView(a, e), true
}

// Apps gives the apps that are accepted, by their paths.
func (m *Marathon) Apps(e Embed, accept func(*definition.App) bool) []AppView {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := []AppView{}
	for _, id := range slices.Sorted(maps.Keys(m.s.Apps)) {
		if a := m.s.Apps[id]; accept(a) {
			out = append(out, m.appView(a, e))
		}
	}
	return out
}

// Versions gives the versions of an app, the newest first, and the definition at one.
func (m *Marathon) Versions(id, version string) (all []string, at *definition.App, found bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, a := range m.s.Versions[id] {
		all = append([]string{a.Version}, all...)
		if a.Version == version {
			at = a
		}
	}
	return all, at, m.s.Apps[id] != nil
}

// GroupView is a group as the API shows it; what is not asked for is left out.
type GroupView struct {
	ID           string       `json:"id"`
	Apps         *[]AppView   `json:"apps,omitempty"`
	Groups       *[]GroupView `json:"groups,omitempty"`
	Pods         *[]string    `json:"pods,omitempty"`
	Dependencies []string     `json:"dependencies"`
	Version      string       `json:"version"`
	EnforceRole  *bool        `json:"enforceRole,omitempty"`
}

// GroupEmbed says what of a group is wanted.
type GroupEmbed struct {
	Apps, Groups, Pods bool
	App                Embed
}

// Group gives a group with all below it.
func (m *Marathon) Group(id string, e GroupEmbed) (GroupView, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if id != "/" && m.s.Groups[id] == nil {
		return GroupView{}, false
	}
	return m.groupView(id, m.s.Apps, m.s.Groups, m.s.Version, e), true
}

// GroupAt gives a group as it was at a version.
func (m *Marathon) GroupAt(id, version string, e GroupEmbed) (GroupView, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e.App = Embed{}
	for _, s := range m.s.GroupLog {
		if s.Version == version && (id == "/" || s.Groups[id] != nil) {
			return m.groupView(id, s.Apps, s.Groups, version, e), true
		}
	}
	return GroupView{}, false
}

// GroupVersions gives the versions of the tree, the newest first.
func (m *Marathon) GroupVersions() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := []string{}
	for _, s := range slices.Backward(m.s.GroupLog) {
		out = append(out, s.Version)
	}
	return out
}

func (m *Marathon) groupView(id string, apps map[string]*definition.App, groups map[string]*Group, version string, e GroupEmbed) GroupView {
	v := GroupView{ID: id, Version: version, Dependencies: []string{}}
	if g := groups[id]; g != nil {
		v.EnforceRole = g.EnforceRole
		v.Dependencies = append(v.Dependencies, g.Dependencies...)
	}
	if e.Apps {
		list := []AppView{}
		for _, a := range slices.Sorted(maps.Keys(apps)) {
			if parent(a) == id {
				list = append(list, m.appView(apps[a], e.App))
			}
		}
		v.Apps = &list
	}
	if e.Pods {
		v.Pods = &[]string{}
	}
	if e.Groups {
		list := []GroupView{}
		for _, g := range slices.Sorted(maps.Keys(groups)) {
			if g != id && parent(g) == id {
				list = append(list, m.groupView(g, apps, groups, version, e))
			}
		}
		v.Groups = &list
	}
	return v
}

// DeploymentView is a deployment under way.
type DeploymentView struct {
	ID            string   `json:"id"`
	Version       string   `json:"version"`
	AffectedApps  []string `json:"affectedApps"`
	AffectedPods  []string `json:"affectedPods"`
	Steps         []Step   `json:"steps"`
	CurrentAction []any    `json:"currentActions"`
	CurrentStep   int      `json:"currentStep"`
	TotalSteps    int      `json:"totalSteps"`
}

// Deployments gives those that go on.
func (m *Marathon) Deployments() []DeploymentView {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := []DeploymentView{}
	for _, d := range m.s.Deployments {
		v := DeploymentView{
			ID: d.ID, Version: d.Version, AffectedApps: d.affected(), AffectedPods: []string{}, Steps: d.Steps, CurrentAction: []any{},
			CurrentStep: min(d.Current+1, len(d.Steps)), TotalSteps: len(d.Steps),
		}
		if v.Steps == nil {
			v.Steps = []Step{}
		}
		if d.Current < len(d.Steps) {
			for _, a := range d.Steps[d.Current].Actions {
				results := []Readiness{}
				for _, i := range m.instances(a.App) {
					for _, name := range slices.Sorted(maps.Keys(m.ready[i.ID])) {
						results = append(results, m.ready[i.ID][name])
					}
				}
				v.CurrentAction = append(v.CurrentAction, map[string]any{"action": a.Action, "app": a.App, "readinessCheckResults": results})
			}
		}
		out = append(out, v)
	}
	return out
}

// Queue gives what waits to be started, by app.
func (m *Marathon) Queue() []map[string]any {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := []map[string]any{}
	for _, app := range m.appsWithInstances() {
		var spec *definition.App
		count := 0
		for _, i := range m.instances(app) {
			if i.Condition == scheduled && i.Goal == goalRunning {
				spec = i.Spec
				count++
			}
		}
		if count == 0 {
			continue
		}
		left := 0.0
		if d := m.s.Delays[app]; d != nil {
			left = math.Max(0, math.Ceil(time.Until(d.Until).Seconds()))
		}
		x := m.declined[app]
		if x == nil {
			x = &Declined{Since: time.Now().UTC()}
		}
		summary := map[string]any{"processedOffersCount": x.Processed, "unusedOffersCount": x.Unused}
		reasons := []map[string]any{}
		for _, r := range []string{
			"NoCorrespondingReservationFound", "UnfulfilledConstraint", "AgentMaintenance", "InsufficientCpus", "InsufficientMemory", "InsufficientDisk",
			"InsufficientGpus", "InsufficientPorts",
		} {
			reasons = append(reasons, map[string]any{"reason": r, "declined": x.Reasons[r], "processed": x.Processed})
		}
		summary["rejectSummaryLaunchAttempt"] = reasons
		if !x.LastUsed.IsZero() {
			summary["lastUsedOfferAt"] = Stamp(x.LastUsed)
		}
		if !x.LastNot.IsZero() {
			summary["lastUnusedOfferAt"] = Stamp(x.LastNot)
		}
		out = append(out, map[string]any{
			"app": spec, "count": count, "role": "*", "delay": map[string]any{"timeLeftSeconds": left, "overdue": left == 0},
			"since": Stamp(x.Since), "processedOffersSummary": summary,
		})
	}
	return out
}

// ResetDelay lets an app that waits after a failure start at once.
func (m *Marathon) ResetDelay(app string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, i := range m.instances(app) {
		if i.Condition == scheduled {
			delete(m.s.Delays, app)
			m.touch()
			return m.flush()
		}
	}
	return &NotFoundError{"Application " + app + " not found in tasks queue."}
}

// Route is where a load balancer may send requests.
type Route struct {
	App     *definition.App
	TaskID  string
	Host    string
	Address string
	Ports   []int
	Alive   bool // it runs, and its checks say that it is well
	Ending  bool // it is to get nothing new
}

// Routes gives every task that runs.
func (m *Marathon) Routes() []Route {
	m.mu.Lock()
	defer m.mu.Unlock()
	var out []Route
	for _, id := range m.appsWithInstances() {
		for _, i := range m.instances(id) {
			if i.TaskID != "" && (i.Condition == "Running" || i.Condition == "Killing") {
				ending := i.Goal != goalRunning || i.Ending || i.Condition == "Killing"
				app := m.s.Apps[id]
				if app == nil {
					app = i.Spec
				}
				out = append(out, Route{App: app, TaskID: i.TaskID, Host: i.Host, Address: i.Address, Ports: i.Ports, Alive: m.healthy(i) || ending, Ending: ending})
			}
		}
	}
	return out
}
