package explain

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
)

// A Pool is why a pool is what it is, and what is on it.
type Pool struct {
	Pool plan.Pool `json:"pool"`
	// Month is what its nodes cost a month.
	Month unit.Money `json:"month"`
	Nodes []Node     `json:"nodes"`
	// Workloads on it, those with the most copies first.
	Workloads []plan.Copies `json:"workloads"`
	// Others are the plan's other pools.
	Others []PoolLine `json:"others"`
}

// A Node is one node of a pool.
type Node struct {
	Name      string    `json:"name"`
	Zone      string    `json:"zone,omitempty"`
	Copies    int       `json:"copies"`
	Requested plan.Load `json:"requested"`
	Overload  float64   `json:"overload,omitempty"`
	// Fallback is where its copies go when it is lost; Stranded find no room.
	Fallback []string `json:"fallback,omitempty"`
	Stranded int      `json:"stranded,omitempty"`
}

// OfPool explains one pool.
func OfPool(p *plan.Plan, name plan.PoolName) (Pool, error) {
	pool := find(p, name)
	if pool == nil {
		var names []string
		for _, x := range p.Pools {
			names = append(names, string(x.Name))
		}
		return Pool{}, Unknown("pool", "pool", string(name), names)
	}
	out := Pool{Pool: *pool, Month: (pool.Price * unit.Money(pool.Nodes)).Month(), Nodes: []Node{}, Workloads: []plan.Copies{}, Others: []PoolLine{}}
	failures := map[string]*plan.Failure{}
	for i := range p.Survival.Failures {
		failures[p.Survival.Failures[i].Lost] = &p.Survival.Failures[i]
	}
	on := map[estate.Name]int{}
	for _, n := range p.Nodes {
		if n.Pool != name {
			continue
		}
		x := Node{Name: n.Name, Zone: n.Zone, Requested: n.Requested, Overload: n.Overload}
		for _, c := range n.Pods {
			x.Copies += c.Count
			on[c.Workload] += c.Count
		}
		if f := failures[n.Name]; f != nil {
			for _, m := range f.Moves {
				if !slices.Contains(x.Fallback, m.To) {
					x.Fallback = append(x.Fallback, m.To)
				}
			}
			for _, c := range f.Stranded {
				x.Stranded += c.Count
			}
		}
		out.Nodes = append(out.Nodes, x)
	}
	if len(p.Nodes) == 0 {
		for _, x := range p.Placements {
			if x.Pool == name {
				on[x.Workload] = max(x.Copies, 1)
			}
		}
	}
	for id, n := range on {
		out.Workloads = append(out.Workloads, plan.Copies{Workload: id, Count: n})
	}
	slices.SortFunc(out.Workloads, func(a, b plan.Copies) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(string(a.Workload), string(b.Workload)))
	})
	for _, x := range OfPools(p) {
		if x.Name != name {
			out.Others = append(out.Others, x)
		}
	}
	return out, nil
}

