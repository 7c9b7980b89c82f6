package wave

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
)

// What a need that stays behind adds when the pilot is chosen: its calls cross
// from one world to the other.
const (
	needBehind = 5
	dataBehind = 10 // where it keeps data
)

// pilot gives the group that goes first, -1 for none: what policy names, or
// else the least risky of those with real traffic.
func (g *graph) pilot(named string) (int, diag.List) {
	if named == "none" {
		g.pilotWhy = "no pilot: tranship.yaml says so"
		return -1, nil
	}
	if named != "" {
		i, ok := g.at[estate.Name(named)]
		if ok {
			return g.of[i], g.named(named, g.of[i])
		}
		best := g.best()
		return best, diag.List{{
			Code: NoSuchPilot, Severity: diag.Warning, Subject: "policy",
			Problem: fmt.Sprintf("names %s as the pilot, which is not there or does not move", named),
			Hint:    "tranship discover lists the workloads; it was chosen by risk instead: " + cmp.Or(g.pilotWhy, "there is none"),
		}}
	}
	return g.best(), nil
}

// named takes the pilot that policy wants, and says what speaks against it.
func (g *graph) named(id string, v int) diag.List {
	x := &g.groups[v]
	g.pilotReason = plan.ByPolicy
	g.pilotWhy = fmt.Sprintf("tranship.yaml begins with %s; risk %d", id, x.risk) + g.behind(v)
	against := x.pilotable(g)
	if against == "" && x.traffic == noTraffic {
		against = "it has no traffic that is known, so that it proves little"
	}
	if against == "" {
		return nil
	}
	g.pilotWhy += "; " + against
	return diag.List{{
		Code: RiskyPilot, Severity: diag.Warning, Subject: "workload " + id, Problem: "is no good pilot: " + against,
		Hint: "leave spec.waves.pilot empty to have one chosen, or set it to none",
	}}
}

// best chooses the pilot: of those whose traffic is best known, the least risk
// with what its needs add by staying behind.
func (g *graph) best() int {
	best, score, able := -1, 0, 0
	for v := range g.groups {
		x := &g.groups[v]
		if x.traffic == noTraffic || x.pilotable(g) != "" {
			continue
		}
		able++
		s := x.risk
		for _, n := range x.needs {
			if s += needBehind; g.groups[n].mode == plan.Stateful {
				s += dataBehind
			}
		}
		known := x.traffic >= outside
		if best < 0 || known && g.groups[best].traffic < outside || known == (g.groups[best].traffic >= outside) && s < score {
			best, score = v, s
		}
	}
	if best < 0 {
		g.pilotWhy = "no pilot: nothing that could go over by steps has traffic that is known"
		return -1
	}
	x := &g.groups[best]
	g.pilotReason = plan.PilotFirst
	how := "an address that others call"
	switch x.traffic {
	case outside:
		how = "a route from outside"
	case measured:
		how = fmt.Sprintf("%.1f requests a second", x.requests)
	}
	g.pilotWhy = fmt.Sprintf("the least risk (%d) of %s with real traffic that could go first; it has %s", x.risk, count(able, "group"), how) + g.behind(best)
	return best
}

// pilotable says why a group cannot be chosen as the pilot; nothing if it can.
func (x *group) pilotable(g *graph) string {
	switch {
	case x.mode == plan.Exclusive:
		return "it may never run in both worlds, so that traffic cannot go over by steps"
	case x.mode == plan.Stateful:
		return "it keeps data, which does not come back by a rollback"
	case !slices.ContainsFunc(x.members, func(i int) bool { return g.workloads[i].Replicas > 0 }):
		return "no copy of it is wanted"
	}
	for _, i := range x.members {
		if w := g.workloads[i]; keepsData(w) {
			return "it keeps data, which does not come back by a rollback"
		} else if n := g.lost[w.ID]; n > 0 {
			return fmt.Sprintf("%d of its names lead nowhere known", n)
		}
	}
	return ""
}

// behind says what a pilot calls back to.
func (g *graph) behind(v int) string {
	needs := g.groups[v].needs
	if len(needs) == 0 {
		return "; it needs nothing that moves later"
	}
	names := make([]string, len(needs))
	data := 0
	for i, n := range needs {
		names[i] = g.name(n)
		if g.groups[n].mode == plan.Stateful {
			data++
		}
	}
	text := fmt.Sprintf("; until they follow it calls back to the source for %s", some(names, 4))
	if data > 0 {
		text += fmt.Sprintf(" (%d with data, which stays where it is written)", data)
	}
	return text
}
