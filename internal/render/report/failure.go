package report

import (
	"fmt"
	"strings"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
)

// A failure is a row of the table of what may be lost.
type failure struct {
	ID, Lost string
	Copies   string
	Stranded string
	Why      string // where the copies go
	Index    int
}

// A replay is what the page needs to show a failure: numbers into the lists
// beside them.
type replay struct {
	// Nodes are the drawn nodes' places in the picture.
	Nodes []string `json:"nodes"`
	Names []string `json:"names"`
	// Loads are the workloads that move: name, fill, width by CPU and by memory.
	Loads []replayLoad `json:"loads"`
	Lost  []replayLost `json:"lost"`
}

type replayLoad struct {
	Name   string  `json:"name"`
	Fill   string  `json:"fill"`
	CPU    float64 `json:"cpu"`
	Memory float64 `json:"memory"`
}

// A replayLost is a failure: the drawn nodes that are gone, and the moves as
// triples of load, copies and node (-1: one that is not drawn).
type replayLost struct {
	Name     string   `json:"name"`
	Row      string   `json:"row"`
	Gone     []int    `json:"gone"`
	Moves    [][3]int `json:"moves"`
	Copies   int      `json:"copies"`
	Targets  int      `json:"targets"` // nodes that they go to
	Stranded int      `json:"stranded"`
}

// failures lists what may be lost, and hands the page what it needs to show it.
func (out *packing) failures(p *plan.Plan, nodes []box, scales []float64, f *fills, at *places) {
	drawn := map[string]int{}
	for i, b := range nodes {
		drawn[b.name] = i
		out.Replay.Nodes = append(out.Replay.Nodes, b.id)
		out.Replay.Names = append(out.Replay.Names, b.name)
	}
	amounts := each(p)
	loads := map[estate.Name]int{}
	loadOf := func(w estate.Name) int {
		i, ok := loads[w]
		if !ok {
			i = len(out.Replay.Loads)
			loads[w] = i
			a := amounts[w]
			round := func(v float64) float64 { return float64(int(v*10+0.5)) / 10 }
			out.Replay.Loads = append(out.Replay.Loads, replayLoad{
				Name: string(w), Fill: f.of(w), CPU: round(float64(a.CPU) * scales[0]), Memory: round(float64(a.Memory) * scales[1]),
			})
		}
		return i
	}
	skipped := 0
	for _, x := range p.Survival.Failures {
		gone := lostNodes(p, x.Lost, drawn)
		if len(gone) == 0 || len(out.Failures) == mostFailures {
			skipped++
			continue
		}
		i := len(out.Failures)
		row := failure{ID: id("fail", i+1), Lost: x.Lost, Index: i}
		at.failures[x.Lost] = row.ID
		lost := replayLost{Name: x.Lost, Row: row.ID, Gone: gone}
		var where []string
		targets := map[string]bool{}
		for _, m := range x.Moves {
			targets[m.To] = true
			lost.Copies += m.Count
			to, ok := drawn[m.To]
			if !ok {
				to = -1
			}
			lost.Moves = append(lost.Moves, [3]int{loadOf(m.Workload), m.Count, to})
			if len(where) < mostMoves {
				where = append(where, fmt.Sprintf("%s × %d → %s", m.Workload, m.Count, m.To))
			}
		}
		if more := len(x.Moves) - len(where); more > 0 {
			where = append(where, fmt.Sprintf("and %d more", more))
		}
		for _, s := range x.Stranded {
			lost.Stranded += s.Count
			where = append(where, fmt.Sprintf("%s × %d finds no room", s.Workload, s.Count))
		}
		lost.Targets = len(targets)
		row.Copies, row.Stranded = fmt.Sprint(lost.Copies+lost.Stranded), fmt.Sprint(lost.Stranded)
		row.Why = strings.Join(where, "; ")
		if row.Why == "" {
			row.Why = "nothing ran there"
		}
		out.Replay.Lost = append(out.Replay.Lost, lost)
		out.Failures = append(out.Failures, row)
	}
	if skipped > 0 {
		out.Cap = append(out.Cap, fmt.Sprintf("%d more failures were tried that are not shown: plan.json has them all under /survival/failures.", skipped))
	}
}

// lostNodes gives the drawn nodes that are gone: one, or those of a zone.
func lostNodes(p *plan.Plan, lost string, drawn map[string]int) []int {
	if i, ok := drawn[lost]; ok {
		return []int{i}
	}
	var out []int
	for _, n := range p.Nodes {
		if i, ok := drawn[n.Name]; ok && n.Zone == lost {
			out = append(out, i)
		}
	}
	return out
}
