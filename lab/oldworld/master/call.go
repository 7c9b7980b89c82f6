package master

import (
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/tranship/tranship/lab/oldworld/mesos"
)

// call answers a call of the operator API. Those that read are answered by a message, those that change
// something by an empty 200.
func (a api) call(w http.ResponseWriter, r *http.Request) {
	c, ok := read(w, r)
	if !ok {
		return
	}
	field, body := a.get(c.Type)
	if field != "" {
		answer(w, map[string]any{"type": c.Type, field: body})
		return
	}
	known, err := a.change(c)
	switch {
	case !known:
		http.Error(w, "call "+c.Type+" is not served by this double", http.StatusNotImplemented)
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadRequest)
	default:
		w.WriteHeader(http.StatusOK)
	}
}

func (a api) get(kind string) (field string, body any) {
	switch kind {
	case "GET_HEALTH":
		return "get_health", map[string]any{"healthy": true}
	case "GET_FLAGS":
		return "get_flags", map[string]any{"flags": flagList(flags(a.c))}
	case "GET_VERSION":
		return "get_version", map[string]any{"version_info": version()}
	case "GET_METRICS":
		list := []any{}
		m := a.metricValues()
		for _, k := range keys(m) {
			list = append(list, map[string]any{"name": k, "value": m[k]})
		}
		return "get_metrics", map[string]any{"metrics": list}
	case "GET_LOGGING_LEVEL":
		return "get_logging_level", map[string]any{"level": 0}
	case "GET_MASTER":
		_, _, started := a.c.Identity()
		return "get_master", map[string]any{"master_info": a.masterInfo(), "start_time": stamp(started), "elected_time": stamp(started)}
	case "GET_AGENTS":
		return "get_agents", a.getAgents()
	case "GET_TASKS":
		return "get_tasks", a.getTasks()
	case "GET_FRAMEWORKS":
		return "get_frameworks", a.getFrameworks()
	case "GET_EXECUTORS":
		return "get_executors", map[string]any{"executors": []any{}} // command executors are not listed, as in Mesos
	case "GET_OPERATIONS":
		return "get_operations", map[string]any{"operations": []any{}}
	case "GET_STATE":
		return "get_state", map[string]any{
			"get_tasks": a.getTasks(), "get_executors": map[string]any{"executors": []any{}}, "get_frameworks": a.getFrameworks(), "get_agents": a.getAgents(),
		}
	case "GET_ROLES":
		return "get_roles", map[string]any{"roles": a.roleList(true)}
	case "GET_WEIGHTS":
		return "get_weights", map[string]any{"weight_infos": []any{}}
	case "GET_QUOTA":
		return "get_quota", map[string]any{"status": map[string]any{"infos": []any{}}}
	case "GET_MAINTENANCE_SCHEDULE":
		windows, _ := a.c.Schedule()
		list := []window{}
		for _, x := range windows {
			y := window{Machines: x.Machines}
			y.Unavailability.Start.Nanoseconds = x.Start
			if x.Duration != 0 {
				y.Unavailability.Duration = &nanoseconds{x.Duration}
			}
			list = append(list, y)
		}
		return "get_maintenance_schedule", map[string]any{"schedule": map[string]any{"windows": list}}
	case "GET_MAINTENANCE_STATUS":
		windows, down := a.c.Schedule()
		draining := []any{}
		for _, x := range windows {
			for _, m := range x.Machines {
				if !slices.Contains(down, m) {
					draining = append(draining, map[string]any{"id": m})
				}
			}
		}
		if down == nil {
			down = []mesos.Machine{}
		}
		return "get_maintenance_status", map[string]any{"status": map[string]any{"draining_machines": draining, "down_machines": down}}
	}
	return "", nil
}

// change carries out a call that changes something.
func (a api) change(c call) (known bool, err error) {
	missing := func(field string) (bool, error) {
		return true, fmt.Errorf("Failed to validate master::Call: Expecting '%s' to be present", field) //nolint:staticcheck // Mesos' own words
	}
	switch c.Type {
	case "UPDATE_MAINTENANCE_SCHEDULE":
		if c.Update == nil || c.Update.Schedule == nil {
			return missing("update_maintenance_schedule")
		}
		var windows []mesos.Window
		for _, x := range c.Update.Schedule.Windows {
			y := mesos.Window{Machines: x.Machines, Start: x.Unavailability.Start.Nanoseconds}
			if d := x.Unavailability.Duration; d != nil {
				y.Duration = d.Nanoseconds
			}
			windows = append(windows, y)
		}
		return true, a.c.SetSchedule(windows)
	case "START_MAINTENANCE":
		if c.Start == nil {
			return missing("start_maintenance")
		}
		return true, a.c.StartMaintenance(c.Start.Machines)
	case "STOP_MAINTENANCE":
		if c.Stop == nil {
			return missing("stop_maintenance")
		}
		return true, a.c.StopMaintenance(c.Stop.Machines)
	case "DRAIN_AGENT":
		if c.Drain == nil {
			return missing("drain_agent")
		}
		return true, a.c.DrainAgent(c.Drain.AgentID.Value, c.Drain.MaxGrace.d, c.Drain.MaxGrace.given, c.Drain.MarkGone)
	case "DEACTIVATE_AGENT":
		if c.Deactivate == nil {
			return missing("deactivate_agent")
		}
		return true, a.c.Deactivate(c.Deactivate.AgentID.Value)
	case "REACTIVATE_AGENT":
		if c.Reactivate == nil {
			return missing("reactivate_agent")
		}
		return true, a.c.Reactivate(c.Reactivate.AgentID.Value)
	case "MARK_AGENT_GONE":
		if c.Gone == nil {
			return missing("mark_agent_gone")
		}
		return true, a.c.MarkGone(c.Gone.AgentID.Value)
	}
	return false, nil
}

