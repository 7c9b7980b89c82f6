package fit

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/fit/peak"
	"github.com/tranship/tranship/internal/plan/fit/replay"
	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/plan/size"
)

// A want is what one workload asks of nodes.
type want struct {
	w        *estate.Workload
	size     vector // one copy
	count    int
	class    class
	rules    []rule // keep copies apart
	forced   []plan.Bent
	zones    []bool // nil for all
	together bool
	wishes   bool     // prefers nodes of its own
	ports    []string // of the node
	labels   labelRules
	archs    []string
	reason   plan.Reason
	why      string
}

// A rule keeps copies of a workload apart.
type rule struct {
	source  string
	zone    bool // by zone; otherwise by node
	apart   bool // at most one a place; otherwise evenly, over so many places at least:
	domains int
	soft    bool
}

// bending is how far rules are let go of.
type bending int

const (
	strict bending = iota
	even           // evenly over what is there, however little
	wished         // the same by nodes, and by zones as a wish
)

// A demand is what all workloads ask of nodes.
type demand struct {
	in     *Inputs
	sizes  map[estate.Name]*plan.Size
	zones  []string
	system vector
	wants  []*want // by ID
	diags  diag.List
	quick  *size.Tails // Inputs.Tails for a search
	conversion
}

func newDemand(in *Inputs) *demand {
	d := &demand{in: in, sizes: bySize(in.Sizes), zones: targetZones(in)}
	d.system = system(in.Estate, in.Policy, d.sizes)
	ws := make([]*estate.Workload, 0, len(in.Estate.Workloads))
	for i := range in.Estate.Workloads {
		ws = append(ws, &in.Estate.Workloads[i])
	}
	slices.SortFunc(ws, func(a, b *estate.Workload) int { return strings.Compare(string(a.ID), string(b.ID)) })
	for _, w := range ws {
		if s := d.sizes[w.ID]; s != nil && w.Kind != estate.Daemon && plan.Moves(w, in.Policy) {
			if x := d.want(w, s); x != nil {
				d.wants = append(d.wants, x)
			}
		}
	}
	if in.Tails != nil {
		d.quick = in.Tails.Coarse(peak.Coarse)
	}
	d.label()
	for _, x := range d.wants {
		x.explain(in.Policy)
	}
	return d
}

func bySize(sizes []plan.Size) map[estate.Name]*plan.Size {
	out := make(map[estate.Name]*plan.Size, len(sizes))
	for i := range sizes {
		out[sizes[i].Workload] = &sizes[i]
	}
	return out
}

// copies is how many copies the nodes have room for. Jobs count once, as if
// all schedules came at the same time.
func copies(w *estate.Workload, s *plan.Size) int {
	if w.Run != nil && w.Run.Suspended {
		return 0
	}
	if w.Kind == estate.Job || w.Kind == estate.Schedule {
		n := 1
		if w.Run != nil {
			n = max(w.Run.Parallelism, 1)
		}
		return min(n, max(s.Replicas, 0)*n)
	}
	if s.Scale != nil {
		return max(s.Scale.Planned, s.Replicas)
	}
	return s.Replicas
}

func (d *demand) want(w *estate.Workload, s *plan.Size) *want {
	p := d.in.Policy
	x := &want{w: w, size: sizeOf(w, s), count: copies(w, s)}
	x.archs = p.For(w.ID).Architectures
	if len(x.archs) == 0 {
		x.archs = p.Spec.Target.Architectures
	}
	if len(x.archs) == 0 {
		x.archs = []string{"amd64"}
	}
	x.archs = slices.Clone(x.archs)
	x.ports = hostPorts(w, p)
	for i := range w.Constraints {
		if problem, hint := d.constraint(x, &w.Constraints[i]); problem != "" {
			d.report(Contradiction, diag.Error, w, problem, hint)
			return nil
		}
	}
	x.roles(p)
	if problem := x.contradiction(); problem != "" {
		d.report(Contradiction, diag.Error, w, problem, "take one of them off in the source, or answer with another number of replicas")
		return nil
	}
	slices.Sort(x.archs)
	x.archs = slices.Compact(x.archs)
	x.class = class{
		purchase: plan.OnDemand, arch: strings.Join(x.archs, ","),
		gpu: x.size[inGPUs] > 0, disk: p.For(w.ID).LocalDisk,
	}
	if spot(w, x.count, p) {
		x.class.purchase = plan.Spot
	}
	if x.count <= 0 {
		return nil
	}
	return x
}

