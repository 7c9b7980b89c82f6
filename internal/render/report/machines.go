package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
)

type poolRow struct {
	ID, Name, Type, Nodes, Bounds, Manager string
	Purchase                               plan.Purchase
	Each, Month, CPU, Memory               string
	Alternatives                           []string
	Reason                                 plan.Reason
	Why                                    string
}

type nodeRow struct {
	ID, Name, Pool, PoolID, Type, Zone string
	Copies, CPU, Memory, Pods          string
	Overload                           string
	Why                                string
}

type hostRow struct {
	ID, Name, Zone, CPU, Memory, PromisedCPU, PromisedMemory, Why string
}

func poolRows(p *plan.Plan, at *places) []poolRow {
	var out []poolRow
	for i, x := range p.Pools {
		r := poolRow{
			ID: id("pool", i+1), Name: string(x.Name), Type: x.Type, Manager: x.Manager, Purchase: x.Purchase,
			CPU: cores(x.CPU), Memory: size(x.Memory), Alternatives: x.Alternatives,
			Reason: x.Reason, Why: cmp.Or(x.Why, x.Reason.Meaning()),
		}
		if x.Nodes > 0 {
			r.Nodes, r.Bounds = fmt.Sprint(x.Nodes), fmt.Sprintf("%d to %d", x.Min, x.Max)
			r.Each, r.Month = x.Price.Exact(), dollars((x.Price * unit.Money(x.Nodes)).Month())
		}
		at.pools[x.Name] = r.ID
		out = append(out, r)
	}
	return out
}

// each gives what one copy of every workload asks for.
func each(p *plan.Plan) map[estate.Name]plan.Amount {
	out := make(map[estate.Name]plan.Amount, len(p.Sizes))
	for _, s := range p.Sizes {
		var a plan.Amount
		for _, c := range s.Containers {
			a.CPU += c.CPU
			a.Memory += c.Memory
		}
		out[s.Workload] = a
	}
	return out
}

// declared gives what one copy of every workload asked for at the source.
func declared(e *estate.Estate) map[estate.Name]plan.Amount {
	out := make(map[estate.Name]plan.Amount, len(e.Workloads))
	for i := range e.Workloads {
		var a plan.Amount
		for _, c := range e.Workloads[i].Containers {
			a.CPU += c.CPU
			a.Memory += c.Memory
		}
		out[e.Workloads[i].ID] = a
	}
	return out
}

// shown picks the nodes to draw: all, or as many of each pool in turn.
func shown(nodes []plan.Node) []int {
	var out []int
	if len(nodes) <= mostMachines {
		for i := range nodes {
			out = append(out, i)
		}
		return out
	}
	var names []plan.PoolName
	byPool := map[plan.PoolName][]int{}
	for i, n := range nodes {
		if byPool[n.Pool] == nil {
			names = append(names, n.Pool)
		}
		byPool[n.Pool] = append(byPool[n.Pool], i)
	}
	for turn := 0; len(out) < mostMachines; turn++ {
		for _, name := range names {
			if turn < len(byPool[name]) && len(out) < mostMachines {
				out = append(out, byPool[name][turn])
			}
		}
	}
	slices.Sort(out)
	return out
}

// nodeBoxes gives tomorrow's nodes.
func nodeBoxes(p *plan.Plan, at *places) (out []box, more int) {
	amounts := each(p)
	pools := map[plan.PoolName]*plan.Pool{}
	for i := range p.Pools {
		pools[p.Pools[i].Name] = &p.Pools[i]
	}
	for k, i := range shown(p.Nodes) {
		n := &p.Nodes[i]
		b := box{id: id("n", k+1), to: id("node", k+1), name: n.Name, restName: "system"}
		at.nodes[n.Name] = b.to
		var pool plan.Pool
		if x := pools[n.Pool]; x != nil {
			pool = *x
		}
		b.has = plan.Amount{CPU: pool.Allocatable.CPU, Memory: pool.Allocatable.Memory}
		b.sub = strings.Trim(pool.Type+" "+n.Zone, " ")
		var sum plan.Amount
		for _, c := range n.Pods {
			a := amounts[c.Workload]
			b.loads = append(b.loads, load{c.Workload, c.Count, a})
			sum.CPU += a.CPU * unit.CPU(c.Count)
			sum.Memory += a.Memory * unit.Bytes(c.Count)
		}
		b.rest = plan.Amount{CPU: max(n.Requested.CPU-sum.CPU, 0), Memory: max(n.Requested.Memory-sum.Memory, 0)}
		out = append(out, b)
	}
	return out, len(p.Nodes) - len(out)
}

