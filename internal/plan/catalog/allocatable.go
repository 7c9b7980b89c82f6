package catalog

import (
	"math"
	"strings"

	"github.com/tranship/tranship/internal/base/unit"
)

// Limits of pods with prefix delegation, as AWS advises them for EKS: by the
// size of the machine.
const (
	prefixPodsSmall = 110
	prefixPodsLarge = 250
	smallVCPU       = 30
	addressesPrefix = 16 // addresses of a delegated /28
	hostPods        = 2  // kube-proxy and the CNI run on the host's address
)

// What EKS nodes keep back: nodeadm's kubeReserved and evictionHard, and what
// Karpenter takes off an arm64 machine for its kernel.
const (
	memoryPerPod   = 11 * unit.MiB
	memoryBase     = 255 * unit.MiB
	memoryEviction = 100 * unit.MiB
	memoryArm      = 64 * unit.MiB
	defaultVM      = 0.075

	defaultRoot       = 20 * unit.GiB
	ephemeralReserved = 1 * unit.GiB
	ephemeralEviction = 0.10 // evictionHard nodefs.available
)

// MaxPods is how many pods a node of this type runs: two on the host's address,
// and one for each address of its interfaces but their first. --max-pods makes
// it less; it makes it more only as far as there are addresses.
func (t *Type) MaxPods(k Kubelet) int {
	n := t.addresses(k.PrefixDelegation)
	if k.MaxPods > 0 {
		if n == 0 {
			return k.MaxPods
		}
		return min(k.MaxPods, n)
	}
	if k.PrefixDelegation && t.nitro() {
		most := prefixPodsSmall
		if t.VCPU > smallVCPU {
			most = prefixPodsLarge
		}
		n = min(n, most)
	}
	return n
}

// addresses is how many pods have an address; 0 if nothing is known.
func (t *Type) addresses(prefix bool) int {
	if t.ENIs <= 0 || t.IPv4PerENI <= 0 {
		return t.Pods
	}
	n := t.ENIs * (t.IPv4PerENI - 1)
	if prefix && t.nitro() {
		n *= addressesPrefix
	}
	return n + hostPods
}

// Allocatable gives what a node of this type has for pods. CPU, memory and pods
// are those of Karpenter's published table (a test holds all types to it);
// ephemeral storage is the root volume less what nodeadm reserves and less the
// tenth that kubelet keeps against eviction.
func (t *Type) Allocatable(k Kubelet) Allocatable {
	pods := t.MaxPods(k)
	return Allocatable{
		CPU:       max(unit.CPU(t.VCPU)*1000-reservedCPU(t.VCPU), 0),
		Memory:    max(t.usable(k)-memoryPerPod*unit.Bytes(pods)-memoryBase-memoryEviction, 0),
		Pods:      pods,
		Ephemeral: ephemeral(k.RootVolume),
		GPUs:      t.GPUs,
		Volumes:   t.volumes(k, pods),
	}
}

// usable is the memory that the system sees, in whole MiB.
func (t *Type) usable(k Kubelet) unit.Bytes {
	share := defaultVM
	if k.VMOverhead != nil {
		share = *k.VMOverhead
	}
	m := t.Memory
	if t.Arch == "arm64" {
		m -= memoryArm
	}
	return m - unit.Bytes(math.Ceil(float64(m)*share/float64(unit.MiB)))*unit.MiB
}

// reservedCPU is 6 % of the first core, 1 % of the second, 0.5 % of the next
// two and 0.25 % of all others.
func reservedCPU(cores int) unit.CPU {
	parts := []struct {
		cores int
		tenth int64 // of a percent, in hundredths: 6 % is 600
	}{{1, 600}, {1, 100}, {2, 50}, {math.MaxInt, 25}}
	var out unit.CPU
	for _, p := range parts {
		n := min(cores, p.cores)
		out += unit.CPU(int64(n) * 1000 * p.tenth / 10_000)
		if cores -= n; cores <= 0 {
			break
		}
	}
	return out
}

func ephemeral(root unit.Bytes) unit.Bytes {
	if root <= 0 {
		root = defaultRoot
	}
	keep := unit.Bytes(math.Ceil(float64(root) * ephemeralEviction))
	return max(root-ephemeralReserved-keep, 0)
}

// Attachments of EBS, as the EBS CSI driver counts them. A machine of the Nitro
// system has 28 slots; what the list gives is without the slots of its first
// interface, its local disks and its accelerators. Older machines take 39
// volumes.
const (
	xenVolumes   = 39
	nitroVolumes = 27
	rootVolumes  = 1
)

// volumes is how many volumes pods can have: with shared slots as many as are
// left when the node's interfaces for that many pods, and one that the CNI
// keeps warm, are attached.
func (t *Type) volumes(k Kubelet, pods int) int {
	n := t.EBSVolumes
	switch {
	case n == 0 && !t.nitro():
		n = xenVolumes
	case n == 0:
		n = nitroVolumes - t.interfaces(k, pods)
	case !t.EBSDedicated && t.nitro():
		n -= t.interfaces(k, pods)
	}
	return max(n-rootVolumes, 0)
}

// interfaces is how many are attached beside the first.
func (t *Type) interfaces(k Kubelet, pods int) int {
	if t.ENIs <= 0 || t.IPv4PerENI <= 1 {
		return 0
	}
	each := t.IPv4PerENI - 1
	if k.PrefixDelegation && t.nitro() {
		each *= addressesPrefix
	}
	need := (pods - hostPods + each - 1) / each
	return min(max(need, 1)+1, t.ENIs) - 1
}

// Family is what stands before the dot: "m6g".
func (t *Type) Family() string {
	f, _, _ := strings.Cut(t.Name, ".")
	return f
}

// nitro reports whether the machine is of the Nitro system, which has prefix
// delegation. The families before it are all there will ever be.
func (t *Type) nitro() bool {
	switch t.Family() {
	case "c1", "c3", "c4", "cc2", "cr1", "d2", "f1", "g2", "g3", "g3s", "h1", "hs1", "i2", "i3", "m1", "m2", "m3", "m4",
		"p2", "p3", "r3", "r4", "t1", "t2", "x1", "x1e":
		return t.BareMetal
	}
	return true
}