// Print writes the answer for people.
func (a Pool) Print(w io.Writer) error {
	p := &printer{w: w}
	x := &a.Pool
	head := "pool " + string(x.Name)
	if x.Nodes > 0 {
		head += fmt.Sprintf(": %d × %s %s at %s an hour, %s a month", x.Nodes, x.Type, x.Purchase, x.Price.Exact(), a.Month)
	}
	p.line("%s", head)
	p.line("  %s", because(x.Reason, x.Why))
	var facts [][]string
	add := func(name, text string) {
		if text != "" {
			facts = append(facts, []string{"  " + name, text})
		}
	}
	add("requested", fmt.Sprintf("%s CPU, %s by the workloads on it", cores(x.CPU), memory(x.Memory)))
	if x.Allocatable.CPU > 0 {
		add("a node has", fmt.Sprintf("%s CPU, %s, %s; the system's pods take %s CPU, %s, %s", x.Allocatable.CPU, memory(x.Allocatable.Memory), counted(x.Allocatable.Pods, "pod"),
			x.System.CPU, memory(x.System.Memory), counted(x.System.Pods, "pod")))
	}
	if x.Max > 0 {
		add("group", fmt.Sprintf("%d to %d nodes, %s", x.Min, x.Max, x.Manager))
	}
	add("zones", strings.Join(x.Zones, " "))
	add("architecture", x.Arch)
	if x.MaxPods > 0 {
		add("--max-pods", fmt.Sprint(x.MaxPods))
	}
	if len(x.Alternatives) > 0 {
		add("may stand in", strings.Join(x.Alternatives, " "))
	}
	p.columns(facts...)
	if len(a.Nodes) > 0 {
		p.line("")
		rows := [][]string{{"NODE", "ZONE", "COPIES", "CPU", "MEMORY", "PODS", "OVERLOAD", "WHEN LOST, TO"}}
		for _, n := range a.Nodes {
			overload := ""
			if n.Overload > 0 {
				overload = fmt.Sprintf("%.2f %%", 100*n.Overload)
			}
			to := strings.Join(n.Fallback[:min(len(n.Fallback), 4)], " ")
			if more := len(n.Fallback) - 4; more > 0 {
				to += fmt.Sprintf(" and %d more", more)
			}
			if n.Stranded > 0 {
				to += fmt.Sprintf("; %s without room", counted(n.Stranded, "copy"))
			}
			rows = append(rows, []string{
				n.Name, n.Zone, fmt.Sprint(n.Copies), share(n.Requested.CPU, x.Allocatable.CPU), share(n.Requested.Memory, x.Allocatable.Memory),
				share(n.Requested.Pods, x.Allocatable.Pods), overload, to,
			})
		}
		p.columns(rows...)
	}
	const most = 20
	if len(a.Workloads) > 0 {
		p.line("")
		rows := [][]string{{"WORKLOAD", "COPIES"}}
		for _, c := range a.Workloads[:min(len(a.Workloads), most)] {
			rows = append(rows, []string{string(c.Workload), fmt.Sprint(c.Count)})
		}
		if more := len(a.Workloads) - most; more > 0 {
			rows = append(rows, []string{fmt.Sprintf("and %d more", more)})
		}
		p.columns(rows...)
	}
	if len(a.Others) > 0 {
		p.line("")
		p.line("other pools:")
		p.err = cmp.Or(p.err, Pools(a.Others).Print(w))
	}
	return p.err
}

// Pools lists the plan's pools.
type Pools []PoolLine

// A PoolLine is one pool of the list.
type PoolLine struct {
	Name     plan.PoolName `json:"name"`
	Type     string        `json:"type,omitempty"`
	Purchase plan.Purchase `json:"purchase,omitempty"`
	Nodes    int           `json:"nodes"`
	Price    unit.Money    `json:"price"`
	Hour     unit.Money    `json:"hour"` // of all its nodes
	Reason   plan.Reason   `json:"reason"`
	Why      string        `json:"why,omitempty"`
}

// OfPools lists the pools.
func OfPools(p *plan.Plan) Pools {
	out := Pools{}
	for _, x := range p.Pools {
		out = append(out, PoolLine{
			Name: x.Name, Type: x.Type, Purchase: x.Purchase, Nodes: x.Nodes, Price: x.Price, Hour: x.Price * unit.Money(x.Nodes),
			Reason: x.Reason, Why: x.Why,
		})
	}
	return out
}

// Print writes the list for people.
func (l Pools) Print(w io.Writer) error {
	rows := [][]string{{"POOL", "NODES", "BOUGHT", "$/H", "WHY"}}
	for _, x := range l {
		nodes, price := "", ""
		if x.Nodes > 0 {
			nodes, price = fmt.Sprintf("%d × %s", x.Nodes, x.Type), x.Hour.Exact()
		}
		rows = append(rows, []string{string(x.Name), nodes, string(x.Purchase), price, because(x.Reason, x.Why)})
	}
	p := &printer{w: w}
	p.columns(rows...)
	return p.err
}
