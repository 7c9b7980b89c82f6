// Package packtest makes the pods that packing is measured with: seeded
// generators, the file that they are handed over in, and the binpack.Problem
// that they are beside a price list. It takes a seed and a number of replicas
// and gives neutral pods, the same ones every time. It never packs anything.
package packtest

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/tranship/tranship/internal/base/binpack"
)

// A Pod is a service's equal replicas.
type Pod struct {
	Name         string `json:"name"`
	Replicas     int    `json:"replicas"`
	CPUMilli     int64  `json:"cpuMilli"`
	MemMiB       int64  `json:"memMiB"`
	EphemeralMiB int64  `json:"ephemeralMiB,omitempty"`
	GPU          int64  `json:"gpu,omitempty"`
	MaxPerNode   int    `json:"maxPerNode,omitempty"`
}

// A Daemonset is what runs on every node.
type Daemonset struct {
	CPUMilli int64 `json:"cpuMilli"`
	MemMiB   int64 `json:"memMiB"`
	Pods     int64 `json:"pods"`
}

// A Set is what is to be packed: the input of `plan pack`.
type Set struct {
	Pods      []Pod     `json:"pods"`
	Daemonset Daemonset `json:"daemonset"`
}

// Replicas is the number of pods in all.
func (s *Set) Replicas() int {
	n := 0
	for _, p := range s.Pods {
		n += p.Replicas
	}
	return n
}

// Write writes the file that `plan pack --in` reads.
func (s *Set) Write(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", " ")
	if err := enc.Encode(s); err != nil {
		return fmt.Errorf("write pods: %w", err)
	}
	return nil
}

// The dimensions of a problem, in this order: the first three are always there.
const (
	CPU = iota // thousandths of a core
	Memory
	Pods
	Ephemeral
	GPU
)

// Services is the problem with an item for each service, in the set's order.
func (s *Set) Services(types []Node, dimensions int) binpack.Problem {
	p := binpack.Problem{Dimensions: dimensions, Types: s.types(types, dimensions)}
	for _, pod := range s.Pods {
		p.Items = append(p.Items, binpack.Item{
			Size:  []int64{pod.CPUMilli, pod.MemMiB, 1, pod.EphemeralMiB, pod.GPU}[:dimensions],
			Count: pod.Replicas, MaxPerBin: pod.MaxPerNode,
		})
	}
	return p
}

// Problem is the problem with an item for each size: services that differ only
// by name are one item. Those with a bound per node stay apart.
func (s *Set) Problem(types []Node, dimensions int) binpack.Problem {
	p := binpack.Problem{Dimensions: dimensions, Types: s.types(types, dimensions)}
	at := map[[5]int64]int{}
	for _, it := range s.Services(types, dimensions).Items {
		var k [5]int64
		copy(k[:], it.Size)
		if i, ok := at[k]; ok && it.MaxPerBin == 0 {
			p.Items[i].Count += it.Count
			continue
		}
		if it.MaxPerBin == 0 {
			at[k] = len(p.Items)
		}
		p.Items = append(p.Items, it)
	}
	return p
}

// types are the nodes less what runs on each; those with nothing left are full.
func (s *Set) types(nodes []Node, dimensions int) []binpack.Type {
	out := make([]binpack.Type, len(nodes))
	for i, n := range nodes {
		c := []int64{
			n.CPUMilli - s.Daemonset.CPUMilli, n.MemMiB - s.Daemonset.MemMiB,
			n.Pods - s.Daemonset.Pods, n.EphemeralMiB, n.GPU,
		}[:dimensions]
		for d := range c {
			c[d] = max(c[d], 0)
		}
		out[i] = binpack.Type{Capacity: c, Price: n.Price}
	}
	return out
}
