package bill

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/catalog"
)

// short says, where less is saved than wished, by how much, whether the proven
// bound allows it at all, and what would have to give, each with its numbers.
// Nobody wishes to pay more than today.
func (m *maker) short(today, then unit.Money) {
	wish := m.costs.Wished
	if m.bill.Saving >= wish {
		return
	}
	paid := sumOf(m.then, nodes)
	want := today - times(today, wish) // what tomorrow may cost
	lack := then - want
	if lack <= 0 {
		return
	}
	missed := fmt.Sprintf("saves %s, not the %s that are wished", percent(m.bill.Saving), percent(wish))
	if m.bill.Saving < 0 {
		missed = fmt.Sprintf("is %s a month (%s) dearer than today's", then-today, percent(-m.bill.Saving))
	}
	switch {
	case wish <= 0:
		m.say("tomorrow's bill %s", missed)
	default:
		m.say("%s is wished, %s reached: %s a month are lacking", percent(wish), percent(m.bill.Saving), lack)
	}
	m.bounds(want, then, paid)
	m.safety(today, then)
	m.fee(today, then, want)
	m.declared()
	m.architecture(today, then)
	m.purchase(today, then, lack)
	if kept := sumOf(m.then, unchanged); kept > 0 {
		m.say("unchanged costs are %s a month, %s of today's bill: no choice of nodes touches them", kept, percent(share(kept, today)))
	}
	if stay := sumOf(m.then, staying); stay > 0 {
		m.say("moving what policy leaves out would free %s of today, %s a month: saving %s without what its place costs",
			count(m.stay, "machine"), stay, percent(share(today-then+stay, today)))
	}
	m.warn(WishMissed, diag.Warning, "bill", missed, m.bill.Short[1])
}

func (m *maker) say(format string, args ...any) {
	m.bill.Short = append(m.bill.Short, fmt.Sprintf(format, args...))
}

// bounds compares what the wish leaves for nodes with what they must cost.
func (m *maker) bounds(want, then, paid unit.Money) {
	left := want - (then - paid)
	bound := m.Survival.Bound
	goal := "the wish leaves"
	if m.costs.Wished <= 0 {
		goal = "today's bill leaves"
	}
	switch {
	case left <= 0:
		m.say("no nodes can reach it: what is paid beside them, %s a month, is already more than the %s that are left", then-paid, want)
	case bound <= 0:
		m.say("%s %s an hour for nodes, these cost %s; how little they could cost is not proven", goal, rate(left), rate(paid))
	case bound.Month() > left:
		m.say("no nodes under these rules can reach it: %s %s an hour for them, and they must cost %s at least, which would save %s; these cost %s",
			goal, rate(left), hour(bound), percent(m.bill.Reachable), rate(paid))
	default:
		more := ""
		if m.Survival.Replay > 0 {
			more = fmt.Sprintf(", of which %s are room for the cluster's own scheduler", hour(m.Survival.Replay))
		}
		m.say("the bound does not forbid it: %s %s an hour for nodes, these cost %s%s, and nothing below %s is possible; a larger --budget may come nearer", goal, rate(left), rate(paid), more, hour(bound))
	}
}

// safety says what survival costs.
func (m *maker) safety(today, then unit.Money) {
	s := &m.Survival
	if s.Reached == plan.SurviveNone || s.Reached == "" {
		return
	}
	what := "any one " + string(s.Reached)
	switch {
	case s.Price > 0 && s.BoundWithout > 0:
		m.say("giving up survival of %s (spec.target.survive: none) saves %s a month: saving %s, and %s at the bound of %s an hour", what, s.Price.Month(),
			percent(share(today-then+s.Price.Month(), today)), percent(share(today-then+sumOf(m.then, nodes)-s.BoundWithout.Month(), today)), hour(s.BoundWithout))
	case s.BoundWithout > 0 && s.BoundWithout < s.Cost:
		m.say("without survival of %s (spec.target.survive: none) nodes cost %s an hour at least: saving %s at the most", what, hour(s.BoundWithout),
			percent(share(today-then+sumOf(m.then, nodes)-s.BoundWithout.Month(), today)))
	}
}

// fee says what the control plane takes.
func (m *maker) fee(today, then, want unit.Money) {
	now := m.feeOn(m.last)
	month := now.Month()
	if now > catalog.ClusterFee {
		why := "the list's"
		if now != m.bill.Support.Fee {
			why = "that of a version in standard support"
		}
		after := then - (now - catalog.ClusterFee).Month()
		m.say("an EKS fee of %s an hour, %s, in place of %s saves %s a month: saving %s%s", hour(catalog.ClusterFee), why, hour(now), (now - catalog.ClusterFee).Month(),
			percent(share(today-after, today)), enough(after, want))
		return
	}
	m.say("the control plane alone is %s a month, %s of today's bill: several small estates can share one", month, percent(share(month, today)))
}

