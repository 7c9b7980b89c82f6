package plantest

import (
	"fmt"
	"slices"
	"time"

	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/catalog"
	"github.com/tranship/tranship/internal/plan/policy"
)

type table struct {
	pools map[plan.PoolName]*plan.Pool
	each  map[estate.Name]plan.Amount
}

func tableOf(p *plan.Plan) table {
	t := table{map[plan.PoolName]*plan.Pool{}, map[estate.Name]plan.Amount{}}
	for i := range p.Pools {
		t.pools[p.Pools[i].Name] = &p.Pools[i]
	}
	for _, s := range p.Sizes {
		t.each[s.Workload] = plan.Amount{CPU: s.Containers[0].CPU, Memory: s.Containers[0].Memory}
	}
	return t
}

// room gives how far a node is filled with one more copy: above 1 is too far.
func (t table) room(n *plan.Node, w estate.Name) float64 {
	has, a := t.pools[n.Pool].Allocatable, t.each[w]
	return max(float64(n.Requested.CPU+a.CPU)/float64(has.CPU), float64(n.Requested.Memory+a.Memory)/float64(has.Memory),
		float64(n.Requested.Pods+1)/float64(has.Pods))
}

func (t table) put(n *plan.Node, w estate.Name) {
	n.Requested.CPU += t.each[w].CPU
	n.Requested.Memory += t.each[w].Memory
	n.Requested.Pods++
	if k := len(n.Pods) - 1; k >= 0 && n.Pods[k].Workload == w {
		n.Pods[k].Count++
		return
	}
	n.Pods = append(n.Pods, plan.Copies{Workload: w, Count: 1})
}

// place puts every copy on the least filled node, none above a share.
func place(p *plan.Plan, most float64) {
	t := tableOf(p)
	for i := range p.Nodes {
		p.Nodes[i].Requested = t.pools[p.Nodes[i].Pool].System
	}
	on := map[plan.PoolName]map[estate.Name]int{}
	for _, s := range p.Sizes {
		for range s.Replicas {
			best, at := most, -1
			for i := range p.Nodes {
				if r := t.room(&p.Nodes[i], s.Workload); r < best {
					best, at = r, i
				}
			}
			if at < 0 {
				continue
			}
			n := &p.Nodes[at]
			t.put(n, s.Workload)
			if on[n.Pool] == nil {
				on[n.Pool] = map[estate.Name]int{}
			}
			on[n.Pool][s.Workload]++
			t.pools[n.Pool].CPU += t.each[s.Workload].CPU
			t.pools[n.Pool].Memory += t.each[s.Workload].Memory
		}
	}
	for _, s := range p.Sizes {
		for _, pool := range p.Pools {
			n := on[pool.Name][s.Workload]
			if n == 0 {
				continue
			}
			x := plan.Placement{Workload: s.Workload, Pool: pool.Name, Copies: n, Reason: pool.Reason, Why: fmt.Sprintf("fits on %s at the least cost, with room for a lost node", pool.Type)}
			if n == s.Replicas {
				x.Copies = 0
			}
			p.Placements = append(p.Placements, x)
		}
	}
	for i := range p.Nodes {
		if p.Nodes[i].Pool == p.Pools[0].Name {
			p.Nodes[i].Overload = 0.0021
		}
	}
}

