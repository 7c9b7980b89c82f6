package wave

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/plan"
)

// packed is how full hosts can be made, for saying how many could be drained.
const packed = 0.9

// free says after each wave which source hosts nothing needs any more, and how
// many more could be drained. It is on the safe side: a host is free when all
// that was seen on it has moved, nothing unknown runs there, and what has no
// host yet still finds room on the others.
func (g *graph) free(waves []plan.Wave, in *Inputs) diag.List {
	y := g.yard(in)
	if len(y.hosts) == 0 || len(waves) == 0 {
		return nil
	}
	var diags diag.List
	if y.unseen > 0 {
		diags = append(diags, diag.Diagnostic{
			Code: HostsUnseen, Severity: diag.Note, Subject: "hosts",
			Problem: fmt.Sprintf("are %d, but of %s it was not seen where they run: none is free before they have moved", len(y.hosts), count(y.unseen, "workload")),
			Hint:    "capture the Mesos master's state too",
		})
	}
	// rest is what the waves after each still ask at the most.
	rest := make([]claim, len(waves)+1)
	for i := range g.workloads {
		if n := g.groups[g.of[i]].wave; n > 1 {
			rest[n-2] = rest[n-2].most(&y.claims[i])
		}
	}
	for n := len(waves) - 1; n >= 0; n-- {
		rest[n] = rest[n].most(&rest[n+1])
	}
	for n := range waves {
		for _, group := range waves[n].Groups {
			for _, id := range group.Workloads {
				y.moved(&y.claims[g.at[id]])
			}
		}
		asks := rest[n].most(&y.staying)
		last := n == len(waves)-1
		waves[n].Free = y.release(asks, last)
		waves[n].Drainable = y.drainable(asks)
		waves[n].Why += y.say(&waves[n], last)
	}
	return append(diags, y.left()...)
}

// moved takes away what a workload asked for.
func (y *yard) moved(c *claim) {
	y.float = y.float.plus(c.float, -1)
	if c.unseen {
		y.unseen--
	}
	for _, h := range c.hosts {
		m := &y.hosts[h]
		m.used = m.used.plus(c.each, -1).most(room{})
		if !c.daemon {
			m.copies--
		}
	}
}

// release frees the hosts that nothing needs, smallest first, as long as the
// others have room for what has no host.
func (y *yard) release(asks claim, last bool) []string {
	over := last && y.skipped == 0
	if y.unseen > 0 || y.anyone > 0 && !over {
		return nil
	}
	var able []int
	var spare room // of the hosts that stay
	var widest []room
	kept := 0
	for i := range y.hosts {
		m := &y.hosts[i]
		switch {
		case m.freed:
		case over || m.copies == 0 && !m.held():
			able = append(able, i)
		default:
			kept++
			left := m.size.plus(m.used, -1).most(room{})
			spare = spare.plus(left, 1)
			widest = append(widest, left)
		}
	}
	slices.SortStableFunc(able, func(a, b int) int { return cmp.Compare(y.hosts[a].size.cpu, y.hosts[b].size.cpu) })
	// The largest are kept first, until what floats has its room.
	for !over && len(able) > 0 && y.floats(asks) && (kept == 0 || !spare.holds(y.float) || !fits(widest, asks.copy)) {
		m := &y.hosts[able[len(able)-1]]
		able = able[:len(able)-1]
		kept++
		spare = spare.plus(m.size, 1)
		widest = append(widest, m.size)
	}
	var names []string
	for _, i := range able {
		y.hosts[i].freed = true
		names = append(names, y.hosts[i].name)
	}
	slices.Sort(names)
	return names
}

// floats reports whether anything is left that has no host.
func (y *yard) floats(asks claim) bool {
	return y.float.cpu > 1e-3 || y.float.memory > 1 || asks.copy != room{}
}

func fits(rooms []room, one room) bool {
	return slices.ContainsFunc(rooms, func(r room) bool { return r.holds(one) })
}

// drainable gives how many of the hosts that are left could stand empty if all
// that is left were packed onto the fewest, by its sums.
func (y *yard) drainable(asks claim) int {
	var need room
	var able []room
	have, fixed := room{}, 0
	for i := range y.hosts {
		m := &y.hosts[i]
		if m.freed {
			continue
		}
		if (m.size == room{}) {
			return 0
		}
		need = need.plus(m.used, 1)
		if m.held() {
			fixed++
			have = have.plus(m.size, packed)
		} else {
			able = append(able, m.size)
		}
	}
	need = need.plus(y.float, 1)
	slices.SortFunc(able, func(a, b room) int { return cmp.Or(cmp.Compare(b.cpu, a.cpu), cmp.Compare(b.memory, a.memory)) })
	k := 0
	for k < len(able) && (!have.holds(need) || fixed+k < asks.apart) {
		have = have.plus(able[k], packed)
		k++
	}
	return len(able) - k
}

// say tells of the hosts after a wave.
func (y *yard) say(w *plan.Wave, last bool) string {
	text := ""
	if n := len(w.Free); n > 0 {
		text = "; frees " + count(n, "source host")
	}
	var able []int
	stay, parts := 0, []string{}
	for i := range y.hosts {
		m := &y.hosts[i]
		switch {
		case m.freed:
		case m.held():
			stay++
			parts = append(parts, m.parts...)
		case m.copies > 0:
			able = append(able, i)
		}
	}
	if last {
		return text
	}
	if w.Drainable > 0 && len(able) > 0 {
		slices.SortStableFunc(able, func(a, b int) int { return cmp.Compare(y.hosts[a].copies, y.hosts[b].copies) })
		least := &y.hosts[able[0]]
		text += fmt.Sprintf("; draining could empty about %d more, %s first (%s left)", w.Drainable, least.name, count(least.copies, "workload"))
	}
	if stay > 0 {
		slices.Sort(parts)
		text += "; " + verb(stay, "host", "stays", "stay") + " to the end"
		if parts = slices.Compact(parts); len(parts) > 0 {
			text += " for " + some(parts, 3)
		}
	}
	return text
}

// left reports the hosts that are needed after the last wave.
func (y *yard) left() diag.List {
	var names []string
	for i := range y.hosts {
		if !y.hosts[i].freed {
			names = append(names, y.hosts[i].name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	return diag.List{{
		Code: HostsStay, Severity: diag.Note, Subject: "hosts",
		Problem: fmt.Sprintf("%s are needed after the last wave: policy leaves %s on the source", some(names, 5), count(y.skipped, "workload")),
		Hint:    "let them move; tomorrow's bill has these hosts",
	}}
}
