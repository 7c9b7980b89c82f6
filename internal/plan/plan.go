// Package plan is the proposal that a migration follows: how many copies
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
	AsOf   string        `json:"asOf"`
	Estate estate.Estate `json:"estate"`
	Policy policy.Policy `json:"policy"`
	// Prices and Usage say what the plan rests on.
	Prices     Prices      `json:"prices,omitzero"`
	Usage      []UsageFile `json:"usage,omitempty"`
	Sizes      []Size      `json:"sizes"`
	Pools      []Pool      `json:"pools"`
	Nodes      []Node      `json:"nodes,omitempty"`
	Placements []Placement `json:"placements"`
	// Priorities are the classes of pods that make room for larger ones, the
	// lowest first; pods of none never do.
	Priorities []Priority     `json:"priorities,omitempty"`
	Survival   Survival       `json:"survival,omitzero"`
	Bill       Bill           `json:"bill,omitzero"`
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
	Why        string          `json:"why,omitempty"`
	// Scale is set where the number of copies follows load.
	Scale *Scale `json:"scale,omitempty"`
}

// Scale is how the number of copies follows load.
type Scale struct {
	Min int `json:"min"`
	Max int `json:"max"`
	// CPU and Memory are targets in percent of the request, Metric a target of a
	// metric of its own; 0 or nil where it is not followed.
	CPU    int     `json:"cpu,omitempty"`
	Memory int     `json:"memory,omitempty"`
	Metric *Metric `json:"metric,omitempty"`
	// Planned is the number of copies that the nodes have room for.
	Planned int    `json:"planned"`
	Why     string `json:"why,omitempty"`
}

// A Metric is one that copies follow, per copy.
type Metric struct {
	Name   string  `json:"name"`
	Target float64 `json:"target"`
}

// ContainerSize is what one container asks for.
type ContainerSize struct {
	Name   string     `json:"name"`
	CPU    unit.CPU   `json:"cpu"`
	Memory unit.Bytes `json:"memory"`
	Disk   unit.Bytes `json:"disk,omitempty"`
	GPUs   int        `json:"gpus,omitempty"`
	// Declared is what the source asked for, Used what it was seen to use; nil
	// where that is what it gets, or nothing was seen.
	Declared *Amount `json:"declared,omitempty"`
	Used     *Used   `json:"used,omitempty"`
	Reason   Reason  `json:"reason,omitempty"`
	Why      string  `json:"why,omitempty"`
}

// An Amount is CPU with memory.
type Amount struct {
	CPU    unit.CPU   `json:"cpu"`
	Memory unit.Bytes `json:"memory"`
}

// Used is what one copy was seen to use.
type Used struct {
	// CPU at the median, the 95th percentile and the peak.
	CPUMedian  unit.CPU   `json:"cpuMedian"`
	CPUHigh    unit.CPU   `json:"cpuHigh"`
	CPUPeak    unit.CPU   `json:"cpuPeak"`
	MemoryPeak unit.Bytes `json:"memoryPeak"`
	OOMKills   int        `json:"oomKills,omitempty"`
	Points     int        `json:"points"`
}

// A UsageFile is a file of usage that the plan rests on.
type UsageFile struct {
	File   string `json:"file"`
	Format string `json:"format"`
	From   string `json:"from"` // RFC 3339
	To     string `json:"to"`
	Series int    `json:"series"`
	Points int    `json:"points"`
}

// Reason says why an item of the plan was decided so.
type Reason string

// The reasons.
const (
	AsDeclared    Reason = "as-declared"    // the source's own numbers
	FromUsage     Reason = "from-usage"     // what it was seen to use, with a margin
	FromOOM       Reason = "from-oom"       // it was killed for memory: more than it had
	HeapFloor     Reason = "heap-floor"     // its JVM's heap needs as much
	AtFloor       Reason = "at-floor"       // less would be noise
	Cheapest      Reason = "cheapest"       // the least cost at which everything fits
	ForSurvival   Reason = "for-survival"   // room for what a lost node ran
	PinnedZone    Reason = "pinned-zone"    // a constraint names its zone
	NeedsGPU      Reason = "needs-gpu"      // only some types have one
	NeedsDisk     Reason = "needs-disk"     // only some types have local NVMe
	NeedsArch     Reason = "needs-arch"     // its image runs on one architecture
	OnSpot        Reason = "on-spot"        // replicated and without state: may be interrupted
	ByPolicy      Reason = "by-policy"      // tranship.yaml says so
	OnlyPool      Reason = "only-pool"      // there is one pool
	Independent   Reason = "independent"    // waits for nothing
	AfterNeeds    Reason = "after-needs"    // waits for what it calls
	InACycle      Reason = "in-a-cycle"     // calls what calls it: they move together
	PilotFirst    Reason = "pilot"          // the least risk with real traffic
	SharedAddress Reason = "shared-address" // one virtual address leads to all of them
	BlueGreenPair Reason = "blue-green"     // they take turns in one place
	SharedVolume  Reason = "shared-volume"  // they write to the same storage
	SharedLock    Reason = "shared-lock"    // one lock keeps their runs apart
	MoveAlone     Reason = "alone"          // nothing ties it to others
)

// A Wave is what moves in one window.
type Wave struct {
	Number int         `json:"number"` // from 1
	Groups []MoveGroup `json:"groups"`
	Reason Reason      `json:"reason"`
	Why    string      `json:"why,omitempty"`
	// Pilot marks the first wave: the least risky with real traffic.
	Pilot bool `json:"pilot,omitempty"`
	// Start and End are days, as 2006-01-02; after End its source copies are gone.
	Start string `json:"start,omitempty"`
	End   string `json:"end,omitempty"`
	// Free are the source hosts that nothing needs any more once it has ended,
	// beside those of the waves before.
	Free []string `json:"free,omitempty"`
	// Drainable is how many more hosts could stand empty by then, if what is
	// left on the source were packed onto as few as hold it.
	Drainable int `json:"drainable,omitempty"`
	// Batches are the groups in flight at a time, as indexes into Groups.
	Batches [][]int `json:"batches,omitempty"`
}

// A MoveGroup must move together.
type MoveGroup struct {
	Workloads []estate.Name `json:"workloads"`
	Mode      Mode          `json:"mode"`
	Reason    Reason        `json:"reason"`
	// Risk is 0 (none) to 100; Risks say what adds to it.
	Risk  int      `json:"risk,omitempty"`
	Risks []string `json:"risks,omitempty"`
	Why   string   `json:"why,omitempty"`
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

// Close seals the plan.
func (p *Plan) Close() error {
	sum, err := p.Sum()
	p.Seal = sum
	return err
}

// Moves reports whether a workload is one that tranship moves: frameworks and
// infrastructure are replaced, not moved, and policy can leave one out.
func Moves(w *estate.Workload, p *policy.Policy) bool {
	return w.Kind != estate.Framework && w.Kind != estate.Infrastructure && !p.For(w.ID).Skip
}