// fail loses each node in turn and puts its copies on the least filled others.
func fail(p *plan.Plan) {
	t := tableOf(p)
	for i := range p.Nodes {
		rest := make([]plan.Node, len(p.Nodes))
		for j, n := range p.Nodes {
			n.Pods = slices.Clone(n.Pods)
			rest[j] = n
		}
		f := plan.Failure{Lost: p.Nodes[i].Name}
		for _, c := range p.Nodes[i].Pods {
			for range c.Count {
				best, at := 1.0, -1
				for j := range rest {
					if r := t.room(&rest[j], c.Workload); j != i && r <= best {
						best, at = r, j
					}
				}
				if at < 0 {
					f.Stranded = append(f.Stranded, plan.Copies{Workload: c.Workload, Count: 1})
					continue
				}
				t.put(&rest[at], c.Workload)
				k := slices.IndexFunc(f.Moves, func(m plan.Moved) bool { return m.Workload == c.Workload && m.To == rest[at].Name })
				if k < 0 {
					k = len(f.Moves)
					f.Moves = append(f.Moves, plan.Moved{Workload: c.Workload, To: rest[at].Name})
				}
				f.Moves[k].Count++
			}
		}
		p.Survival.Failures = append(p.Survival.Failures, f)
	}
}

// billOf gives both bills with levers between them.
func billOf() plan.Bill {
	line := func(name string, n float64, each unit.Money, per string, why string) plan.Line {
		l := plan.Line{Name: name, Count: n, Each: each, Per: per, Why: why}
		switch per {
		case "hour":
			l.Month = unit.Money(n * float64(each.Month()))
		default:
			l.Month = unit.Money(n * float64(each))
		}
		return l
	}
	b := plan.Bill{
		Today: []plan.Line{
			line("m5.large", 15, 96_000, "hour", "15 machines in the snapshot, on demand"),
			line("EBS gp3", 750, 80_000, "GB-month", "50 GB on each of 15 machines"),
			line("load balancer", 1, 22_500, "hour", "spec.costs.today in tranship.yaml"),
			line("Splunk", 1, 150*unit.Dollar, "month", "unchanged: spec.costs.unchanged"),
		},
		Tomorrow: []plan.Line{
			line("m6g.xlarge", 2, 154_000, "hour", "pool m6g-xlarge, on demand"),
			line("r6g.large", 2, 60_500, "hour", "pool r6g-large, on demand"),
			line("m6g.xlarge spot", 1, 28_000, "hour", "pool spot"),
			line("EKS control plane", 1, 100_000, "hour", "standard support of 1.35"),
			line("EBS gp3", 100, 80_000, "GB-month", "20 GB on each of 5 nodes"),
			line("load balancer", 1, 22_500, "hour", "as today"),
			line("Splunk", 1, 150*unit.Dollar, "month", "unchanged: spec.costs.unchanged"),
		},
		Wished: 0.4, Dual: 412*unit.Dollar + 555_555, DualMonths: 0.9, BreakEven: "2027-01-26",
		Support: plan.Support{Kubernetes: "1.35", StandardUntil: "2027-03-27", ExtendedUntil: "2028-03-27", Fee: 100_000, ExtendedFee: 600_000},
	}
	var before, after unit.Money
	for _, l := range b.Today {
		before += l.Month
	}
	for _, l := range b.Tomorrow {
		after += l.Month
	}
	b.Levers = []plan.Lever{
		{Name: "right-size", Delta: -388_123_456, Why: "requests from 14 days of usage: the same machines, 9 in place of 15"},
		{Name: "pack", Delta: -97_777_777, Why: "the same type, packed: 8 machines"},
		{Name: "instance choice", Delta: -164_333_333, Why: "m6g and r6g in place of m5"},
		{Name: "spot", Delta: -91_980_000, Why: "one node of replicated workloads without state"},
		{Name: "disks", Delta: -52 * unit.Dollar, Why: "5 disks of 20 GB in place of 15 of 50 GB"},
		{Name: "survival", Delta: 67_452_000, Why: "any one node may be lost"},
		{Name: "EKS", Delta: 73 * unit.Dollar, Why: "the control plane, $0.1 an hour"},
	}
	rest := after - before
	for _, l := range b.Levers {
		rest -= l.Delta
	}
	b.Levers[2].Delta += rest
	b.Saving = 1 - after.Float()/before.Float()
	b.Reachable = b.Saving + 0.012
	day := func(m unit.Money) unit.Money { return m * 12 / 365 }
	start, _ := time.Parse(time.DateOnly, "2026-11-24")
	source, target := day(before-150*unit.Dollar), unit.Money(0)
	for i := range 70 {
		d := plan.SpendDay{Date: start.AddDate(0, 0, i).Format(time.DateOnly)}
		switch i {
		case 12:
			target = day(180 * unit.Dollar)
		case 21:
			target = day(260 * unit.Dollar)
		case 24:
			source = source * 12 / 15
		case 28:
			target = day(after - 150*unit.Dollar)
		case 35:
			source = source * 10 / 12
		case 41:
			source = 0
		}
		for _, w := range waves() {
			if w.Start <= d.Date && d.Date <= w.End {
				d.Wave = w.Number
			}
		}
		d.Source, d.Target = source, target
		b.Spend = append(b.Spend, d)
	}
	return b
}

