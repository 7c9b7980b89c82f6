package main

import (
	"fmt"
	"math"
	"slices"
)

// An answer is what `tranship plan pack -o json` says.
type answer struct {
	Cost    float64 `json:"cost"`
	Bound   float64 `json:"bound"`
	Gap     float64 `json:"gap"`
	Nodes   []node  `json:"nodes"`
	Seconds float64 `json:"seconds"`
}

type node struct {
	Type  string  `json:"type"`
	Price float64 `json:"price"`
	Pods  []struct {
		Name  string `json:"name"`
		Count int    `json:"count"`
	} `json:"pods"`
}

// cent is how far two sums of prices may be apart by rounding.
const cent = 1e-6

// check holds an answer against the problem by its own account: nothing lost, nothing too full, the cost as the nodes
// cost, and every single failure re-placed where that was asked for.
func check(p *problem, a *answer) error {
	left := map[string]int{}
	for _, x := range p.pods {
		left[x.Name] = x.Replicas
	}
	var cost float64
	counts := make([][]int, len(a.Nodes)) // by node, pod
	free := make([]load, len(a.Nodes))
	for i, n := range a.Nodes {
		k := p.find(n.Type)
		if k == nil {
			return fmt.Errorf("node %d is of type %q, which is not in the list", i+1, n.Type)
		}
		if math.Abs(k.price-n.Price) > cent {
			return fmt.Errorf("node %d costs %v, and its type %v", i+1, n.Price, k.price)
		}
		cost += k.price
		free[i] = k.free(p.system)
		counts[i] = make([]int, len(p.pods))
		for _, c := range n.Pods {
			j := slices.IndexFunc(p.pods, func(x pod) bool { return x.Name == c.Name })
			if j < 0 || c.Count < 1 {
				return fmt.Errorf("node %d has %d of %q", i+1, c.Count, c.Name)
			}
			left[c.Name] -= c.Count
			counts[i][j] += c.Count
			if most := p.pods[j].MaxPerNode; most > 0 && counts[i][j] > most {
				return fmt.Errorf("node %d has %d of %s, of which it may have %d", i+1, counts[i][j], c.Name, most)
			}
			var ok bool
			if free[i], ok = free[i].minus(p.pods[j].size().times(c.Count)); !ok {
				return fmt.Errorf("node %d of type %s is too full: %v", i+1, n.Type, free[i])
			}
		}
	}
	for name, n := range left {
		if n != 0 {
			return fmt.Errorf("%d of %s are missing", n, name)
		}
	}
	if math.Abs(cost-a.Cost) > cent {
		return fmt.Errorf("the cost is said to be %v, and the nodes cost %v", a.Cost, cost)
	}
	if a.Bound > 0 && math.Abs(a.Gap-(a.Cost/a.Bound-1)) > 1e-3 {
		return fmt.Errorf("the gap is said to be %v, and the cost is %v of the bound", a.Gap, a.Cost/a.Bound)
	}
	if p.survive == "node" {
		for i := range a.Nodes {
			if !replaced(p, counts[i], slices.Delete(slices.Clone(free), i, i+1)) {
				return fmt.Errorf("what node %d runs finds no place on the others", i+1)
			}
		}
	}
	return nil
}

// replaced reports whether pods fit into what is free, by trying all ways.
func replaced(p *problem, lost []int, free []load) bool {
	next := slices.IndexFunc(lost, func(n int) bool { return n > 0 })
	if next < 0 {
		return true
	}
	lost[next]--
	defer func() { lost[next]++ }()
	tried := map[load]bool{}
	for i, f := range free {
		rest, ok := f.minus(p.pods[next].size())
		if !ok || tried[f] {
			continue
		}
		tried[f] = true
		free[i] = rest
		found := replaced(p, lost, free)
		free[i] = f
		if found {
			return true
		}
	}
	return false
}
