package marathon

import (
	"encoding/json"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tranship/tranship/lab/oldworld/definition"
	"github.com/tranship/tranship/lab/oldworld/mesos"
)

// What is to become of an instance.
const (
	goalRunning        = "Running"
	goalDecommissioned = "Decommissioned"
	goalStopped        = "Stopped" // its volumes are kept for the next one
)

// Instance is one copy of an app, over all tasks that it has had.
type Instance struct {
	ID          string          `json:"id"`
	App         string          `json:"app"`
	Spec        *definition.App `json:"spec"` // of its version
	Goal        string          `json:"goal"`
	Condition   string          `json:"condition"`
	Since       time.Time       `json:"since"` // it was wanted
	Incarnation int             `json:"incarnation"`
	TaskID      string          `json:"taskId,omitempty"`
	Agent       string          `json:"agent,omitempty"`
	Host        string          `json:"host,omitempty"`
	Address     string          `json:"address,omitempty"`
	Ports       []int           `json:"ports,omitempty"`
	StagedAt    time.Time       `json:"stagedAt"`
	StartedAt   time.Time       `json:"startedAt"`
	Region      string          `json:"region,omitempty"`
	Zone        string          `json:"zone,omitempty"`
	Volumes     []string        `json:"volumes,omitempty"` // ids, in the order of the app's persistent volumes
	Home        string          `json:"home,omitempty"`    // the agent where they are
	Wipe        bool            `json:"wipe,omitempty"`    // they go when it ends
	Well        bool            `json:"well,omitempty"`    // all its checks said so when it was last looked at
	Sick        bool            `json:"sick,omitempty"`    // it is ended because its checks say so
	Ending      bool            `json:"-"`                 // it is being ended in this life of the program
}

// Reserved are volumes of an app that no instance has at the moment.
type Reserved struct {
	Instance string   `json:"instance"`
	Agent    string   `json:"agent"`
	Volumes  []string `json:"volumes"`
}

const scheduled = "Scheduled"

func condition(s mesos.State) string {
	return map[mesos.State]string{
		mesos.Staging: "Staging", mesos.Starting: "Starting", mesos.Running: "Running", mesos.Killing: "Killing",
		mesos.Finished: "Finished", mesos.Failed: "Failed", mesos.Killed: "Killed", mesos.Lost: "Dropped",
		mesos.Gone: "Gone", mesos.Errored: "Error", mesos.Unreachable: "Unreachable",
	}[s]
}

// safeID is how an app's path stands in ids of its instances.
func safeID(app string) string { return strings.ReplaceAll(strings.Trim(app, "/"), "/", "_") }

// add wants n more instances of an app. The lock is held.
func (m *Marathon) add(a *definition.App, n int) {
	for range n {
		i := &Instance{App: a.ID, Spec: a, Goal: goalRunning, Condition: scheduled, Since: time.Now().UTC()}
		if a.Resident() {
			if kept := m.s.Reserved[a.ID]; len(kept) > 0 {
				i.ID, i.Home, i.Volumes = kept[0].Instance, kept[0].Agent, kept[0].Volumes
				m.s.Reserved[a.ID] = kept[1:]
			}
		}
		if i.ID == "" {
			i.ID = safeID(a.ID) + ".instance-" + mesos.UUID()
		}
		m.s.Instances[i.ID] = i
		m.changedInstance(i)
	}
	if n > 0 {
		m.touch()
	}
}

func (m *Marathon) changedInstance(i *Instance) {
	f := map[string]any{"instanceId": i.ID, "condition": i.Condition, "runSpecId": i.App, "runSpecVersion": i.Spec.Version, "goal": i.Goal}
	if i.Agent != "" {
		f["agentId"], f["host"] = i.Agent, i.Host
	}
	m.events.publish("instance_changed_event", f)
}

// launch starts the instance on the agent. The lock is held.
func (m *Marathon) launch(i *Instance, agent mesos.AgentState, ports []int) {
	a := i.Spec
	i.Incarnation++
	i.TaskID = fmt.Sprintf("%s._app.%d", i.ID, i.Incarnation)
	i.Agent, i.Host, i.Address, i.Region, i.Zone = agent.ID, agent.Hostname, agent.Address, agent.Region, agent.Zone
	i.Ports, i.StagedAt, i.StartedAt, i.Condition = ports, time.Now().UTC(), time.Time{}, "Provisioned"
	info := mesos.Info{
		ID: i.TaskID, Name: discoveryName(a.ID), Shell: a.Cmd, Args: a.Args, Grace: a.KillGrace(), Labels: a.Labels,
		Resources: mesos.Resources{CPUs: a.CPUs, Mem: a.Mem, Disk: a.Disk, GPUs: a.GPUs, Ports: slices.DeleteFunc(slices.Clone(ports), func(p int) bool { return p == 0 })},
		Env:       Env(a, i.TaskID, agent.Address, ports),
		Checked:   slices.ContainsFunc(a.HealthChecks, definition.HealthCheck.ByMesos),
	}
	for n, p := range a.Ports() {
		info.Ports = append(info.Ports, mesos.Port{Number: ports[n], Name: p.Name, Protocol: p.Protocol, Labels: p.Labels})
	}
	if c := a.Container; c != nil {
		info.Docker = c.Type == "DOCKER"
		if c.Docker != nil {
			info.Image = c.Docker.Image
		}
		info.Volumes = m.volumes(i)
	}
	// On disk before it runs: a task that is started and not known would be ended as nobody's.
	m.dirty = true
	if err := m.flush(); err != nil {
		m.opts.Log("%v", err)
		i.Condition = scheduled
		return
	}
	if err := m.cluster.Launch(m.frame, agent.ID, info); err != nil {
		i.Condition, i.TaskID = scheduled, ""
	}
}

