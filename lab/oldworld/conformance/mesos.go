package conformance

import (
	"errors"
	"fmt"
	"strings"
)

func (t *T) call(body string) answer { return t.do(t.Mesos, "POST", "/api/v1", body) }

func (t *T) wantCall(kind string, values map[string]any) func() error {
	return func() error {
		values["/type"] = kind
		return t.call(`{"type":"`+kind+`"}`).is(200, values)
	}
}

var mesos = []Check{
	{Name: "the state holds agents, frameworks and tasks", From: "docs/endpoints/master/state", Run: func(t *T) error {
		return steps(
			t.want("PUT", "/v2/apps/%s/seen", `{"cmd":"exec sleep 1000","cpus":0.01,"mem":32,"labels":{"a":"b"},"portDefinitions":[{"port":0,"name":"http"}]}`, 201, nil),
			t.deployed,
			func() error {
				for _, path := range []string{"/master/state", "/state"} {
					a := t.do(t.Mesos, "GET", path, "")
					if err := a.is(200, m{
						"/version": anything{}, "/leader": anything{}, "/slaves/0/id": anything{}, "/slaves/0/hostname": anything{}, "/slaves/0/pid": has("slave(1)@"),
						"/slaves/0/resources/cpus": anything{}, "/slaves/0/used_resources/mem": anything{}, "/slaves/0/attributes": anything{}, "/slaves/0/active": true,
						"/slaves/0/domain/fault_domain/zone/name": anything{}, "/flags": anything{}, "/orphan_tasks": []any{},
					}); err != nil {
						return err
					}
					if err := t.seen(a); err != nil {
						return err
					}
				}
				return nil
			},
			func() error { return t.do(t.Mesos, "GET", "/master/slaves", "").is(200, m{"/slaves/0/id": anything{}}) },
			func() error {
				return t.do(t.Mesos, "GET", "/master/tasks", "").is(200, m{"/tasks/0/id": anything{}, "/tasks/0/slave_id": anything{}})
			},
			func() error {
				return t.do(t.Mesos, "GET", "/metrics/snapshot", "").is(200, m{"/master~1tasks_running": anything{}, "/master~1cpus_total": anything{}, "/master~1slaves_active": anything{}})
			},
		)
	}},
	{Name: "the operator API answers each call by its own message", From: "mesos.v1.master.Call, Response", Run: func(t *T) error {
		return steps(
			t.wantCall("GET_HEALTH", m{"/get_health/healthy": true}),
			t.wantCall("GET_VERSION", m{"/get_version/version_info/version": anything{}}),
			t.wantCall("GET_FLAGS", m{"/get_flags/flags/0/name": anything{}, "/get_flags/flags/0/value": anything{}}),
			t.wantCall("GET_AGENTS", m{
				"/get_agents/agents/0/agent_info/id/value": anything{}, "/get_agents/agents/0/agent_info/hostname": anything{}, "/get_agents/agents/0/active": true,
				"/get_agents/agents/0/total_resources/0/name": anything{}, "/get_agents/agents/0/total_resources/0/scalar/value": anything{}, "/get_agents/agents/0/pid": has("slave(1)@"),
				"/get_agents/agents/0/registered_time/nanoseconds": anything{},
			}),
			t.wantCall("GET_FRAMEWORKS", m{"/get_frameworks/frameworks/0/framework_info/name": anything{}, "/get_frameworks/frameworks/0/framework_info/id/value": anything{}}),
			t.wantCall("GET_TASKS", m{"/get_tasks": anything{}}),
			t.wantCall("GET_ROLES", m{"/get_roles/roles/0/name": anything{}, "/get_roles/roles/0/weight": 1}),
			t.wantCall("GET_STATE", m{"/get_state/get_agents/agents/0/version": anything{}, "/get_state/get_tasks": anything{}, "/get_state/get_frameworks": anything{}}),
			t.wantCall("GET_QUOTA", m{"/get_quota/status": anything{}}),
			t.wantCall("GET_WEIGHTS", m{"/get_weights": anything{}}),
			t.wantCall("GET_MAINTENANCE_SCHEDULE", m{"/get_maintenance_schedule/schedule": anything{}}),
			t.wantCall("GET_MAINTENANCE_STATUS", m{"/get_maintenance_status/status": anything{}}),
			func() error { return t.call(`{}`).is(400, nil) },
			func() error { return t.call(`{"type":`).is(400, nil) },
			func() error { return t.call(`{"type":"DRAIN_AGENT"}`).is(400, nil) },
			func() error {
				return t.call(`{"type":"DRAIN_AGENT","drain_agent":{"agent_id":{"value":"none"}}}`).is(400, nil)
			},
			func() error {
				return t.call(`{"type":"START_MAINTENANCE","start_maintenance":{"machines":[{"hostname":"none"}]}}`).is(400, nil)
			},
		)
	}},
	{Name: "an agent that is drained loses its tasks, which start elsewhere, until it is taken back", From: "DrainAgent, ReactivateAgent, DrainInfo", Disrupts: true, Run: func(t *T) error {
		var agent string
		on := func() string {
			return text(at(t.marathon("GET", "/v2/apps/%s/moved/tasks", "").body, "/tasks/0/slaveId"))
		}
		drain := func() string { return `{"agent_id":{"value":"` + agent + `"}` }
		return steps(
			t.want("PUT", "/v2/apps/%s/moved", sleeper("moved", ""), 201, nil),
			t.deployed,
			func() error { agent = on(); return nil },
			func() error {
				return t.call(`{"type":"DRAIN_AGENT","drain_agent":`+drain()+`,"max_grace_period":{"seconds":5},"mark_gone":false}}`).is(200, nil)
			},
			func() error {
				return t.await("the task to be elsewhere, and the drain to end", func() error {
					if now := on(); now == agent || now == "" || len(t.tasks("%s/moved")) != 1 {
						return fmt.Errorf("the task is on %q", now)
					}
					if s := text(at(t.agent(agent), "/drain_info/state")); s != "DRAINED" {
						return fmt.Errorf("the drain is %q", s)
					}
					return nil
				})
			},
			func() error {
				if a := t.agent(agent); at(a, "/deactivated") != true {
					return fmt.Errorf("a drained agent is %.300s, want it deactivated", text(a))
				}
				return t.call(`{"type":"REACTIVATE_AGENT","reactivate_agent":`+drain()+`}}`).is(200, nil)
			},
			func() error {
				if a := t.agent(agent); at(a, "/drain_info") != nil || at(a, "/deactivated") == true {
					return fmt.Errorf("an agent that was taken back is %.300s", text(a))
				}
				return nil
			},
			func() error {
				return t.call(`{"type":"DEACTIVATE_AGENT","deactivate_agent":`+drain()+`}}`).is(200, nil)
			},
			func() error {
				return t.call(`{"type":"REACTIVATE_AGENT","reactivate_agent":`+drain()+`}}`).is(200, nil)
			},
		)
	}},
	{Name: "a machine goes through scheduled, down and up again", From: "docs/maintenance.md, maintenance.proto", Disrupts: true, Run: func(t *T) error {
		var machine string
		schedule := func(windows string) func() error {
			return func() error {
				return t.call(`{"type":"UPDATE_MAINTENANCE_SCHEDULE","update_maintenance_schedule":{"schedule":{"windows":[`+windows+`]}}}`).is(200, nil)
			}
		}
		return steps(
			func() error {
				a := t.call(`{"type":"GET_AGENTS"}`)
				_, at1, _ := strings.Cut(text(at(a.body, "/get_agents/agents/0/pid")), "@")
				ip, _, _ := strings.Cut(at1, ":")
				machine = `{"hostname":"` + text(at(a.body, "/get_agents/agents/0/agent_info/hostname")) + `","ip":"` + ip + `"}`
				return nil
			},
			// A window that begins in a hundred years keeps nobody from anything.
			func() error {
				return schedule(`{"machine_ids":[` + machine + `],"unavailability":{"start":{"nanoseconds":4951000000000000000},"duration":{"nanoseconds":3600000000000}}}`)()
			},
			t.wantCall("GET_MAINTENANCE_SCHEDULE", m{
				"/get_maintenance_schedule/schedule/windows/0/machine_ids/0/hostname": anything{}, "/get_maintenance_schedule/schedule/windows/0/unavailability/start/nanoseconds": anything{},
			}),
			t.wantCall("GET_MAINTENANCE_STATUS", m{"/get_maintenance_status/status/draining_machines/0/id/hostname": anything{}}),
			func() error {
				return t.call(`{"type":"START_MAINTENANCE","start_maintenance":{"machines":[`+machine+`]}}`).is(200, nil)
			},
			t.wantCall("GET_MAINTENANCE_STATUS", m{"/get_maintenance_status/status/down_machines/0/hostname": anything{}}),
			func() error {
				return t.call(`{"type":"STOP_MAINTENANCE","stop_maintenance":{"machines":[`+machine+`]}}`).is(200, nil)
			},
			t.wantCall("GET_MAINTENANCE_STATUS", m{"/get_maintenance_status/status/down_machines/0": nil}),
			schedule(""),
		)
	}},
}

func (t *T) agent(id string) any {
	for _, a := range t.call(`{"type":"GET_AGENTS"}`).in("/get_agents/agents") {
		if text(at(a, "/agent_info/id/value")) == id {
			return a
		}
	}
	return nil
}

// seen finds the app's task in a state.
func (t *T) seen(a answer) error {
	for _, f := range a.in("/frameworks") {
		if text(at(f, "/name")) != "marathon" {
			continue
		}
		list, _ := at(f, "/tasks").([]any)
		for _, x := range list {
			if strings.HasPrefix(text(at(x, "/id")), t.Name+"_seen.") {
				return answer{asked: a.asked, status: 200, body: x, raw: text(x)}.is(200, m{
					"/state": "TASK_RUNNING", "/name": "seen." + t.Name, "/slave_id": anything{}, "/framework_id": anything{}, "/resources/cpus": 0.01, "/resources/ports": has("["),
					"/statuses/0/container_status/network_infos/0/ip_addresses/0/ip_address": anything{}, "/labels/0": m{"key": "a", "value": "b"},
					"/discovery/ports/ports/0/name": "http",
				})
			}
		}
	}
	return errors.New(a.asked + " has no task of the app")
}
