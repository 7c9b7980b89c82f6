package size

import (
	"cmp"
	"math"
	"slices"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan/usage"
)

// observed is what was seen of one workload.
type observed struct {
	replicas int
	// By container; "" is the copy as a whole.
	boxes map[string]*box
}

// A box is what was seen of one container, or of all of a copy together.
type box struct {
	cpu, memory, oom []*usage.Series
}

// seen is what one copy of a container used.
type seen struct {
	cpu      []float64 // sorted, thousandths of a core
	span     int64     // seconds that were looked at
	step     float64
	memory   float64 // peak in bytes
	memories int     // points of memory
	kills    int
	mean     bool // the values are means over copies
	split    bool // the values are a share of the whole copy's
	copies   int
}

// observe sorts series by workload and container. Where the same was given
// both by copy and as a sum, copies are used.
func observe(e *estate.Estate, set *usage.Set) map[estate.Name]*observed {
	out := map[estate.Name]*observed{}
	if set == nil {
		return out
	}
	hosts := 0
	for i := range e.Hosts {
		if e.Hosts[i].Active {
			hosts++
		}
	}
	replicas := map[estate.Name]int{}
	for i := range e.Workloads {
		w := &e.Workloads[i]
		replicas[w.ID] = copiesOf(w, hosts)
	}
	for i := range set.Series {
		s := &set.Series[i]
		n, ok := replicas[s.Workload]
		if !ok || len(s.Points) == 0 {
			continue
		}
		o := out[s.Workload]
		if o == nil {
			o = &observed{replicas: n, boxes: map[string]*box{}}
			out[s.Workload] = o
		}
		b := o.boxes[s.Container]
		if b == nil {
			b = &box{}
			o.boxes[s.Container] = b
		}
		switch s.Metric {
		case usage.CPU:
			b.cpu = append(b.cpu, s)
		case usage.Memory:
			b.memory = append(b.memory, s)
		case usage.OOM:
			b.oom = append(b.oom, s)
		}
	}
	for _, o := range out {
		for _, b := range o.boxes {
			b.cpu, b.memory, b.oom = better(b.cpu), better(b.memory), better(b.oom)
		}
	}
	return out
}

// better takes copies rather than a sum of them, in a fixed order.
func better(all []*usage.Series) []*usage.Series {
	copies := slices.DeleteFunc(slices.Clone(all), func(s *usage.Series) bool { return s.Copy == "" })
	if len(copies) > 0 {
		all = copies
	}
	slices.SortFunc(all, func(a, b *usage.Series) int { return cmp.Compare(a.Copy, b.Copy) })
	return all
}

// copiesOf is over how many copies a sum was taken.
func copiesOf(w *estate.Workload, hosts int) int {
	n := w.Replicas
	if w.Running != nil && w.Running.Instances > 0 {
		n = w.Running.Instances
	} else if w.Kind == estate.Daemon {
		n = max(n, hosts)
	}
	if w.Kind == estate.Job || w.Kind == estate.Schedule {
		n = 1
	}
	return max(n, 1)
}

// container gives what was seen of a workload's i-th container: its own
// series, or else its share of what the whole copy used.
func (o *observed) container(w *estate.Workload, i int) seen {
	if len(o.boxes) == 0 {
		return seen{}
	}
	own := o.boxes[w.Containers[i].Name]
	if own == nil && len(w.Containers) == 1 && len(o.boxes) == 1 {
		for _, b := range o.boxes { // by whatever name
			own = b
		}
	}
	whole := o.boxes[""]
	var out seen
	out.copies = o.replicas
	cpu, memory := 1.0, 1.0
	if len(w.Containers) > 1 {
		cpu, memory = shares(w, i)
	}
	if own != nil && len(own.cpu) > 0 {
		out.addCPU(own.cpu, o.replicas, 1)
	} else if whole != nil {
		out.addCPU(whole.cpu, o.replicas, cpu)
		out.split = cpu < 1 && len(whole.cpu) > 0
	}
	if own != nil && len(own.memory) > 0 {
		out.addMemory(own.memory, o.replicas, 1)
	} else if whole != nil {
		out.addMemory(whole.memory, o.replicas, memory)
		out.split = out.split || memory < 1 && len(whole.memory) > 0
	}
	if own != nil {
		out.addKills(own.oom)
	}
	if whole != nil && whole != own {
		out.addKills(whole.oom)
	}
	slices.Sort(out.cpu)
	return out
}

// shares are the i-th container's parts of what all declared together.
func shares(w *estate.Workload, i int) (cpu, memory float64) {
	var c, m float64
	for _, k := range w.Containers {
		c += float64(k.CPU)
		m += float64(k.Memory)
	}
	each := 1 / float64(len(w.Containers))
	cpu, memory = each, each
	if c > 0 {
		cpu = float64(w.Containers[i].CPU) / c
	}
	if m > 0 {
		memory = float64(w.Containers[i].Memory) / m
	}
	return cpu, memory
}

func (s *seen) addCPU(all []*usage.Series, replicas int, share float64) {
	if len(all) == 0 {
		return
	}
	from, to := int64(math.MaxInt64), int64(0)
	for _, x := range all {
		n := 1.0
		if x.Copy == "" {
			n = float64(replicas)
			s.mean = s.mean || replicas > 1
		}
		for _, p := range x.Points {
			s.cpu = append(s.cpu, p.Value/n*share)
		}
		from, to = min(from, x.Points[0].At), max(to, x.Points[len(x.Points)-1].At)
		s.step = max(s.step, float64(x.Step))
	}
	s.span = to - from
}

func (s *seen) addMemory(all []*usage.Series, replicas int, share float64) {
	for _, x := range all {
		n := 1.0
		if x.Copy == "" {
			n = float64(replicas)
			s.mean = s.mean || replicas > 1
		}
		for _, p := range x.Points {
			s.memory = max(s.memory, p.Value/n*share)
		}
		s.memories += len(x.Points)
	}
}

func (s *seen) addKills(all []*usage.Series) {
	total := 0.0
	for _, x := range all {
		for _, p := range x.Points {
			total += p.Value
		}
	}
	s.kills += int(min(math.Ceil(total), 1e9))
}
