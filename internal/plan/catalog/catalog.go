// Package catalog is what can be bought: instance types with their size, their
// limits and their price on a date. It takes price lists and gives types with
// what a node of each has left for pods. It never looks a price up by itself:
// whoever asks hands the list in.
package catalog

import "github.com/tranship/tranship/internal/base/unit"

// A Catalog is a price list of one region and one day.
type Catalog struct {
	Region string // "us-east-1"
	// Date of the prices, as 2006-01-02, and where they were read.
	Date     string
	Source   string
	Currency string // "USD"
	// Estimated prices were not listed: another region's, times a factor.
	Estimated bool
	Types     []Type // by name
}

// A Type is an instance type.
type Type struct {
	Name       string // "m6g.large"
	VCPU       int
	Memory     unit.Bytes
	Arch       string // "amd64", "arm64"
	Generation int
	// Price per hour on demand, Linux, shared tenancy; 0 if not listed.
	Price unit.Money
	// SpotSaving is the share that spot costs less, 0 to 1; 0 if not known.
	// InterruptBand is how often it is taken away: 0 under 5 %, 1 to 10 %, 2 to
	// 15 %, 3 to 20 %, 4 above, of a month.
	SpotSaving    float64
	InterruptBand int

	ENIs       int // network interfaces
	IPv4PerENI int
	BranchENIs int // interfaces for pods with security groups of their own
	// Network is in gigabits a second, EBS in megabits a second.
	Network float64
	EBS     int
	// Pods is the limit that the list gives, where it does not say how many
	// interfaces and addresses there are; 0 otherwise.
	Pods int
	// EBSVolumes is how many volumes can be attached by the list, the root
	// volume included; 0 if it does not say. If they are not EBSDedicated, they
	// share their slots with the network interfaces after the first.
	EBSVolumes   int
	EBSDedicated bool

	GPUs         int
	GPUName      string
	Accelerators int
	LocalNVMe    unit.Bytes
	Burstable    bool
	Flex         bool
	BareMetal    bool
	Maker        string // of the CPU: "intel", "amd", "aws"
	// CoreMark is iterations a second of one vCPU; 0 if not measured.
	CoreMark float64
}

// Kubelet is how the nodes are set up, as far as it takes room from pods. The
// zero value is what EKS does by default.
type Kubelet struct {
	// PrefixDelegation gives each interface slot sixteen addresses.
	PrefixDelegation bool
	// MaxPods is --max-pods; 0 for what the type allows.
	MaxPods int
	// VMOverhead is the share of memory that the machine itself takes; nil is
	// 0.075, which is on the safe side.
	VMOverhead *float64
	// RootVolume is the node's disk; 0 is 20 GiB.
	RootVolume unit.Bytes
}

// Allocatable is what a node has for pods, DaemonSets included.
type Allocatable struct {
	CPU       unit.CPU   `json:"cpu"`
	Memory    unit.Bytes `json:"memory"`
	Pods      int        `json:"pods"`
	Ephemeral unit.Bytes `json:"ephemeral,omitempty"`
	GPUs      int        `json:"gpus,omitempty"`
	Volumes   int        `json:"volumes,omitempty"` // that can be attached by the EBS driver
}

// Find gives the type of that name, nil if there is none.
func (c *Catalog) Find(name string) *Type {
	for i := range c.Types {
		if c.Types[i].Name == name {
			return &c.Types[i]
		}
	}
	return nil
}
