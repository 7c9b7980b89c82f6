package conformance

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// stuck is an app that is never healthy, so that its deployment goes on.
func stuck(name string) string {
	return sleeper(name, `"healthChecks":[{"protocol":"COMMAND","command":{"value":"false"},"gracePeriodSeconds":3000,"intervalSeconds":1,"delaySeconds":0}]`)
}

var deployments = []Check{
	{Name: "a deployment shows its steps while it goes on", From: "deployments.raml GET", Run: func(t *T) error {
		return steps(
			t.want("PUT", "/v2/apps/%s/steps", stuck("steps"), 201, nil),
			func() error {
				return t.await("the deployment", func() error {
					for _, d := range t.marathon("GET", "/v2/deployments", "").list() {
						if text(at(d, "/affectedApps/0")) == "/"+t.Name+"/steps" {
							return answer{asked: "GET /v2/deployments", status: 200, body: d}.is(200, m{
								"/steps/0/actions/0/action": "StartApplication", "/steps/1/actions/0/action": "ScaleApplication", "/totalSteps": 2, "/currentStep": 2,
								"/currentActions/0/action": "ScaleApplication", "/currentActions/0/app": "/" + t.Name + "/steps", "/id": anything{}, "/version": anything{},
							})
						}
					}
					return errors.New("it is not listed")
				})
			},
		)
	}},
	{Name: "an app that is being deployed is locked, unless forced", From: "apps.raml 409, Exception.scala AppLockedException", Run: func(t *T) error {
		var first string
		return steps(
			func() error {
				a := t.marathon("PUT", "/v2/apps/%s/locked", stuck("locked"))
				first = text(at(a.body, "/deploymentId"))
				return a.is(201, nil)
			},
			func() error {
				return t.marathon("PUT", "/v2/apps/%s/locked", `{"instances":2}`).is(409, m{"/message": has("App is locked by one or more deployments."), "/deployments/0/id": first})
			},
			t.want("POST", "/v2/apps/%s/locked/restart", "", 409, nil),
			t.want("DELETE", "/v2/apps/%s/locked?force=false", "", 409, nil),
			t.want("PUT", "/v2/apps/%s/locked?force=true", `{"healthChecks":[]}`, 200, nil),
			t.deployed,
			t.want("GET", "/v2/apps/%s/locked", "", 200, m{"/app/tasksRunning": 1}),
		)
	}},
	{Name: "a deployment that is deleted is rolled back", From: "deployments.raml DELETE", Run: func(t *T) error {
		var second string
		return steps(
			t.want("PUT", "/v2/apps/%s/back", sleeper("back", `"env":{"V":"1"}`), 201, nil),
			t.deployed,
			func() error {
				a := t.marathon("PUT", "/v2/apps/%s/back", `{"env":{"V":"2"},"healthChecks":[{"protocol":"COMMAND","command":{"value":"false"},"gracePeriodSeconds":3000,"delaySeconds":0}]}`)
				second = text(at(a.body, "/deploymentId"))
				return a.is(200, nil)
			},
			func() error {
				return t.marathon("DELETE", "/v2/deployments/"+second, "").is(200, m{"/deploymentId": anything{}, "/version": anything{}})
			},
			t.deployed,
			t.want("GET", "/v2/apps/%s/back", "", 200, m{"/app/env": m{"V": "1"}, "/app/healthChecks": nil, "/app/tasksRunning": 1}),
		)
	}},
	{Name: "a deployment that is deleted by force stops where it is", From: "deployments.raml DELETE force", Run: func(t *T) error {
		var id string
		return steps(
			func() error {
				a := t.marathon("PUT", "/v2/apps/%s/forced", stuck("forced"))
				id = text(at(a.body, "/deploymentId"))
				return a.is(201, nil)
			},
			func() error { return t.marathon("DELETE", "/v2/deployments/"+id+"?force=true", "").is(202, nil) },
			t.deployed,
			t.want("GET", "/v2/apps/%s/forced", "", 200, m{"/app/deployments": []any{}}),
		)
	}},
	{Name: "scaling keeps the tasks that stay, and kills the youngest first", From: "deployments.md, killSelection.raml", Run: func(t *T) error {
		var before []string
		return steps(
			t.want("PUT", "/v2/apps/%s/scaled", sleeper("scaled", ""), 201, nil),
			t.deployed,
			func() error { before = t.tasks("%s/scaled"); return nil },
			t.want("PUT", "/v2/apps/%s/scaled", `{"instances":3}`, 200, nil),
			t.deployed,
			t.want("PUT", "/v2/apps/%s/scaled", `{"instances":1}`, 200, nil),
			t.deployed,
			func() error {
				if now := t.tasks("%s/scaled"); !slices.Equal(now, before) {
					return fmt.Errorf("tasks are %v, want the first one, %v", now, before)
				}
				return nil
			},
			t.want("PUT", "/v2/apps/%s/scaled", `{"instances":0}`, 200, nil),
			t.deployed,
			t.want("GET", "/v2/apps/%s/scaled", "", 200, m{"/app/tasksRunning": 0, "/app/tasks": []any{}, "/app/instances": 0}),
		)
	}},
	{Name: "a change of anything but instances replaces every task", From: "deployments.md", Run: func(t *T) error {
		return t.replaced("replaced", func() answer { return t.marathon("PUT", "/v2/apps/%s/replaced", `{"env":{"A":"2"}}`) })
	}},
	{Name: "a restart replaces every task", From: "apps.raml /restart", Run: func(t *T) error {
		return t.replaced("restarted", func() answer { return t.marathon("POST", "/v2/apps/%s/restarted/restart", "") })
	}},
	{Name: "one that never became healthy gives way to another, where there may be only one", From: "TaskReplaceActor.scala killNext", Run: func(t *T) error {
		const alone = `"upgradeStrategy":{"minimumHealthCapacity":0,"maximumOverCapacity":0}`
		return steps(
			t.want("PUT", "/v2/apps/%s/ill", sleeper("ill", alone+","+quick("false", "")), 201, nil),
			func() error {
				return t.await("the task to run", func() error { return t.marathon("GET", "/v2/apps/%s/ill", "").is(200, m{"/app/tasksRunning": 1}) })
			},
			t.want("PUT", "/v2/apps/%s/ill?force=true", "{"+quick("true", "")+"}", 200, nil),
			t.deployed,
			t.want("GET", "/v2/apps/%s/ill", "", 200, m{"/app/tasksHealthy": 1, "/app/instances": 1}),
		)
	}},
	{Name: "never fewer tasks than the upgrade strategy allows, nor more", From: "app.raml UpgradeStrategy, TaskReplaceActor.scala", Run: func(t *T) error {
		return steps(
			t.want("PUT", "/v2/apps/%s/careful", sleeper("careful", `"instances":3,"upgradeStrategy":{"minimumHealthCapacity":1,"maximumOverCapacity":0.34},
				"healthChecks":[{"protocol":"COMMAND","command":{"value":"true"},"intervalSeconds":1,"delaySeconds":0}]`), 201, nil),
			t.deployed,
			t.want("POST", "/v2/apps/%s/careful/restart", "", 200, nil),
			func() error {
				return t.await("the deployment to end", func() error {
					a := t.marathon("GET", "/v2/apps/%s/careful", "")
					if n := len(a.in("/app/tasks")); n > 4 {
						return fmt.Errorf("there are %d tasks, want 4 at most", n)
					}
					healthy := 0
					for _, x := range a.in("/app/tasks") {
						if at(x, "/healthCheckResults/0/alive") == true {
							healthy++
						}
					}
					// A task that is being killed is still told as alive; one below is the instant between the two.
					if healthy < 2 {
						return fmt.Errorf("%d tasks are healthy, want 3", healthy)
					}
					if len(a.in("/app/deployments")) > 0 {
						return errors.New("it goes on")
					}
					return nil
				})
			},
		)
	}},
	{Name: "dependencies are deployed first", From: "application-groups.md, DeploymentPlan.scala", Run: func(t *T) error {
		return steps(
			t.want("PUT", "/v2/groups/%s/order?dryRun=true", `{"apps":[
				{"id":"web","cmd":"x","dependencies":["db"]},{"id":"db","cmd":"x"}]}`, 200, m{
				"/steps/0/actions/#": 2, "/steps/1/actions/0/app": "/" + t.Name + "/order/db", "/steps/2/actions/0/app": "/" + t.Name + "/order/web",
			}),
			t.want("PUT", "/v2/groups/%s/order", `{"apps":[{"id":"a","cmd":"x","dependencies":["b"]},{"id":"b","cmd":"x","dependencies":["a"]}]}`, 422, nil),
		)
	}},
	{Name: "readiness holds a deployment up", From: "readinessCheck.raml, readiness-checks.md", Run: func(t *T) error {
		return steps(
			t.want("PUT", "/v2/apps/%s/ready", `{"cmd":"exec sleep 1000","cpus":0.01,"mem":32,"portDefinitions":[{"port":0,"name":"http"}],
				"readinessChecks":[{"name":"up","portName":"http","intervalSeconds":1,"timeoutSeconds":1}]}`, 201, nil),
			func() error {
				return t.await("the readiness check to be shown", func() error {
					return t.marathon("GET", "/v2/apps/%s/ready?embed=app.readiness", "").is(200, m{
						"/app/tasksRunning": 1, "/app/readinessCheckResults/0/name": "up", "/app/readinessCheckResults/0/ready": false, "/app/deployments/#": 1,
					})
				})
			},
		)
	}},
	{Name: "events tell a deployment in its order", From: "events.raml, event-bus.md", Run: (*T).events},
}

