package estate

import "github.com/tranship/tranship/internal/base/unit"

// NetworkMode is where a workload's network stack is.
type NetworkMode string

// The network modes.
const (
	Own      NetworkMode = ""     // an address of its own, or ports mapped from one
	HostNet  NetworkMode = "host" // the machine's own stack
	Isolated NetworkMode = "none"
)

// A NetworkRef ties a workload to a container network.
type NetworkRef struct {
	Name    string            `json:"name"`
	Aliases []string          `json:"aliases,omitempty"` // further names that others call it by
	Labels  map[string]string `json:"labels,omitempty"`
	Address string            `json:"address,omitempty"`
}

// A Network is a container network.
type Network struct {
	Name     string `json:"name"`
	Driver   string `json:"driver,omitempty"`
	Internal bool   `json:"internal,omitempty"` // nothing in, nothing out
	External bool   `json:"external,omitempty"`
}

// HostView is what a workload's containers see or share of their machine.
type HostView struct {
	Name       string            `json:"hostname,omitempty"`
	Domain     string            `json:"domain,omitempty"`
	PIDs       bool              `json:"pids,omitempty"` // the machine's processes
	IPC        bool              `json:"ipc,omitempty"`  // the machine's shared memory
	Aliases    []HostAlias       `json:"aliases,omitempty"`
	DNS        []string          `json:"dns,omitempty"`
	Search     []string          `json:"search,omitempty"`
	DNSOptions []string          `json:"dnsOptions,omitempty"`
	Sysctls    map[string]string `json:"sysctls,omitempty"`
	// ShareProcesses lets the workload's own containers see each other's processes.
	ShareProcesses bool `json:"shareProcesses,omitempty"`
}

// HostAlias is a line of /etc/hosts.
type HostAlias struct {
	Name    string `json:"name"`
	Address string `json:"address"`
}

// A Volume is storage that outlives, or is shared between, containers.
type Volume struct {
	Name string     `json:"name"`
	Kind VolumeKind `json:"kind"`
	// HostPath for host volumes: absolute.
	HostPath string     `json:"hostPath,omitempty"`
	Size     unit.Bytes `json:"size,omitempty"`
	MaxSize  unit.Bytes `json:"maxSize,omitempty"`
	// Medium for persistent volumes: root, path or mount. For ephemeral ones "memory".
	Medium  string `json:"medium,omitempty"`
	Profile string `json:"profile,omitempty"`
	// Driver and Handle name an external volume: ("ebs.csi.aws.com", "vol-1").
	Driver     string            `json:"driver,omitempty"`
	Handle     string            `json:"handle,omitempty"`
	Attributes map[string]string `json:"attributes,omitempty"`
	FSType     string            `json:"fsType,omitempty"`
	MountFlags []string          `json:"mountFlags,omitempty"`
	Access     Access            `json:"access,omitempty"`
	Block      bool              `json:"block,omitempty"`
	// Secrets by purpose: "stage", "publish".
	StageSecret   *SecretRef `json:"stageSecret,omitempty"`
	PublishSecret *SecretRef `json:"publishSecret,omitempty"`
	// Secret or Config is what a secret or config volume shows.
	Secret *SecretRef `json:"secret,omitempty"`
	Config string     `json:"config,omitempty"`
	// Items of the secret or config: key to path.
	Items map[string]string `json:"items,omitempty"`
	Mode  *int              `json:"mode,omitempty"` // permission bits
	// Shared volumes are one for all copies; otherwise each copy has its own.
	Shared bool `json:"shared,omitempty"`
	// External volumes exist already; nobody makes them.
	External bool `json:"external,omitempty"`
	// Server and Export for network file systems.
	Server string `json:"server,omitempty"`
	Export string `json:"export,omitempty"`
	// Constraints on the disk that holds it.
	Constraints []Constraint `json:"constraints,omitempty"`
}

// VolumeKind is what is behind a volume.
type VolumeKind string

// The kinds of volume.
const (
	HostVolume       VolumeKind = "host"       // a path of the machine
	EphemeralVolume  VolumeKind = "ephemeral"  // empty at each start
	PersistentVolume VolumeKind = "persistent" // kept, one for each copy unless Shared
	ExternalVolume   VolumeKind = "external"   // a storage provider's
	SecretVolume     VolumeKind = "secret"
	ConfigVolume     VolumeKind = "config"
	NFSVolume        VolumeKind = "nfs"
)

// Access is who may use a volume at once.
type Access string

// The access modes.
const (
	OneWriter   Access = "one-writer"
	OneReader   Access = "one-reader"
	ManyReaders Access = "many-readers"
	ManyWriters Access = "many-writers"
)

// A Mount shows a volume inside a container.
type Mount struct {
	Volume   string `json:"volume"`
	Path     string `json:"path"` // absolute
	SubPath  string `json:"subPath,omitempty"`
	ReadOnly bool   `json:"readOnly,omitempty"`
	// Propagation: "", "to-container", "both".
	Propagation string `json:"propagation,omitempty"`
}

// A Constraint binds copies to hosts or to each other.
type Constraint struct {
	// Attribute of a host: "hostname", "@zone", "@region", "@os", "@arch", "@role" or its own.
	Attribute string   `json:"attribute"`
	Rule      RuleName `json:"rule"`
	// Pattern is the regular expression, in Java's syntax, that In and NotIn
	// came from; it is matched against the whole value.
	Pattern string `json:"pattern,omitempty"`
	// Values of the attribute; from Pattern they are those of the hosts that were seen.
	Values []string `json:"values,omitempty"`
	Count  int      `json:"count,omitempty"` // of Spread: groups at least; of AtMost: copies
	// Soft constraints are wishes.
	Soft bool `json:"soft,omitempty"`
	// Source is the constraint as it was written, for the reader.
	Source string `json:"source"`
}