// volumes gives an instance's volumes; persistent ones get an id at the first start and keep it.
func (m *Marathon) volumes(i *Instance) []mesos.Volume {
	var out []mesos.Volume
	next := 0
	for _, v := range i.Spec.Container.Volumes {
		x := mesos.Volume{ContainerPath: v.ContainerPath, HostPath: v.HostPath, ReadOnly: v.Mode == "RO"}
		switch {
		case v.Persistent != nil:
			if next >= len(i.Volumes) {
				i.Volumes = append(i.Volumes, safeID(i.App)+"#"+v.ContainerPath+"#"+mesos.UUID())
			}
			x.ID, x.Size, x.HostPath = i.Volumes[next], v.Persistent.Size, ""
			i.Home = i.Agent
			next++
		case len(v.External) > 0 || v.Secret != "":
			continue
		}
		out = append(out, x)
	}
	return out
}

// discoveryName is a task's name in Mesos: the path backwards.
func discoveryName(app string) string {
	parts := strings.Split(strings.Trim(app, "/"), "/")
	slices.Reverse(parts)
	return strings.Join(parts, ".")
}

// Env is the environment that a task of an app is given, in Marathon's own order: its context, its ports, and last what
// the definition says.
func Env(a *definition.App, taskID, host string, ports []int) map[string]string {
	env := map[string]string{
		"MESOS_TASK_ID": taskID, "MARATHON_APP_ID": a.ID, "MARATHON_APP_VERSION": a.Version,
		"MARATHON_APP_RESOURCE_CPUS": double(a.CPUs), "MARATHON_APP_RESOURCE_MEM": double(a.Mem),
		"MARATHON_APP_RESOURCE_DISK": double(a.Disk), "MARATHON_APP_RESOURCE_GPUS": strconv.Itoa(int(a.GPUs)),
		"HOST": host,
	}
	if a.Container != nil && a.Container.Docker != nil && a.Container.Docker.Image != "" {
		env["MARATHON_APP_DOCKER_IMAGE"] = a.Container.Docker.Image
	}
	labelEnv(env, a.Labels)
	portEnv(env, a.Ports(), ports)
	for k, v := range a.Env {
		var text string
		if json.Unmarshal(v, &text) == nil { // else a secret, whose value is nowhere here
			env[k] = text
		}
	}
	return env
}

var notInNames = regexp.MustCompile(`[^a-zA-Z0-9_]+`)

// longest is the length from which on labels are left out.
const longest = 512

func labelEnv(env, labels map[string]string) {
	var names []string
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		if len(k) < longest-len("MARATHON_APP_LABEL_") && len(labels[k]) < longest {
			name := strings.ToUpper(notInNames.ReplaceAllString(k, "_"))
			names = append(names, name)
			env["MARATHON_APP_LABEL_"+name] = labels[k]
		}
	}
	env["MARATHON_APP_LABELS"] = strings.Join(names, " ")
}

func portEnv(env map[string]string, wanted []definition.Port, given []int) {
	var all []string
	for n, p := range wanted {
		if n >= len(given) || given[n] == 0 {
			continue
		}
		text := strconv.Itoa(given[n])
		all = append(all, text)
		env[fmt.Sprintf("PORT%d", n)] = text
		requested := p.Requested
		if requested == 0 {
			requested = given[n]
		}
		env[fmt.Sprintf("PORT_%d", requested)] = text
		if p.Name != "" {
			env["PORT_"+strings.ToUpper(p.Name)] = text
		}
	}
	if len(all) > 0 {
		env["PORT"], env["PORTS"] = all[0], strings.Join(all, ",")
	}
}

// double writes a number as Scala does.
func double(f float64) string {
	text := strconv.FormatFloat(f, 'f', -1, 64)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}

// kill ends an instance for good, or until its volumes are wanted again. The lock is held.
func (m *Marathon) kill(i *Instance, wipe bool) {
	if i.Goal != goalRunning {
		return
	}
	i.Goal, i.Wipe = goalDecommissioned, wipe
	if i.Spec.Resident() && !wipe {
		i.Goal = goalStopped
	}
	m.touch()
	m.changedInstance(i)
	if i.TaskID == "" {
		m.forget(i)
		return
	}
	m.end(i)
}

// end has the task of an instance ended. The lock is held.
func (m *Marathon) end(i *Instance) {
	if i.Ending || i.TaskID == "" {
		return
	}
	i.Ending = true
	_ = m.cluster.Kill(i.TaskID) // it may have ended by itself
}

// forget removes an instance that has no task. The lock is held.
func (m *Marathon) forget(i *Instance) {
	delete(m.s.Instances, i.ID)
	delete(m.health, i.ID)
	delete(m.ready, i.ID)
	if len(i.Volumes) > 0 {
		if i.Wipe || m.s.Apps[i.App] == nil {
			m.destroy(i.Home, i.Volumes)
		} else {
			m.s.Reserved[i.App] = append(m.s.Reserved[i.App], Reserved{Instance: i.ID, Agent: i.Home, Volumes: i.Volumes})
		}
	}
	m.touch()
}

func (m *Marathon) destroy(agent string, volumes []string) {
	for _, v := range volumes {
		if err := m.cluster.DestroyVolume(agent, v); err != nil {
			m.opts.Log("%v", err)
		}
	}
}

// parent is the group that an app or group is in.
func parent(id string) string { return path.Dir(id) }
