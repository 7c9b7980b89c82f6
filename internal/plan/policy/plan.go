package policy

import (
	"github.com/tranship/tranship/internal/base/unit"
)

// Target says where the workloads go and on what nodes.
type Target struct {
	// Region of the price list, that of the list by default; Zones to spread over.
	Region string   `json:"region,omitempty"`
	Zones  []string `json:"zones,omitempty"`
	// Kubernetes is the cluster's version, "1.35" by default.
	Kubernetes string `json:"kubernetes,omitempty"`
	// Manager of the nodes is "managed" (EKS managed node groups, default) or "karpenter".
	Manager string `json:"manager,omitempty" jsonschema:"enum=managed,enum=karpenter"`
	// Cluster is its name, metadata.name by default; NodeRole the IAM role of its
	// nodes, KarpenterNodeRole-CLUSTER by default; Image what nodes boot from,
	// al2023@latest by default. They stand in what Karpenter is told.
	Cluster  string `json:"cluster,omitempty"`
	NodeRole string `json:"nodeRole,omitempty"`
	Image    string `json:"image,omitempty" jsonschema:"pattern=^[a-z0-9]+@.+$"`
	// Families are the first letters of the instance types to choose from, c, m
	// and r by default.
	Families []string `json:"families,omitempty"`
	// MinGeneration is 5 by default, MaxVCPU 32.
	MinGeneration int `json:"minGeneration,omitempty" jsonschema:"minimum=1"`
	MaxVCPU       int `json:"maxVCPU,omitempty" jsonschema:"minimum=1"`
	// Architectures that the images run on, amd64 alone by default.
	Architectures []string `json:"architectures,omitempty"`
	// Types are patterns of types to choose from ("m6*.large"), Exclude of types to leave out.
	Types   []string `json:"types,omitempty"`
	Exclude []string `json:"exclude,omitempty"`
	// Burstable types may be chosen: their price buys a share of a CPU.
	Burstable bool `json:"burstable,omitempty"`
	// MaxPods is --max-pods of all nodes, PrefixDelegation what makes it larger.
	MaxPods          int  `json:"maxPods,omitempty" jsonschema:"minimum=1"`
	PrefixDelegation bool `json:"prefixDelegation,omitempty"`
	// RootVolume is each node's disk, 20Gi by default.
	RootVolume unit.Bytes `json:"rootVolume,omitempty"`
	// VMOverhead is the share of memory that the machine itself takes, 0.075 by default.
	VMOverhead *float64 `json:"vmOverhead,omitempty" jsonschema:"minimum=0,maximum=0.5"`
	// DaemonSets is what the cluster's own pods take of every node.
	DaemonSets *SystemShare `json:"daemonSets,omitempty"`
	// Survive says what may be lost at once: "none", "node" (default) or "zone".
	Survive string `json:"survive,omitempty" jsonschema:"enum=none,enum=node,enum=zone"`
	// Apart says what becomes of constraints that keep copies apart when a node
	// is lost and the rest cannot hold to them: "bend" (default: they are spread
	// as evenly as the rest allows) or "keep" (there are nodes enough).
	Apart string `json:"apart,omitempty" jsonschema:"enum=bend,enum=keep"`
	// Pools says how nodes are grouped: "by-node" (default: each a pool of its
	// own where that takes fewer or smaller nodes, so that every copy can prefer
	// the nodes that the plan has it on) or "by-type".
	Pools string `json:"pools,omitempty" jsonschema:"enum=by-node,enum=by-type"`
	// Priorities of pods are "by-size" (default: where that takes fewer or smaller
	// nodes; large pods find their place first, and small ones make room for
	// them and start again elsewhere) or "none".
	Priorities string `json:"priorities,omitempty" jsonschema:"enum=by-size,enum=none"`
	// Headroom is how far towards the maximum of an autoscaled workload the nodes
	// have room: 0 for the usual copies (default with karpenter, which adds
	// nodes), 1 for the maximum (default with managed).
	Headroom *float64 `json:"headroom,omitempty" jsonschema:"minimum=0,maximum=1"`
}

// SystemShare is what DaemonSets take of a node.
type SystemShare struct {
	CPU    unit.CPU   `json:"cpu,omitempty"`
	Memory unit.Bytes `json:"memory,omitempty"`
	Pods   int        `json:"pods,omitempty" jsonschema:"minimum=0"`
}

// Usage says what names mean in files of usage.
type Usage struct {
	// Label holds the workload's name in Prometheus' series; the usual ones are
	// looked for by default.
	Label string `json:"label,omitempty"`
	// Names maps a label's value, a Graphite target or a CloudWatch label to a workload.
	Names map[string]string `json:"names,omitempty"`
	// Metrics maps a metric's name, a target, a query's ID or a file's name to
	// what it measures with its unit: "cpu_cores", "memory_mib", "cpu_seconds_total".
	Metrics map[string]string `json:"metrics,omitempty"`
}

