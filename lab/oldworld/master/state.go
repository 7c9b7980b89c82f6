package master

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/tranship/tranship/lab/oldworld/mesos"
)

func keys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func (a api) masterInfo() map[string]any {
	id, _, _ := a.c.Identity()
	host, port, _ := strings.Cut(a.address, ":")
	return map[string]any{"id": id, "hostname": host, "port": port, "pid": "master@" + a.address, "version": Version, "address": map[string]any{"hostname": host, "ip": host, "port": number(port)}}
}

func number(text string) int {
	n := 0
	_, _ = fmt.Sscan(text, &n) // 0 says it
	return n
}

// state is what everything that watched Mesos read.
func (a api) state(w http.ResponseWriter, _ *http.Request) {
	id, name, started := a.c.Identity()
	agents := a.c.Agents()
	active := 0
	list := []any{}
	for _, x := range agents {
		if x.Active() {
			active++
		}
		list = append(list, a.agent(x))
	}
	answer(w, map[string]any{
		"version": Version, "id": id, "pid": "master@" + a.address, "hostname": strings.Split(a.address, ":")[0], "leader": "master@" + a.address,
		"leader_info": a.masterInfo(), "cluster": name, "start_time": stamp(started), "elected_time": stamp(started), "build_date": "2026-11-28 00:00:00",
		"activated_slaves": active, "deactivated_slaves": len(agents) - active, "unreachable_slaves": 0, "flags": flags(a.c),
		"slaves": list, "recovered_slaves": []any{}, "frameworks": a.frameworkList(), "completed_frameworks": []any{}, "unregistered_frameworks": []any{},
		"orphan_tasks": []any{},
	})
}

// summary leaves out tasks.
func (a api) summary(w http.ResponseWriter, _ *http.Request) {
	_, name, _ := a.c.Identity()
	agents, frames := []any{}, []any{}
	for _, x := range a.c.Agents() {
		agents = append(agents, a.agent(x))
	}
	for _, f := range a.c.Frameworks() {
		frames = append(frames, map[string]any{"id": f.ID, "name": f.Name, "active": true, "hostname": f.Hostname, "webui_url": f.WebUI, "used_resources": plain(a.usedBy(f.ID))})
	}
	answer(w, map[string]any{"hostname": strings.Split(a.address, ":")[0], "cluster": name, "slaves": agents, "frameworks": frames})
}

func (a api) slaves(w http.ResponseWriter, _ *http.Request) {
	list := []any{}
	for _, x := range a.c.Agents() {
		list = append(list, a.agent(x))
	}
	answer(w, map[string]any{"slaves": list, "recovered_slaves": []any{}})
}

func (a api) frameworks(w http.ResponseWriter, _ *http.Request) {
	answer(w, map[string]any{"frameworks": a.frameworkList(), "completed_frameworks": []any{}, "unregistered_frameworks": []any{}})
}

func (a api) flags(w http.ResponseWriter, _ *http.Request) {
	answer(w, map[string]any{"flags": flags(a.c)})
}

func (a api) roles(w http.ResponseWriter, _ *http.Request) {
	answer(w, map[string]any{"roles": a.roleList(false)})
}

func (a api) tasks(w http.ResponseWriter, _ *http.Request) {
	list := []any{}
	for _, t := range slices.Backward(a.c.Tasks()) { // the newest first, as by ?order=des
		list = append(list, a.task(t))
	}
	answer(w, map[string]any{"tasks": list})
}

func total(x mesos.AgentState) mesos.Resources {
	return mesos.Resources{CPUs: x.CPUs, Mem: x.Mem, Disk: x.Disk}
}

func pid(x mesos.Agent) string { return fmt.Sprintf("slave(1)@%s:%d", x.Address, x.Port) }

func (a api) agent(x mesos.AgentState) map[string]any {
	all := plain(total(x))
	all["ports"] = fmt.Sprintf("[%d-%d]", x.Ports.Begin, x.Ports.End)
	m := map[string]any{
		"id": x.ID, "hostname": x.Hostname, "port": x.Port, "pid": pid(x.Agent), "active": x.Active(), "deactivated": x.Deactivated, "version": Version,
		"registered_time": stamp(x.Registered), "attributes": x.Attributes, "resources": all, "unreserved_resources": all,
		"used_resources": plain(x.Used), "offered_resources": plain(mesos.Resources{}), "reserved_resources": map[string]any{}, "domain": domain(x.Agent),
		"capabilities": []string{"MULTI_ROLE", "RESERVATION_REFINEMENT", "AGENT_DRAINING"},
	}
	if d := x.Drain; d != nil {
		m["drain_info"] = map[string]any{"state": d.State, "config": map[string]any{"mark_gone": d.MarkGone}}
	}
	return m
}

