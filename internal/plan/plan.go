// Package plan turns an estate and a policy into a proposal: how many copies
// with which requests, on which nodes, in which order, and why. It takes values
// and gives a Plan, sealed by a hash. It never acts and never reads a clock:
// the date is an input.
package plan

import (
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan/policy"
)

// Version is the version of the file format.
const Version = 1

// A Plan is self-contained: whoever has it needs neither the snapshot nor the
// policy file to render and to carry it out.
type Plan struct {
	Version int `json:"version"`
	// AsOf is the date for which the plan was made, as 2006-01-02.
	AsOf       string         `json:"asOf"`
	Estate     estate.Estate  `json:"estate"`
	Policy     policy.Policy  `json:"policy"`
	Sizes      []Size         `json:"sizes"`
	Pools      []Pool         `json:"pools"`
	Placements []Placement    `json:"placements"`
	Waves      []Wave         `json:"waves"`
	Ledger     []ledger.Entry `json:"ledger"`
	// Seal is the SHA-256 of the canonical JSON of all the rest.
	Seal string `json:"seal,omitempty"`
}

// A Size is what one workload gets.
type Size struct {
	Workload   estate.Name     `json:"workload"`
	Replicas   int             `json:"replicas"`
	Containers []ContainerSize `json:"containers"`
	Reason     Reason          `json:"reason"`
}

// ContainerSize is what one container asks for.
type ContainerSize struct {
	Name   string     `json:"name"`
	CPU    unit.CPU   `json:"cpu"`
	Memory unit.Bytes `json:"memory"`
	Disk   unit.Bytes `json:"disk,omitempty"`
	GPUs   int        `json:"gpus,omitempty"`
}

// Reason says why an item of the plan was decided so.
type Reason string

// The reasons.
const (
	AsDeclared    Reason = "as-declared"    // the source's own numbers
	ByPolicy      Reason = "by-policy"      // tranship.yaml says so
	OnlyPool      Reason = "only-pool"      // there is one pool
	Independent   Reason = "independent"    // waits for nothing
	AfterNeeds    Reason = "after-needs"    // waits for what it calls
	InACycle      Reason = "in-a-cycle"     // calls what calls it: they move together
	SharedAddress Reason = "shared-address" // one virtual address leads to all of them
	BlueGreenPair Reason = "blue-green"     // they take turns in one place
	SharedVolume  Reason = "shared-volume"  // they write to the same storage
	MoveAlone     Reason = "alone"          // nothing ties it to others
)

// PoolName names a node pool.
type PoolName string

// A Pool is a set of equal nodes.
type Pool struct {
	Name   PoolName `json:"name"`
	Reason Reason   `json:"reason"`
	// CPU and Memory are what all workloads on it request together.
	CPU    unit.CPU   `json:"cpu"`
	Memory unit.Bytes `json:"memory"`
	GPUs   int        `json:"gpus,omitempty"`
}

// A Placement puts a workload's copies on a pool.
type Placement struct {
	Workload estate.Name `json:"workload"`
	Pool     PoolName    `json:"pool"`
	Reason   Reason      `json:"reason"`
}

// A Wave is what moves in one window.
type Wave struct {
	Number int         `json:"number"` // from 1
	Groups []MoveGroup `json:"groups"`
	Reason Reason      `json:"reason"`
}

// A MoveGroup must move together.
type MoveGroup struct {
	Workloads []estate.Name `json:"workloads"`
	Mode      Mode          `json:"mode"`
	Reason    Reason        `json:"reason"`
}

// Mode is how a move group moves.
type Mode string

// The modes, the most demanding of its workloads' being that of the group.
const (
	Plain     Mode = "plain"     // no traffic, no state
	Shifted   Mode = "shifted"   // traffic goes over by steps
	Stateful  Mode = "stateful"  // has volumes
	Exclusive Mode = "exclusive" // never in both worlds
)
