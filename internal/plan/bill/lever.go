package bill

import (
	"fmt"

	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/plan"
)

// levers lead from the sum of today to that of tomorrow: first what the nodes
// cost after each decision, then what is paid beside them, kind by kind. Every
// amount of both bills is in exactly one of them, so that they sum exactly.
func (m *maker) levers() {
	at := sumOf(m.now, nodes)
	end := sumOf(m.then, nodes)
	m.bill.Levers = []plan.Lever{}
	add := func(name string, delta unit.Money, why string) {
		m.bill.Levers = append(m.bill.Levers, plan.Lever{Name: name, Delta: delta, Why: why})
	}
	for i, s := range m.Steps {
		month := times(s.Hourly, unit.HoursPerMonth)
		switch {
		case i > 0:
			add(s.Name, month-at, s.Why)
		case month != at:
			add("machines of today", month-at, fmt.Sprintf("the nodes' choice began at %s an hour, the bill of today has %s a month for machines", hour(s.Hourly), at))
		}
		at = month
	}
	switch {
	case end == at:
	case len(m.Steps) == 0:
		add("nodes", end-at, fmt.Sprintf("%s a month for machines of today, %s for the nodes of tomorrow", at, end))
	default:
		add("other nodes", end-at, "what the bill of tomorrow has for nodes beside the last choice")
	}
	for _, k := range []struct{ kind, name string }{
		{controlPlane, "EKS"},
		{disks, "disks"},
		{loadBalancers, "load balancers"},
		{nat, "NAT"},
		{zones, "cross-zone"},
		{addresses, "public addresses"},
		{staying, "machines that stay"},
		{other, "other"},
		{unchanged, "unchanged"},
	} {
		now, then := sumOf(m.now, k.kind), sumOf(m.then, k.kind)
		if now == then && k.kind != controlPlane {
			continue
		}
		why := fmt.Sprintf("%s a month tomorrow, %s today", then, now)
		if now == 0 {
			why = fmt.Sprintf("%s a month tomorrow; nothing of the kind is in the bill of today", then)
		}
		add(k.name, then-now, why)
	}
}
