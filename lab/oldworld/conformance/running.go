package conformance

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// quick is a check by a command, of a task that is looked at every second.
func quick(command string, more string) string {
	return `"healthChecks":[{"protocol":"COMMAND","command":{"value":"` + command + `"},"intervalSeconds":1,"delaySeconds":0,"gracePeriodSeconds":60` + more + `}]`
}

var running = []Check{
	{Name: "a task is told of itself, its app and its ports by its environment", From: "task-environment-vars.md, EnvironmentHelper.scala", Run: func(t *T) error {
		// A check by command has the task's environment: it is healthy when all is as it should be.
		test := `test \"$MARATHON_APP_ID\" = /%s/env && test -n \"$MESOS_TASK_ID\" && test -n \"$HOST\" && test -d \"$MESOS_SANDBOX\" && test -n \"$MARATHON_APP_VERSION\"` +
			` && test \"$PORT\" = \"$PORT0\" && test \"$PORTS\" = \"$PORT0,$PORT1\" && test \"$PORT_WEB\" = \"$PORT0\" && test \"$PORT_11998\" = \"$PORT1\"` +
			` && test \"$MARATHON_APP_RESOURCE_CPUS\" = 0.01 && test \"$MARATHON_APP_RESOURCE_MEM\" = 32.0 && test \"$MARATHON_APP_LABEL_TEAM_NAME\" = x` +
			` && test \"$MARATHON_APP_LABELS\" = TEAM_NAME && test \"$OWN\" = 'a $(b)' && test $PORT0 -gt 1024`
		return steps(
			t.want("PUT", "/v2/apps/%s/env", `{"cmd":"exec sleep 1000","cpus":0.01,"mem":32,"env":{"OWN":"a $(b)"},"labels":{"team-name":"x"},
				"portDefinitions":[{"port":0,"name":"web"},{"port":11998}],`+quick(test, "")+`}`, 201, nil),
			t.deployed,
			t.want("GET", "/v2/apps/%s/env", "", 200, m{"/app/tasksHealthy": 1}),
		)
	}},
	{Name: "arguments are run without a shell", From: "app.raml args", Run: func(t *T) error {
		return steps(
			t.want("PUT", "/v2/apps/%s/args", `{"args":["/bin/sleep","1000"],"cpus":0.01,"mem":32,"portDefinitions":[]}`, 201, nil),
			t.deployed,
			t.want("GET", "/v2/apps/%s/args", "", 200, m{"/app/tasksRunning": 1}),
		)
	}},
	{Name: "a task that is not healthy any more is replaced", From: "health-checks.md, healthCheck.raml", Run: func(t *T) error {
		var before []string
		return steps(
			// Healthy for as long as the file is young: the first tasks become ill, as every one after them.
			t.want("PUT", "/v2/apps/%s/ill", `{"cmd":"touch well; sleep 4; rm well; exec sleep 1000","cpus":0.01,"mem":32,"portDefinitions":[],`+
				quick(`test -f $MESOS_SANDBOX/well`, `,"maxConsecutiveFailures":2`)+`}`, 201, nil),
			t.deployed,
			func() error { before = t.tasks("%s/ill"); return nil },
			t.want("GET", "/v2/apps/%s/ill", "", 200, m{
				"/app/tasks/0/healthCheckResults/0/alive": true, "/app/tasks/0/healthCheckResults/0/firstSuccess": anything{}, "/app/tasks/0/healthCheckResults/0/consecutiveFailures": 0,
			}),
			func() error {
				return t.await("another task", func() error {
					now := t.tasks("%s/ill")
					if len(now) == 1 && !slices.Equal(now, before) {
						return nil
					}
					return fmt.Errorf("tasks are %v", now)
				})
			},
		)
	}},
	{Name: "failures are not counted before the first success, for the grace period", From: "healthCheck.raml gracePeriodSeconds", Run: func(t *T) error {
		var before []string
		return steps(
			t.want("PUT", "/v2/apps/%s/slow", `{"cmd":"sleep 4; touch well; exec sleep 1000","cpus":0.01,"mem":32,"portDefinitions":[],`+
				quick(`test -f $MESOS_SANDBOX/well`, `,"maxConsecutiveFailures":1`)+`}`, 201, nil),
			func() error {
				return t.await("the task", func() error {
					if before = t.tasks("%s/slow"); len(before) != 1 {
						return errors.New("it does not run")
					}
					return nil
				})
			},
			t.deployed,
			func() error {
				if now := t.tasks("%s/slow"); !slices.Equal(now, before) {
					return fmt.Errorf("tasks are %v, want the first one, %v", now, before)
				}
				return nil
			},
		)
	}},
	{Name: "a task that ignores SIGTERM is killed after its grace", From: "app.raml taskKillGracePeriodSeconds", Run: func(t *T) error {
		var began time.Time
		return steps(
			t.want("PUT", "/v2/apps/%s/deaf", `{"cmd":"trap '' TERM; while true; do sleep 0.1; done","cpus":0.01,"mem":32,"portDefinitions":[],"taskKillGracePeriodSeconds":2}`, 201, nil),
			t.deployed,
			func() error { began = time.Now(); return nil },
			t.want("PUT", "/v2/apps/%s/deaf", `{"instances":0}`, 200, nil),
			t.deployed,
			func() error {
				if took := time.Since(began); took < 2*time.Second || took > 10*time.Second {
					return fmt.Errorf("it took %s, want a little over 2s", took)
				}
				return nil
			},
		)
	}},
	{Name: "a task that is killed is replaced; with scale it is not", From: "apps.raml /tasks DELETE, tasks.raml /delete", Run: func(t *T) error {
		var before []string
		return steps(
			t.want("PUT", "/v2/apps/%s/shot", sleeper("shot", `"instances":2`), 201, nil),
			t.deployed,
			func() error { before = t.tasks("%s/shot"); return nil },
			t.want("DELETE", "/v2/apps/%s/shot/tasks?scale=true&wipe=true", "", 400, m{"/message": "You cannot use scale and wipe at the same time."}),
			t.want("DELETE", "/v2/apps/%s/shot/tasks/none", "", 404, nil),
			func() error {
				return t.marathon("DELETE", "/v2/apps/%s/shot/tasks/"+before[0], "").is(200, m{"/task/id": before[0]})
			},
			func() error {
				return t.await("another task", func() error {
					now := t.tasks("%s/shot")
					if len(now) == 2 && slices.Contains(now, before[1]) && !slices.Contains(now, before[0]) {
						return nil
					}
					return fmt.Errorf("tasks are %v, were %v", now, before)
				})
			},
			func() error {
				return t.marathon("POST", "/v2/tasks/delete?scale=true", `{"ids":["`+before[1]+`"]}`).is(200, m{"/deploymentId": anything{}})
			},
			t.deployed,
			func() error {
				if now := t.tasks("%s/shot"); len(now) != 1 || slices.Contains(now, before[1]) {
					return fmt.Errorf("tasks are %v, want one that is not %s", now, before[1])
				}
				return t.marathon("GET", "/v2/apps/%s/shot", "").is(200, m{"/app/instances": 1})
			},
			t.want("POST", "/v2/tasks/delete", `{}`, 400, nil),
		)
	}},
	{Name: "what fails waits longer each time, and is remembered", From: "app.raml backoffSeconds, queue.raml, task.raml TaskFailure", Run: func(t *T) error {
		return steps(
			t.want("PUT", "/v2/apps/%s/fails", `{"cmd":"exit 3","cpus":0.01,"mem":32,"portDefinitions":[],"backoffSeconds":5,"backoffFactor":2}`, 201, nil),
			func() error {
				return t.await("its failure", func() error {
					return t.marathon("GET", "/v2/apps/%s/fails", "").is(200, m{
						"/app/lastTaskFailure/state": "TASK_FAILED", "/app/lastTaskFailure/message": has("3"), "/app/lastTaskFailure/taskId": anything{}, "/app/lastTaskFailure/host": anything{},
					})
				})
			},
			func() error {
				return t.await("it to wait", func() error {
					q := t.queued("fails")
					if left, _ := at(q, "/delay/timeLeftSeconds").(float64); left < 1 || left > 5 || at(q, "/delay/overdue") != false || at(q, "/count") != 1.0 {
						return fmt.Errorf("the queue has %.300s", text(q))
					}
					return nil
				})
			},
			t.want("DELETE", "/v2/queue/%s/fails/delay", "", 204, nil),
			t.want("DELETE", "/v2/queue/%s/none/delay", "", 404, m{"/message": "Application /" + t.Name + "/none not found in tasks queue."}),
		)
	}},
	{Name: "what finds no room waits, and the queue says why", From: "queue.raml", Run: func(t *T) error {
		return steps(
			t.want("PUT", "/v2/apps/%s/large", `{"cmd":"exec sleep 1000","cpus":100000,"mem":32,"portDefinitions":[]}`, 201, nil),
			func() error { return t.declined("large", "InsufficientCpus") },
		)
	}},
	{Name: "constraints hold: UNIQUE, LIKE, UNLIKE, CLUSTER", From: "constraints.md, Constraints.scala", Run: func(t *T) error {
		hosts := func(app string) map[string]int {
			count := map[string]int{}
			for _, x := range t.marathon("GET", "/v2/apps/%s/"+app+"/tasks", "").in("/tasks") {
				count[text(at(x, "/host"))]++
			}
			return count
		}
		return steps(
			t.want("PUT", "/v2/apps/%s/unique", sleeper("unique", `"instances":2,"constraints":[["hostname","UNIQUE"]]`), 201, nil),
			t.deployed,
			func() error {
				if h := hosts("unique"); len(h) != 2 {
					return fmt.Errorf("two tasks are on %v, want two hosts", h)
				}
				return nil
			},
			t.want("PUT", "/v2/apps/%s/cluster", sleeper("cluster", `"instances":3,"constraints":[["hostname","CLUSTER"]]`), 201, nil),
			t.deployed,
			func() error {
				if h := hosts("cluster"); len(h) != 1 {
					return fmt.Errorf("three tasks are on %v, want one host", h)
				}
				return nil
			},
			t.want("PUT", "/v2/apps/%s/nowhere", sleeper("nowhere", `"constraints":[["hostname","LIKE","no-such-host.*"]]`), 201, nil),
			func() error { return t.declined("nowhere", "UnfulfilledConstraint") },
			t.want("PUT", "/v2/apps/%s/elsewhere", sleeper("elsewhere", `"constraints":[["no-such-attribute","UNLIKE","x"]]`), 201, nil),
			func() error {
				return t.await("the app to run", func() error { return t.marathon("GET", "/v2/apps/%s/elsewhere", "").is(200, m{"/app/tasksRunning": 1}) })
			},
		)
	}},
	{Name: "a resident instance finds its volume again, also after a restart of the app", From: "persistent-volumes.md", Run: func(t *T) error {
		// It is well once it has found what a task before it has left.
		app := `{"cmd":"test -f data/left && touch well; touch data/left; exec sleep 1000","cpus":0.01,"mem":32,"portDefinitions":[],
			"container":{"type":"MESOS","volumes":[{"containerPath":"data","mode":"RW","persistent":{"size":1}}]},
			"upgradeStrategy":{"minimumHealthCapacity":0,"maximumOverCapacity":0}}`
		return steps(
			t.want("PUT", "/v2/apps/%s/resident", app, 201, nil),
			t.deployed,
			t.want("GET", "/v2/apps/%s/resident", "", 200, m{"/app/tasks/0/localVolumes/0/containerPath": "data", "/app/unreachableStrategy": "disabled"}),
			t.want("PUT", "/v2/apps/%s/resident", "{"+quick(`test -f $MESOS_SANDBOX/well`, "")+"}", 200, nil),
			t.deployed,
			t.want("GET", "/v2/apps/%s/resident", "", 200, m{"/app/tasksHealthy": 1}),
		)
	}},
}

func (t *T) queued(app string) any {
	for _, q := range t.marathon("GET", "/v2/queue", "").in("/queue") {
		if text(at(q, "/app/id")) == "/"+t.Name+"/"+app {
			return q
		}
	}
	return nil
}

func (t *T) declined(app, reason string) error {
	return t.await("offers to be declined", func() error {
		q := t.queued(app)
		list, _ := at(q, "/processedOffersSummary/rejectSummaryLaunchAttempt").([]any)
		for _, r := range list {
			if text(at(r, "/reason")) == reason && text(at(r, "/declined")) != "0" {
				return nil
			}
		}
		return fmt.Errorf("the queue has %.500s, want %s", strings.TrimSpace(text(q)), reason)
	})
}
