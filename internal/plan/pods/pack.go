package pods

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/binpack"
	"github.com/tranship/tranship/internal/base/binpack/failure"
	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/plan/catalog"
)

// A Packing is pods and types as a problem of bare numbers.
type Packing struct {
	Problem  binpack.Problem
	Level    failure.Level
	set      *Set
	types    []*catalog.Type
	services [][]int // of each item, the indexes of its pods
	sizes    []string
	file     string
}

// Levels of survival by name.
func Levels() map[string]failure.Level {
	return map[string]failure.Level{"none": failure.None, "node": failure.AnyNode, "zone": failure.AnyZone}
}

// New makes the problem of packing s onto what f allows of c. Pods of one size
// are one item, unless a bound per node keeps them apart. Ephemeral storage and
// GPUs count where pods ask for them.
func New(s *Set, c *catalog.Catalog, f *Filter, level failure.Level, zones int) Packing {
	p := Packing{Level: level, set: s, sizes: []string{"cpuMilli", "memMiB", "pods"}}
	disk := slices.ContainsFunc(s.Pods, func(x Pod) bool { return x.EphemeralMiB > 0 })
	gpu := slices.ContainsFunc(s.Pods, func(x Pod) bool { return x.GPU > 0 })
	if disk {
		p.sizes = append(p.sizes, "ephemeralMiB")
	}
	if gpu {
		p.sizes = append(p.sizes, "gpu")
	}
	vector := func(cpu, memory, pods, ephemeral, gpus int64) []int64 {
		v := []int64{cpu, memory, pods}
		if disk {
			v = append(v, ephemeral)
		}
		if gpu {
			v = append(v, gpus)
		}
		return v
	}
	p.Problem.Dimensions = len(p.sizes)
	if level == failure.AnyZone {
		p.Problem.Zones = max(zones, 2)
	}
	for i := range c.Types {
		t := &c.Types[i]
		if !f.allows(t) {
			continue
		}
		a, d := t.Allocatable(f.Kubelet), &s.Daemonset
		room := vector(int64(a.CPU)-d.CPUMilli, int64(a.Memory/unit.MiB)-d.MemMiB, int64(a.Pods)-d.Pods, int64(f.Ephemeral/unit.MiB), int64(a.GPUs))
		if slices.Min(room[:3]) <= 0 {
			continue
		}
		p.types = append(p.types, t)
		p.Problem.Types = append(p.Problem.Types, binpack.Type{Capacity: room, Price: binpack.Price(t.Price)})
	}
	p.items(vector)
	return p
}

func (p *Packing) items(vector func(cpu, memory, pods, ephemeral, gpus int64) []int64) {
	type key struct{ cpu, memory, disk, gpu int64 }
	at := map[key]int{}
	for i := range p.set.Pods {
		x := &p.set.Pods[i]
		if x.Replicas == 0 {
			continue
		}
		k := key{x.CPUMilli, x.MemMiB, x.EphemeralMiB, x.GPU}
		bound := x.MaxPerNode
		if bound >= x.Replicas {
			bound = 0
		}
		if j, ok := at[k]; ok && bound == 0 {
			p.Problem.Items[j].Count += x.Replicas
			p.services[j] = append(p.services[j], i)
			continue
		}
		if bound == 0 {
			at[k] = len(p.Problem.Items)
		}
		p.Problem.Items = append(p.Problem.Items, binpack.Item{
			Size: vector(x.CPUMilli, x.MemMiB, 1, x.EphemeralMiB, x.GPU), Count: x.Replicas, MaxPerBin: bound,
		})
		p.services = append(p.services, []int{i})
	}
}

