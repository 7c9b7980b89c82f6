package size_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/plan/size"
)

// TestNoNodeHoldsMoreThanMeasured: whatever runs on a node and does not overload
// it weighs no more than any measure says, even where the room is just enough; and
// what all on one node need is too much for one of three quarters of it.
func TestNoNodeHoldsMoreThanMeasured(t *testing.T) {
	found, tight := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		d := draw(t)
		sizes := d.made(policy.Default())
		tails := size.NewTails(d.e, &d.set, sizes)
		all := pods(sizes)
		epsilon := rapid.SampledFrom([]float64{0.0005, 0.005, 0.05}).Draw(t, "epsilon")
		scale := tails.Scale(all, epsilon)
		if scale == nil {
			t.Skip("nothing to measure")
		}
		var loads [][]plan.Copies
		rooms := []unit.CPU{tails.Need(all, epsilon) * 3 / 4, 500}
		for range 6 {
			var load []plan.Copies
			for _, p := range all {
				load = append(load, plan.Copies{Workload: p.Workload, Count: rapid.IntRange(0, p.Count).Draw(t, "copies")})
			}
			loads, rooms = append(loads, load), append(rooms, tails.Need(load, epsilon))
		}
		counts := make([]int, len(rooms))
		counts[0] = 1
		for i := range counts[1:] {
			counts[i+1] = rapid.IntRange(0, 1).Draw(t, "nodes") * rapid.IntRange(0, 1).Draw(t, "nodes")
		}
		m, ok := scale.Separate(counts, rooms)
		if !ok {
			return
		}
		found++
		least, most := 0.0, 0.0
		for i, p := range all {
			least += m.Weight[i] * float64(p.Count)
		}
		for r, n := range counts {
			most += m.Most[r] * float64(n)
		}
		if least <= most {
			t.Fatalf("all weigh %v, %v nodes hold %v", least, counts, most)
		}
		for _, load := range loads {
			weight := 0.0
			for i, p := range load {
				weight += m.Weight[i] * float64(p.Count)
			}
			for r, room := range rooms {
				if tails.Overload(load, room) > epsilon {
					continue
				}
				if weight > m.Most[r]*(1+1e-9)+1e-6 {
					t.Fatalf("%v do not overload %s and weigh %v, Most = %v", load, room, weight, m.Most[r])
				}
				if weight > 0.9*m.Most[r] {
					tight++
				}
			}
		}
	})
	if found == 0 || tight == 0 {
		t.Errorf("%d measures were found, %d loads came near to them", found, tight)
	}
}
