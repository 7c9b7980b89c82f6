package report

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
)

// What is shown of the waves at most.
const (
	mostWaves  = 60
	mostGroups = 40 // of a wave
	mostNames  = 12 // of a group
)

// A board is the waves side by side.
type board struct {
	Waves []column
	More  int
}

type column struct {
	ID, Number       string
	Pilot            bool
	Start, End       string
	Reason           plan.Reason
	Why              string
	Groups           []card
	More             int
	Free             []string
	Freed, Workloads string
}

// A card of the board is a move group.
type card struct {
	ID        string
	Mode      plan.Mode
	Reason    plan.Reason
	Risk      string
	Width     px // of the risk's bar, of 100
	Level     string
	Risks     []string
	Why       string
	Workloads []estate.Name
	More      int
	Batch     string
}

func newBoard(p *plan.Plan) board {
	var out board
	for _, w := range p.Waves {
		if len(out.Waves) == mostWaves {
			out.More = len(p.Waves) - mostWaves
			break
		}
		c := column{
			ID: id("wave", w.Number), Number: fmt.Sprint(w.Number), Pilot: w.Pilot, Start: w.Start, End: w.End,
			Reason: w.Reason, Why: cmp.Or(w.Why, w.Reason.Meaning()), Free: w.Free,
		}
		if len(w.Free) > 0 {
			c.Freed = plural(len(w.Free), "machine")
		}
		n := 0
		for _, g := range w.Groups {
			n += len(g.Workloads)
		}
		c.Workloads = plural(n, "workload") + " in " + plural(len(w.Groups), "group")
		for i, g := range w.Groups {
			if i == mostGroups {
				c.More = len(w.Groups) - mostGroups
				break
			}
			c.Groups = append(c.Groups, newCard(c.ID, i, &g, w.Batches))
		}
		out.Waves = append(out.Waves, c)
	}
	return out
}

func newCard(wave string, i int, g *plan.MoveGroup, batches [][]int) card {
	c := card{
		ID: id(wave+"-group", i+1), Mode: g.Mode, Reason: g.Reason, Risk: fmt.Sprint(g.Risk), Width: px(min(max(g.Risk, 0), 100)),
		Risks: g.Risks, Workloads: g.Workloads,
	}
	switch {
	case g.Risk >= 60:
		c.Level = "high"
	case g.Risk >= 30:
		c.Level = "middle"
	default:
		c.Level = "low"
	}
	c.Why = cmp.Or(g.Why, g.Reason.Meaning())
	if len(c.Workloads) > mostNames {
		c.Workloads, c.More = c.Workloads[:mostNames], len(c.Workloads)-mostNames
	}
	for b, groups := range batches {
		if len(batches) > 1 && slices.Contains(groups, i) {
			c.Batch = fmt.Sprintf("batch %d of %d", b+1, len(batches))
		}
	}
	return c
}
