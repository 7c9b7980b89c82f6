// Package estate is the one model of what runs today: workloads, hosts,
// endpoints and what depends on what. It takes facts from the readers and
// gives them, checked, to the planner. It never speaks a scheduler's dialect,
// and it never holds a secret's value.
package estate

import (
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/base/unit"
)

// Version is the version of the file format.
const Version = 1

// A Name identifies a workload: a path such as "/shop/cart".
type Name string

// Estate is all that runs.
type Estate struct {
	Version        int          `json:"version"`
	SnapshotSHA256 string       `json:"snapshotSha256"`
	Workloads      []Workload   `json:"workloads"`
	Hosts          []Host       `json:"hosts"`
	Endpoints      []Endpoint   `json:"endpoints"`
	Dependencies   []Dependency `json:"dependencies"`
	// Quotas are upper bounds that groups or roles had.
	Quotas []Quota `json:"quotas,omitempty"`
	// Networks are the container networks by name.
	Networks []Network `json:"networks,omitempty"`
	// Ledger says what became of every field. The planner takes it out.
	Ledger []ledger.Entry `json:"ledger,omitempty"`
}

// Kind says how a workload runs.
type Kind string

// The kinds of workload.
const (
	Service        Kind = "service"        // replicas that run until stopped
	Daemon         Kind = "daemon"         // one on every host
	Job            Kind = "job"            // runs to its end, on demand
	Schedule       Kind = "schedule"       // a job with times
	Framework      Kind = "framework"      // schedules tasks of its own; an operator takes its place
	Infrastructure Kind = "infrastructure" // part of the old platform: a load balancer, a scheduler
)

// Origin is where a definition or a value stands: a file of the snapshot and a
// JSON pointer into it.
type Origin struct {
	File    string `json:"file"`
	Pointer string `json:"pointer"`
}

// A Workload is one deployable thing.
type Workload struct {
	ID     Name   `json:"id"`
	Kind   Kind   `json:"kind"`
	Origin Origin `json:"origin"`
	// SourceVersion changes when the source's definition does; drift is seen by it.
	SourceVersion string `json:"sourceVersion,omitempty"`
	// Group is the group, project or stack around the workload: "/shop".
	Group       Name   `json:"group,omitempty"`
	Description string `json:"description,omitempty"`

	// Replicas is how many copies are wanted. 0 is suspended.
	Replicas int `json:"replicas"`
	// Singleton forbids a second copy even for a moment.
	Singleton  bool        `json:"singleton,omitempty"`
	Containers []Container `json:"containers,omitempty"`
	// InitContainers run to their end, in order, before the containers.
	InitContainers []Container       `json:"initContainers,omitempty"`
	Volumes        []Volume          `json:"volumes,omitempty"`
	Network        NetworkMode       `json:"network,omitempty"`
	Networks       []NetworkRef      `json:"networks,omitempty"`
	Labels         map[string]string `json:"labels,omitempty"`
	Constraints    []Constraint      `json:"constraints,omitempty"`
	// Role is the share of hosts that the workload was charged to, AcceptedRoles
	// those whose resources it took ("*", "slave_public").
	Role          string   `json:"role,omitempty"`
	AcceptedRoles []string `json:"acceptedRoles,omitempty"`

	Update      *Update      `json:"update,omitempty"`
	Unreachable *Unreachable `json:"unreachable,omitempty"`
	// KillGrace is the time between asking to stop and killing; nil if unsaid.
	KillGrace *unit.Seconds `json:"killGrace,omitempty"`
	// Secrets are the declared secrets.
	Secrets     []Secret    `json:"secrets,omitempty"`
	PullSecrets []SecretRef `json:"pullSecrets,omitempty"`
	Host        *HostView   `json:"host,omitempty"`

	// Run is set for jobs and schedules.
	Run       *Run        `json:"run,omitempty"`
	Autoscale *Autoscale  `json:"autoscale,omitempty"`
	BlueGreen *BlueGreen  `json:"blueGreen,omitempty"`
	Operator  *Operator   `json:"operator,omitempty"`
	Stateful  bool        `json:"stateful,omitempty"`
	DependsOn []Name      `json:"dependsOn,omitempty"`
	Running   *Running    `json:"running,omitempty"`
	Configs   []ConfigRef `json:"configs,omitempty"`
}

