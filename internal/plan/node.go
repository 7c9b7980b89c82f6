package plan

import (
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan/catalog"
)

// PoolName names a node pool.
type PoolName string

// A Pool is a set of equal nodes.
type Pool struct {
	Name   PoolName `json:"name"`
	Reason Reason   `json:"reason"`
	Why    string   `json:"why,omitempty"`
	// CPU and Memory are what all workloads on it request together.
	CPU    unit.CPU   `json:"cpu"`
	Memory unit.Bytes `json:"memory"`
	GPUs   int        `json:"gpus,omitempty"`

	// Manager makes the nodes: "managed" (an EKS managed node group) or "karpenter".
	Manager string `json:"manager,omitempty"`
	// Type is the instance type; empty where no price list was at hand.
	Type string `json:"type,omitempty"`
	Arch string `json:"arch,omitempty"`
	// Alternatives are types that may stand in for Type, the best first: spot
	// pools need several.
	Alternatives []string `json:"alternatives,omitempty"`
	Purchase     Purchase `json:"purchase,omitempty"`
	// Price of one node an hour, as it is bought.
	Price unit.Money `json:"price,omitempty"`
	// Nodes that the plan expects; Min and Max bound the group.
	Nodes int      `json:"nodes,omitempty"`
	Min   int      `json:"min,omitempty"`
	Max   int      `json:"max,omitempty"`
	Zones []string `json:"zones,omitempty"`
	// Allocatable is one node's room, System what DaemonSets take of it.
	Allocatable catalog.Allocatable `json:"allocatable,omitzero"`
	System      Load                `json:"system,omitzero"`
	// MaxPods is set where --max-pods is not the type's own.
	MaxPods int `json:"maxPods,omitempty"`
	// Labels are on every node of it beside its name: they take the place of
	// attributes that hosts had.
	Labels map[string]string `json:"labels,omitempty"`
}

// Purchase is how a node is bought.
type Purchase string

// The ways to buy.
const (
	OnDemand    Purchase = "on-demand"
	Spot        Purchase = "spot"
	SavingsPlan Purchase = "savings-plan"
)

// A Load is what pods take of a node.
type Load struct {
	CPU       unit.CPU   `json:"cpu"`
	Memory    unit.Bytes `json:"memory"`
	Pods      int        `json:"pods"`
	Ephemeral unit.Bytes `json:"ephemeral,omitempty"`
	GPUs      int        `json:"gpus,omitempty"`
	Volumes   int        `json:"volumes,omitempty"`
}

// A Node is one expected node with the copies on it.
type Node struct {
	Name string   `json:"name"` // "m6g-large-1"
	Pool PoolName `json:"pool"`
	Zone string   `json:"zone,omitempty"`
	Pods []Copies `json:"pods"`
	// Requested is the sum over Pods, DaemonSets included.
	Requested Load `json:"requested"`
	// Overload is the probability that what runs on it needs more CPU than it
	// has, from the usage; 0 where there is none.
	Overload float64 `json:"overload,omitempty"`
}

// Copies are copies of one workload.
type Copies struct {
	Workload estate.Name `json:"workload"`
	Count    int         `json:"count"`
}

// A Placement puts copies of a workload on a pool.
type Placement struct {
	Workload estate.Name `json:"workload"`
	Pool     PoolName    `json:"pool"`
	// Copies that are expected there; absent where all are. A workload with
	// several placements may run on each of their pools.
	Copies int `json:"copies,omitempty"`
	// Prefer is the weight at which its copies prefer the pool's nodes to others
	// (1 to 100); 0 for no preference.
	Prefer int    `json:"prefer,omitempty"`
	Reason Reason `json:"reason"`
	Why    string `json:"why,omitempty"`
}

// A Priority is a class of pods that give way to those of a higher one, or of
// none, which find no place. They start again elsewhere.
type Priority struct {
	Name      string        `json:"name"`
	Value     int           `json:"value"` // below 0
	Workloads []estate.Name `json:"workloads"`
	Why       string        `json:"why,omitempty"`
}

// Survival is what the plan outlives, proven by failing each node or zone and
// placing what ran there on the rest.
type Survival struct {
	Level SurvivalLevel `json:"level"`
	// Reached is what was proven; less than Level comes with a diagnostic.
	Reached  SurvivalLevel `json:"reached"`
	Failures []Failure     `json:"failures,omitempty"`
	// Price an hour over the same plan without survival.
	Price unit.Money `json:"price"`
	// Cost an hour of the nodes, and the proven least with and without survival.
	Cost         unit.Money `json:"cost"`
	Bound        unit.Money `json:"bound"`
	Gap          float64    `json:"gap"`
	BoundWithout unit.Money `json:"boundWithout"`
	// Replay is what letting the cluster's own scheduler place the pods costs
	// over the pure packing.
	Replay unit.Money `json:"replay,omitempty"`
	// Iterations of the search, and whether the clock cut it short.
	Iterations int  `json:"iterations,omitempty"`
	CutShort   bool `json:"cutShort,omitempty"`
	// Preempted is how often copies gave way to others after one loss at most, in
	// any order of arrival that was tried.
	Preempted int `json:"preempted,omitempty"`
	// Restored: what a loss has moved is to start anew once the node is back, so
	// that the next loss is survived too. Otherwise one may follow another.
	Restored bool `json:"restored,omitempty"`
	// Bent are constraints that hold while all nodes are there, and that copies
	// of a lost node could not keep on the rest.
	Bent []Bent `json:"bent,omitempty"`
}

// A Bent constraint keeps copies as evenly apart as the nodes that are left
// allow, rather than leave a copy without a place.
type Bent struct {
	Workload estate.Name `json:"workload"`
	// Constraint is its Source in the estate.
	Constraint string `json:"constraint"`
	// Wish: even that is only preferred.
	Wish bool   `json:"wish,omitempty"`
	Why  string `json:"why"`
}

// SurvivalLevel is what may fail at once.
type SurvivalLevel string

// The levels.
const (
	SurviveNone SurvivalLevel = "none"
	SurviveNode SurvivalLevel = "node"
	SurviveZone SurvivalLevel = "zone"
)

// A Failure is one node or zone that was failed, and where its copies went.
type Failure struct {
	Lost  string  `json:"lost"` // the node's or zone's name
	Moves []Moved `json:"moves"`
	// Cleared are copies that gave way to larger ones that found no place, on nodes
	// that were not lost: they are among those that moved.
	Cleared []Cleared `json:"cleared,omitempty"`
	// Stranded copies found no room: never in a plan that reached its level.
	Stranded []Copies `json:"stranded,omitempty"`
}

// Cleared are copies that leave a node for larger ones.
type Cleared struct {
	Workload estate.Name `json:"workload"`
	Count    int         `json:"count"`
	From     string      `json:"from"` // the node's name
}

// Moved are copies that start again elsewhere.
type Moved struct {
	Workload estate.Name `json:"workload"`
	Count    int         `json:"count"`
	To       string      `json:"to"` // the node's name
}
