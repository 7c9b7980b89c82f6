package edgelb

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/estate"
)

// byTask finds the workloads behind a selector of Mesos' own words: those of
// Marathon by the tasks' names, those of another framework by its name.
func (p *pool) byTask(k *jsonpos.Value, x *workloads) (found []*estate.Workload, name string) {
	framework := k.Get("frameworkName").Text()
	task := cmp.Or(k.Get("taskName").Text(), appOfTask(k.Get("taskID").Text()))
	frameworks := p.matcher(k, "frameworkName")
	tasks := p.matcher(k, "taskName")
	if id := appOfTask(k.Get("taskID").Text()); id != "" && !tasks.said {
		tasks = matcher{said: true, match: func(s string) bool { return s == id }, v: k.Get("taskID")}
	}
	switch {
	case !frameworks.said && !tasks.said:
	case !frameworks.said || frameworks.match("marathon"):
		if tasks.said {
			found = x.matching(func(w *estate.Workload) bool {
				return w.Kind != estate.Framework && slices.ContainsFunc(taskNames(w), tasks.match)
			})
			p.used(frameworks, tasks)
		}
	default:
		found = x.matching(func(w *estate.Workload) bool {
			return w.Kind == estate.Framework && slices.ContainsFunc(frameworkNames(w), frameworks.match)
		})
		p.used(frameworks)
	}
	if framework != "" && task != "" {
		name = strings.ReplaceAll(task, ".", "-") + "." + framework + ".autoip.dcos.thisdcos.directory"
	}
	return found, name
}

// used marks the selectors that the workloads were found by.
func (p *pool) used(list ...matcher) {
	for _, m := range list {
		p.amend(m.v, ledger.Equivalent, ServiceSelector, selector.Reason)
	}
}

// A matcher compares one name with a selector and its pattern.
type matcher struct {
	said  bool
	match func(string) bool
	v     *jsonpos.Value
}

func (p *pool) matcher(k *jsonpos.Value, key string) matcher {
	if want := k.Get(key).Text(); want != "" {
		return matcher{true, func(s string) bool { return s == want }, k.Get(key)}
	}
	if re := p.pattern(k.Get(key + "Pattern")); re != nil {
		return matcher{true, re.MatchString, k.Get(key + "Pattern")}
	}
	return matcher{match: func(string) bool { return false }}
}

// taskNames are the names that a workload's tasks have: the path reversed, with
// dots, and a pod's containers'.
func taskNames(w *estate.Workload) []string {
	parts := strings.Split(strings.Trim(string(w.ID), "/"), "/")
	slices.Reverse(parts)
	names := []string{strings.Join(parts, ".")}
	if len(w.Containers) > 1 {
		for i := range w.Containers {
			names = append(names, w.Containers[i].Name)
		}
	}
	return names
}

// frameworkNames are the names that a framework may have registered under.
func frameworkNames(w *estate.Workload) []string {
	id := strings.Trim(string(w.ID), "/")
	names := []string{id, "/" + id}
	if n := w.Labels["DCOS_PACKAGE_FRAMEWORK_NAME"]; n != "" {
		names = append(names, n)
	}
	return names
}

var taskID = regexp.MustCompile(`^(.+?)\.(?:instance-)?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// appOfTask gives the name of a task from its ID, empty if it is no ID of
// Marathon's: "shop_cart.instance-<uuid>._app.1" is a task of cart.shop.
func appOfTask(id string) string {
	m := taskID.FindStringSubmatch(id)
	if m == nil {
		return ""
	}
	parts := strings.Split(m[1], "_")
	slices.Reverse(parts)
	return strings.Join(parts, ".")
}

// portsOf gives the ports of w that an endpoint asks for: by name, by number,
// or all. None is given where it has no such port.
func (p *pool) portsOf(w *estate.Workload, m, e *jsonpos.Value) []estate.Backend {
	name, number := e.Get("portName").Text(), positive(e.Get("port"))
	every := strings.EqualFold(e.Get("allPorts").Text(), "true")
	if name != "" || every {
		p.amend(e.Get("port"), ledger.Informational, BackendPort, "the port is named otherwise")
	}
	if every && name != "" {
		p.amend(e.Get("portName"), ledger.Informational, BackendPort, "all ports are asked for")
	}
	if w.Kind == estate.Framework {
		if number == 0 {
			return nil
		}
		return []estate.Backend{{Workload: w.ID, Port: number}}
	}
	var out []estate.Backend
	only := p.containers(m)
	for i := range w.Containers {
		if !only(w.Containers[i].Name) {
			continue
		}
		for _, port := range w.Containers[i].Ports {
			switch {
			case every:
			case name != "" && port.Name != name:
				continue
			case name == "" && number != 0 && port.Number != number && port.HostPort != number:
				continue
			}
			out = append(out, estate.Backend{Workload: w.ID, Port: port.Number})
			if !every {
				return out
			}
		}
	}
	return out
}

// containers tells which of a pod's containers a selector means.
func (p *pool) containers(m *jsonpos.Value) func(string) bool {
	if want := m.Get("containerName").Text(); want != "" {
		return func(s string) bool { return s == want }
	}
	if m.Get("containerNamePattern").Text() == "" {
		return func(string) bool { return true }
	}
	re := p.pattern(m.Get("containerNamePattern"))
	return func(s string) bool { return re != nil && re.MatchString(s) }
}