// spot reports whether copies may be taken away at two minutes' notice.
func spot(w *estate.Workload, copies int, p *policy.Policy) bool {
	switch p.For(w.ID).Spot {
	case "always":
		return true
	case "never":
		return false
	}
	if p.Spec.Buying.Spot != "stateless" || w.Kind != estate.Service || copies < 2 || w.Stateful || w.Singleton {
		return false
	}
	return !slices.ContainsFunc(w.Volumes, func(v estate.Volume) bool {
		return v.Kind == estate.PersistentVolume || v.Kind == estate.ExternalVolume || v.Kind == estate.HostVolume
	})
}

// maxRange is how much of a range of ports is looked at.
const maxRange = 99

// hostPorts gives the ports of the node that a copy keeps, as policy has it.
func hostPorts(w *estate.Workload, p *policy.Policy) []string {
	said := p.For(w.ID)
	network := w.Network == estate.HostNet && cmp.Or(said.Network, p.Spec.Network.Host) == "host"
	ports := cmp.Or(said.HostPorts, p.Spec.Network.HostPorts) == "keep"
	var out []string
	for i := range w.Containers {
		for _, x := range w.Containers[i].Ports {
			first, last := x.HostPort, x.HostPort
			if network {
				first, last = x.Number, max(x.Number, x.Last)
			} else if !ports {
				continue
			}
			protocols := x.Protocols
			if len(protocols) == 0 {
				protocols = []string{"tcp"}
			}
			for n := first; n > 0 && n <= min(last, first+maxRange); n++ {
				for _, proto := range protocols {
					out = append(out, fmt.Sprint(proto, "/", n))
				}
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// piece is what must fit one node: a copy, or all that must be together.
func (x *want) piece() vector {
	if x.together {
		return vector{}.plus(x.size, int64(max(x.count, 1)))
	}
	return x.size
}

// disk reports whether a copy has a disk that stays in its zone.
func (x *want) disk() bool {
	return slices.ContainsFunc(x.w.Volumes, func(v estate.Volume) bool { return attached(&v) })
}

// pod is the want as the scheduler sees it.
func (x *want) pod(ports map[string]int, how bending, budgets bool) replay.Pod {
	p := replay.Pod{Size: x.size[:], Count: x.count, Zones: x.zones, Together: x.together, ApartSoft: x.wishes}
	p.Budget = x.w.Kind == estate.Service && x.count > 1 && budgets
	for _, name := range x.ports {
		if _, ok := ports[name]; !ok {
			ports[name] = len(ports)
		}
		p.Ports = append(p.Ports, ports[name])
	}
	for _, r := range x.rules {
		switch {
		case r.apart && how == strict:
			p.Apart, p.ApartZone = p.Apart || !r.zone, p.ApartZone || r.zone
		default:
			s := replay.Spread{Zone: r.zone, Soft: r.soft, MinDomains: r.domains}
			if how != strict {
				s.MinDomains = 0
			}
			s.Soft = s.Soft || r.zone && how == wished
			p.Spreads = append(p.Spreads, s)
		}
	}
	return p
}

// places is how many nodes and zones there must be for the rules to hold
// while all are there.
func (x *want) places() (nodes, zones int) {
	for _, r := range x.rules {
		n := r.domains
		if r.apart {
			n = x.count
		}
		switch {
		case r.soft:
		case r.zone:
			zones = max(zones, min(n, x.count))
		default:
			nodes = max(nodes, min(n, x.count))
		}
	}
	if len(x.ports) > 0 {
		nodes = max(nodes, x.count)
	}
	return nodes, zones
}

// explain says why the want goes where it goes.
func (x *want) explain(p *policy.Policy) {
	k := x.class
	switch {
	case k.gpu:
		x.reason, x.why = plan.NeedsGPU, fmt.Sprintf("asks for %d GPUs a copy", x.size[inGPUs])
	case k.disk:
		x.reason, x.why = plan.NeedsDisk, "asks for local NVMe (spec.workloads, localDisk)"
	case k.purchase == plan.Spot:
		x.reason, x.why = plan.OnSpot, fmt.Sprintf("%d copies without state: any of them may be interrupted", x.count)
	case len(x.labels) > 0:
		x.reason, x.why = plan.ByPolicy, "asks for nodes with "+x.labels.String()
	case x.zones != nil:
		x.reason, x.why = plan.PinnedZone, "a constraint names its zone"
	case len(p.For(x.w.ID).Architectures) > 0:
		x.reason, x.why = plan.NeedsArch, "its images run on "+strings.Join(x.archs, " and ")
	default:
		x.reason, x.why = plan.Cheapest, "fits the nodes of least cost"
	}
}

// Classes of priority have values from -most to -1: pods without a class, such as
// those of DaemonSets, never give way to one that has one, and an autoscaler
// that holds pods below -10 to be expendable holds none of these to be so. Sizes
// in one class differ by no less than band.
const (
	mostPriorities = 9
	band           = 1.3
	priorityName   = "tranship-size-"
)

// harmless reports whether a copy may start again at any time: others serve
// meanwhile, and it has no data.
func (x *want) harmless() bool {
	w := x.w
	return w.Kind == estate.Service && x.count > 1 && !w.Stateful && !w.Singleton && !x.together && len(x.ports) == 0 &&
		!slices.ContainsFunc(w.Volumes, func(v estate.Volume) bool {
			return v.Kind == estate.PersistentVolume || v.Kind == estate.ExternalVolume || v.Kind == estate.HostVolume
		})
}

// priorities gives the wants theirs by size: the larger the higher, and 0 for
// what shall never give way. Nil where that tells nobody from another.
func (g *group) priorities() []int {
	var order []int
	for i, x := range g.wants {
		if x.harmless() {
			order = append(order, i)
		}
	}
	if len(order) == 0 {
		return nil
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(g.extent(g.wants[a].size), g.extent(g.wants[b].size)) })
	least, most := g.extent(g.wants[order[0]].size), g.extent(g.wants[order[len(order)-1]].size)
	step := max(band, math.Pow(most/max(least, 1e-9), 1.0/mostPriorities)*1.001)
	out := make([]int, len(g.wants))
	class, from := 0, least
	for _, i := range order {
		if e := g.extent(g.wants[i].size); e >= from*step {
			class++
			from = e
		}
		out[i] = class
	}
	for _, i := range order {
		out[i] -= class + 1
	}
	return out
}

// classes are the priorities that the group's pods have, the lowest first.
func (g *group) classes() []plan.Priority {
	if !g.answer.Ranked {
		return nil
	}
	by := map[int][]estate.Name{}
	for i, value := range g.priorities() {
		if value < 0 {
			by[value] = append(by[value], g.wants[i].w.ID)
		}
	}
	var out []plan.Priority
	for _, value := range slices.Sorted(maps.Keys(by)) {
		out = append(out, plan.Priority{
			Name: fmt.Sprint(priorityName, mostPriorities+1+value), Value: value, Workloads: by[value],
			Why: "a copy gives way to a larger one that finds no place, and starts again elsewhere: several run, and none has data",
		})
	}
	return out
}

func (d *demand) report(code diag.Code, s diag.Severity, w *estate.Workload, problem, hint string) {
	d.diags = append(d.diags, diag.Diagnostic{
		Code: code, Severity: s, Pos: diag.Pos{File: w.Origin.File}, Subject: "workload " + string(w.ID), Problem: problem, Hint: hint,
	})
}
