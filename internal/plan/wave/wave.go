// Package wave puts what moves together into move groups and these into waves:
// in what order, on which days, and which source hosts stand empty after each.
// It takes an estate, a policy and what is known of traffic, and gives the
// waves. It never lets a workload move before one that it needs, the pilot
// alone excepted, which calls back to the source until its needs have followed.
package wave

import (
	"cmp"
	"container/heap"
	"fmt"
	"slices"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/plan/usage"
)

// What policy leaves open.
const (
	defaultSize     = 10
	defaultParallel = 2
	defaultDays     = 7
	defaultSoak     = 3
	defaultLead     = 14 // days from the plan to the first wave
)

// Inputs are all that the waves follow from. Only Estate and Policy are needed.
type Inputs struct {
	Estate *estate.Estate
	Policy *policy.Policy
	// Sizes and Usage tell of traffic and load.
	Sizes []plan.Size
	Usage *usage.Set
	// Ledger holds the decisions that are open.
	Ledger []ledger.Entry
	// AsOf is the date of the plan, as 2006-01-02; without it there is no calendar.
	AsOf string
}

// Make puts all that moves into move groups and these into waves: a group
// comes after those it needs, those that others wait for longest come first,
// and then those of the least risk. Groups that need each other become one.
func Make(in Inputs) ([]plan.Wave, diag.List) {
	g, diags := newGraph(in.Estate, in.Policy)
	g.rate(&in)
	size := cmp.Or(in.Policy.Spec.Waves.Size, defaultSize)
	p, list := g.pilot(in.Policy.Spec.Waves.Pilot)
	diags = append(diags, list...)
	rows := g.order(max(size, 1), p)

	out := make([]plan.Wave, len(rows))
	for i, row := range rows {
		out[i] = g.wave(i+1, row, p)
	}
	batch(out, max(cmp.Or(in.Policy.Spec.Waves.Parallel, defaultParallel), 1))
	diags = append(diags, calendar(out, in.Policy.Spec.Waves, in.AsOf)...)
	diags = append(diags, g.free(out, &in)...)
	diags.Sort()
	return out, diags
}

// order gives the groups of each wave. The pilot, if there is one, has the
// first wave for itself.
func (g *graph) order(size, pilot int) [][]int {
	g.heights()
	left := make([]int, len(g.groups))
	q := queue{g: g}
	var rows [][]int
	var next []int
	moved := func(v int) {
		for _, c := range g.groups[v].callers {
			if left[c]--; left[c] == 0 && c != pilot {
				next = append(next, c)
			}
		}
	}
	for i := range g.groups {
		if left[i] = len(g.groups[i].needs); left[i] == 0 && i != pilot {
			next = append(next, i)
		}
	}
	if pilot >= 0 {
		rows = append(rows, []int{pilot})
		moved(pilot)
	}
	for {
		for _, v := range next {
			heap.Push(&q, v)
		}
		next = next[:0]
		if q.Len() == 0 {
			break
		}
		var row []int
		for q.Len() > 0 && len(row) < size {
			row = append(row, heap.Pop(&q).(int))
		}
		for _, v := range row {
			moved(v)
		}
		rows = append(rows, row)
	}
	for n, row := range rows {
		slices.Sort(row)
		for _, v := range row {
			g.groups[v].wave = n + 1
		}
	}
	return rows
}

// heights says of every group how long the longest chain is that waits for it.
func (g *graph) heights() {
	left := make([]int, len(g.groups))
	var ready []int
	for i := range g.groups {
		if left[i] = len(g.groups[i].callers); left[i] == 0 {
			ready = append(ready, i)
		}
	}
	for len(ready) > 0 {
		v := ready[len(ready)-1]
		ready = ready[:len(ready)-1]
		for _, n := range g.groups[v].needs {
			g.groups[n].height = max(g.groups[n].height, g.groups[v].height+1)
			if left[n]--; left[n] == 0 {
				ready = append(ready, n)
			}
		}
	}
}

// A queue holds the groups whose needs have moved, the next one first.
type queue struct {
	g  *graph
	at []int
}

func (q *queue) Len() int      { return len(q.at) }
func (q *queue) Swap(i, j int) { q.at[i], q.at[j] = q.at[j], q.at[i] }
func (q *queue) Push(x any)    { q.at = append(q.at, x.(int)) }
func (q *queue) Pop() any {
	last := q.at[len(q.at)-1]
	q.at = q.at[:len(q.at)-1]
	return last
}

func (q *queue) Less(i, j int) bool {
	a, b := &q.g.groups[q.at[i]], &q.g.groups[q.at[j]]
	return cmp.Or(cmp.Compare(b.height, a.height), cmp.Compare(a.risk, b.risk), cmp.Compare(q.at[i], q.at[j])) < 0
}

// wave makes the wave of some groups.
func (g *graph) wave(number int, row []int, pilot int) plan.Wave {
	w := plan.Wave{Number: number, Reason: plan.Independent, Groups: make([]plan.MoveGroup, 0, len(row))}
	waiting, last, low, high := 0, 0, 100, 0
	for _, v := range row {
		x := &g.groups[v]
		w.Groups = append(w.Groups, x.MoveGroup(g, v == pilot))
		low, high = min(low, x.risk), max(high, x.risk)
		if len(x.needs) > 0 {
			waiting++
			for _, n := range x.needs {
				last = max(last, g.groups[n].wave)
			}
		}
	}
	risk := fmt.Sprintf("risk %d", low)
	if high > low {
		risk = fmt.Sprintf("risk %d to %d", low, high)
	}
	switch {
	case len(row) == 1 && row[0] == pilot:
		w.Pilot, w.Reason, w.Why = true, g.pilotReason, g.pilotWhy
	case waiting > 0:
		w.Reason = plan.AfterNeeds
		w.Why = fmt.Sprintf("%s for what moves by wave %d, of %d; %s", verb(waiting, "group", "waits", "wait"), last, len(row), risk)
	case number > 2 || number == 2 && pilot < 0:
		w.Why = fmt.Sprintf("nothing in it waits for another; the waves before were full; %s", risk)
	default:
		w.Why = "nothing in it waits for another; " + risk
	}
	if number == 1 && pilot < 0 {
		w.Why += "; " + g.pilotWhy
	}
	return w
}

// batch says which groups are in flight at a time, those of the least risk first.
func batch(waves []plan.Wave, parallel int) {
	for i := range waves {
		w := &waves[i]
		at := make([]int, len(w.Groups))
		for j := range at {
			at[j] = j
		}
		slices.SortStableFunc(at, func(a, b int) int { return cmp.Compare(w.Groups[a].Risk, w.Groups[b].Risk) })
		w.Batches = slices.Collect(slices.Chunk(at, parallel))
		if len(w.Batches) > 1 {
			w.Why += fmt.Sprintf("; %d batches of at most %d, the least risk first", len(w.Batches), parallel)
		}
	}
}

// count spells a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// verb spells a number with its noun and what these do.
func verb(n int, noun, one, many string) string {
	if n == 1 {
		return "1 " + noun + " " + one
	}
	return fmt.Sprintf("%d %ss %s", n, noun, many)
}
