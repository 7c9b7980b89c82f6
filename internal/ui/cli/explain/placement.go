package explain

import (
	"fmt"
	"io"
	"strings"

	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
)

// A Placement is why a workload asks for what it asks for and runs where it
// runs.
type Placement struct {
	Workload estate.Name `json:"workload"`
	Kind     estate.Kind `json:"kind"`
	// NotPlaced says why there is nothing to place.
	NotPlaced string    `json:"notPlaced,omitempty"`
	Size      plan.Size `json:"size,omitzero"`
	// Each is what one copy asks for.
	Each  plan.Amount `json:"each"`
	Pools []OnPool    `json:"pools"`
	// Alternatives are pools that it is not on: those that it may fall back to,
	// and those that the plan keeps it off.
	Alternatives []Elsewhere `json:"alternatives"`
	// Losses are what happens to its copies when a node or zone is lost.
	Losses []Loss `json:"losses"`
	Wave   int    `json:"wave,omitempty"`
}

// OnPool is a pool that a workload runs on.
type OnPool struct {
	Pool     plan.PoolName `json:"pool"`
	Copies   int           `json:"copies"`
	Type     string        `json:"type,omitempty"`
	Purchase plan.Purchase `json:"purchase,omitempty"`
	Price    unit.Money    `json:"price,omitempty"`
	Reason   plan.Reason   `json:"reason"`
	Why      string        `json:"why,omitempty"`
	Nodes    []OnNode      `json:"nodes"`
	// Types that may stand in for Type.
	Types []string `json:"types,omitempty"`
}

// OnNode is a node that a workload runs on.
type OnNode struct {
	Node   string `json:"node"`
	Zone   string `json:"zone,omitempty"`
	Copies int    `json:"copies"`
}

// Elsewhere is a pool that a workload could run on as far as there is room.
type Elsewhere struct {
	Pool     plan.PoolName `json:"pool"`
	Type     string        `json:"type,omitempty"`
	Purchase plan.Purchase `json:"purchase,omitempty"`
	Price    unit.Money    `json:"price,omitempty"`
	// Allowed pools are in its affinity: it may start again there.
	Allowed bool `json:"allowed"`
	// Room is how many copies its nodes hold beside what they have.
	Room int `json:"room"`
}

// A Loss is what happens to copies when something is lost.
type Loss struct {
	Lost     string       `json:"lost"`
	Moves    []plan.Moved `json:"moves"`
	Stranded int          `json:"stranded,omitempty"`
}

// OfPlacement explains one workload.
func OfPlacement(p *plan.Plan, id estate.Name) (Placement, error) {
	w := p.Estate.Find(id)
	if w == nil {
		var names []string
		for i := range p.Estate.Workloads {
			names = append(names, string(p.Estate.Workloads[i].ID))
		}
		return Placement{}, Unknown("workload", "placement", string(id), names)
	}
	out := Placement{Workload: id, Kind: w.Kind, Pools: []OnPool{}, Alternatives: []Elsewhere{}, Losses: []Loss{}}
	for i := range p.Sizes {
		if p.Sizes[i].Workload == id {
			out.Size = p.Sizes[i]
		}
	}
	for _, c := range out.Size.Containers {
		out.Each.CPU += c.CPU
		out.Each.Memory += c.Memory
	}
	for _, v := range p.Waves {
		for _, g := range v.Groups {
			for _, x := range g.Workloads {
				if x == id {
					out.Wave = v.Number
				}
			}
		}
	}
	out.places(p, id)
	if len(out.Pools) == 0 {
		out.NotPlaced = notPlaced(p, w, &out.Size)
	}
	for _, f := range p.Survival.Failures {
		l := Loss{Lost: f.Lost, Moves: []plan.Moved{}}
		for _, m := range f.Moves {
			if m.Workload == id {
				l.Moves = append(l.Moves, m)
			}
		}
		for _, c := range f.Stranded {
			if c.Workload == id {
				l.Stranded += c.Count
			}
		}
		if len(l.Moves) > 0 || l.Stranded > 0 {
			out.Losses = append(out.Losses, l)
		}
	}
	return out, nil
}

func notPlaced(p *plan.Plan, w *estate.Workload, s *plan.Size) string {
	switch {
	case w.Operator != nil:
		return w.Operator.Name + " takes its place: " + w.Operator.Advice
	case p.Policy.For(w.ID).Skip:
		return "tranship.yaml leaves it out: spec.workloads." + string(w.ID) + ".skip"
	case !plan.Moves(w, &p.Policy):
		return "it is " + string(w.Kind) + " of the old platform: the target has its own"
	case s.Replicas == 0:
		return "it is suspended: no copies are wanted"
	case len(p.Nodes) == 0:
		return "no nodes were chosen: the plan was made without prices (tranship plan ESTATE --prices FILE)"
	}
	return "it fits no allowed type: what plan said of it names what would have to change"
}

