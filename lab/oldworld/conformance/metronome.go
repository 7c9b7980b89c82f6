package conformance

import (
	"errors"
	"fmt"
	"time"
)

// job is a definition with a command.
func job(name, cmd, more string) string {
	if more != "" {
		more = "," + more
	}
	return `{"id":"%s.` + name + `","description":"of a check","run":{"cmd":"` + cmd + `","cpus":0.01,"mem":32,"disk":0` + more + `}}`
}

func (t *T) wantJob(method, path, body string, status int, values map[string]any) func() error {
	return func() error { return t.metronome(method, path, body).is(status, values) }
}

var metronome = []Check{
	{Name: "a job is made, changed and removed", From: "jobs.raml, JobSpecController.scala", Run: func(t *T) error {
		return steps(
			t.wantJob("POST", "/v1/jobs", job("made", "true", ""), 201, m{
				"/id": t.Name + ".made", "/run/cmd": "true", "/run/maxLaunchDelay": 3600, "/run/restart/policy": "NEVER", "/run/placement/constraints": []any{}, "/labels": m{},
			}),
			t.wantJob("POST", "/v1/jobs", job("made", "true", ""), 409, m{"/message": "Job with this id already exists"}),
			t.wantJob("PUT", "/v1/jobs/%s.made", job("made", "false", ""), 200, m{"/run/cmd": "false"}),
			t.wantJob("GET", "/v1/jobs/%s.made", "", 200, m{"/run/cmd": "false", "/schedules": nil}),
			t.wantJob("GET", "/v1/jobs/%s.none", "", 404, m{"/message": "Job not found"}),
			t.wantJob("DELETE", "/v1/jobs/%s.made", "", 200, nil),
			t.wantJob("GET", "/v1/jobs/%s.made", "", 404, nil),
		)
	}},
	{Name: "a job that cannot be is refused by 422, what is no JSON by 400", From: "jobspec.schema.json", Run: func(t *T) error {
		return steps(
			t.wantJob("POST", "/v1/jobs", `{"id":"%s.Bad_Id","run":{"cmd":"x","cpus":1,"mem":32,"disk":0}}`, 422, m{"/message": "Object is not valid", "/details/0/errors/0": anything{}}),
			t.wantJob("POST", "/v1/jobs", `{"id":"%s.bad","run":{"cpus":1,"mem":32,"disk":0}}`, 422, nil),
			t.wantJob("POST", "/v1/jobs", `{"id":"%s.bad","run":{"cmd":"x","args":["y"],"cpus":1,"mem":32,"disk":0}}`, 422, nil),
			t.wantJob("POST", "/v1/jobs", `{"id":"%s.bad","run":{"cmd":"x","cpus":1,"mem":1,"disk":0}}`, 422, nil),
			t.wantJob("POST", "/v1/jobs", `{"id":`, 400, nil),
		)
	}},
	{Name: "a schedule is made, changed and removed, and there is one", From: "jobs.raml schedules, JobScheduleController.scala", Run: func(t *T) error {
		return steps(
			t.wantJob("POST", "/v1/jobs", job("times", "true", ""), 201, nil),
			t.wantJob("POST", "/v1/jobs/%s.times/schedules", `{"id":"nightly","cron":"20 1 * * *","timezone":"Europe/Berlin","enabled":true}`, 201, m{
				"/id": "nightly", "/concurrencyPolicy": "ALLOW", "/startingDeadlineSeconds": 900, "/timezone": "Europe/Berlin", "/nextRunAt": anything{},
			}),
			t.wantJob("POST", "/v1/jobs/%s.times/schedules", `{"id":"nightly","cron":"20 1 * * *"}`, 409, nil),
			t.wantJob("POST", "/v1/jobs/%s.times/schedules", `{"id":"other","cron":"20 1 * * *"}`, 409, m{"/message": has("Only one schedule supported")}),
			t.wantJob("PUT", "/v1/jobs/%s.times/schedules/nightly", `{"id":"nightly","cron":"20 2 * * *","enabled":false,"concurrencyPolicy":"FORBID"}`, 200, m{
				"/enabled": false, "/concurrencyPolicy": "FORBID", "/timezone": "UTC",
			}),
			t.wantJob("PUT", "/v1/jobs/%s.times/schedules/none", `{"id":"none","cron":"20 2 * * *"}`, 404, nil),
			t.wantJob("PUT", "/v1/jobs/%s.times/schedules/nightly", `{"id":"nightly","cron":"every day"}`, 422, nil),
			t.wantJob("PUT", "/v1/jobs/%s.times", job("times", "false", ""), 200, nil),
			t.wantJob("GET", "/v1/jobs/%s.times?embed=schedules", "", 200, m{"/schedules/#": 1, "/schedules/0/cron": "20 2 * * *", "/run/cmd": "false"}),
			t.wantJob("DELETE", "/v1/jobs/%s.times/schedules/nightly", "", 200, nil),
			t.wantJob("GET", "/v1/jobs/%s.times/schedules", "", 200, m{"/#": 0}),
			t.wantJob("GET", "/v1/jobs/%s.times/schedules/nightly", "", 404, nil),
		)
	}},
	{Name: "a run ends in the history, by how it ended", From: "jobs.raml runs, history", Run: func(t *T) error {
		return steps(
			t.wantJob("POST", "/v1/jobs", job("good", "true", ""), 201, nil),
			t.wantJob("POST", "/v1/jobs", job("bad", "exit 2", ""), 201, nil),
			t.wantJob("POST", "/v1/jobs/%s.good/runs", "", 201, m{"/jobId": t.Name + ".good", "/id": anything{}, "/status": anything{}, "/createdAt": anything{}, "/completedAt": nil}),
			t.wantJob("POST", "/v1/jobs/%s.bad/runs", "", 201, nil),
			func() error {
				return t.await("both runs to end", func() error {
					return errors.Join(
						t.metronome("GET", "/v1/jobs/%s.good?embed=history&embed=historySummary&embed=activeRuns", "").is(200, m{
							"/history/successCount": 1, "/history/failureCount": 0, "/history/successfulFinishedRuns/0/finishedAt": anything{}, "/historySummary/successCount": 1,
							"/historySummary/lastSuccessAt": anything{}, "/activeRuns/#": 0,
						}),
						t.metronome("GET", "/v1/jobs/%s.bad?embed=history", "").is(200, m{"/history/failureCount": 1, "/history/failedFinishedRuns/0/id": anything{}}),
					)
				})
			},
			t.wantJob("POST", "/v1/jobs/%s.none/runs", "", 404, nil),
		)
	}},
	{Name: "an active run is shown, and stopped on demand", From: "jobs.raml actions/stop", Run: func(t *T) error {
		var id string
		return steps(
			t.wantJob("POST", "/v1/jobs", job("long", "exec sleep 1000", ""), 201, nil),
			func() error {
				a := t.metronome("POST", "/v1/jobs/%s.long/runs", "")
				id = text(at(a.body, "/id"))
				return a.is(201, nil)
			},
			func() error {
				return t.await("the run to be active", func() error {
					return t.metronome("GET", "/v1/jobs/%s.long/runs/"+id, "").is(200, m{"/status": "ACTIVE", "/tasks/0/status": "TASK_RUNNING", "/tasks/0/startedAt": anything{}})
				})
			},
			t.wantJob("GET", "/v1/jobs?embed=schedules&embed=activeRuns&embed=historySummary", "", 200, m{"/0/id": anything{}, "/0/activeRuns": anything{}, "/0/historySummary": anything{}}),
			t.wantJob("DELETE", "/v1/jobs/%s.long", "", 409, m{"/message": has("stopCurrentJobRuns=true")}),
			func() error { return t.metronome("POST", "/v1/jobs/%s.long/runs/"+id+"/actions/stop", "").is(200, nil) },
			func() error {
				return t.await("the run to end", func() error {
					return errors.Join(
						t.metronome("GET", "/v1/jobs/%s.long/runs", "").is(200, m{"/#": 0}),
						t.metronome("GET", "/v1/jobs/%s.long?embed=history", "").is(200, m{"/history/failureCount": 1}),
					)
				})
			},
			t.wantJob("POST", "/v1/jobs/%s.long/runs/none/actions/stop", "", 404, m{"/message": "Job Run not found"}),
		)
	}},
	{Name: "a run that failed is tried again only where that is said", From: "jobspec.schema.json restart", Run: func(t *T) error {
		return steps(
			t.wantJob("POST", "/v1/jobs", job("stubborn", "exit 1", `"restart":{"policy":"ON_FAILURE"}`), 201, nil),
			t.wantJob("POST", "/v1/jobs/%s.stubborn/runs", "", 201, nil),
			func() error {
				return t.await("a second task", func() error {
					return t.metronome("GET", "/v1/jobs/%s.stubborn/runs", "").is(200, m{"/#": 1, "/0/tasks/1/id": anything{}})
				})
			},
			t.wantJob("DELETE", "/v1/jobs/%s.stubborn?stopCurrentJobRuns=true", "", 200, nil),
		)
	}},
	{Name: "cron starts a run each minute, and none beside another where that is forbidden", From: "schedulespec.schema.json", Run: func(t *T) error {
		return steps(
			t.wantJob("POST", "/v1/jobs", job("minutely", "exec sleep 1000", ""), 201, nil),
			t.wantJob("POST", "/v1/jobs/%s.minutely/schedules", `{"id":"minutely","cron":"* * * * *","concurrencyPolicy":"FORBID"}`, 201, nil),
			func() error {
				return t.awaitFor("the run", 70*time.Second, func() error {
					return t.metronome("GET", "/v1/jobs/%s.minutely/runs", "").is(200, m{"/#": 1, "/0/status": "ACTIVE"})
				})
			},
			func() error {
				// Over the next full minute there must not be a second one.
				now := time.Now()
				if err := t.sleep(now.Truncate(time.Minute).Add(time.Minute + 2*time.Second).Sub(now)); err != nil {
					return err
				}
				if n := len(t.metronome("GET", "/v1/jobs/%s.minutely/runs", "").list()); n != 1 {
					return fmt.Errorf("there are %d runs, want the first alone", n)
				}
				return nil
			},
			t.wantJob("PUT", "/v1/jobs/%s.minutely/schedules/minutely", `{"id":"minutely","cron":"* * * * *","concurrencyPolicy":"FORBID","enabled":false}`, 200, m{"/enabled": false}),
		)
	}},
}
