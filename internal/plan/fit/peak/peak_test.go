package peak_test

import (
	"fmt"
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/fit/peak"
	"github.com/tranship/tranship/internal/plan/fit/replay"
	"github.com/tranship/tranship/internal/plan/size"
	"github.com/tranship/tranship/internal/plan/usage"
)

// rule gives the rule for workloads that use so much on average, with a day's swing.
func rule(means []float64, copies []int, swing float64) *peak.Rule {
	var e estate.Estate
	var set usage.Set
	var sizes []plan.Size
	r := &peak.Rule{Allowed: 0.005, Factor: 1}
	for i, mean := range means {
		id := estate.Name(fmt.Sprintf("/w%02d", i))
		r.Pods = append(r.Pods, id)
		e.Workloads = append(e.Workloads, estate.Workload{ID: id, Kind: estate.Service, Replicas: copies[i], Containers: []estate.Container{{Name: "main"}}})
		sizes = append(sizes, plan.Size{Workload: id, Replicas: copies[i], Containers: []plan.ContainerSize{{Name: "main", Used: &plan.Used{CPUPeak: 1}}}})
		var points []usage.Point
		for k := range int64(600) {
			noise := 1 + 0.1*math.Sin(float64(k)*float64(7+3*i))
			points = append(points, usage.Point{At: k * 600, Value: float64(copies[i]) * mean * (1 + swing*math.Sin(float64(k)*2*math.Pi/144)) * noise})
		}
		set.Series = append(set.Series, usage.Series{Workload: id, Metric: usage.CPU, Step: 600, Points: points})
	}
	r.Tails = size.NewTails(&e, &set, sizes)
	r.Quick = r.Tails.Coarse(peak.Coarse)
	return r
}

// TestWhatHoldsIsNotCut: nodes that hold all copies by the rule are never said to
// be too few, by no cut; and half of what all need on one node is.
func TestWhatHoldsIsNotCut(t *testing.T) {
	cut := 0
	rapid.Check(t, func(t *rapid.T) {
		var means []float64
		var copies []int
		for range rapid.IntRange(2, 8).Draw(t, "workloads") {
			means = append(means, rapid.Float64Range(5, 500).Draw(t, "mean"))
			copies = append(copies, rapid.IntRange(1, 4).Draw(t, "copies"))
		}
		r := rule(means, copies, rapid.Float64Range(0, 0.6).Draw(t, "swing"))
		nodes := rapid.IntRange(1, 4).Draw(t, "nodes")
		on := make([][]plan.Copies, nodes)
		all := 0.0
		for i, n := range copies {
			all += means[i] * float64(n)
			for range n {
				at := rapid.IntRange(0, nodes-1).Draw(t, "node")
				on[at] = append(on[at], plan.Copies{Workload: r.Pods[i], Count: 1})
			}
		}
		var rooms []int64
		for _, load := range on {
			rooms = append(rooms, int64(r.Tails.Need(load, r.Allowed)))
		}
		rooms = append(rooms, int64(all/2))
		one := make([]int, len(rooms))
		one[nodes] = 1
		fleets := make([]int, len(rooms))
		for i := range nodes {
			fleets[i] = 1
		}
		cuts := r.Cuts(copies, rooms)
		if !cuts.Cut(one) || cuts.May(one) {
			t.Fatalf("a node with half of what all use on average will do, by the cuts")
		}
		if !cuts.May(fleets) || cuts.Cut(fleets) {
			t.Fatalf("nodes with room for what they run, %v, are cut", rooms)
		}
		// One more that needs nothing, and less of one that needs all.
		rooms[0] /= 2
		if cuts = r.Cuts(copies, rooms); cuts.Cut(fleets) {
			cut++
		}
	})
	if cut == 0 {
		t.Error("no fleet that is too small was cut")
	}
}

// TestAQuickLookTellsNearlyTheSame as the last word.
func TestAQuickLookTellsNearlyTheSame(t *testing.T) {
	r := rule([]float64{100, 40, 250, 80, 10}, []int{3, 2, 2, 4, 1}, 0.3)
	var pods []plan.Copies
	var on []replay.Load
	for i, id := range r.Pods {
		pods, on = append(pods, plan.Copies{Workload: id, Count: 1}), append(on, replay.Load{Pod: i, Count: 1})
	}
	need := r.Tails.Need(pods, r.Allowed)
	node := replay.Node{Room: []int64{int64(need) + 200}, System: []int64{200}}
	if x := r.Overload(&node, on); x > r.Allowed || x < 0.9*r.Allowed {
		t.Errorf("a node with just the room is overloaded %v of the time, want nearly %v", x, r.Allowed)
	}
	if !r.Holds([]replay.Node{node}, [][]replay.Load{on}) {
		t.Error("a node with just the room does not hold")
	}
	load := r.Load(&node)
	for i := range r.Pods {
		load.Add(i, 1)
	}
	if w := load.Worry(); w < 0.9 || w > 1.2 {
		t.Errorf("a quick look worries %v, want about 1", w)
	}
	load.Add(2, -1)
	if w := load.Worry(); w > 1 {
		t.Errorf("with the largest taken away it worries %v", w)
	}
	if (&peak.Rule{}).Overload(&node, on) != 0 || !(&peak.Rule{}).Cuts(nil, nil).May([]int{1}) {
		t.Error("without tails something is overloaded")
	}
}
