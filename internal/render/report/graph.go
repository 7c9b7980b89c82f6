package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/estate"
)

// maxNodes is how many workloads are drawn one by one; more are drawn by group.
const maxNodes = 300

// A Graph is what to draw: nodes, and edges between their IDs.
type Graph struct {
	Nodes []Node
	Edges []Edge
}

// A Node is a workload or, in a large estate, a group of them.
type Node struct {
	ID    string
	Label string
	Kind  estate.Kind
	Count int // workloads that it stands for
}

// An Edge says that From needs To.
type Edge struct {
	From, To string
	Open     bool // rests on a name that a person must look at
}

// NewGraph gives the estate's dependency graph, collapsed by group above 300
// workloads. Workloads that nothing ties to others are left out.
func NewGraph(e *estate.Estate) Graph {
	name := func(id estate.Name) string { return string(id) }
	if len(e.Workloads) > maxNodes {
		name = groupOf
	}
	nodes := map[string]*Node{}
	for i := range e.Workloads {
		w := &e.Workloads[i]
		id := name(w.ID)
		if nodes[id] == nil {
			nodes[id] = &Node{ID: id, Label: id, Kind: w.Kind}
		}
		nodes[id].Count++
	}
	edges := map[Edge]bool{}
	tied := map[string]bool{}
	for _, d := range e.Dependencies {
		if d.To == "" {
			continue
		}
		from, to := name(d.From), name(d.To)
		if from == to {
			continue
		}
		edges[Edge{From: from, To: to, Open: d.Fate == estate.Unresolved}] = true
		tied[from], tied[to] = true, true
	}
	var g Graph
	for id, n := range nodes {
		if !tied[id] {
			continue
		}
		if n.Count > 1 {
			n.Label = fmt.Sprintf("%s (%d)", id, n.Count)
		}
		g.Nodes = append(g.Nodes, *n)
	}
	for x := range edges {
		if x.Open && edges[Edge{From: x.From, To: x.To}] {
			continue
		}
		g.Edges = append(g.Edges, x)
	}
	slices.SortFunc(g.Nodes, func(a, b Node) int { return strings.Compare(a.ID, b.ID) })
	slices.SortFunc(g.Edges, func(a, b Edge) int {
		return strings.Compare(a.From+"\x00"+a.To, b.From+"\x00"+b.To)
	})
	return g
}

// groupOf gives the first two segments of an ID: "/shop/web/cart" is "/shop/web".
func groupOf(id estate.Name) string {
	parts := strings.SplitN(strings.TrimPrefix(string(id), "/"), "/", 3)
	if len(parts) == 1 {
		return "/"
	}
	return "/" + strings.Join(parts[:len(parts)-1], "/")
}
