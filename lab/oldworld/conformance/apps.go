package conformance

import (
	"fmt"
	"net/http"
	"strings"
)

type m = map[string]any

var apps = []Check{
	{Name: "info names version, framework and leader", From: "info.raml", Run: func(t *T) error {
		return steps(
			t.want("GET", "/ping", "", 200, nil),
			t.want("GET", "/v2/info", "", 200, m{
				"/name": "marathon", "/version": anything{}, "/frameworkId": anything{}, "/elected": true, "/leader": anything{}, "/marathon_config/mesos_role": anything{},
			}),
			t.want("GET", "/v2/leader", "", 200, m{"/leader": anything{}}),
		)
	}},
	{Name: "a new app is answered with itself, its place and its deployment", From: "apps.raml POST", Run: func(t *T) error {
		a := t.marathon("POST", "/v2/apps", sleeper("new", `"instances":2,"labels":{"a":"b"}`))
		if err := a.is(201, m{
			"/id": "/" + t.Name + "/new", "/instances": 2, "/version": anything{}, "/tasksRunning": 0, "/tasksStaged": 0, "/deployments/0/id": anything{}, "/labels": m{"a": "b"},
		}); err != nil {
			return err
		}
		if h := a.header.Get("Marathon-Deployment-Id"); h == "" || h != text(at(a.body, "/deployments/0/id")) {
			return fmt.Errorf("header Marathon-Deployment-Id is %q, want the deployment of the body", h)
		}
		if !strings.HasSuffix(a.header.Get("Location"), "/"+t.Name+"/new") {
			return fmt.Errorf("header Location is %q, want the app's id", a.header.Get("Location"))
		}
		return steps(t.deployed, t.want("GET", "/v2/apps/%s/new", "", 200, m{
			"/app/tasksRunning": 2, "/app/tasks/#": 2, "/app/tasks/0/state": "TASK_RUNNING", "/app/tasks/0/slaveId": anything{}, "/app/tasks/0/host": anything{},
			"/app/tasks/0/startedAt": anything{}, "/app/tasks/0/stagedAt": anything{}, "/app/tasks/0/appId": "/" + t.Name + "/new", "/app/deployments": []any{},
		}))
	}},
	{Name: "what is not said has Marathon's defaults", From: "app.raml, healthCheck.raml", Run: func(t *T) error {
		return steps(
			t.want("POST", "/v2/apps", `{"id":"/%s/defaults","cmd":"exec sleep 1000","instances":0,"healthChecks":[{}],"readinessChecks":[{}]}`, 201, nil),
			t.want("GET", "/v2/apps/%s/defaults", "", 200, m{
				"/app/cpus": 1, "/app/mem": 128, "/app/disk": 0, "/app/backoffSeconds": 1, "/app/backoffFactor": 1.15, "/app/maxLaunchDelaySeconds": 300,
				"/app/upgradeStrategy": m{"minimumHealthCapacity": 1, "maximumOverCapacity": 1}, "/app/killSelection": "YOUNGEST_FIRST",
				"/app/unreachableStrategy": m{"inactiveAfterSeconds": 0, "expungeAfterSeconds": 0}, "/app/networks/0/mode": "host", "/app/requirePorts": false,
				"/app/healthChecks/0/gracePeriodSeconds": 300, "/app/healthChecks/0/intervalSeconds": 60, "/app/healthChecks/0/timeoutSeconds": 20,
				"/app/healthChecks/0/maxConsecutiveFailures": 3, "/app/healthChecks/0/portIndex": 0, "/app/healthChecks/0/protocol": "HTTP",
				"/app/portDefinitions/0/name": "default", "/app/portDefinitions/0/port": anything{},
				"/app/readinessChecks/0/intervalSeconds": 30, "/app/readinessChecks/0/httpStatusCodesForReady": []int{200},
				"/app/versionInfo/lastScalingAt": anything{}, "/app/versionInfo/lastConfigChangeAt": anything{},
			}),
		)
	}},
	{Name: "older forms become today's", From: "AppNormalization.scala", Run: func(t *T) error {
		return steps(
			t.want("POST", "/v2/apps", `{"id":"/%s/older","instances":0,"uris":["http://x.example/a.tgz"],"container":{"type":"DOCKER","docker":{"image":"x","network":"BRIDGE",
				"portMappings":[{"containerPort":80,"hostPort":0}]}}}`, 201, nil),
			t.want("GET", "/v2/apps/%s/older", "", 200, m{
				"/app/networks/0/mode": "container/bridge", "/app/container/portMappings/0/containerPort": 80, "/app/container/docker/network": nil,
				"/app/container/docker/portMappings": nil, "/app/fetch/0/uri": "http://x.example/a.tgz", "/app/fetch/0/extract": true, "/app/uris": nil,
			}),
			t.want("POST", "/v2/apps", `{"id":"/%s/ports","cmd":"x","instances":0,"ports":[11999]}`, 201, nil),
			t.want("GET", "/v2/apps/%s/ports", "", 200, m{"/app/portDefinitions/0/port": 11999}),
		)
	}},
	{Name: "what is no JSON, or not the right kind of it, is refused by 400", From: "apps.raml 400, MarathonExceptionMapper.scala", Run: func(t *T) error {
		return steps(
			t.want("POST", "/v2/apps", `{"id":`, 400, m{"/message": "Invalid JSON", "/details": anything{}}),
			t.want("POST", "/v2/apps", `{"cmd":"x"}`, 400, m{"/message": "Invalid JSON", "/details/0/path": "/id", "/details/0/errors/0": "error.path.missing"}),
			t.want("POST", "/v2/apps", `{"id":"/%s/bad","cmd":"x","instances":"many"}`, 400, m{"/details/0/path": "/instances", "/details/0/errors/0": has("error.expected")}),
		)
	}},
	{Name: "what cannot be run is refused by 422, with the place of each fault", From: "apps.raml 422", Run: func(t *T) error {
		var all []func() error
		for _, bad := range []string{
			`{"id":"/%s/Bad_ID","cmd":"x"}`,
			`{"id":"/%s/bad"}`,
			`{"id":"/%s/bad","cmd":"x","args":["y"]}`,
			`{"id":"/%s/bad","cmd":"x","cpus":-1}`,
			`{"id":"/%s/bad","cmd":"x","instances":-1}`,
			`{"id":"/%s/bad","cmd":"x","upgradeStrategy":{"minimumHealthCapacity":2,"maximumOverCapacity":1}}`,
			`{"id":"/%s/bad","cmd":"x","constraints":[["hostname","NEAR"]]}`,
			`{"id":"/%s/bad","cmd":"x","portDefinitions":[{"port":0}],"healthChecks":[{"portIndex":1}]}`,
			`{"id":"/%s/bad","cmd":"x","instances":2,"labels":{"MARATHON_SINGLE_INSTANCE_APP":"true"}}`,
		} {
			all = append(all, t.want("POST", "/v2/apps", bad, 422, m{"/message": "Object is not valid", "/details/0/path": anything{}, "/details/0/errors/0": anything{}}))
		}
		return steps(append(all, t.want("GET", "/v2/apps/%s/bad", "", 404, nil))...)
	}},
	{Name: "an app that is there is not created again", From: "apps.raml 409", Run: func(t *T) error {
		return steps(
			t.want("POST", "/v2/apps", sleeper("twice", `"instances":0`), 201, nil),
			t.want("POST", "/v2/apps", sleeper("twice", `"instances":0`), 409, m{"/message": "An app with id [/" + t.Name + "/twice] already exists."}),
		)
	}},
	{Name: "what is not there is 404, by name", From: "apps.raml 404", Run: func(t *T) error {
		none := m{"/message": "App '/" + t.Name + "/none' does not exist"}
		return steps(
			t.want("GET", "/v2/apps/%s/none", "", 404, none),
			t.want("PATCH", "/v2/apps/%s/none", `{"instances":1}`, 404, none),
			t.want("DELETE", "/v2/apps/%s/none", "", 404, none),
			t.want("POST", "/v2/apps/%s/none/restart", "", 404, none),
			t.want("GET", "/v2/apps/%s/none/tasks", "", 404, none),
			t.want("GET", "/v2/apps/%s/none/versions", "", 404, none),
			t.want("GET", "/v2/groups/%s/none", "", 404, m{"/message": "Group '/" + t.Name + "/none' does not exist"}),
			t.want("DELETE", "/v2/deployments/none", "", 404, m{"/message": "DeploymentPlan none does not exist"}),
		)
	}},
	{Name: "PUT changes the fields that it has, or makes the app; PATCH only changes", From: "apps.raml PUT, PATCH", Run: func(t *T) error {
		return steps(
			t.want("PUT", "/v2/apps/%s/put", sleeper("put", `"instances":0,"env":{"A":"1"},"labels":{"x":"y"}`), 201, m{"/deploymentId": anything{}, "/version": anything{}}),
			t.deployed,
			t.want("PUT", "/v2/apps/%s/put", `{"env":{"B":"2"}}`, 200, nil),
			t.deployed,
			t.want("GET", "/v2/apps/%s/put", "", 200, m{"/app/env": m{"B": "2"}, "/app/labels": m{"x": "y"}, "/app/cmd": "exec sleep 1000"}),
			t.want("PATCH", "/v2/apps/%s/put", `{"labels":{}}`, 200, nil),
			t.deployed,
			t.want("PUT", "/v2/apps/%s/put?partialUpdate=false", `{"cmd":"exec sleep 2","instances":0}`, 200, nil),
			t.deployed,
			t.want("GET", "/v2/apps/%s/put", "", 200, m{"/app/env": nil, "/app/cmd": "exec sleep 2", "/app/mem": 128}),
		)
	}},
	{Name: "many apps change in one deployment", From: "apps.raml PUT of a list", Run: func(t *T) error {
		return steps(
			t.want("PUT", "/v2/apps", "["+sleeper("one", `"instances":0`)+","+sleeper("two", `"instances":0`)+"]", 200, m{"/deploymentId": anything{}}),
			t.deployed,
			t.want("PATCH", "/v2/apps", `[{"id":"/%s/one","labels":{"n":"1"}},{"id":"/%s/two","labels":{"n":"2"}}]`, 200, nil),
			t.deployed,
			t.want("GET", "/v2/apps/%s/two", "", 200, m{"/app/labels": m{"n": "2"}}),
			t.want("PATCH", "/v2/apps", `[{"id":"/%s/none","labels":{}}]`, 404, nil),
		)
	}},
	{Name: "versions are kept, the newest first", From: "apps.raml /versions", Run: func(t *T) error {
		var first string
		return steps(
			t.want("PUT", "/v2/apps/%s/versions-kept", sleeper("versions-kept", `"instances":0`), 201, nil),
			t.deployed,
			func() error {
				first = text(at(t.marathon("GET", "/v2/apps/%s/versions-kept", "").body, "/app/version"))
				return nil
			},
			t.want("PUT", "/v2/apps/%s/versions-kept", `{"mem":48}`, 200, nil),
			t.deployed,
			func() error {
				a := t.marathon("GET", "/v2/apps/%s/versions-kept/versions", "")
				if err := a.is(200, m{"/versions/#": 2, "/versions/1": first}); err != nil {
					return err
				}
				return t.marathon("GET", "/v2/apps/%s/versions-kept/versions/"+first, "").is(200, m{"/mem": 32, "/version": first})
			},
		)
	}},
	{Name: "lists are filtered by cmd, id and label, and hold counts and deployments", From: "apps.raml GET", Run: func(t *T) error {
		return steps(
			t.want("PUT", "/v2/apps", "["+sleeper("list-a", `"instances":1,"labels":{"kind":"%s"}`)+","+sleeper("list-b", `"instances":0`)+"]", 200, nil),
			t.deployed,
			t.want("GET", "/v2/apps?label=kind==%s", "", 200, m{"/apps/#": 1, "/apps/0/tasksRunning": 1, "/apps/0/deployments": []any{}, "/apps/0/tasks": nil}),
			t.want("GET", "/v2/apps?label=kind==%s&embed=apps.tasks", "", 200, m{"/apps/0/tasks/#": 1}),
			t.want("GET", "/v2/apps?id=%s/list-b", "", 200, m{"/apps/#": 1}),
			t.want("GET", "/v2/apps?id=%s/list-&label=kind!=%s", "", 200, m{"/apps/#": 1, "/apps/0/id": "/" + t.Name + "/list-b"}),
		)
	}},
	{Name: "tasks are listed in JSON and, on demand, as text", From: "tasks.raml GET", Run: func(t *T) error {
		return steps(
			t.want("PUT", "/v2/apps/%s/listed", `{"cmd":"exec sleep 1000","cpus":0.01,"mem":32,"portDefinitions":[{"port":0,"name":"http"}]}`, 201, nil),
			t.deployed,
			func() error {
				for _, x := range t.marathon("GET", "/v2/tasks?status=running", "").in("/tasks") {
					if text(at(x, "/appId")) == "/"+t.Name+"/listed" && at(x, "/ports/0") != nil && at(x, "/servicePorts/0") != nil {
						return nil
					}
				}
				return fmt.Errorf("GET /v2/tasks has no task of the app with ports")
			},
			func() error {
				r, err := http.NewRequestWithContext(t.ctx, "GET", t.Marathon+"/v2/tasks", nil)
				if err != nil {
					return err
				}
				r.Header.Set("Accept", "text/plain")
				got, err := t.Client.Do(r)
				if err != nil {
					return err
				}
				defer func() { _ = got.Body.Close() }() // it has been read by then
				raw := new(strings.Builder)
				buffer := make([]byte, 64<<10)
				for n, err := got.Body.Read(buffer); n > 0 || err == nil; n, err = got.Body.Read(buffer) {
					raw.Write(buffer[:n])
				}
				if !strings.Contains(raw.String(), t.Name+"_listed\t") {
					return fmt.Errorf("GET /v2/tasks as text has no line of the app: %.300s", raw)
				}
				return nil
			},
		)
	}},
}