func (t *T) replaced(name string, change func() answer) error {
	var before []string
	return steps(
		t.want("PUT", "/v2/apps/%s/"+name, sleeper(name, `"instances":2,"env":{"A":"1"}`), 201, nil),
		t.deployed,
		func() error { before = t.tasks("%s/" + name); return nil },
		func() error { return change().is(200, m{"/deploymentId": anything{}}) },
		t.deployed,
		func() error {
			after := t.tasks("%s/" + name)
			if len(before) != 2 || len(after) != 2 || slices.ContainsFunc(after, func(id string) bool { return slices.Contains(before, id) }) {
				return fmt.Errorf("tasks were %v and are %v, want two others", before, after)
			}
			return nil
		},
	)
}

func (t *T) events() error {
	ctx, stop := context.WithTimeout(t.ctx, inTime)
	defer stop()
	r, err := http.NewRequestWithContext(ctx, "GET", t.Marathon+"/v2/events", nil)
	if err != nil {
		return err
	}
	r.Header.Set("Accept", "text/event-stream")
	stream, err := t.Client.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = stream.Body.Close() }() // it never ends by itself
	if kind := stream.Header.Get("Content-Type"); !strings.HasPrefix(kind, "text/event-stream") {
		return fmt.Errorf("GET /v2/events is %q, want text/event-stream", kind)
	}
	begun := make(chan error, 1)
	go func() {
		// The stream tells of itself first, so that nothing of what follows is missed.
		time.Sleep(look)
		begun <- t.marathon("PUT", "/v2/apps/%s/told", sleeper("told", "")).is(201, nil)
	}()
	want := []string{"api_post_event", "deployment_info", "deployment_step_success", "status_update_event TASK_RUNNING", "deployment_step_success", "deployment_success"}
	in := bufio.NewScanner(stream.Body)
	in.Buffer(nil, 1<<20)
	kind := ""
	for len(want) > 0 && in.Scan() {
		if k, ok := strings.CutPrefix(in.Text(), "event: "); ok {
			kind = k
		}
		data, ok := strings.CutPrefix(in.Text(), "data: ")
		if !ok {
			continue
		}
		var body any
		if err := json.Unmarshal([]byte(data), &body); err != nil {
			return fmt.Errorf("event %s: %w", kind, err)
		}
		if text(at(body, "/eventType")) != kind || at(body, "/timestamp") == nil {
			return fmt.Errorf("event %s is %.300s, want its type and time in it", kind, data)
		}
		if !strings.Contains(data, t.Name) {
			continue
		}
		if next := kind + " " + text(at(body, "/taskStatus")); strings.TrimSpace(next) == want[0] {
			want = want[1:]
		}
	}
	if len(want) > 0 {
		return fmt.Errorf("%s did not come in time (%w)", want[0], errors.Join(in.Err(), ctx.Err(), <-begun))
	}
	return <-begun
}