func (a *Placement) places(p *plan.Plan, id estate.Name) {
	on, allowed := map[plan.PoolName]bool{}, map[plan.PoolName]bool{}
	for _, x := range p.Placements {
		if x.Workload != id {
			continue
		}
		allowed[x.Pool] = true
		o := OnPool{Pool: x.Pool, Copies: x.Copies, Reason: x.Reason, Why: x.Why, Nodes: []OnNode{}}
		if pool := find(p, x.Pool); pool != nil {
			o.Type, o.Purchase, o.Price, o.Types = pool.Type, pool.Purchase, pool.Price, pool.Alternatives
		}
		for _, n := range p.Nodes {
			if n.Pool != x.Pool {
				continue
			}
			for _, c := range n.Pods {
				if c.Workload == id {
					o.Nodes = append(o.Nodes, OnNode{Node: n.Name, Zone: n.Zone, Copies: c.Count})
				}
			}
		}
		if len(p.Nodes) > 0 && len(o.Nodes) == 0 {
			continue // it may run here, and does not
		}
		if o.Copies == 0 {
			o.Copies = a.Size.Replicas
			if s := a.Size.Scale; s != nil && s.Planned > 0 {
				o.Copies = s.Planned
			}
		}
		on[x.Pool] = true
		a.Pools = append(a.Pools, o)
	}
	if len(p.Nodes) == 0 || len(a.Size.Containers) == 0 {
		return
	}
	for i := range p.Pools {
		pool := &p.Pools[i]
		if on[pool.Name] {
			continue
		}
		e := Elsewhere{Pool: pool.Name, Type: pool.Type, Purchase: pool.Purchase, Price: pool.Price, Allowed: allowed[pool.Name]}
		for j := range p.Nodes {
			if p.Nodes[j].Pool == pool.Name {
				e.Room += room(pool, &p.Nodes[j], a.Each)
			}
		}
		a.Alternatives = append(a.Alternatives, e)
	}
}

func find(p *plan.Plan, name plan.PoolName) *plan.Pool {
	for i := range p.Pools {
		if p.Pools[i].Name == name {
			return &p.Pools[i]
		}
	}
	return nil
}

// room gives how many more copies a node has CPU, memory and pods for.
func room(pool *plan.Pool, n *plan.Node, each plan.Amount) int {
	has, used := pool.Allocatable, n.Requested
	fit := int64(has.Pods - used.Pods)
	if each.CPU > 0 {
		fit = min(fit, int64((has.CPU-used.CPU)/each.CPU))
	}
	if each.Memory > 0 {
		fit = min(fit, int64((has.Memory-used.Memory)/each.Memory))
	}
	return int(max(fit, 0))
}

// Print writes the answer for people.
func (a Placement) Print(w io.Writer) error {
	p := &printer{w: w}
	head := fmt.Sprintf("%s (%s)", a.Workload, a.Kind)
	if len(a.Size.Containers) > 0 {
		head += fmt.Sprintf(": %s of %s CPU and %s", counted(a.Size.Replicas, "copy"), a.Each.CPU, memory(a.Each.Memory))
	}
	if a.Wave > 0 {
		head += fmt.Sprintf(", moves in wave %d", a.Wave)
	}
	p.line("%s", head)
	if a.NotPlaced != "" {
		p.line("runs on no node: %s", a.NotPlaced)
	}
	a.printSize(p)
	for _, o := range a.Pools {
		kind := strings.Trim(o.Type+" "+string(o.Purchase), " ")
		if o.Price > 0 {
			kind += " at " + o.Price.Exact() + " an hour a node"
		}
		if kind != "" {
			kind = " (" + kind + ")"
		}
		p.line("")
		p.line("on pool %s%s: %s", o.Pool, kind, counted(o.Copies, "copy"))
		p.line("  %s", because(o.Reason, o.Why))
		var rows [][]string
		for _, n := range o.Nodes {
			rows = append(rows, []string{"  " + n.Node, n.Zone, counted(n.Copies, "copy")})
		}
		p.columns(rows...)
		if len(o.Types) > 0 {
			p.line("  may stand in for %s: %s", o.Type, strings.Join(o.Types, " "))
		}
	}
	if len(a.Alternatives) > 0 {
		p.line("")
		rows := [][]string{{"ELSEWHERE", "TYPE", "BOUGHT", "$/H", "ROOM FOR", "MAY START THERE"}}
		for _, x := range a.Alternatives {
			may := "no"
			if x.Allowed {
				may = "yes"
			}
			rows = append(rows, []string{string(x.Pool), x.Type, string(x.Purchase), x.Price.Exact(), counted(x.Room, "copy"), may})
		}
		p.columns(rows...)
	}
	if len(a.Losses) > 0 {
		p.line("")
		rows := [][]string{{"WITHOUT", "ITS COPIES START AGAIN ON"}}
		for _, l := range a.Losses {
			var to []string
			for _, m := range l.Moves {
				to = append(to, fmt.Sprintf("%s (%d)", m.To, m.Count))
			}
			if l.Stranded > 0 {
				to = append(to, counted(l.Stranded, "copy")+" without room")
			}
			rows = append(rows, []string{l.Lost, strings.Join(to, ", ")})
		}
		p.columns(rows...)
	}
	return p.err
}