func domain(x mesos.Agent) map[string]any {
	return map[string]any{"fault_domain": map[string]any{"region": map[string]string{"name": x.Region}, "zone": map[string]string{"name": x.Zone}}}
}

func plain(r mesos.Resources) map[string]any {
	m := map[string]any{"cpus": r.CPUs, "mem": r.Mem, "disk": r.Disk, "gpus": r.GPUs}
	if len(r.Ports) > 0 {
		var parts []string
		for _, p := range portsOf(r.Ports) {
			parts = append(parts, fmt.Sprintf("%d-%d", p.Begin, p.End))
		}
		m["ports"] = "[" + strings.Join(parts, ", ") + "]"
	}
	return m
}

func portsOf(ports []int) []mesos.Range {
	var out []mesos.Range
	for _, p := range slices.Sorted(slices.Values(ports)) {
		if n := len(out); n > 0 && out[n-1].End == p-1 {
			out[n-1].End = p
			continue
		}
		out = append(out, mesos.Range{Begin: p, End: p})
	}
	return out
}

// resourceList is the form of the operator API.
func resourceList(r mesos.Resources, ports ...mesos.Range) []any {
	out := []any{}
	for _, x := range []struct {
		name  string
		value float64
	}{{"cpus", r.CPUs}, {"mem", r.Mem}, {"disk", r.Disk}} {
		out = append(out, map[string]any{"name": x.name, "type": "SCALAR", "scalar": map[string]float64{"value": x.value}, "role": "*"})
	}
	if len(ports) > 0 {
		out = append(out, map[string]any{"name": "ports", "type": "RANGES", "ranges": map[string]any{"range": ports}, "role": "*"})
	}
	return out
}

func (a api) frameworkList() []any {
	list := []any{}
	all := a.c.Tasks()
	for _, f := range a.c.Frameworks() {
		live, done := []any{}, []any{}
		for _, t := range all {
			switch {
			case t.Framework != f.ID:
			case t.Now().State.Terminal():
				done = append(done, a.task(t))
			default:
				live = append(live, a.task(t))
			}
		}
		list = append(list, map[string]any{
			"id": f.ID, "name": f.Name, "user": "root", "active": true, "connected": true, "recovered": false, "checkpoint": true, "failover_timeout": 604800.0,
			"hostname": f.Hostname, "webui_url": f.WebUI, "role": "*", "roles": []string{"*"}, "registered_time": stamp(f.Registered), "unregistered_time": 0.0,
			"capabilities": []string{"PARTITION_AWARE", "MULTI_ROLE"}, "resources": plain(a.usedBy(f.ID)), "used_resources": plain(a.usedBy(f.ID)),
			"offered_resources": plain(mesos.Resources{}), "offers": []any{}, "executors": []any{}, "tasks": live, "completed_tasks": done, "unreachable_tasks": []any{},
		})
	}
	return list
}

func (a api) task(t mesos.Task) map[string]any {
	m := map[string]any{
		"id": t.ID, "name": t.Name, "framework_id": t.Framework, "executor_id": "", "slave_id": t.Agent, "state": t.Now().State, "role": "*",
		"resources": plain(t.Resources), "statuses": a.statusList(t, false), "labels": labelList(t.Labels), "discovery": discovery(t),
	}
	if c := container(t); c != nil {
		m["container"] = c
	}
	return m
}

func discovery(t mesos.Task) map[string]any {
	ports := []any{}
	for _, p := range t.Ports {
		x := map[string]any{"number": p.Number, "protocol": p.Protocol, "labels": map[string]any{"labels": labelList(p.Labels)}}
		if p.Name != "" {
			x["name"] = p.Name
		}
		ports = append(ports, x)
	}
	return map[string]any{"visibility": "FRAMEWORK", "name": t.Name, "ports": map[string]any{"ports": ports}}
}