// hostBoxes gives today's machines with what was promised to the copies that
// the snapshot places on them; unknown counts those that it does not place.
func hostBoxes(p *plan.Plan, at *places) (out []box, more, unknown int) {
	amounts := declared(&p.Estate)
	on := map[string][]load{}
	for i := range p.Estate.Workloads {
		w := &p.Estate.Workloads[i]
		if w.Running == nil {
			continue
		}
		hosts := slices.Clone(w.Running.Hosts)
		slices.Sort(hosts)
		placed := 0
		for len(hosts) > 0 {
			n := 1
			for n < len(hosts) && hosts[n] == hosts[0] {
				n++
			}
			// All copies of a workload with one machine are on it.
			if placed == 0 && n == len(hosts) {
				n = max(n, w.Running.Instances)
				hosts = hosts[:1]
			}
			on[hosts[0]] = append(on[hosts[0]], load{w.ID, n, amounts[w.ID]})
			placed += n
			hosts = hosts[min(n, len(hosts)):]
		}
		unknown += max(w.Running.Instances-placed, 0)
	}
	for i, h := range p.Estate.Hosts {
		if i == mostMachines {
			more = len(p.Estate.Hosts) - i
			break
		}
		b := box{id: id("h", i+1), to: id("host", i+1), name: h.Name, sub: strings.Trim(h.Zone+" "+inactive(h), " "), has: plan.Amount{CPU: h.CPU, Memory: h.Memory}, loads: on[h.Name], restName: "others"}
		if b.loads == nil && h.ID != "" {
			b.loads = on[h.ID]
		}
		at.hosts[h.Name] = b.to
		var sum plan.Amount
		for _, l := range b.loads {
			sum.CPU += l.each.CPU * unit.CPU(l.count)
			sum.Memory += l.each.Memory * unit.Bytes(l.count)
		}
		b.rest = plan.Amount{CPU: max(h.UsedCPU-sum.CPU, 0), Memory: max(h.UsedMemory-sum.Memory, 0)}
		out = append(out, b)
	}
	return out, more, unknown
}

func inactive(h estate.Host) string {
	if h.Active {
		return ""
	}
	return "(not active)"
}

func nodeRows(p *plan.Plan, boxes []box, at *places) []nodeRow {
	var out []nodeRow
	for k, i := range shown(p.Nodes) {
		n, b := &p.Nodes[i], &boxes[k]
		copies := 0
		for _, c := range n.Pods {
			copies += c.Count
		}
		r := nodeRow{
			ID: b.to, Name: n.Name, Pool: string(n.Pool), PoolID: cmp.Or(at.pools[n.Pool], "packing"), Zone: n.Zone, Copies: fmt.Sprint(copies),
			CPU: of(cores(n.Requested.CPU), cores(b.has.CPU)), Memory: of(size(n.Requested.Memory), size(b.has.Memory)),
			Pods: fmt.Sprint(n.Requested.Pods),
		}
		for _, x := range p.Pools {
			if x.Name == n.Pool {
				r.Type = x.Type
				r.Pods = of(r.Pods, fmt.Sprint(x.Allocatable.Pods))
			}
		}
		r.Why = "what its copies and the system's pods ask for, of the room for pods"
		if n.Overload > 0 {
			r.Overload = fmt.Sprintf("%.2f %%", 100*n.Overload)
			r.Why += "; overload by the usage of its copies together"
		}
		out = append(out, r)
	}
	return out
}

func of(part, whole string) string { return part + " of " + whole }

func hostRows(p *plan.Plan, boxes []box, _ *places) []hostRow {
	var out []hostRow
	for i, b := range boxes {
		h := &p.Estate.Hosts[i]
		out = append(out, hostRow{
			ID: b.to, Name: h.Name, Zone: h.Zone, CPU: cores(h.CPU), Memory: size(h.Memory), PromisedCPU: cores(h.UsedCPU), PromisedMemory: size(h.UsedMemory),
			Why: "as the snapshot has it: promised to tasks, not measured",
		})
	}
	return out
}
