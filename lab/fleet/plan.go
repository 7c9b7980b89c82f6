// Package fleet has a real scheduler carry a plan out: it makes the planned nodes, applies the workloads as they were
// rendered, and takes nodes away.
//
// Input: a plan's file, the folder rendered from it, and a cluster that schedules. Output: how many pods ran, how many
// found no place and why, at first and after each loss. It never binds a pod itself, and never helps the scheduler with
// the order or the place of a pod beyond what the manifests say.
package fleet

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"k8s.io/apimachinery/pkg/api/resource"
)

// A Plan is what the judge has to know of a plan's file; it reads the file by its published form.
type Plan struct {
	Pools      []Pool
	Nodes      []Node
	Placements []struct{ Workload, Pool string }
	Sizes      []struct {
		Workload string
		Replicas int
	}
	Survival struct {
		Level, Reached string
		Restored       bool
		Cost, Bound    float64
		Gap            float64
		Replay         float64
	}
	Estate struct {
		Workloads []struct {
			ID, Kind string
			Run      struct{ Suspended bool }
		}
	}
}

// A Pool is a set of equal nodes.
type Pool struct {
	Name, Type, Arch string
	Price            float64
	Allocatable      Room
	System           Room
	Labels           map[string]string
	Taints           []Taint
}

// A Taint keeps pods away that do not tolerate it.
type Taint struct{ Key, Value, Effect string }

// Room is what a node has, or what is taken of it.
type Room struct {
	CPU, Memory, Ephemeral resource.Quantity
	Pods, GPUs, Volumes    int64
}

// A Node is one that the plan expects.
type Node struct {
	Name, Pool, Zone string
	Pods             []struct {
		Workload string
		Count    int
	}
}

// Read reads a plan's file. A plan that names no nodes cannot be carried out.
func Read(r io.Reader) (*Plan, error) {
	var p Plan
	if err := json.NewDecoder(r).Decode(&p); err != nil {
		return nil, fmt.Errorf("read plan: %w", err)
	}
	if len(p.Nodes) == 0 {
		return nil, errors.New("read plan: it has no nodes; was it made with a price list?")
	}
	for _, n := range p.Nodes {
		if p.pool(n.Pool) == nil {
			return nil, fmt.Errorf("read plan: node %s is of pool %q, which is not there", n.Name, n.Pool)
		}
	}
	return &p, nil
}

func (p *Plan) pool(name string) *Pool {
	if i := slices.IndexFunc(p.Pools, func(x Pool) bool { return x.Name == name }); i >= 0 {
		return &p.Pools[i]
	}
	return nil
}

// copies is how many pods of each workload the nodes have.
func (p *Plan) copies() map[string]int {
	out := map[string]int{}
	for _, n := range p.Nodes {
		for _, c := range n.Pods {
			out[c.Workload] += c.Count
		}
	}
	return out
}

// Unplaced are workloads of which the plan wants copies and which are on no node. Those that run on every machine are
// on none by name, and what is suspended does not run.
func (p *Plan) Unplaced() []string {
	have, exempt := p.copies(), map[string]bool{}
	for _, w := range p.Estate.Workloads {
		exempt[w.ID] = w.Kind == "daemon" || w.Run.Suspended
	}
	var out []string
	for _, s := range p.Sizes {
		if s.Replicas > 0 && have[s.Workload] == 0 && !exempt[s.Workload] {
			out = append(out, s.Workload)
		}
	}
	return out
}
