package fit

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan/catalog"
	"github.com/tranship/tranship/internal/plan/policy"
)

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