// Pack packs, checks the result by itself and gives the answer. File names the
// pods in diagnostics. The error is for a result that does not hold.
func (p *Packing) Pack(file string, o binpack.Options) (Answer, diag.List, error) {
	p.file = file
	out := Answer{Nodes: []Node{}, Seed: o.Seed, Survives: p.name()}
	var diags diag.List
	if len(p.types) == 0 && len(p.Problem.Items) > 0 {
		diags = append(diags, diag.Diagnostic{
			Code: NoTypes, Severity: diag.Error, Pos: diag.Pos{File: file}, Subject: "price list",
			Problem: "no type may be bought: none is allowed that has room beside the DaemonSets",
			Hint:    "allow more families, generations, architectures or a larger --max-vcpu",
		})
		for i := range p.set.Pods {
			out.Left = append(out.Left, Count{p.set.Pods[i].Name, p.set.Pods[i].Replicas})
		}
		return out, diags, nil
	}
	if len(p.Problem.Items) == 0 {
		return out, diags, nil
	}
	r, err := p.run(o)
	if err != nil {
		return out, diags, err
	}
	out.Cost, out.Bound, out.Gap = unit.Money(r.Cost), unit.Money(r.Bound), r.Gap()
	out.Iterations, out.Stopped = r.Iterations, r.Stopped
	names := newDealer(p)
	out.Nodes, out.Failures = names.nodes(r.Bins, r.Failures)
	out.Left = names.rest(r.Left)
	for _, l := range out.Left {
		diags = append(diags, p.fitsNowhere(l))
	}
	for _, l := range r.Exposed {
		out.Exposed = append(out.Exposed, names.service(l))
	}
	diags.Sort()
	if n := len(out.Exposed); n > 0 {
		return out, diags, fmt.Errorf("survive the loss of any %s: %d of %s find no place after it", out.Survives, out.Exposed[0].Count, out.Exposed[0].Name)
	}
	return out, diags, nil
}

// run packs and verifies.
func (p *Packing) run(o binpack.Options) (failure.Result, error) {
	var r failure.Result
	var err error
	if p.Level == failure.None {
		r.Result, err = binpack.Pack(p.Problem, o)
	} else {
		r, err = failure.Pack(p.Problem, p.Level, o)
	}
	if err != nil {
		return r, fmt.Errorf("pack pods: %w", err)
	}
	if err := binpack.Check(&p.Problem, r.Bins, r.Left); err != nil {
		return r, fmt.Errorf("check packing: %w", err)
	}
	if err := p.survives(&r); err != nil {
		return r, fmt.Errorf("check survival: %w", err)
	}
	return r, nil
}

func (p *Packing) name() string {
	for name, level := range Levels() {
		if level == p.Level {
			return name
		}
	}
	return ""
}

func (p *Packing) pos(x *Pod) diag.Pos {
	return diag.Pos{File: p.file, Line: x.line, Column: x.column}
}

// fitsNowhere says what the pod has too much of, beside the roomiest type.
func (p *Packing) fitsNowhere(l Count) diag.Diagnostic {
	i := slices.IndexFunc(p.set.Pods, func(x Pod) bool { return x.Name == l.Name })
	x := &p.set.Pods[i]
	item := slices.IndexFunc(p.services, func(s []int) bool { return slices.Contains(s, i) })
	size := p.Problem.Items[item].Size
	best, most := 0, -1
	for t := range p.types {
		fits := 0
		for d, c := range p.Problem.Types[t].Capacity {
			if size[d] <= c {
				fits++
			}
		}
		if fits > most || fits == most && less(p.Problem.Types[best].Capacity, p.Problem.Types[t].Capacity, size) {
			best, most = t, fits
		}
	}
	var over []string
	for d, c := range p.Problem.Types[best].Capacity {
		if size[d] > c {
			over = append(over, fmt.Sprintf("%s %d", p.sizes[d], c))
		}
	}
	return diag.Diagnostic{
		Code: FitsNowhere, Severity: diag.Error, Pos: p.pos(x), Subject: "pod " + x.Name,
		Problem: fmt.Sprintf("no allowed type has room for it: the nearest, %s, has only %s", p.types[best].Name, strings.Join(over, ", ")),
		Hint:    "allow larger types (--max-vcpu, --families), or make the pod smaller",
	}
}

// less reports whether b has more room than a in what size asks for most.
func less(a, b, size []int64) bool {
	share := func(c []int64) float64 {
		s := 1e18
		for d := range c {
			if size[d] > 0 {
				s = min(s, float64(c[d])/float64(size[d]))
			}
		}
		return s
	}
	return cmp.Less(share(a), share(b))
}
