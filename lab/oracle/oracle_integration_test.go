//go:build integration

package main

import (
	"math"
	"testing"
)

// Cases whose optimum is known by hand: the program is the problem.
func TestProgramIsTheProblem(t *testing.T) {
	for _, x := range []struct {
		name   string
		change func(p *problem)
		want   float64
	}{
		{"two of c6g.large", func(*problem) {}, 0.136},
		{"one pod a node", func(p *problem) { p.pods[0].MaxPerNode = 1 }, 0.136},
		{"a third node for what a lost one ran", func(p *problem) { p.survive = "node" }, 3 * 0.068},
	} {
		t.Run(x.name, func(t *testing.T) {
			p := small()
			x.change(&p)
			got, err := solve(t.Context(), "cbc", t.TempDir(), &p, 0.5)
			if err != nil || math.Abs(got-x.want) > cent {
				t.Errorf("solve = %v, %v; want %v", got, err, x.want)
			}
		})
	}
}
