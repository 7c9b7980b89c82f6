package mesos_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tranship/tranship/internal/rollout/runner"
	"github.com/tranship/tranship/internal/rollout/runner/runnertest"
	"github.com/tranship/tranship/internal/world/mesos"
	"github.com/tranship/tranship/internal/world/wire"
)

type object = map[string]any

// master answers as a Mesos master does, for three agents.
type master struct {
	mu       sync.Mutex
	version  string
	tasks    map[string]int  // by agent
	draining map[string]bool // agents
	windows  []any
	down     []string // hosts
	left     int      // looks until what is killed has ended
	denied   bool
	cut      bool
	tear     bool
	changes  []string
}

var hosts = map[string]string{"S1": "full.example", "S2": "other.example", "S3": "empty.example"}

func newMaster(version string) *master {
	return &master{version: version, tasks: map[string]int{"S1": 2, "S2": 1, "S3": 0}, draining: map[string]bool{}}
}

func (m *master) isDown(agent string) bool { return slices.Contains(m.down, hosts[agent]) }

func (m *master) look() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.left--; m.left > 0 {
		return
	}
	for a := range m.draining {
		m.tasks[a] = 0
	}
}

func (m *master) launch(host string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	for a, h := range hosts {
		if h == host && !m.draining[a] && !m.isDown(a) {
			m.tasks[a]++
			return true
		}
	}
	return false
}

func (m *master) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.cut {
		panic(http.ErrAbortHandler)
	}
	var call object
	if r.Method != http.MethodPost || r.URL.Path != "/api/v1" || json.NewDecoder(r.Body).Decode(&call) != nil {
		http.Error(rw, "no call", http.StatusNotFound)
		return
	}
	kind := call["type"].(string)
	if strings.HasPrefix(kind, "GET_") {
		rw.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(rw).Encode(object{"type": kind, strings.ToLower(kind): m.get(kind)})
		return
	}
	m.changes = append(m.changes, kind)
	if m.denied {
		http.Error(rw, "Failed to validate: not authorized", http.StatusForbidden)
		return
	}
	body, _ := call[strings.ToLower(kind)].(object)
	why := m.change(kind, body)
	if m.tear {
		m.tear = false
		panic(http.ErrAbortHandler)
	}
	if why != "" {
		http.Error(rw, why, http.StatusBadRequest)
	}
}

func (m *master) get(kind string) any {
	switch kind {
	case "GET_VERSION":
		return object{"version_info": object{"version": m.version}}
	case "GET_AGENTS":
		var agents []any
		for _, id := range []string{"S1", "S2", "S3"} {
			if m.isDown(id) {
				continue
			}
			a := object{"active": true, "pid": "slave(1)@10.0.0." + id[1:] + ":5051", "agent_info": object{"id": object{"value": id}, "hostname": hosts[id]}}
			if m.draining[id] {
				a["drain_info"] = object{"state": "DRAINING"}
			}
			agents = append(agents, a)
		}
		return object{"agents": agents, "recovered_agents": []any{object{"id": object{"value": "S9"}, "hostname": "lost.example"}}}
	case "GET_TASKS":
		var tasks []any
		for id, n := range m.tasks {
			for range n {
				state := "TASK_RUNNING"
				if m.draining[id] {
					state = "TASK_KILLING"
				}
				tasks = append(tasks, object{"agent_id": object{"value": id}, "state": state})
			}
			tasks = append(tasks, object{"agent_id": object{"value": id}, "state": "TASK_FAILED"})
		}
		return object{"tasks": tasks, "completed_tasks": []any{object{"agent_id": object{"value": "S3"}, "state": "TASK_FINISHED"}}}
	case "GET_MAINTENANCE_STATUS":
		down := []any{}
		for _, h := range m.down {
			down = append(down, object{"hostname": h})
		}
		return object{"status": object{"down_machines": down}}
	case "GET_MAINTENANCE_SCHEDULE":
		return object{"schedule": object{"windows": m.windows}}
	}
	return object{}
}

