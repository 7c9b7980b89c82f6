// Package pods is the packing for those who only want the packing: it takes
// pods with their sizes, as `plan pack --in` reads them, and a price list, and
// gives nodes with the pods on each, the lower bound and the diagnostics. It
// never sizes a pod, and never gives an answer that it has not checked.
package pods

import (
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/plan/catalog"
)

// A Set is what is to be packed: the file that `plan pack --in` reads.
type Set struct {
	Pods []Pod `json:"pods"`
	// Daemonset is what runs on every node beside them.
	Daemonset Daemonset `json:"daemonset,omitzero"`
}

// A Pod is the equal copies of a service.
type Pod struct {
	Name string `json:"name" jsonschema:"minLength=1"`
	// Replicas are 1 where they are left out.
	Replicas     int   `json:"replicas,omitempty" jsonschema:"minimum=0,maximum=1000000"`
	CPUMilli     int64 `json:"cpuMilli,omitempty" jsonschema:"minimum=0"`
	MemMiB       int64 `json:"memMiB,omitempty" jsonschema:"minimum=0"`
	EphemeralMiB int64 `json:"ephemeralMiB,omitempty" jsonschema:"minimum=0"`
	GPU          int64 `json:"gpu,omitempty" jsonschema:"minimum=0"`
	// MaxPerNode bounds the copies on one node; 0 for no bound.
	MaxPerNode int `json:"maxPerNode,omitempty" jsonschema:"minimum=0"`

	line, column int
}

// A Daemonset is what all DaemonSets together take of a node.
type Daemonset struct {
	CPUMilli int64 `json:"cpuMilli,omitempty" jsonschema:"minimum=0"`
	MemMiB   int64 `json:"memMiB,omitempty" jsonschema:"minimum=0"`
	Pods     int64 `json:"pods,omitempty" jsonschema:"minimum=0"`
}

// An Answer is what `plan pack -o json` prints.
type Answer struct {
	// Cost of all nodes in US dollars an hour, and the bound below which nothing
	// that holds these pods can be; Gap is cost ÷ bound − 1.
	Cost  unit.Money `json:"cost"`
	Bound unit.Money `json:"bound"`
	Gap   float64    `json:"gap"`
	Nodes []Node     `json:"nodes"`
	// Seconds that it took, reading included.
	Seconds float64 `json:"seconds"`
	// Prices that the nodes were chosen by.
	Prices Prices `json:"prices"`
	// Survives is "none", "node" or "zone"; Failures are the proof: for each loss
	// where every pod goes that ran there.
	Survives string    `json:"survives"`
	Failures []Failure `json:"failures,omitempty"`
	// Left are pods that no allowed type has room for, Exposed those that a
	// failure takes and that then find no place: the answer then fails.
	Left    []Count `json:"left,omitempty"`
	Exposed []Count `json:"exposed,omitempty"`
	// Seed and Iterations give the same answer again; with Stopped the machine
	// was too slow for that.
	Seed       uint64 `json:"seed"`
	Iterations int    `json:"iterations"`
	Stopped    bool   `json:"stopped,omitempty"`
}

// Prices say what the price list is.
type Prices struct {
	Region    string `json:"region,omitempty"`
	Date      string `json:"date,omitempty"`
	Source    string `json:"source,omitempty"`
	Estimated bool   `json:"estimated,omitempty"`
}

// A Node is a machine with the pods on it.
type Node struct {
	Type  string     `json:"type"`
	Price unit.Money `json:"price"` // US dollars an hour
	Zone  int        `json:"zone,omitempty"`
	Pods  []Count    `json:"pods"`
}

// A Count is copies of a pod.
type Count struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

// A Failure is nodes that are lost together, by their indexes.
type Failure struct {
	Lost  []int  `json:"lost"`
	Zone  int    `json:"zone,omitempty"`
	Moves []Move `json:"moves"`
}

// A Move is copies of a lost node's pod and where they run then.
type Move struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
	From  int    `json:"from"`
	To    int    `json:"to"`
}

// A Filter says which types may be bought.
type Filter struct {
	// Families are the letters before the first digit of a type: "c", "m", "r".
	Families      []string
	Architectures []string
	MinGeneration int
	MaxVCPU       int // 0 for no bound
	// Flex types may be bought: their price buys a share of a CPU.
	Flex    bool
	Kubelet catalog.Kubelet
	// Ephemeral storage that a node has for pods.
	Ephemeral unit.Bytes
}

// allows reports whether a type may be bought. Burstable ones are where their
// family is named; bare metal is not, since it takes many minutes to start.
func (f *Filter) allows(t *catalog.Type) bool {
	return t.Price > 0 && !t.BareMetal && (!t.Flex || f.Flex) && slices.Contains(f.Families, letters(t.Name)) &&
		slices.Contains(f.Architectures, t.Arch) && t.Generation >= f.MinGeneration && (f.MaxVCPU <= 0 || t.VCPU <= f.MaxVCPU)
}

func letters(name string) string {
	if i := strings.IndexAny(name, "0123456789-."); i >= 0 {
		return name[:i]
	}
	return name
}