// RuleName is what a constraint asks.
type RuleName string

// The rules.
const (
	Apart    RuleName = "apart"    // no two copies share a value
	Together RuleName = "together" // all copies share one value
	In       RuleName = "in"       // only hosts with one of Values
	NotIn    RuleName = "not-in"   // no host with one of Values
	Spread   RuleName = "spread"   // evenly over the values
	AtMost   RuleName = "at-most"  // Count copies a value
	Exists   RuleName = "exists"   // hosts that have the attribute
)

// Update is how a new version takes the place of the old.
type Update struct {
	// MinHealthy and MaxOver are shares of Replicas, 0 to 1.
	MinHealthy float64 `json:"minHealthy"`
	MaxOver    float64 `json:"maxOver"`
	// Parallel copies at a time where the source counted (0: as the shares say).
	Parallel   int          `json:"parallel,omitempty"`
	StartFirst bool         `json:"startFirst,omitempty"`
	Delay      unit.Seconds `json:"delay,omitempty"`
	Monitor    unit.Seconds `json:"monitor,omitempty"`
}

// Unreachable is what became of copies on a host that was lost.
type Unreachable struct {
	Disabled bool         `json:"disabled,omitempty"`
	Replace  unit.Seconds `json:"replace"` // until a replacement was started
	Expunge  unit.Seconds `json:"expunge"` // until the lost copy was forgotten
	// Default marks values that nobody wrote.
	Default bool `json:"default,omitempty"`
}

// Run is how a job runs.
type Run struct {
	// Retry on failure until ActiveDeadline has passed; otherwise one attempt.
	Retry          bool         `json:"retry,omitempty"`
	Retries        *int         `json:"retries,omitempty"`
	ActiveDeadline unit.Seconds `json:"activeDeadline,omitempty"`
	Completions    int          `json:"completions,omitempty"`
	Parallelism    int          `json:"parallelism,omitempty"`
	Schedules      []Times      `json:"schedules,omitempty"`
	// Suspended: nothing starts by itself.
	Suspended bool `json:"suspended,omitempty"`
}

// Times is one schedule of a job.
type Times struct {
	ID            string       `json:"id"`
	Cron          string       `json:"cron"`
	Zone          string       `json:"zone"`
	StartDeadline unit.Seconds `json:"startDeadline"`
	Forbid        bool         `json:"forbid,omitempty"` // no second run beside the first
	Enabled       bool         `json:"enabled"`
}

// Autoscale is how the source changed Replicas by itself.
type Autoscale struct {
	Min    int      `json:"min"`
	Max    int      `json:"max"`
	CPU    int      `json:"cpu,omitempty"`    // percent
	Memory int      `json:"memory,omitempty"` // percent
	Other  []string `json:"other,omitempty"`  // other triggers, as written
}

// BlueGreen ties two workloads that take turns in one place.
type BlueGreen struct {
	Group  string `json:"group"`
	Colour string `json:"colour"`
	// Target is how many copies the pair has when the swap is done.
	Target int `json:"target,omitempty"`
}

// Operator takes the place of a framework's scheduler or of infrastructure.
type Operator struct {
	Package string `json:"package"` // the framework's package: "kafka"
	Name    string `json:"name"`    // what to use instead: "Strimzi"
	Advice  string `json:"advice"`
}

// Running is what was seen of a workload at the time of the snapshot.
type Running struct {
	Instances int      `json:"instances"`
	Healthy   int      `json:"healthy,omitempty"`
	Images    []string `json:"images,omitempty"` // with digests, where seen
	Hosts     []string `json:"hosts,omitempty"`
}

// A Host is a machine of the source.
type Host struct {
	Name       string            `json:"name"`
	ID         string            `json:"id,omitempty"`
	Attributes map[string]string `json:"attributes,omitempty"`
	Region     string            `json:"region,omitempty"`
	Zone       string            `json:"zone,omitempty"`
	CPU        unit.CPU          `json:"cpu,omitempty"`
	Memory     unit.Bytes        `json:"memory,omitempty"`
	Disk       unit.Bytes        `json:"disk,omitempty"`
	GPUs       int               `json:"gpus,omitempty"`
	UsedCPU    unit.CPU          `json:"usedCPU,omitempty"` // promised to tasks, not measured
	UsedMemory unit.Bytes        `json:"usedMemory,omitempty"`
	// Roles that have resources of this host reserved.
	Roles []string `json:"roles,omitempty"`
	// Throttles is whether the kernel held tasks to their CPU share; nil if unseen.
	Throttles *bool  `json:"throttles,omitempty"`
	Active    bool   `json:"active"`
	Version   string `json:"version,omitempty"`
}

// Quota bounds a group or role.
type Quota struct {
	Role   string     `json:"role"`
	CPU    unit.CPU   `json:"cpu,omitempty"`
	Memory unit.Bytes `json:"memory,omitempty"`
	Disk   unit.Bytes `json:"disk,omitempty"`
	GPUs   int        `json:"gpus,omitempty"`
	// Enforced groups charge all their workloads to the role.
	Enforced bool `json:"enforced,omitempty"`
}