func enough(after, want unit.Money) string {
	if after <= want {
		return ", which is enough"
	}
	return ""
}

// declared says how much is asked for without anybody having seen it used.
func (m *maker) declared() {
	all, blind, n := 0.0, 0.0, 0
	for _, s := range m.Sizes {
		cpu := 0.0
		for _, c := range s.Containers {
			cpu += float64(c.CPU) * float64(max(s.Replicas, 0))
		}
		if all += cpu; s.Reason == plan.AsDeclared && cpu > 0 {
			blind += cpu
			n++
		}
	}
	if blind >= 0.05*all && n > 0 {
		m.say("of %s %s as declared, with %s of all CPU that is asked for: usage (plan --usage) would say what they need", count(len(m.Sizes), "workload"), verb(n, "is", "are"), percent(blind/all))
	}
}

// verb spells a number with what so many do.
func verb(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// architecture says what the same nodes of another architecture would cost.
func (m *maker) architecture(today, then unit.Money) {
	allowed := m.target.Architectures
	if len(allowed) == 0 {
		allowed = []string{"amd64"}
	}
	var delta unit.Money
	var names []string
	arch := ""
	for _, p := range m.Pools {
		if p.Nodes <= 0 || cmp.Or(p.Purchase, plan.OnDemand) != plan.OnDemand {
			continue
		}
		if t := m.twin(m.Catalog.Find(p.Type), p.Price, allowed); t != nil {
			delta += times(p.Price-t.Price, float64(p.Nodes)*unit.HoursPerMonth)
			names = append(names, t.Name+" for "+p.Type)
			arch = t.Arch
		}
	}
	if delta > 0 {
		slices.Sort(names)
		m.say("images for %s too (spec.target.architectures): the same nodes, %s, cost %s a month less: saving %s", arch, some(slices.Compact(names), 3), delta,
			percent(share(today-then+delta, today)))
	}
}

// twin gives the cheapest type of another architecture with no less of anything.
func (m *maker) twin(of *catalog.Type, price unit.Money, allowed []string) *catalog.Type {
	if of == nil {
		return nil
	}
	families := m.target.Families
	if len(families) == 0 {
		families = []string{"c", "m", "r"}
	}
	var best *catalog.Type
	for i := range m.Catalog.Types {
		t := &m.Catalog.Types[i]
		if slices.Contains(allowed, t.Arch) || t.Price <= 0 || t.Price >= price || t.BareMetal || t.Burstable && !m.target.Burstable ||
			t.Generation < cmp.Or(m.target.MinGeneration, 5) || t.VCPU < of.VCPU || t.Memory < of.Memory || t.GPUs != of.GPUs || t.LocalNVMe < of.LocalNVMe ||
			!slices.ContainsFunc(families, func(f string) bool { return familyOf(t.Name) == f }) {
			continue
		}
		if best == nil || t.Price < best.Price || t.Price == best.Price && t.Name < best.Name {
			best = t
		}
	}
	return best
}

// familyOf gives the letters before a type's generation: "m" of "m6g.large".
func familyOf(name string) string {
	if i := strings.IndexAny(name, "0123456789"); i > 0 {
		return name[:i]
	}
	return name
}

// purchase says what another way of buying would have to bring.
func (m *maker) purchase(today, then, lack unit.Money) {
	var demand, spot unit.Money
	known := 0.0
	for _, p := range m.Pools {
		month := times(p.Price, float64(max(p.Nodes, 0))*unit.HoursPerMonth)
		if cmp.Or(p.Purchase, plan.OnDemand) != plan.OnDemand {
			continue
		}
		demand += month
		if t := m.Catalog.Find(p.Type); t != nil && t.SpotSaving > 0 {
			spot += times(month, t.SpotSaving)
			known++
		}
	}
	b := &m.Policy.Spec.Buying
	if b.Spot != "stateless" && known > 0 {
		m.say("spot for what has no state (spec.buying.spot: stateless): if all nodes were bought so they would cost %s a month less, saving %s",
			spot, percent(share(today-then+spot, today)))
	}
	if b.Commit == nil && demand > 0 && lack < demand {
		m.say("a savings plan (spec.buying.commit) closes the gap with a discount of %s on the %s a month of nodes on demand", percent(math.Ceil(1e3*float64(lack)/float64(demand))/1e3), demand)
	}
}

// percent spells a share with one decimal where it has one.
func percent(share float64) string {
	text := fmt.Sprintf("%.1f", 100*share)
	return strings.TrimSuffix(text, ".0") + " %"
}

// rate gives what a month comes to an hour.
func rate(month unit.Money) string { return hour(month / unit.HoursPerMonth) }

// hour spells a price an hour: cents, and two decimals more where they are needed.
func hour(m unit.Money) string {
	text := fmt.Sprintf("$%.4f", m.Float())
	for range 2 {
		text = strings.TrimSuffix(text, "0")
	}
	return text
}