// A Container is one process with its image.
type Container struct {
	Name string `json:"name"`
	// Image is empty when the source ran on the host's own files: a decision.
	Image string `json:"image,omitempty"`
	// Build is set when the source built the image itself (Compose).
	Build      string `json:"build,omitempty"`
	AlwaysPull bool   `json:"alwaysPull,omitempty"`
	// Shell is run by /bin/sh -c in place of the image's entrypoint.
	Shell string `json:"shell,omitempty"`
	// Command replaces the image's entrypoint, Args its arguments.
	Command    []string `json:"command,omitempty"`
	Args       []string `json:"args,omitempty"`
	WorkingDir string   `json:"workingDir,omitempty"`
	Env        []EnvVar `json:"env,omitempty"`
	// EnvConfigs are configs whose every key becomes a variable.
	EnvConfigs []string `json:"envConfigs,omitempty"`

	CPU    unit.CPU   `json:"cpu,omitempty"`
	Memory unit.Bytes `json:"memory,omitempty"`
	Disk   unit.Bytes `json:"disk,omitempty"`
	GPUs   int        `json:"gpus,omitempty"`
	// Declared limits apart from the requests. A nil CPULimit follows policy;
	// NoMemoryLimit is "unlimited".
	CPULimit      *unit.CPU   `json:"cpuLimit,omitempty"`
	MemoryLimit   *unit.Bytes `json:"memoryLimit,omitempty"`
	NoCPULimit    bool        `json:"noCPULimit,omitempty"`
	NoMemoryLimit bool        `json:"noMemoryLimit,omitempty"`

	Ports     []Port           `json:"ports,omitempty"`
	Checks    []HealthCheck    `json:"checks,omitempty"`
	Readiness []ReadinessCheck `json:"readiness,omitempty"`
	Artifacts []Artifact       `json:"artifacts,omitempty"`
	Mounts    []Mount          `json:"mounts,omitempty"`
	Security  Security         `json:"security,omitzero"`
	TTY       bool             `json:"tty,omitempty"`
	Stdin     bool             `json:"stdin,omitempty"`
	// Sandbox is the path of the working folder that the source gave each
	// copy, where artifacts and relative volumes are; empty if none is used.
	Sandbox string `json:"sandbox,omitempty"`
}

// An EnvVar is one variable. Exactly one of Value, Secret and Fact is its
// source; all empty is the empty string.
type EnvVar struct {
	Name   string     `json:"name"`
	Value  string     `json:"value,omitempty"`
	Secret *SecretRef `json:"secret,omitempty"`
	// Fact is something only known once the copy runs.
	Fact Fact `json:"fact,omitempty"`
	// Injected marks a variable that the source's scheduler set, not its user.
	Injected bool `json:"injected,omitempty"`
}

// A Fact is something about a running copy.
type Fact string

// The facts that a variable can hold.
const (
	Address     Fact = "address"      // the address at which others reach the copy
	CopyName    Fact = "copy-name"    // the copy's unique name
	HostAddress Fact = "host-address" // the address of the machine it runs on
	HostName    Fact = "host-name"    // the name of the machine it runs on
)

// A SecretRef points at one key of a secret.
type SecretRef struct {
	Name string `json:"name"`
	Key  string `json:"key,omitempty"`
}

// A Secret is declared: its value stays in the snapshot (At) or in the
// source's store (Source).
type Secret struct {
	Name   string   `json:"name"`
	Keys   []string `json:"keys,omitempty"`
	Source string   `json:"source,omitempty"` // path in the source's secret store
	At     []Origin `json:"at,omitempty"`     // where each of Keys has its value in the snapshot
	File   string   `json:"file,omitempty"`   // a file beside the definition (Compose)
	// External secrets are made by somebody else under this very name.
	External bool `json:"external,omitempty"`
	Pull     bool `json:"pull,omitempty"` // an image registry's credential
}

// A ConfigRef is a named piece of configuration that is not secret.
type ConfigRef struct {
	Name     string            `json:"name"`
	Data     map[string]string `json:"data,omitempty"`
	File     string            `json:"file,omitempty"` // a file beside the definition
	External bool              `json:"external,omitempty"`
}