// Large gives a plan of so many workloads on so many nodes of two pools.
func Large(workloads, nodes int) plan.Plan {
	var all []one
	for i := range workloads {
		all = append(all, one{
			id: estate.Name(fmt.Sprintf("/company/division-%d/team-%02d/service-%04d", i%3, i%20, i)), group: estate.Name(fmt.Sprintf("/company/division-%d/team-%02d", i%3, i%20)),
			copies: 2 + i%4, was: amount(200+i%17*100, 256<<(i%4)), is: amount(20+i%13*15, 100+i%31*24), mode: plan.Shifted, risk: i % 100, reason: plan.FromUsage,
		})
	}
	p := plan.Plan{Version: plan.Version, AsOf: "2026-11-24", Policy: policy.Default(), Prices: plan.Prices{Region: "us-east-1", Date: "2026-07-20", Source: "a list"}}
	p.Usage = []plan.UsageFile{{File: "all.json", Format: "prometheus", From: "2026-11-10T00:00:00Z", To: "2026-11-24T00:00:00Z", Series: 2 * workloads, Points: 4032 * workloads}}
	p.Estate = estateOf(all)
	p.Estate.Hosts = hosts(3 * nodes)
	spread(&p.Estate)
	p.Sizes = sizesOf(all)
	p.Pools = pools()[:2]
	for i := range p.Pools {
		p.Pools[i].Allocatable = catalog.Allocatable{CPU: 15_890, Memory: 57 * unit.GiB, Pods: 234}
		p.Pools[i].Nodes = nodes / 2
	}
	for i := range nodes {
		p.Nodes = append(p.Nodes, plan.Node{Name: fmt.Sprintf("%s-%d", p.Pools[i%2].Name, i/2+1), Pool: p.Pools[i%2].Name, Zone: "us-east-1" + string(rune('a'+i%3))})
	}
	place(&p, 0.95)
	p.Survival = plan.Survival{Level: plan.SurviveNode, Reached: plan.SurviveNode, Price: 1, Cost: 50_000_000, Bound: 49_600_000, Gap: 0.008}
	if nodes <= 200 {
		fail(&p)
	} else {
		for i := range p.Nodes {
			f := plan.Failure{Lost: p.Nodes[i].Name}
			for k, c := range p.Nodes[i].Pods {
				f.Moves = append(f.Moves, plan.Moved{Workload: c.Workload, Count: c.Count, To: p.Nodes[(i+k+1)%nodes].Name})
			}
			p.Survival.Failures = append(p.Survival.Failures, f)
		}
	}
	p.Bill = billOf()
	for i := 0; i < workloads; i += 10 {
		w := plan.Wave{Number: i/10 + 1, Reason: plan.AfterNeeds, Start: "2026-12-08", End: "2026-12-11"}
		for k := i; k < min(i+10, workloads); k++ {
			w.Groups = append(w.Groups, plan.MoveGroup{Workloads: []estate.Name{p.Estate.Workloads[k].ID}, Mode: plan.Shifted, Risk: k % 100, Reason: plan.MoveAlone})
		}
		p.Waves = append(p.Waves, w)
	}
	return p
}
