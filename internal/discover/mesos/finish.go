package mesos

import (
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/discover/operator"
	"github.com/tranship/tranship/internal/estate"
)

// Finish gives the estate its hosts and quotas, tells each workload what was
// running of it, and names the frameworks that no definition accounts for.
func (r *Reader) Finish(b *discover.Builder) {
	r.throttle(b)
	e := b.Estate()
	for _, h := range r.hosts.list {
		for role := range h.roles {
			h.Roles = append(h.Roles, role)
		}
		slices.Sort(h.Roles)
		if h.Name == "" {
			h.Name = h.ID
		}
		e.Hosts = append(e.Hosts, h.Host)
	}
	for _, q := range r.roles {
		e.Quotas = append(e.Quotas, q.Quota)
	}
	others := r.settle(b)
	r.name(b, others)
	r.reset()
}

// throttle tells each host whether it held tasks to their CPU.
func (r *Reader) throttle(b *discover.Builder) {
	said := map[*host]bool{}
	var all *bool
	mixed := false
	for _, f := range r.flags {
		throttles := f.throttles
		found := false
		for _, h := range r.hosts.list {
			if f.host == h.ID || f.host == h.Name || f.host == h.address {
				h.Throttles, said[h], found = &throttles, true, true
			}
		}
		if !found {
			mixed = mixed || all != nil && *all != throttles
			all = &throttles
		}
	}
	switch {
	case mixed:
		b.Report(diag.Diagnostic{
			Code: MixedFlags, Severity: diag.Warning, Subject: "agents",
			Problem: "have flags that disagree about cgroups_enable_cfs, and do not say whose they are",
			Hint:    "name each file of flags after its agent's ID, or set spec.cpuLimits in tranship.yaml",
		})
		return
	case all == nil && r.platform != "":
		yes := true
		all = &yes
	}
	for _, h := range r.hosts.list {
		if !said[h] {
			h.Throttles = all
		}
	}
}

// settle counts the tasks with their workloads and gives the number of tasks
// of every framework whose tasks belong to none.
func (r *Reader) settle(b *discover.Builder) map[string]int {
	others := map[string]int{}
	found := map[estate.Name]*tally{}
	var order []*estate.Workload
	for _, t := range r.order {
		w := r.workloadOf(b, t)
		if w == nil {
			others[t.framework]++
			continue
		}
		c := found[w.ID]
		if c == nil {
			c = &tally{images: map[string]bool{}, hosts: map[string]bool{}}
			found[w.ID] = c
			order = append(order, w)
		}
		r.count(c, t)
		r.own(b, w, t)
	}
	for _, w := range order {
		c := found[w.ID]
		run := estate.Running{Instances: c.instances, Healthy: c.healthy}
		if w.Running != nil { // Marathon told too, at another moment
			run.Instances = max(run.Instances, w.Running.Instances)
			run.Healthy = max(run.Healthy, w.Running.Healthy)
			keep(c.images, w.Running.Images)
			keep(c.hosts, w.Running.Hosts)
		}
		run.Images, run.Hosts = sorted(c.images), sorted(c.hosts)
		w.Running = &run
	}
	return others
}

type tally struct {
	instances, healthy int
	images, hosts      map[string]bool
}

func (r *Reader) count(c *tally, t *task) {
	c.instances++
	if t.healthy {
		c.healthy++
	}
	keep(c.images, []string{t.image})
	h := t.host
	if x := r.hosts.byID[t.agent]; x != nil {
		h = x.Name
	}
	keep(c.hosts, []string{h})
}

func (r *Reader) workloadOf(b *discover.Builder, t *task) *estate.Workload {
	if f := r.frameworks[t.framework]; f != nil && f.name != "" && !f.ours() && t.app == "" {
		return nil
	}
	for _, id := range t.candidates() {
		if w := b.Workload(id); w != nil {
			return w
		}
	}
	return nil
}

// own tells the entries of a task whose they are. Where the task shows the
// digest of an image that the definition leaves open, all of them decide it.
func (r *Reader) own(b *discover.Builder, w *estate.Workload, t *task) {
	pins := strings.Contains(t.image, "@sha256:")
	for _, v := range t.leaves {
		b.Amend(v, func(e *ledger.Entry) {
			e.Workload = string(w.ID)
			if pins {
				e.Verdict, e.Code, e.Target = ledger.Decision, DigestSeen, "container#image"
				e.Reason = "the digest that was running is proposed where the definition leaves the image's version open"
			}
		})
	}
}

// name adds a workload for every framework that no definition stands for, so
// that what it runs is not forgotten. Several registrations under one name are
// one framework.
func (r *Reader) name(b *discover.Builder, tasks map[string]int) {
	standing := schedulers(b)
	added := map[estate.Name]*estate.Workload{}
	for _, f := range r.named {
		n := max(tasks[f.id], f.counted)
		if f.name == "" || f.ours() || !f.active && n == 0 {
			continue
		}
		if id, ok := standing[strings.Trim(f.name, "/")]; ok {
			r.belongs(b, f, id, "its scheduler is "+string(id))
			continue
		}
		id := f.workloadID()
		if w := added[id]; w != nil {
			w.Running.Instances += n
			r.belongs(b, f, id, "one framework registered more than once")
			continue
		}
		w := b.Add(estate.Workload{
			ID: id, Kind: estate.Framework, Origin: f.origin, Role: f.role, Replicas: 1,
			Description: "framework " + f.name + ", seen in Mesos and defined nowhere",
			Running:     &estate.Running{Instances: n}, Operator: operator.For(f.name),
		}, f.pos)
		if w == nil {
			continue
		}
		added[id] = w
		r.belongs(b, f, id, "it schedules tasks of its own: an operator takes its place, nothing is rendered")
		b.Report(diag.Diagnostic{
			Code: UndefinedFramework, Severity: diag.Warning, Pos: f.pos, Subject: "framework " + f.name,
			Problem: "was running and no definition stands for it; its tasks cannot be converted",
			Hint:    "export the definition of its scheduler too, or move it by an operator",
		})
	}
}

func (r *Reader) belongs(b *discover.Builder, f *framework, id estate.Name, reason string) {
	for _, v := range f.leaves {
		b.Amend(v, func(e *ledger.Entry) { e.Workload, e.Reason = string(id), reason })
	}
}

// schedulers gives the apps that are schedulers by every name under which
// their framework can have registered.
func schedulers(b *discover.Builder) map[string]estate.Name {
	out := map[string]estate.Name{}
	for _, w := range b.Workloads() {
		id := strings.Trim(string(w.ID), "/")
		names := []string{w.Labels["DCOS_PACKAGE_FRAMEWORK_NAME"], w.Labels["DCOS_SERVICE_NAME"]}
		if w.Kind == estate.Framework || w.Kind == estate.Infrastructure {
			names = append(names, id, id[strings.LastIndexByte(id, '/')+1:], w.Labels["DCOS_PACKAGE_NAME"])
		}
		for _, n := range names {
			n = strings.Trim(n, "/")
			if _, taken := out[n]; n != "" && !taken {
				out[n] = w.ID
			}
		}
	}
	return out
}

func keep(set map[string]bool, values []string) {
	for _, v := range values {
		if v != "" {
			set[v] = true
		}
	}
}

func sorted(set map[string]bool) []string {
	out := make([]string, 0, len(set))
	for v := range set {
		out = append(out, v)
	}
	slices.Sort(out)
	return out
}
