// Package definition is what Marathon calls an app: its canonical form, how every older form becomes that, what is refused,
// and what its constraints mean.
//
// Input: JSON. Output: definitions and complaints, each with its place. It never keeps anything, and knows of nothing that
// runs.
package definition

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
)

// App is an app's definition, in canonical form: what was legacy is gone, defaults are filled in. What this Marathon
// does not act on is kept as it came.
type App struct {
	ID                    string                     `json:"id"`
	AcceptedResourceRoles []string                   `json:"acceptedResourceRoles,omitempty"`
	Args                  []string                   `json:"args,omitempty"`
	BackoffFactor         float64                    `json:"backoffFactor"`
	BackoffSeconds        float64                    `json:"backoffSeconds"`
	Check                 json.RawMessage            `json:"check,omitempty"`
	Cmd                   string                     `json:"cmd,omitempty"`
	Constraints           [][]string                 `json:"constraints,omitempty"`
	Container             *Container                 `json:"container,omitempty"`
	CPUs                  float64                    `json:"cpus"`
	Dependencies          []string                   `json:"dependencies,omitempty"`
	Disk                  float64                    `json:"disk"`
	Env                   map[string]json.RawMessage `json:"env,omitempty"`
	Executor              string                     `json:"executor"`
	ExecutorResources     json.RawMessage            `json:"executorResources,omitempty"`
	Fetch                 json.RawMessage            `json:"fetch,omitempty"`
	HealthChecks          []HealthCheck              `json:"healthChecks,omitempty"`
	Instances             int                        `json:"instances"`
	Labels                map[string]string          `json:"labels,omitempty"`
	MaxLaunchDelaySeconds float64                    `json:"maxLaunchDelaySeconds"`
	Mem                   float64                    `json:"mem"`
	GPUs                  float64                    `json:"gpus"`
	Networks              []Network                  `json:"networks"`
	PortDefinitions       []PortDefinition           `json:"portDefinitions,omitzero"`
	ReadinessChecks       []ReadinessCheck           `json:"readinessChecks,omitempty"`
	Residency             json.RawMessage            `json:"residency,omitempty"`
	ResourceLimits        json.RawMessage            `json:"resourceLimits,omitempty"`
	RequirePorts          bool                       `json:"requirePorts"`
	Role                  string                     `json:"role,omitempty"`
	Secrets               json.RawMessage            `json:"secrets,omitempty"`
	TaskKillGrace         *int                       `json:"taskKillGracePeriodSeconds,omitempty"`
	TTY                   *bool                      `json:"tty,omitempty"`
	UpgradeStrategy       UpgradeStrategy            `json:"upgradeStrategy"`
	User                  string                     `json:"user,omitempty"`
	Version               string                     `json:"version,omitempty"`
	VersionInfo           *VersionInfo               `json:"versionInfo,omitempty"`
	KillSelection         string                     `json:"killSelection"`
	UnreachableStrategy   json.RawMessage            `json:"unreachableStrategy,omitempty"`
}

// Container is what the task runs in.
type Container struct {
	Type         string          `json:"type"`
	Docker       *Docker         `json:"docker,omitempty"`
	Volumes      []Volume        `json:"volumes,omitempty"`
	PortMappings []PortMapping   `json:"portMappings,omitzero"`
	LinuxInfo    json.RawMessage `json:"linuxInfo,omitempty"`
}

// Docker names an image.
type Docker struct {
	Image          string          `json:"image"`
	ForcePullImage bool            `json:"forcePullImage"`
	Privileged     bool            `json:"privileged"`
	Parameters     json.RawMessage `json:"parameters,omitempty"`
	PullConfig     json.RawMessage `json:"pullConfig,omitempty"`
}

// Volume is a folder of the agent, or of the instance.
type Volume struct {
	ContainerPath string          `json:"containerPath"`
	HostPath      string          `json:"hostPath,omitempty"`
	Mode          string          `json:"mode,omitempty"`
	Persistent    *Persistent     `json:"persistent,omitempty"`
	External      json.RawMessage `json:"external,omitempty"`
	Secret        string          `json:"secret,omitempty"`
}