// A Port is one that a container listens on.
type Port struct {
	Name   string `json:"name,omitempty"`
	Number int    `json:"number"` // in the container
	// Last of a range; 0 for a single port.
	Last int `json:"last,omitempty"`
	// Protocols are "tcp", "udp", "sctp".
	Protocols []string `json:"protocols,omitempty"`
	// HostPort is the port that was fixed on the machine, 0 if none was.
	HostPort int    `json:"hostPort,omitempty"`
	HostIP   string `json:"hostIP,omitempty"`
	// ServicePort is the port under which the old load balancer knew it.
	ServicePort int `json:"servicePort,omitempty"`
	// Published ports were open on every host (Swarm's routing mesh) or by mapping.
	Published int `json:"published,omitempty"`
	// Dynamic: the source chose the number at each start and told it by an
	// environment variable, which the program must obey.
	Dynamic bool              `json:"dynamic,omitempty"`
	Labels  map[string]string `json:"labels,omitempty"`
	// Networks that the port is bound to; all if empty.
	Networks []string `json:"networks,omitempty"`
}

// A HealthCheck asks whether a copy is well.
type HealthCheck struct {
	Kind CheckKind `json:"kind"`
	Path string    `json:"path,omitempty"`
	Port int       `json:"port,omitempty"` // in the container
	// Shell is run by /bin/sh -c inside the container, Command directly.
	Shell   string   `json:"shell,omitempty"`
	Command []string `json:"command,omitempty"`
	// Loopback checks came from inside the copy's network namespace.
	Loopback bool         `json:"loopback,omitempty"`
	Interval unit.Seconds `json:"interval"`
	Timeout  unit.Seconds `json:"timeout"`
	// Grace is the time in which failures do not count until the first success.
	Grace unit.Seconds `json:"grace"`
	// StartInterval is the interval during Grace, 0 if the same.
	StartInterval unit.Seconds `json:"startInterval,omitempty"`
	Delay         unit.Seconds `json:"delay,omitempty"`
	// Failures in a row until the copy counts as ill.
	Failures int `json:"failures"`
	// Kills: an ill copy was killed, not only taken out of traffic.
	Kills bool `json:"kills,omitempty"`
	IPv6  bool `json:"ipv6,omitempty"`
	// Advisory checks were shown to people and changed nothing.
	Advisory bool `json:"advisory,omitempty"`
}

// CheckKind is how a check asks.
type CheckKind string

// The kinds of check.
const (
	HTTP    CheckKind = "http"
	HTTPS   CheckKind = "https"
	TCP     CheckKind = "tcp"
	Command CheckKind = "command"
)

// A ReadinessCheck held back a deployment until it passed.
type ReadinessCheck struct {
	Name     string       `json:"name,omitempty"`
	Kind     CheckKind    `json:"kind"`
	Path     string       `json:"path,omitempty"`
	Port     int          `json:"port,omitempty"`
	Interval unit.Seconds `json:"interval"`
	Timeout  unit.Seconds `json:"timeout"`
	// Statuses that mean ready.
	Statuses []int `json:"statuses,omitempty"`
}

// An Artifact is fetched into the sandbox before the container starts.
type Artifact struct {
	URI        string `json:"uri"` // user info and signed queries are taken out
	Extract    bool   `json:"extract,omitempty"`
	Executable bool   `json:"executable,omitempty"`
	Cache      bool   `json:"cache,omitempty"`
	Path       string `json:"path,omitempty"` // below the sandbox; empty is the URI's last segment
	// Secret holds the credential that was part of the URI.
	Secret *SecretRef `json:"secret,omitempty"`
}

// Security is what a container may do.
type Security struct {
	User           string            `json:"user,omitempty"` // name or number, "uid:gid"
	Groups         []string          `json:"groups,omitempty"`
	Privileged     bool              `json:"privileged,omitempty"`
	ReadOnlyRoot   bool              `json:"readOnlyRoot,omitempty"`
	NoNewPrivs     bool              `json:"noNewPrivileges,omitempty"`
	Add            []string          `json:"addCapabilities,omitempty"`
	Drop           []string          `json:"dropCapabilities,omitempty"`
	Seccomp        string            `json:"seccomp,omitempty"` // "unconfined" or a profile's name
	AppArmor       string            `json:"appArmor,omitempty"`
	SELinux        map[string]string `json:"selinux,omitempty"`
	ProcessesLimit int               `json:"processesLimit,omitempty"`
}