func flagList(flags map[string]string) []any {
	var out []any
	for _, k := range keys(flags) {
		out = append(out, map[string]string{"name": k, "value": flags[k]})
	}
	return out
}

func (a api) getAgents() map[string]any {
	list := []any{}
	for _, x := range a.c.Agents() {
		m := map[string]any{
			"agent_info": map[string]any{
				"id": value{x.ID}, "hostname": x.Hostname, "port": x.Port, "attributes": attributeList(x.Agent), "resources": resourceList(total(x), x.Ports),
				"domain": domain(x.Agent),
			},
			"active": x.Active(), "deactivated": x.Deactivated, "version": Version, "pid": pid(x.Agent),
			"registered_time": nanoseconds{x.Registered.UnixNano()}, "total_resources": resourceList(total(x), x.Ports),
			"allocated_resources": resourceList(x.Used, portsOf(x.Used.Ports)...), "offered_resources": []any{},
			"capabilities": []map[string]string{{"type": "MULTI_ROLE"}, {"type": "RESERVATION_REFINEMENT"}, {"type": "AGENT_DRAINING"}},
		}
		if d := x.Drain; d != nil {
			config := map[string]any{"mark_gone": d.MarkGone}
			if d.Limited {
				config["max_grace_period"] = nanoseconds{int64(d.MaxGrace)}
			}
			m["drain_info"] = map[string]any{"state": d.State, "config": config}
			m["estimated_drain_start_time"] = nanoseconds{d.Began.UnixNano()}
		}
		list = append(list, m)
	}
	return map[string]any{"agents": list, "recovered_agents": []any{}}
}

func attributeList(a mesos.Agent) []any {
	out := []any{}
	for _, k := range keys(a.Attributes) {
		out = append(out, map[string]any{"name": k, "type": "TEXT", "text": value{a.Attributes[k]}})
	}
	return out
}

func (a api) getTasks() map[string]any {
	live, done := []any{}, []any{}
	for _, t := range a.c.Tasks() {
		m := map[string]any{
			"name": t.Name, "task_id": value{t.ID}, "framework_id": value{t.Framework}, "agent_id": value{t.Agent}, "state": t.Now().State,
			"resources": resourceList(t.Resources, portsOf(t.Resources.Ports)...), "statuses": a.statusList(t, true), "status_update_state": t.Now().State,
			"labels": map[string]any{"labels": labelList(t.Labels)}, "discovery": discovery(t),
			"kill_policy": map[string]any{"grace_period": nanoseconds{int64(t.Grace)}},
		}
		if c := container(t); c != nil {
			m["container"] = c
		}
		if t.Now().State.Terminal() {
			done = append(done, m)
		} else {
			live = append(live, m)
		}
	}
	return map[string]any{"tasks": live, "completed_tasks": done}
}

func (a api) getFrameworks() map[string]any {
	list := []any{}
	for _, f := range a.c.Frameworks() {
		list = append(list, map[string]any{
			"framework_info": map[string]any{
				"id": value{f.ID}, "name": f.Name, "user": "root", "hostname": f.Hostname, "webui_url": f.WebUI, "checkpoint": true,
				"failover_timeout": 604800.0, "roles": []string{"*"}, "capabilities": []map[string]string{{"type": "PARTITION_AWARE"}, {"type": "MULTI_ROLE"}},
			},
			"active": true, "connected": true, "recovered": false, "registered_time": nanoseconds{f.Registered.UnixNano()},
			"allocated_resources": resourceList(a.usedBy(f.ID), portsOf(a.usedBy(f.ID).Ports)...), "offered_resources": []any{},
		})
	}
	return map[string]any{"frameworks": list, "completed_frameworks": []any{}}
}

func (a api) usedBy(framework string) mesos.Resources {
	var sum mesos.Resources
	for _, t := range a.c.Tasks() {
		if t.Framework == framework && !t.Now().State.Terminal() {
			sum.CPUs += t.Resources.CPUs
			sum.Mem += t.Resources.Mem
			sum.Disk += t.Resources.Disk
			sum.Ports = append(sum.Ports, t.Resources.Ports...)
		}
	}
	return sum
}

func stamp(t time.Time) float64 { return float64(t.UnixNano()) / 1e9 }

func sinceSeconds(t time.Time) float64 { return time.Since(t).Seconds() }
