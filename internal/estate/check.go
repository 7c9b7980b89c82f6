package estate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
)

// Sort puts everything in the order in which the file has it, so that the same
// facts give the same bytes whatever order they were found in.
func (e *Estate) Sort() {
	slices.SortFunc(e.Workloads, func(a, b Workload) int { return strings.Compare(string(a.ID), string(b.ID)) })
	slices.SortFunc(e.Hosts, func(a, b Host) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.ID, b.ID))
	})
	slices.SortFunc(e.Endpoints, func(a, b Endpoint) int { return strings.Compare(a.ID, b.ID) })
	slices.SortStableFunc(e.Dependencies, func(a, b Dependency) int {
		return cmp.Or(
			strings.Compare(string(a.From), string(b.From)), strings.Compare(string(a.To), string(b.To)),
			strings.Compare(string(a.Way), string(b.Way)), strings.Compare(a.At.File, b.At.File),
			strings.Compare(a.At.Pointer, b.At.Pointer), strings.Compare(a.Match, b.Match))
	})
	slices.SortFunc(e.Quotas, func(a, b Quota) int { return strings.Compare(a.Role, b.Role) })
	slices.SortFunc(e.Networks, func(a, b Network) int { return strings.Compare(a.Name, b.Name) })
}

// Find gives the workload with that ID, nil if there is none. The estate must
// be sorted.
func (e *Estate) Find(id Name) *Workload {
	i, ok := slices.BinarySearchFunc(e.Workloads, id, func(w Workload, id Name) int {
		return strings.Compare(string(w.ID), string(id))
	})
	if !ok {
		return nil
	}
	return &e.Workloads[i]
}

// Check holds the estate against its invariants: what a later stage may rely
// on. A violation is an error of a reader, or of a hand that edited the file.
func (e *Estate) Check() diag.List {
	c := checker{ids: map[Name]bool{}}
	if e.Version != Version {
		c.fail(Origin{}, "estate", fmt.Sprintf("has version %d, this program reads %d", e.Version, Version))
	}
	for i := range e.Workloads {
		w := &e.Workloads[i]
		if w.ID == "" || c.ids[w.ID] {
			c.fail(w.Origin, "workload "+string(w.ID), "has no ID of its own")
		}
		c.ids[w.ID] = true
	}
	for i := range e.Workloads {
		c.workload(&e.Workloads[i])
	}
	for _, ep := range e.Endpoints {
		for _, b := range ep.Backends {
			if b.Workload != "" && !c.ids[b.Workload] {
				c.fail(ep.Origin, "endpoint "+ep.ID, "leads to "+string(b.Workload)+", which is not there")
			}
		}
	}
	for _, d := range e.Dependencies {
		if !c.ids[d.From] || d.To != "" && !c.ids[d.To] {
			c.fail(d.At, "dependency of "+string(d.From), "names "+string(d.To)+", which is not there")
		}
	}
	return c.list
}

type checker struct {
	list diag.List
	ids  map[Name]bool
}

func (c *checker) fail(at Origin, subject, problem string) {
	c.list = append(c.list, diag.Diagnostic{
		Code: Inconsistent, Severity: diag.Error, Pos: diag.Pos{File: at.File}, Subject: subject, Problem: problem,
		Hint: "run discover again on the snapshot; if it persists it is a fault of tranship",
	})
}

func (c *checker) workload(w *Workload) {
	subject := "workload " + string(w.ID)
	if w.Replicas < 0 {
		c.fail(w.Origin, subject, "has a negative number of replicas")
	}
	runs := w.Kind == Service || w.Kind == Daemon || w.Kind == Job || w.Kind == Schedule
	if runs && len(w.Containers) == 0 {
		c.fail(w.Origin, subject, "runs and has no container")
	}
	if (w.Kind == Job || w.Kind == Schedule) != (w.Run != nil) {
		c.fail(w.Origin, subject, "is a job without a way to run, or the reverse")
	}
	volumes := map[string]bool{}
	for _, v := range w.Volumes {
		if v.Name == "" || volumes[v.Name] {
			c.fail(w.Origin, subject, "has a volume without a name of its own")
		}
		volumes[v.Name] = true
	}
	names := map[string]bool{}
	for _, k := range w.Containers {
		if k.Name == "" || names[k.Name] {
			c.fail(w.Origin, subject, "has a container without a name of its own")
		}
		names[k.Name] = true
		c.container(w, &k, volumes)
	}
}

func (c *checker) container(w *Workload, k *Container, volumes map[string]bool) {
	subject := "workload " + string(w.ID)
	if k.CPU < 0 || k.Memory < 0 || k.Disk < 0 || k.GPUs < 0 {
		c.fail(w.Origin, subject, "asks for less than nothing")
	}
	for _, m := range k.Mounts {
		if !volumes[m.Volume] {
			c.fail(w.Origin, subject, "mounts volume "+m.Volume+", which is not there")
		}
		if !strings.HasPrefix(m.Path, "/") {
			c.fail(w.Origin, subject, "mounts "+m.Volume+" at a path that is not absolute")
		}
	}
	for _, p := range k.Ports {
		if p.Number < 1 || p.Number > 65535 {
			c.fail(w.Origin, subject, fmt.Sprintf("listens on port %d", p.Number))
		}
	}
	for _, v := range k.Env {
		if v.Name == "" {
			c.fail(w.Origin, subject, "has a variable without a name")
		}
	}
}
