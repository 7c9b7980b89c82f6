package fit

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/binpack"
	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/catalog"
	"github.com/tranship/tranship/internal/plan/fit/mix"
	"github.com/tranship/tranship/internal/plan/policy"
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

// brief is a search that is good enough for a step on the way.
func brief(o binpack.Options) binpack.Options {
	o.Iterations /= 4
	return o
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
		r, err := binpack.Pack(g.problem(all, mix.None), brief(o))
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
		all := pruned(g.usable(d.choices(k, g.total)), d.system)
		if r, err := binpack.Pack(g.problem(all, mix.None), brief(o)); err == nil {
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

// Attributes by which hosts say what they are.
var typeAttributes = []string{"instance_type", "instanceType", "instance-type", "ec2_instance_type", "aws_instance_type", "node.kubernetes.io/instance-type"}

// Hosts tells what machines run today: as policy says, or else as the estate's
// hosts say or look like.
func Hosts(e *estate.Estate, p *policy.Policy, c *catalog.Catalog) ([]policy.HostCost, diag.List) {
	if len(p.Spec.Costs.Hosts) > 0 {
		var list diag.List
		for _, h := range p.Spec.Costs.Hosts {
			if h.Price == nil && (c.Find(h.Type) == nil || c.Find(h.Type).Price == 0) {
				list = append(list, diag.Diagnostic{
					Code: HostsUnknown, Severity: diag.Error, Subject: "policy",
					Problem: "counts hosts of type " + h.Type + ", which has no price on the list",
					Hint:    "say what one costs an hour: spec.costs.hosts, price",
				})
			}
		}
		return p.Spec.Costs.Hosts, list
	}
	counts := map[string]int{}
	guessed, unknown := map[string]int{}, 0
	for i := range e.Hosts {
		h := &e.Hosts[i]
		name := ""
		for _, a := range typeAttributes {
			name = cmp.Or(name, h.Attributes[a])
		}
		if t := c.Find(name); t == nil || t.Price == 0 {
			if name = looksLike(h, c); name != "" {
				guessed[name]++
			}
		}
		if name == "" {
			unknown++
			continue
		}
		counts[name]++
	}
	var out []policy.HostCost
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		out = append(out, policy.HostCost{Type: name, Count: counts[name]})
	}
	return out, hostDiags(e, guessed, unknown)
}

func hostDiags(e *estate.Estate, guessed map[string]int, unknown int) diag.List {
	var list diag.List
	hint := "say what runs today in spec.costs.hosts: [{type: m5.large, count: 15}], with a price if it is not the list's"
	if len(guessed) > 0 {
		var what []string
		for _, name := range slices.Sorted(maps.Keys(guessed)) {
			what = append(what, fmt.Sprintf("%d × %s", guessed[name], name))
		}
		list = append(list, diag.Diagnostic{
			Code: HostsInferred, Severity: diag.Warning, Subject: "hosts",
			Problem: "do not say what they are; by their CPU and memory they are priced as " + strings.Join(what, ", "), Hint: hint,
		})
	}
	if unknown > 0 || len(e.Hosts) == 0 {
		list = append(list, diag.Diagnostic{
			Code: HostsUnknown, Severity: diag.Warning, Subject: "hosts",
			Problem: fmt.Sprintf("%d of %d look like no type on the price list: what they cost is not known", unknown, len(e.Hosts)), Hint: hint,
		})
	}
	return list
}

// Mesos keeps a gibibyte of a machine for itself, or half of a small one.
const kept = unit.GiB

// looksLike gives the type of a host's CPU and memory; of several the cheapest,
// so that no saving is claimed that is not there.
func looksLike(h *estate.Host, c *catalog.Catalog) string {
	if h.CPU <= 0 || h.Memory <= 0 {
		return ""
	}
	cores := int((h.CPU + 999) / 1000)
	best, near := "", math.Inf(1)
	var price unit.Money
	for i := range c.Types {
		t := &c.Types[i]
		if t.VCPU != cores || t.Price == 0 || t.BareMetal || (t.GPUs > 0) != (h.GPUs > 0) || t.Memory == 0 || t.Arch != "amd64" {
			continue
		}
		off := math.Inf(1)
		for _, m := range []unit.Bytes{h.Memory, h.Memory + kept, h.Memory * 2} {
			off = min(off, math.Abs(float64(m)/float64(t.Memory)-1))
		}
		const step, most = 0.03, 0.2
		if off = math.Round(off / step); off > most/step {
			continue
		}
		if off < near || off == near && t.Price < price {
			best, near, price = t.Name, off, t.Price
		}
	}
	return best
}

// hourly is what today's hosts cost, and how many they are.
func hourly(hosts []policy.HostCost, c *catalog.Catalog) (sum unit.Money, count int) {
	for _, h := range hosts {
		sum += hostPrice(h, c) * unit.Money(h.Count)
		count += h.Count
	}
	return sum, count
}

func hostPrice(h policy.HostCost, c *catalog.Catalog) unit.Money {
	if h.Price != nil {
		return *h.Price
	}
	if t := c.Find(h.Type); t != nil {
		return t.Price
	}
	return 0
}
