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
// it weighs no more than any measure says, even where the room is just enough.
func TestNoNodeHoldsMoreThanMeasured(t *testing.T) {
	tight := 0
	rapid.Check(t, func(t *rapid.T) {
		d := draw(t)
		sizes := d.made(policy.Default())
		tails := size.NewTails(d.e, &d.set, sizes)
		all := pods(sizes)
		epsilon := rapid.SampledFrom([]float64{0.0005, 0.005, 0.05}).Draw(t, "epsilon")
		var loads [][]plan.Copies
		rooms := []unit.CPU{500, 4000}
		for range 6 {
			var load []plan.Copies
			for _, p := range all {
				load = append(load, plan.Copies{Workload: p.Workload, Count: rapid.IntRange(0, p.Count).Draw(t, "copies")})
			}
			loads, rooms = append(loads, load), append(rooms, tails.Need(load, epsilon))
		}
		for _, m := range tails.Measures(all, rooms, epsilon) {
			least := 0.0
			for i, p := range all {
				least += m.Weight[i] * float64(p.Count)
			}
			if least > m.Least*(1+1e-9) || least < m.Least*(1-1e-9) || m.Weight[m.Counted] != 0 || m.Heavy != all[m.Counted].Count {
				t.Fatalf("all weigh %v, Measures = %+v", least, m)
			}
			for _, load := range loads {
				weight := 0.0
				for i, p := range load {
					weight += m.Weight[i] * float64(p.Count)
				}
				heavy := load[m.Counted].Count
				for r, room := range rooms {
					if tails.Overload(load, room) > epsilon {
						continue
					}
					if len(m.Most[r]) <= heavy {
						t.Fatalf("%d of %s do not overload %s, Most = %v", heavy, load[m.Counted].Workload, room, m.Most[r])
					}
					if weight > m.Most[r][heavy]*(1+1e-9)+1e-6 {
						t.Fatalf("%v do not overload %s and weigh %v, Most = %v beside %d", load, room, weight, m.Most[r][heavy], heavy)
					}
					if weight > 0.9*m.Most[r][heavy] {
						tight++
					}
				}
			}
		}
	})
	if tight == 0 {
		t.Error("no load came near to what is measured")
	}
}