// Persistent makes a volume the instance's own, for as long as the app is there.
type Persistent struct {
	Size        float64         `json:"size"`
	Type        string          `json:"type,omitempty"`
	Constraints json.RawMessage `json:"constraints,omitempty"`
	MaxSize     float64         `json:"maxSize,omitempty"`
	ProfileName string          `json:"profileName,omitempty"`
}

// PortMapping is a port of a container with a network of its own.
type PortMapping struct {
	ContainerPort int               `json:"containerPort"`
	HostPort      *int              `json:"hostPort,omitempty"`
	ServicePort   int               `json:"servicePort,omitempty"`
	Protocol      string            `json:"protocol,omitempty"`
	Name          string            `json:"name,omitempty"`
	Labels        map[string]string `json:"labels,omitempty"`
	NetworkNames  []string          `json:"networkNames,omitempty"`
}

// PortDefinition is a port of a task in the host's network; its number is the service port.
type PortDefinition struct {
	Port     int               `json:"port"`
	Protocol string            `json:"protocol,omitempty"`
	Name     string            `json:"name,omitempty"`
	Labels   map[string]string `json:"labels,omitempty"`
}

// Network is one that tasks are in.
type Network struct {
	Mode   string            `json:"mode"`
	Name   string            `json:"name,omitempty"`
	Labels map[string]string `json:"labels,omitempty"`
}

// HealthCheck asks whether a task is well.
type HealthCheck struct {
	Protocol      string          `json:"protocol"`
	Path          string          `json:"path,omitempty"`
	Port          *int            `json:"port,omitempty"`
	PortIndex     *int            `json:"portIndex,omitempty"`
	Command       json.RawMessage `json:"command,omitempty"`
	Grace         int             `json:"gracePeriodSeconds"`
	Interval      int             `json:"intervalSeconds"`
	Timeout       int             `json:"timeoutSeconds"`
	MaxFailures   int             `json:"maxConsecutiveFailures"`
	Delay         int             `json:"delaySeconds"`
	IPProtocol    string          `json:"ipProtocol,omitempty"`
	IgnoreHTTP1xx bool            `json:"ignoreHttp1xx"`
}

// UnmarshalJSON fills in what is not said.
func (h *HealthCheck) UnmarshalJSON(text []byte) error {
	type plain HealthCheck
	p := plain{Protocol: "HTTP", Grace: 300, Interval: 60, Timeout: 20, MaxFailures: 3, Delay: 15, IPProtocol: "IPv4"}
	if err := json.Unmarshal(text, &p); err != nil {
		return err
	}
	*h = HealthCheck(p)
	if h.Port == nil && h.PortIndex == nil && h.Protocol != "COMMAND" {
		h.PortIndex = new(int)
	}
	if h.Path == "" && strings.Contains(h.Protocol, "HTTP") {
		h.Path = "/"
	}
	return nil
}

// ByMesos tells whether the agent does the check, not Marathon.
func (h HealthCheck) ByMesos() bool {
	return h.Protocol == "COMMAND" || strings.HasPrefix(h.Protocol, "MESOS_")
}

// ReadinessCheck asks, in a deployment, whether a task may be counted on.
type ReadinessCheck struct {
	Name     string `json:"name"`
	Protocol string `json:"protocol"`
	Path     string `json:"path"`
	PortName string `json:"portName"`
	Interval int    `json:"intervalSeconds"`
	Timeout  int    `json:"timeoutSeconds"`
	Ready    []int  `json:"httpStatusCodesForReady,omitempty"`
	Preserve bool   `json:"preserveLastResponse"`
}

// UnmarshalJSON fills in what is not said.
func (c *ReadinessCheck) UnmarshalJSON(text []byte) error {
	type plain ReadinessCheck
	p := plain{Name: "readinessCheck", Protocol: "HTTP", Path: "/", PortName: "http-api", Interval: 30, Timeout: 10}
	if err := json.Unmarshal(text, &p); err != nil {
		return err
	}
	if len(p.Ready) == 0 {
		p.Ready = []int{200}
	}
	*c = ReadinessCheck(p)
	return nil
}