func (m *master) change(kind string, body object) string {
	switch kind {
	case "DRAIN_AGENT":
		id := body["agent_id"].(object)["value"].(string)
		switch {
		case strings.HasPrefix(m.version, "1.8"):
			return "Failed to parse JSON into Call protobuf"
		case hosts[id] == "" && id != "S9":
			return "Unknown agent"
		case m.draining[id]:
			return "Agent is draining already"
		}
		m.draining[id], m.left = true, 3
	case "UPDATE_MAINTENANCE_SCHEDULE":
		windows := body["schedule"].(object)["windows"].([]any)
		if len(windows) < len(m.windows) {
			return "a window of somebody else is gone"
		}
		m.windows = windows
	case "START_MAINTENANCE":
		for _, x := range body["machines"].([]any) {
			host := x.(object)["hostname"].(string)
			text, _ := json.Marshal(m.windows)
			if !strings.Contains(string(text), `"`+host+`"`) || x.(object)["ip"] == nil {
				return "machine is not in the schedule"
			}
			if slices.Contains(m.down, host) {
				return "machine is not in DRAINING mode"
			}
			m.down = append(m.down, host)
			for id, h := range hosts {
				if h == host {
					m.tasks[id] = 0
				}
			}
		}
	default:
		return "call that does more than draining"
	}
	return ""
}

func (m *master) hosts(t *testing.T) *mesos.Hosts {
	t.Helper()
	s := httptest.NewServer(m)
	t.Cleanup(s.Close)
	c, err := wire.New(s.URL, wire.Options{Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return mesos.New(c, func() time.Time { return time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC) })
}

// TestHostsKeepTheirPromises by draining, and by the maintenance of older masters.
func TestHostsKeepTheirPromises(t *testing.T) {
	for _, version := range []string{"1.11.0", "1.9.0-rc1", "1.8.3"} {
		t.Run(version, func(t *testing.T) {
			runnertest.Hosts(t, func(t *testing.T) (runner.Hosts, runnertest.HostsWorld) {
				m := newMaster(version)
				set := func(f func()) {
					m.mu.Lock()
					defer m.mu.Unlock()
					f()
				}
				return m.hosts(t), runnertest.HostsWorld{
					Full: "full.example", Other: "other.example", Empty: "empty.example", Launch: m.launch,
					Await: func(done func() bool) bool {
						for range 20 {
							if done() {
								return true
							}
							m.look()
						}
						return false
					},
					Deny: func() { set(func() { m.denied = true }) },
					Tear: func() { set(func() { m.tear = true }) },
					Cut: func() func() {
						set(func() { m.cut = true })
						return func() { set(func() { m.cut = false }) }
					},
				}
			})
		})
	}
}

// TestWindowsOfOthersStayInTheSchedule: the schedule is replaced as a whole.
func TestWindowsOfOthersStayInTheSchedule(t *testing.T) {
	m := newMaster("1.8.3")
	m.windows = []any{object{"machine_ids": []any{object{"hostname": "elsewhere.example", "ip": "10.9.9.9"}}, "unavailability": object{"start": object{"nanoseconds": 1.0}, "duration": object{"nanoseconds": 2.0}}}}
	if err := m.hosts(t).Drain(t.Context(), []string{"full.example"}); err != nil {
		t.Fatal(err)
	}
	text, _ := json.Marshal(m.windows)
	for _, want := range []string{"elsewhere.example", "10.9.9.9", `"duration":{"nanoseconds":2}`, "full.example", "10.0.0.1"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("schedule %s, want %s in it", text, want)
		}
	}
}

// TestAnAgentThatHasNotComeBackIsDrainedToo once the master knows it by its ID;
// maintenance would need its address.
func TestAnAgentThatHasNotComeBackIsDrainedToo(t *testing.T) {
	m := newMaster("1.11.0")
	if err := m.hosts(t).Drain(t.Context(), []string{"lost.example"}); err != nil || !m.draining["S9"] {
		t.Errorf("Drain = %v, want the agent draining", err)
	}
	old := newMaster("1.8.3")
	if err := old.hosts(t).Drain(t.Context(), []string{"lost.example"}); !errors.Is(err, runner.ErrRefused) {
		t.Errorf("Drain by maintenance = %v, want a refusal", err)
	}
}

// TestNothingIsAskedOfNoHost.
func TestNothingIsAskedOfNoHost(t *testing.T) {
	m := newMaster("1.11.0")
	m.cut = true
	if err := m.hosts(t).Drain(t.Context(), nil); err != nil {
		t.Errorf("Drain of no host = %v", err)
	}
}