// Sizing says how requests follow from usage.
type Sizing struct {
	// From is "usage" (default) or "declared".
	From string `json:"from,omitempty" jsonschema:"enum=usage,enum=declared"`
	// CPUPercentile of usage is the request before its margin, 80 by default; it
	// is raised by what chance may hide where there are few points.
	CPUPercentile float64 `json:"cpuPercentile,omitempty" jsonschema:"minimum=1,maximum=100"`
	// CPUMargin and MemoryMargin are shares that are added, 0 and 0.15 by default.
	CPUMargin    *float64 `json:"cpuMargin,omitempty" jsonschema:"minimum=0"`
	MemoryMargin *float64 `json:"memoryMargin,omitempty" jsonschema:"minimum=0"`
	// CPUFloor and MemoryFloor are the least of a container, 10m and 32Mi by default.
	CPUFloor    unit.CPU   `json:"cpuFloor,omitempty"`
	MemoryFloor unit.Bytes `json:"memoryFloor,omitempty"`
	// OOMFactor raises the memory of what was killed for it, 1.25 by default.
	OOMFactor float64 `json:"oomFactor,omitempty" jsonschema:"minimum=1"`
	// Overload is how often a node's pods may need more CPU than it has, 0.005 by default.
	Overload *float64 `json:"overload,omitempty" jsonschema:"minimum=0,maximum=1"`
	// MinPoints of usage below which the declared values stay, 100 by default.
	MinPoints int `json:"minPoints,omitempty" jsonschema:"minimum=1"`
	// ConvertCPU counts a core of a newer generation as more than one of the
	// source's, at most ConvertCap times (1.5 by default). Off by default: a
	// benchmark is not your program.
	ConvertCPU bool    `json:"convertCPU,omitempty"`
	ConvertCap float64 `json:"convertCap,omitempty" jsonschema:"minimum=1"`
}

// Buying says how nodes are bought.
type Buying struct {
	// Spot is "none" (default) or "stateless": replicated workloads without state.
	Spot string `json:"spot,omitempty" jsonschema:"enum=none,enum=stateless"`
	// InterruptBand is the worst band of interruptions, 1 (below 10 % a month) by default.
	InterruptBand *int `json:"interruptBand,omitempty" jsonschema:"minimum=0,maximum=4"`
	// SpotTypes is how many types a spot pool has at least, 2 by default.
	SpotTypes int `json:"spotTypes,omitempty" jsonschema:"minimum=1"`
	// Commit buys a share of the nodes at all times under a savings plan.
	Commit *Commitment `json:"commit,omitempty"`
}

// Commitment is a savings plan.
type Commitment struct {
	// Discount on the on-demand price, Share of the base load that is bought so, all of it by default.
	Discount float64 `json:"discount" jsonschema:"minimum=0,maximum=0.99"`
	Share    float64 `json:"share,omitempty" jsonschema:"minimum=0,maximum=1"`
}

// Costs says what is paid beside the nodes.
type Costs struct {
	// Hosts are the machines of today; from the estate where it is left out.
	Hosts []HostCost `json:"hosts,omitempty"`
	// EKSFee per hour, 0.10 by default; ExtendedFee 0.60.
	EKSFee      *unit.Money `json:"eksFee,omitempty"`
	ExtendedFee *unit.Money `json:"extendedFee,omitempty"`
	// Today and Tomorrow are further lines per month: disks, load balancers, gateways, traffic.
	Today    []CostLine `json:"today,omitempty"`
	Tomorrow []CostLine `json:"tomorrow,omitempty"`
	// Unchanged lines stand in both.
	Unchanged []CostLine `json:"unchanged,omitempty"`
	// LoadBalancers, NATGateways and their traffic of tomorrow, at list price.
	LoadBalancers int     `json:"loadBalancers,omitempty" jsonschema:"minimum=0"`
	NATGateways   int     `json:"natGateways,omitempty" jsonschema:"minimum=0"`
	NATTraffic    float64 `json:"natTraffic,omitempty" jsonschema:"minimum=0"` // GB a month
	// CrossZone is the traffic between zones, GB a month.
	CrossZone float64 `json:"crossZone,omitempty" jsonschema:"minimum=0"`
	// PublicAddresses is how many public IPv4 addresses are paid for tomorrow; by
	// default those of the load balancers and NAT gateways.
	PublicAddresses *int `json:"publicAddresses,omitempty" jsonschema:"minimum=0"`
	// Wished is the share of today's bill to save: 0.4.
	Wished float64 `json:"wished,omitempty" jsonschema:"minimum=0,maximum=1"`
}

// HostCost is a kind of machine of today.
type HostCost struct {
	Type  string `json:"type"`
	Count int    `json:"count" jsonschema:"minimum=1"`
	// Price an hour where it is not the list's.
	Price *unit.Money `json:"price,omitempty"`
}

// CostLine is a line of a bill.
type CostLine struct {
	Name  string     `json:"name"`
	Month unit.Money `json:"month"`
	// Kind says what it is set against in the comparison; "other" by default.
	Kind string `json:"kind,omitempty" jsonschema:"enum=nodes,enum=control-plane,enum=disks,enum=load-balancers,enum=nat,enum=cross-zone,enum=addresses,enum=other"`
}

// Waves says how fast to move.
type Waves struct {
	// Parallel is how many groups are in flight at most, 2 by default.
	Parallel int `json:"parallel,omitempty" jsonschema:"minimum=1"`
	// Start is the first wave's day, as 2006-01-02; two weeks after the plan by default.
	Start string `json:"start,omitempty"`
	// Days between two waves, 7 by default; SoakDays until source copies go, 3 by default.
	Days     int `json:"days,omitempty" jsonschema:"minimum=1"`
	SoakDays int `json:"soakDays,omitempty" jsonschema:"minimum=1"`
	// Pilot names the workload to begin with; chosen by risk if empty, "none" for no pilot.
	Pilot string `json:"pilot,omitempty"`
	// Size is how many groups a wave has at most, 10 by default.
	Size int `json:"size,omitempty" jsonschema:"minimum=1"`
}

// Metric is what an autoscaled workload follows beside CPU and memory.
type Metric struct {
	Name   string  `json:"name"`
	Target float64 `json:"target"` // per copy
}
