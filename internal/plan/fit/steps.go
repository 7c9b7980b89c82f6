package fit

import (
	"fmt"
	"strings"

	"github.com/tranship/tranship/internal/base/binpack"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/fit/mix"
)

// steps lead from today's hosts to the plan, one decision at a time.
func (d *demand) steps(groups []*group, sum costs, o binpack.Options) []Step {
	today, hosts := hourly(d.in.Today, d.in.Catalog)
	if today == 0 {
		return nil
	}
	var out []Step
	step := func(name string, hourly unit.Money, why string) {
		out = append(out, Step{Name: name, Hourly: hourly, Why: why})
	}
	step("today", today, fmt.Sprintf("%d hosts", hosts))
	sized, why := d.rightSized(groups, today, hosts)
	step("right-size", sized, why)
	packed, why := d.packed(groups, o, sized)
	step("pack", packed, why)
	chosen, why := d.chosen(groups, o)
	step("instance choice", chosen, why)
	paid := ratio(sum.none, sum)
	step("spot/plan", paid, d.buying())
	step("survival", ratio(sum.safe, sum), "room for what any one lost "+string(levelName(d.in))+" ran")
	step("scheduler", sum.bought, "room for the cluster's own scheduler, which spreads and never moves a running pod")
	return out
}

func levelName(in *Inputs) plan.SurvivalLevel { at, _ := level(in); return at }

// ratio takes a cost at list price to what is paid for it under the savings plan.
func ratio(m unit.Money, sum costs) unit.Money {
	if sum.listed == 0 || sum.listed == sum.bought {
		return m
	}
	return unit.Money(float64(m) * float64(sum.bought) / float64(sum.listed))
}

// rightSized is what today's hosts would cost if they were as full as today and
// only what workloads ask for had changed.
func (d *demand) rightSized(groups []*group, today unit.Money, hosts int) (unit.Money, string) {
	declared := bySize(d.in.Declared)
	now, then := vector{}, vector{}
	for _, g := range groups {
		for _, x := range g.wants {
			s := declared[x.w.ID]
			if s == nil {
				s = d.sizes[x.w.ID]
			}
			now = now.plus(sizeOf(x.w, s), int64(max(copies(x.w, s), 0)))
			then = then.plus(x.size, int64(x.count))
		}
	}
	share, by := 0.0, inCPU
	for _, dim := range []int{inCPU, inMemory} {
		if now[dim] > 0 {
			if r := float64(then[dim]) / float64(now[dim]); r > share {
				share, by = r, dim
			}
		}
	}
	if share == 0 {
		return today, "nothing to size"
	}
	n := min(int(share*float64(hosts)+0.999999), hosts*10)
	return unit.Money(float64(today) * float64(n) / float64(hosts)), fmt.Sprintf(
		"%d of %d hosts, as full as today: requests are %.0f %% of the declared CPU and %.0f %% of the memory, and %s decides",
		n, hosts, percent(then[inCPU], now[inCPU]), percent(then[inMemory], now[inMemory]), dimensionNames[by])
}

func percent(a, b int64) float64 {
	if b == 0 {
		return 100
	}
	return float64(a) / float64(b) * 100
}

// packed is what the sized workloads need of today's own types, packed, with
// Kubernetes' share of each node.
func (d *demand) packed(groups []*group, o binpack.Options, before unit.Money) (unit.Money, string) {
	var all []choice
	var names []string
	for _, h := range d.in.Today {
		t := d.in.Catalog.Find(h.Type)
		price := hostPrice(h, d.in.Catalog)
		if t == nil || price == 0 {
			return before, "today's " + h.Type + " is not on the list: what packing alone gives is part of the next step"
		}
		c := choice{t: t, purchase: plan.OnDemand, price: price}
		c.set(kubelet(&d.in.Policy.Spec.Target))
		all, names = append(all, c), append(names, h.Type)
	}
	var sum unit.Money
	nodes := 0
	for _, g := range groups {
		r, err := binpack.Pack(g.problem(all, mix.None), o)
		if err != nil || len(r.Left) > 0 {
			return before, "some workloads do not fit a node of type " + strings.Join(names, ", ") + " beside DaemonSets: what packing alone gives is part of the next step"
		}
		sum += unit.Money(r.Cost)
		nodes += len(r.Bins)
	}
	return sum, fmt.Sprintf("%d nodes of today's type (%s), packed, with what Kubernetes and its DaemonSets take of each", nodes, strings.Join(names, ", "))
}

// chosen is the same on the cheapest types, all bought on demand.
func (d *demand) chosen(groups []*group, o binpack.Options) (unit.Money, string) {
	var sum unit.Money
	for _, g := range groups {
		if g.class.purchase != plan.Spot {
			sum += unit.Money(g.none.Cost)
			continue
		}
		k := g.class
		k.purchase = plan.OnDemand
		all := pruned(g.usable(choices(d.in, k, g.total, d.system)), d.system)
		if r, err := binpack.Pack(g.problem(all, mix.None), o); err == nil {
			sum += unit.Money(r.Cost)
		}
	}
	var types []string
	for _, g := range groups {
		for t, n := range g.counts(g.none.Bins) {
			if n > 0 {
				types = append(types, fmt.Sprintf("%d × %s", n, g.choices[t].name()))
			}
		}
	}
	return sum, "the cheapest of all allowed types: " + strings.Join(some(types), ", ")
}

func (d *demand) buying() string {
	b := &d.in.Policy.Spec.Buying
	var out []string
	if b.Spot == "stateless" {
		out = append(out, "spot for replicated workloads without state")
	}
	if b.Commit != nil {
		out = append(out, fmt.Sprintf("a savings plan of %.0f %% off for %.0f %% of the on-demand nodes", b.Commit.Discount*100, commitShare(b.Commit)*100))
	}
	if len(out) == 0 {
		return "all on demand"
	}
	return strings.Join(out, ", ")
}
