package main

import (
	"io"
	"strings"
	"testing"
)

// small has two types; two pods of one kind fill the larger, or each a smaller one.
func small() problem {
	return problem{
		survive: "none", system: load{100, 128, 2}, kinds: []kind{kinds[3], kinds[5]},
		pods: []pod{{Name: "a", Replicas: 2, CPU: 900, Memory: 1000}, {Name: "b", Replicas: 1, CPU: 900, Memory: 1000, MaxPerNode: 1}},
	}
}

func sound() *answer {
	a := &answer{Cost: 0.068 * 2, Bound: 0.1, Gap: 0.36}
	for _, name := range []string{"a", "b"} {
		n := node{Type: "c6g.large", Price: 0.068}
		n.Pods = append(n.Pods, struct {
			Name  string `json:"name"`
			Count int    `json:"count"`
		}{name, map[string]int{"a": 2, "b": 1}[name]})
		a.Nodes = append(a.Nodes, n)
	}
	return a
}

func TestSoundAnswerIsTaken(t *testing.T) {
	p := small()
	if err := check(&p, sound()); err != nil {
		t.Errorf("check(sound answer) = %v, want nothing", err)
	}
}

// An answer that loses, overfills, misprices or cannot lose a node is found out.
func TestFaultyAnswersAreFound(t *testing.T) {
	for name, x := range map[string]struct {
		change func(p *problem, a *answer)
		want   string
	}{
		"a pod is lost":      {func(_ *problem, a *answer) { a.Nodes[0].Pods[0].Count = 1 }, "are missing"},
		"a node is too full": {func(p *problem, _ *answer) { p.pods[0].CPU = 1000 }, "too full"},
		"too many on a node": {func(p *problem, _ *answer) { p.pods[0].MaxPerNode = 1 }, "of which it may have 1"},
		"a price is wrong":   {func(_ *problem, a *answer) { a.Nodes[1].Price = 0.05 }, "its type"},
		"the sum is wrong":   {func(_ *problem, a *answer) { a.Cost = 0.1 }, "the nodes cost"},
		"the gap is wrong":   {func(_ *problem, a *answer) { a.Gap = 0 }, "gap"},
		"unknown type":       {func(_ *problem, a *answer) { a.Nodes[0].Type = "x1.large" }, "not in the list"},
		"a loss strands":     {func(p *problem, _ *answer) { p.survive = "node" }, "finds no place"},
	} {
		t.Run(name, func(t *testing.T) {
			p, a := small(), sound()
			x.change(&p, a)
			if err := check(&p, a); err == nil || !strings.Contains(err.Error(), x.want) {
				t.Errorf("check = %v, want one that says %q", err, x.want)
			}
		})
	}
}

// A bound above the optimum, and a cost below it, count as wrong.
func TestImpossibleNumbersAreWrong(t *testing.T) {
	p := small()
	for name, a := range map[string]*answer{"bound": {Cost: 0.2, Bound: 0.15}, "cost": {Cost: 0.12, Bound: 0.1}} {
		var c tally
		if c.compare(&p, a, 0.136, io.Discard); c.bad != 1 {
			t.Errorf("%s on the wrong side of the optimum counts as %d wrong, want 1", name, c.bad)
		}
	}
}