func (a Placement) printSize(p *printer) {
	if len(a.Size.Containers) == 0 {
		return
	}
	p.line("")
	rows := [][]string{{"CONTAINER", "CPU", "DECLARED", "P95", "MEMORY", "DECLARED", "PEAK", "WHY"}}
	for _, c := range a.Size.Containers {
		row := []string{c.Name, c.CPU.String(), "", "", memory(c.Memory), "", ""}
		if c.Declared != nil {
			row[2], row[5] = c.Declared.CPU.String(), memory(c.Declared.Memory)
		}
		if c.Used != nil {
			row[3], row[6] = c.Used.CPUHigh.String(), memory(c.Used.MemoryPeak)
		}
		reason, why := c.Reason, c.Why
		if reason == "" {
			reason, why = a.Size.Reason, a.Size.Why
		}
		rows = append(rows, append(row, because(reason, why)))
	}
	p.columns(rows...)
	if s := a.Size.Scale; s != nil {
		line := fmt.Sprintf("scales from %d to %d, the nodes have room for %d", s.Min, s.Max, s.Planned)
		if s.CPU > 0 {
			line += fmt.Sprintf("; at %d %% of the CPU asked for", s.CPU)
		}
		if s.Memory > 0 {
			line += fmt.Sprintf("; at %d %% of the memory asked for", s.Memory)
		}
		if s.Metric != nil {
			line += fmt.Sprintf("; at %g %s a copy", s.Metric.Target, s.Metric.Name)
		}
		if s.Why != "" {
			line += ": " + s.Why
		}
		p.line("%s", line)
	}
}

// Placements lists what is placed where.
type Placements []Where

// Where is a line of the list.
type Where struct {
	Workload estate.Name     `json:"workload"`
	Copies   int             `json:"copies"`
	Pools    []plan.PoolName `json:"pools"`
	Reason   plan.Reason     `json:"reason"`
}

// OfPlacements lists the workloads that have a size.
func OfPlacements(p *plan.Plan) Placements {
	out := Placements{}
	at := map[estate.Name]int{}
	for _, s := range p.Sizes {
		at[s.Workload] = len(out)
		out = append(out, Where{Workload: s.Workload, Copies: s.Replicas, Pools: []plan.PoolName{}})
	}
	on := map[estate.Name]map[plan.PoolName]bool{}
	for _, n := range p.Nodes {
		for _, c := range n.Pods {
			if on[c.Workload] == nil {
				on[c.Workload] = map[plan.PoolName]bool{}
			}
			on[c.Workload][n.Pool] = true
		}
	}
	for _, x := range p.Placements {
		if i, ok := at[x.Workload]; ok && (len(p.Nodes) == 0 || on[x.Workload][x.Pool]) {
			out[i].Pools = append(out[i].Pools, x.Pool)
			out[i].Reason = x.Reason
		}
	}
	return out
}

// Print writes the list for people.
func (l Placements) Print(w io.Writer) error {
	rows := [][]string{{"WORKLOAD", "COPIES", "POOL", "REASON"}}
	for _, x := range l {
		var pools []string
		for _, name := range x.Pools {
			pools = append(pools, string(name))
		}
		rows = append(rows, []string{string(x.Workload), fmt.Sprint(x.Copies), strings.Join(pools, ", "), string(x.Reason)})
	}
	p := &printer{w: w}
	p.columns(rows...)
	return p.err
}