func labelList(labels map[string]string) []any {
	out := []any{}
	for _, k := range keys(labels) {
		out = append(out, map[string]string{"key": k, "value": labels[k]})
	}
	return out
}

func container(t mesos.Task) map[string]any {
	switch {
	case t.Image == "":
		return nil
	case t.Docker:
		return map[string]any{"type": "DOCKER", "docker": map[string]any{"image": t.Image, "network": "HOST", "privileged": false}}
	}
	return map[string]any{"type": "MESOS", "mesos": map[string]any{"image": map[string]any{"type": "DOCKER", "docker": map[string]any{"name": t.Image}}}}
}

// statusList gives a task's statuses; the operator API has times in nanoseconds' terms too, but JSON gives seconds in both.
func (a api) statusList(t mesos.Task, operator bool) []any {
	address := ""
	for _, x := range a.c.Agents() {
		if x.ID == t.Agent {
			address = x.Address
		}
	}
	out := []any{}
	for _, s := range t.Statuses {
		if s.State == mesos.Staging {
			continue // Mesos lists what was reported by the executor
		}
		m := map[string]any{"state": s.State, "timestamp": stamp(s.At)}
		if s.Healthy != nil {
			m["healthy"] = *s.Healthy
		}
		if address != "" {
			m["container_status"] = map[string]any{
				"container_id":  map[string]string{"value": "mesos-" + t.ID},
				"network_infos": []any{map[string]any{"ip_addresses": []any{map[string]string{"protocol": "IPv4", "ip_address": address}}}},
			}
		}
		if operator {
			m["task_id"], m["agent_id"], m["source"] = value{t.ID}, value{t.Agent}, s.Source
			if s.Reason != "" {
				m["reason"] = s.Reason
			}
			if s.Message != "" {
				m["message"] = s.Message
			}
		}
		out = append(out, m)
	}
	return out
}

func (a api) roleList(operator bool) []any {
	var sum mesos.Resources
	names := []string{}
	for _, f := range a.c.Frameworks() {
		u := a.usedBy(f.ID)
		sum.CPUs, sum.Mem, sum.Disk, sum.Ports = sum.CPUs+u.CPUs, sum.Mem+u.Mem, sum.Disk+u.Disk, append(sum.Ports, u.Ports...)
		names = append(names, f.ID)
	}
	if operator {
		var ids []value
		for _, n := range names {
			ids = append(ids, value{n})
		}
		return []any{map[string]any{"name": "*", "weight": 1.0, "frameworks": ids, "resources": resourceList(sum, portsOf(sum.Ports)...)}}
	}
	return []any{map[string]any{"name": "*", "weight": 1.0, "frameworks": names, "resources": plain(sum)}}
}

func (a api) metrics(w http.ResponseWriter, _ *http.Request) { answer(w, a.metricValues()) }

// metricValues are the ones that dashboards of Mesos begin with.
func (a api) metricValues() map[string]float64 {
	_, _, started := a.c.Identity()
	m := map[string]float64{"master/elected": 1, "master/uptime_secs": sinceSeconds(started), "master/frameworks_active": float64(len(a.c.Frameworks()))}
	for _, state := range []string{"staging", "starting", "running", "killing", "finished", "failed", "killed", "lost", "gone_by_operator", "error"} {
		m["master/tasks_"+state] = 0
	}
	for _, t := range a.c.Tasks() {
		m["master/"+strings.ToLower(strings.Replace(string(t.Now().State), "TASK_", "tasks_", 1))]++
	}
	for _, x := range a.c.Agents() {
		if x.Active() {
			m["master/slaves_active"]++
		} else {
			m["master/slaves_inactive"]++
		}
		m["master/slaves_connected"]++
		m["master/cpus_total"] += x.CPUs
		m["master/cpus_used"] += x.Used.CPUs
		m["master/mem_total"] += x.Mem
		m["master/mem_used"] += x.Used.Mem
		m["master/disk_total"] += x.Disk
		m["master/disk_used"] += x.Used.Disk
	}
	for _, r := range []string{"cpus", "mem", "disk"} {
		if all := m["master/"+r+"_total"]; all > 0 {
			m["master/"+r+"_percent"] = m["master/"+r+"_used"] / all
		}
	}
	return m
}