// UpgradeStrategy says how much may be missing, and be there beside, in a restart.
type UpgradeStrategy struct {
	MaximumOverCapacity   float64 `json:"maximumOverCapacity"`
	MinimumHealthCapacity float64 `json:"minimumHealthCapacity"`
}

// VersionInfo tells when the last changes were.
type VersionInfo struct {
	LastScalingAt      string `json:"lastScalingAt"`
	LastConfigChangeAt string `json:"lastConfigChangeAt"`
}

// Resident tells whether instances keep volumes.
func (a *App) Resident() bool { return len(a.Persistents()) > 0 }

// Persistents gives the volumes that are an instance's own.
func (a *App) Persistents() []Volume {
	if a.Container == nil {
		return nil
	}
	var out []Volume
	for _, v := range a.Container.Volumes {
		if v.Persistent != nil {
			out = append(out, v)
		}
	}
	return out
}

// OnHost tells whether tasks are in the host's network.
func (a *App) OnHost() bool { return len(a.Networks) == 0 || a.Networks[0].Mode == "host" }

// Port is one port of an app, whichever way it was declared.
type Port struct {
	Requested int  // that a task is told of by PORT_n; 0 for any
	Fixed     int  // of the host; 0 for any
	None      bool // the host has none for it
	Service   int
	Name      string
	Protocol  string
	Labels    map[string]string
}

// Ports gives the ports of an app in the order in which tasks are given theirs.
func (a *App) Ports() []Port {
	var out []Port
	if a.OnHost() {
		for _, d := range a.PortDefinitions {
			p := Port{Requested: d.Port, Service: d.Port, Name: d.Name, Protocol: d.Protocol, Labels: d.Labels}
			if a.RequirePorts {
				p.Fixed = d.Port
			}
			out = append(out, p)
		}
		return out
	}
	if a.Container == nil {
		return nil
	}
	for _, m := range a.Container.PortMappings {
		p := Port{Requested: m.ContainerPort, Service: m.ServicePort, Name: m.Name, Protocol: m.Protocol, Labels: m.Labels, None: m.HostPort == nil}
		if m.HostPort != nil {
			p.Fixed = *m.HostPort
		}
		out = append(out, p)
	}
	return out
}

// ServicePorts are those that a load balancer serves.
func (a *App) ServicePorts() []int {
	var out []int
	for _, p := range a.Ports() {
		out = append(out, p.Service)
	}
	return out
}

// KillGrace is how long a task has after SIGTERM; Mesos gives three seconds when nothing is said.
func (a *App) KillGrace() time.Duration {
	if a.TaskKillGrace != nil {
		return time.Duration(*a.TaskKillGrace) * time.Second
	}
	return 3 * time.Second
}

// SameButInstances tells whether two definitions differ in the number of instances at most.
func (a *App) SameButInstances(b *App) bool {
	x, y := *a, *b
	for _, c := range []*App{&x, &y} {
		c.Instances, c.Version, c.VersionInfo = 0, "", nil
	}
	// By what they are in JSON: nil and empty are one there.
	one, err1 := json.Marshal(x)
	two, err2 := json.Marshal(y)
	return err1 == nil && err2 == nil && slices.Equal(one, two)
}

// Clone is deep enough: what is below is replaced, never changed.
func (a *App) Clone() *App {
	c := *a
	c.Env, c.Labels = maps.Clone(a.Env), maps.Clone(a.Labels)
	c.PortDefinitions = slices.Clone(a.PortDefinitions)
	if a.Container != nil {
		box := *a.Container
		box.PortMappings = slices.Clone(box.PortMappings)
		c.Container = &box
	}
	return &c
}

// Same tells whether nothing at all differs but the version.
func (a *App) Same(b *App) bool {
	return a.Instances == b.Instances && a.SameButInstances(b) && reflect.DeepEqual(a.Dependencies, b.Dependencies)
}
