package fit

import (
	"fmt"
	"math"
	"slices"

	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/catalog"
	"github.com/tranship/tranship/internal/plan/policy"
)

// The dimensions of what a pod takes and a node has. The first two are those
// of package replay.
const (
	inCPU       = iota // thousandths of a core
	inMemory           // MiB
	inPods             // pods
	inEphemeral        // MiB
	inGPUs
	inVolumes
	dimensions
)

var dimensionNames = [dimensions]string{"CPU", "memory", "pods", "ephemeral disk", "GPUs", "volumes"}

type vector [dimensions]int64

func (v vector) plus(w vector, times int64) vector {
	for d := range v {
		v[d] += w[d] * times
	}
	return v
}

// within reports whether v fits into room, and in which dimension not.
func (v vector) within(room vector) (dimension int, ok bool) {
	for d := range v {
		if v[d] > room[d] && v[d] > 0 {
			return d, false
		}
	}
	return 0, true
}

func (v vector) load() plan.Load {
	return plan.Load{
		CPU: unit.CPU(v[inCPU]), Memory: unit.Bytes(v[inMemory]) * unit.MiB, Pods: int(v[inPods]),
		Ephemeral: unit.Bytes(v[inEphemeral]) * unit.MiB, GPUs: int(v[inGPUs]), Volumes: int(v[inVolumes]),
	}
}

// mebibytes rounds up: a request is never taken for less than it is.
func mebibytes(b unit.Bytes) int64 { return int64((b + unit.MiB - 1) / unit.MiB) }

func roomOf(a catalog.Allocatable) vector {
	return vector{int64(a.CPU), int64(a.Memory / unit.MiB), int64(a.Pods), int64(a.Ephemeral / unit.MiB), int64(a.GPUs), int64(a.Volumes)}
}

// sizeOf is what one pod of a workload asks for, as the scheduler counts it:
// its containers together, or the largest that runs before them.
func sizeOf(w *estate.Workload, s *plan.Size) vector {
	out := vector{inPods: 1}
	before := vector{inPods: 1}
	for _, c := range s.Containers {
		v := vector{inCPU: int64(c.CPU), inMemory: mebibytes(c.Memory), inEphemeral: mebibytes(c.Disk), inGPUs: int64(c.GPUs)}
		if slices.ContainsFunc(w.InitContainers, func(k estate.Container) bool { return k.Name == c.Name }) {
			before = before.most(v)
			continue
		}
		out = out.plus(v, 1)
	}
	for i := range w.Containers {
		if len(w.Containers[i].Artifacts) > 0 {
			before = before.most(vector{inCPU: 10, inMemory: 64}) // what fetches them
		}
	}
	for i := range w.InitContainers {
		k := &w.InitContainers[i]
		before = before.most(vector{inCPU: int64(k.CPU), inMemory: mebibytes(k.Memory), inEphemeral: mebibytes(k.Disk)})
	}
	out = out.most(before)
	for i := range w.Volumes {
		if v := &w.Volumes[i]; attached(v) {
			out[inVolumes]++
		}
	}
	return out
}

func (v vector) most(w vector) vector {
	for d := range v {
		v[d] = max(v[d], w[d])
	}
	return v
}

// attached reports whether a volume takes one of a node's places for disks.
func attached(v *estate.Volume) bool {
	return v.Kind == estate.PersistentVolume || v.Kind == estate.ExternalVolume && v.Access != estate.ManyWriters
}

// DaemonSets that a cluster has of its own, by default: aws-node 25m,
// kube-proxy 100m, ebs-csi-node 30m/120Mi, node-exporter 20m/32Mi and a log
// agent 50m/100Mi, rounded up.
const (
	daemonCPU    unit.CPU   = 250
	daemonMemory unit.Bytes = 512 * unit.MiB
	daemonPods              = 5
)

// system is what DaemonSets take of every node: the cluster's own, and the
// estate's workloads that run on every machine.
func system(e *estate.Estate, p *policy.Policy, sizes map[estate.Name]*plan.Size) vector {
	share := policy.SystemShare{CPU: daemonCPU, Memory: daemonMemory, Pods: daemonPods}
	if s := p.Spec.Target.DaemonSets; s != nil {
		share = *s
	}
	out := vector{inCPU: int64(share.CPU), inMemory: mebibytes(share.Memory), inPods: int64(share.Pods)}
	for i := range e.Workloads {
		if w := &e.Workloads[i]; w.Kind == estate.Daemon && sizes[w.ID] != nil {
			out = out.plus(sizeOf(w, sizes[w.ID]), 1)
		}
	}
	return out
}

// A conversion counts a core of the nodes as factor cores of the hosts. Only
// types that are as fast do then.
type conversion struct {
	factor float64
	mark   float64 // CoreMark of one core that a type must reach
}

// defaultCap is how much faster a core may count at most.
const defaultCap = 1.5

// conversions are those that policy and the marks of today's hosts allow.
func (in *Inputs) conversions() []conversion {
	source := 0.0
	for _, h := range in.Today {
		t := in.Catalog.Find(h.Type)
		if t == nil || t.CoreMark <= 0 {
			return nil // how fast the hosts are is not known
		}
		source = max(source, t.CoreMark)
	}
	most := in.Policy.Spec.Sizing.ConvertCap
	if most == 0 {
		most = defaultCap
	}
	if source == 0 || most <= 1 {
		return nil
	}
	half := (1 + most) / 2
	return []conversion{{half, source * half}, {most, source * most}}
}

// convert gives sizes in the nodes' cores.
func (k conversion) convert(sizes []plan.Size) []plan.Size {
	out := slices.Clone(sizes)
	for i := range out {
		out[i].Containers = slices.Clone(out[i].Containers)
		for j := range out[i].Containers {
			c := &out[i].Containers[j]
			if n := unit.CPU(math.Ceil(float64(c.CPU) / k.factor)); n < c.CPU {
				said := fmt.Sprintf("%s of the hosts' CPU are %s of the nodes', whose cores are %.2f times as fast (CoreMark)", c.CPU, n, k.factor)
				if c.Why != "" {
					said = c.Why + "; " + said
				}
				c.CPU, c.Why = n, said
			}
		}
	}
	return out
}
