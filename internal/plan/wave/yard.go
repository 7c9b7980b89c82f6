package wave

import (
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
)

// What Mesos adds to a task for its executor, at most. A host that has promised
// more than its known copies and this runs something that nobody has named.
const (
	executorCPU    unit.CPU   = 100
	executorMemory unit.Bytes = 32 * unit.MiB
)

// room is an amount of a host.
type room struct{ cpu, memory float64 }

func (r room) plus(o room, times float64) room {
	return room{r.cpu + times*o.cpu, r.memory + times*o.memory}
}

func (r room) most(o room) room { return room{max(r.cpu, o.cpu), max(r.memory, o.memory)} }

// holds compares with a slack for sums that were rounded.
func (r room) holds(o room) bool { return r.cpu >= o.cpu-1e-3 && r.memory >= o.memory-1 }

// A machine is a source host with what holds it.
type machine struct {
	name   string
	size   room // zero where it is not known
	used   room
	copies int      // of what has not moved yet
	stays  int      // copies of what policy leaves out
	parts  []string // of the old platform, which stays as long as anything does
	dark   bool     // runs what nobody has named
	freed  bool
}

// held reports whether it is needed to the end, or beyond.
func (m *machine) held() bool { return m.stays > 0 || len(m.parts) > 0 || m.dark }

// claim is what one workload asks of the hosts until it has moved.
type claim struct {
	hosts []int
	each  room // on each of hosts
	copy  room // one copy that has no host yet
	float room // all of them
	apart int  // copies that want hosts of their own
	// unseen workloads run nobody knows where; daemons go with their host.
	unseen, daemon bool
}

// most gives what both ask at the most.
func (c claim) most(o *claim) claim {
	return claim{copy: c.copy.most(o.copy), apart: max(c.apart, o.apart)}
}

// yard is all source hosts, and what is not known to stand on any of them.
type yard struct {
	hosts  []machine // by name
	at     map[string]int
	claims []claim // of what moves
	unseen int     // workloads that may run on any host
	anyone int     // parts of the old platform of which the same holds
	// float needs room though no copy of it runs now: jobs, and services that
	// wait for a host.
	float room
	// staying is what policy leaves out, skipped how many workloads that is.
	staying claim
	skipped int
}

func (g *graph) yard(in *Inputs) *yard {
	e := in.Estate
	y := &yard{at: map[string]int{}}
	for i := range e.Hosts {
		h := &e.Hosts[i]
		y.hosts = append(y.hosts, machine{
			name: h.Name, size: room{float64(h.CPU), float64(h.Memory)}, used: room{float64(h.UsedCPU), float64(h.UsedMemory)},
		})
	}
	slices.SortStableFunc(y.hosts, func(a, b machine) int { return strings.Compare(a.name, b.name) })
	y.hosts = slices.CompactFunc(y.hosts, func(a, b machine) bool { return a.name == b.name })
	for i := range y.hosts {
		y.at[y.hosts[i].name] = i
	}
	for i := range e.Hosts { // some sources name a host by its ID
		if h := &e.Hosts[i]; h.ID != "" {
			if _, ok := y.at[h.ID]; !ok {
				y.at[h.ID] = y.at[h.Name]
			}
		}
	}
	seen := false // whether it is known of anything where it runs
	for i := range e.Workloads {
		if r := e.Workloads[i].Running; r != nil && len(r.Hosts) > 0 {
			seen = true
		}
	}
	y.claims = make([]claim, len(g.workloads))
	known := make([]room, len(y.hosts))
	tasks := make([]int, len(y.hosts))
	frameworks := false
	for i := range e.Workloads {
		w := &e.Workloads[i]
		c := y.claim(w, seen)
		for _, h := range c.hosts {
			known[h] = known[h].plus(c.each, 1)
			tasks[h] += max(1, (w.Running.Instances+len(c.hosts)-1)/len(c.hosts))
		}
		if at, ok := g.at[w.ID]; ok && g.workloads[at] == w {
			y.take(c)
			y.claims[at] = c
			continue
		}
		if w.Kind == estate.Framework || w.Kind == estate.Infrastructure {
			frameworks = frameworks || w.Kind == estate.Framework
			if c.unseen && w.Kind == estate.Infrastructure {
				y.anyone++
			}
			for _, h := range c.hosts {
				y.hosts[h].parts = append(y.hosts[h].parts, string(w.ID))
			}
			continue
		}
		if plan.Moves(w, in.Policy) {
			continue // the same ID twice
		}
		y.stay(w, c)
	}
	for i := range y.hosts {
		h := &y.hosts[i]
		slices.Sort(h.parts)
		more := room{float64(executorCPU), float64(executorMemory)}
		switch {
		case h.used == room{}:
			// Nobody told what it has promised: where a framework runs tasks of its
			// own, they may be here.
			h.dark = frameworks
		case !known[i].plus(more, float64(tasks[i])).holds(h.used):
			h.dark = true
		}
		h.used = h.used.most(known[i])
	}
	return y
}

// claim says what a workload asks of the hosts.
func (y *yard) claim(w *estate.Workload, seen bool) claim {
	var one room
	for i := range w.Containers {
		one = one.plus(room{float64(w.Containers[i].CPU), float64(w.Containers[i].Memory)}, 1)
	}
	c := claim{daemon: w.Kind == estate.Daemon}
	r := w.Running
	if r != nil {
		for _, name := range r.Hosts {
			if h, ok := y.at[name]; ok && !slices.Contains(c.hosts, h) {
				c.hosts = append(c.hosts, h)
			}
		}
	}
	wanted := w.Replicas
	switch {
	case len(c.hosts) > 0:
		c.each = room{}.plus(one, float64(max(r.Instances, len(c.hosts)))/float64(len(c.hosts)))
		wanted -= r.Instances
	case r != nil && r.Instances > 0, w.Replicas > 0 && !seen && stands(w):
		c.unseen = true
		c.float = room{}.plus(one, float64(max(wanted, instances(r))))
		return c
	}
	for i := range w.Constraints {
		x := &w.Constraints[i]
		if x.Rule == estate.Apart && x.Attribute == "hostname" && !x.Soft {
			c.apart = w.Replicas
		}
	}
	if wanted > 0 && !c.daemon {
		c.copy, c.float = one, room{}.plus(one, float64(wanted))
	}
	return c
}

// stands reports whether copies of it run all the time.
func stands(w *estate.Workload) bool {
	return w.Kind == estate.Service || w.Kind == estate.Daemon || w.Kind == estate.Infrastructure
}

func (y *yard) take(c claim) {
	y.float = y.float.plus(c.float, 1)
	if c.unseen {
		y.unseen++
	}
	if !c.daemon {
		for _, h := range c.hosts {
			y.hosts[h].copies++
		}
	}
}

// stay keeps what policy leaves out: it is there after the last wave.
func (y *yard) stay(w *estate.Workload, c claim) {
	if w.Replicas == 0 && len(c.hosts) == 0 && !c.unseen {
		return
	}
	y.take(c)
	y.skipped++
	y.staying = y.staying.most(&c)
	for _, h := range c.hosts {
		y.hosts[h].copies--
		y.hosts[h].stays++
	}
}

func instances(r *estate.Running) int {
	if r == nil {
		return 0
	}
	return r.Instances
}
