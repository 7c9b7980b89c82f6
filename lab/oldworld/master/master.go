// Package master is the HTTP interface of Mesos: the master's state and operator API, and what each agent tells of itself.
//
// Input: requests. Output: what package mesos knows, in the words of the JSON endpoints and of mesos.v1.master's messages.
// It never keeps anything itself.
package master

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/tranship/tranship/lab/oldworld/mesos"
)

// Version is that of Mesos whose API is spoken.
const Version = "1.11.0"

type api struct {
	c       *mesos.Cluster
	address string // host:port of the master
}

// Handler serves the master of a cluster.
func Handler(c *mesos.Cluster, address string) http.Handler {
	a := api{c, address}
	mux := http.NewServeMux()
	for path, h := range map[string]http.HandlerFunc{
		"state": a.state, "state.json": a.state, "slaves": a.slaves, "tasks": a.tasks, "frameworks": a.frameworks, "flags": a.flags,
		"roles": a.roles, "state-summary": a.summary,
	} {
		mux.HandleFunc("GET /master/"+path, h)
		mux.HandleFunc("GET /"+path, h)
	}
	healthy := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }
	mux.HandleFunc("GET /health", healthy)
	mux.HandleFunc("GET /master/health", healthy)
	mux.HandleFunc("GET /version", func(w http.ResponseWriter, _ *http.Request) { answer(w, version()) })
	mux.HandleFunc("GET /metrics/snapshot", a.metrics)
	mux.HandleFunc("POST /api/v1", a.call)
	mux.HandleFunc("POST /master/api/v1", a.call)
	return mux
}

func answer(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(body); err != nil {
		return // who asked has gone
	}
}

func version() map[string]any {
	return map[string]any{"version": Version, "build_user": "oldworld", "build_date": "2026-11-28 00:00:00", "build_time": 1795824000.0}
}

func flags(c *mesos.Cluster) map[string]string {
	_, name, _ := c.Identity()
	return map[string]string{
		"agent_ping_timeout": "15secs", "agent_reregister_timeout": "10mins", "allocation_interval": "1secs", "authenticate_agents": "false",
		"authenticate_frameworks": "false", "cluster": name, "max_agent_ping_timeouts": "5", "quorum": "1", "registry": "replicated_log", "version": "false",
	}
}

// AgentFlags are those of an agent: CPU is given by shares, memory is held to its limit.
func AgentFlags(a mesos.Agent) map[string]string {
	return map[string]string{
		"attributes": attributeText(a), "cgroups_enable_cfs": "false", "containerizers": "docker,mesos", "hostname": a.Hostname, "ip": a.Address,
		"isolation": "posix/cpu,cgroups/mem", "launcher": "posix", "port": fmt.Sprint(a.Port), "recover": "reconnect", "strict": "true",
		"resources": fmt.Sprintf("cpus:%v;mem:%v;disk:%v;ports:[%d-%d]", a.CPUs, a.Mem, a.Disk, a.Ports.Begin, a.Ports.End),
	}
}

func attributeText(a mesos.Agent) string {
	var parts []string
	for _, k := range keys(a.Attributes) {
		parts = append(parts, k+":"+a.Attributes[k])
	}
	return strings.Join(parts, ";")
}

// AgentHandler serves what an agent tells at its own address.
func AgentHandler(c *mesos.Cluster, agent mesos.Agent) http.Handler {
	mux := http.NewServeMux()
	id := func() string {
		for _, a := range c.Agents() {
			if a.Hostname == agent.Hostname {
				return a.ID
			}
		}
		return agent.ID
	}
	statistics := func(w http.ResponseWriter, _ *http.Request) {
		out := []any{}
		for _, s := range c.Statistics(id()) {
			out = append(out, map[string]any{
				"executor_id": s.Task.ID, "executor_name": "Command Executor (Task: " + s.Task.ID + ")", "framework_id": s.Task.Framework,
				"source": s.Task.ID, "container_id": "mesos-" + s.Task.ID,
				"statistics": map[string]any{
					"timestamp": stamp(s.At), "cpus_limit": s.Task.Resources.CPUs, "cpus_user_time_secs": s.UserSecs, "cpus_system_time_secs": s.SystemSecs,
					"mem_limit_bytes": int64(s.Task.Resources.Mem * (1 << 20)), "mem_rss_bytes": s.RSS, "mem_total_bytes": s.RSS, "processes": s.Processes,
				},
			})
		}
		answer(w, out)
	}
	mux.HandleFunc("GET /monitor/statistics", statistics)
	mux.HandleFunc("GET /monitor/statistics.json", statistics)
	mux.HandleFunc("GET /containers", statistics)
	mux.HandleFunc("GET /slave(1)/monitor/statistics", statistics)
	told := func(w http.ResponseWriter, _ *http.Request) { answer(w, map[string]any{"flags": AgentFlags(agent)}) }
	mux.HandleFunc("GET /flags", told)
	mux.HandleFunc("GET /slave(1)/flags", told)
	mux.HandleFunc("GET /version", func(w http.ResponseWriter, _ *http.Request) { answer(w, version()) })
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	mux.HandleFunc("POST /api/v1", func(w http.ResponseWriter, r *http.Request) {
		call, ok := read(w, r)
		if !ok {
			return
		}
		switch call.Type {
		case "GET_FLAGS":
			answer(w, map[string]any{"type": call.Type, "get_flags": map[string]any{"flags": flagList(AgentFlags(agent))}})
		case "GET_HEALTH":
			answer(w, map[string]any{"type": call.Type, "get_health": map[string]any{"healthy": true}})
		case "GET_VERSION":
			answer(w, map[string]any{"type": call.Type, "get_version": map[string]any{"version_info": version()}})
		default:
			http.Error(w, "call "+call.Type+" is not served by this double", http.StatusNotImplemented)
		}
	})
	return mux
}

// call is mesos.v1.master.Call, as far as it is served.
type call struct {
	Type   string `json:"type"`
	Update *struct {
		Schedule *struct {
			Windows []window `json:"windows"`
		} `json:"schedule"`
	} `json:"update_maintenance_schedule"`
	Start *machines `json:"start_maintenance"`
	Stop  *machines `json:"stop_maintenance"`
	Drain *struct {
		AgentID  value    `json:"agent_id"`
		MaxGrace duration `json:"max_grace_period"`
		MarkGone bool     `json:"mark_gone"`
	} `json:"drain_agent"`
	Deactivate *agentCall `json:"deactivate_agent"`
	Reactivate *agentCall `json:"reactivate_agent"`
	Gone       *agentCall `json:"mark_agent_gone"`
}

type value struct {
	Value string `json:"value"`
}

type agentCall struct {
	AgentID value `json:"agent_id"`
}

type machines struct {
	Machines []mesos.Machine `json:"machines"`
}

type nanoseconds struct {
	Nanoseconds int64 `json:"nanoseconds"`
}

type window struct {
	Machines       []mesos.Machine `json:"machine_ids"`
	Unavailability struct {
		Start    nanoseconds  `json:"start"`
		Duration *nanoseconds `json:"duration,omitempty"`
	} `json:"unavailability"`
}

// duration is google.protobuf.Duration: "30s" in its own JSON, {"seconds": 30} in that of Mesos.
type duration struct {
	given bool
	d     time.Duration
}

// UnmarshalJSON reads either form.
func (d *duration) UnmarshalJSON(text []byte) error {
	var parts struct {
		Seconds     float64 `json:"seconds"`
		Nanos       int64   `json:"nanos"`
		Nanoseconds int64   `json:"nanoseconds"`
	}
	var word string
	switch {
	case string(text) == "null":
		return nil
	case json.Unmarshal(text, &word) == nil:
		parsed, err := time.ParseDuration(word)
		if err != nil {
			return fmt.Errorf("duration %q: %w", word, err)
		}
		d.d = parsed
	default:
		if err := json.Unmarshal(text, &parts); err != nil {
			return err
		}
		d.d = time.Duration(parts.Seconds*float64(time.Second)) + time.Duration(parts.Nanos+parts.Nanoseconds)
	}
	d.given = true
	return nil
}

func read(w http.ResponseWriter, r *http.Request) (call, bool) {
	var c call
	kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
	switch strings.TrimSpace(kind) {
	case "":
		http.Error(w, "Expecting 'Content-Type' to be present", http.StatusBadRequest)
		return c, false
	case "application/json":
	default:
		http.Error(w, "Expecting 'Content-Type' of application/json", http.StatusUnsupportedMediaType)
		return c, false
	}
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err != nil {
		http.Error(w, "Failed to parse body into JSON: "+err.Error(), http.StatusBadRequest)
		return c, false
	}
	if c.Type == "" {
		http.Error(w, "Failed to validate master::Call: Expecting 'type' to be present", http.StatusBadRequest)
		return c, false
	}
	return c, true
}
