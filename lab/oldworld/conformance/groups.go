package conformance

import (
	"errors"
	"fmt"
)

const tree = `{"id":"/%s/g","apps":[],"groups":[
	{"id":"inner","apps":[{"id":"a","cmd":"exec sleep 1000","cpus":0.01,"mem":32,"instances":1,"portDefinitions":[]}]},
	{"id":"other","apps":[{"id":"b","cmd":"exec sleep 1000","cpus":0.01,"mem":32,"instances":1,"portDefinitions":[]}]}]}`

var groups = []Check{
	{Name: "a tree is made in one deployment, with ids relative to their groups", From: "groups.raml POST, PUT", Run: func(t *T) error {
		return steps(
			t.want("POST", "/v2/groups", tree, 201, m{"/deploymentId": anything{}, "/version": anything{}}),
			t.deployed,
			t.want("GET", "/v2/groups/%s/g", "", 200, m{
				"/id": "/" + t.Name + "/g", "/groups/0/id": "/" + t.Name + "/g/inner", "/groups/0/apps/0/id": "/" + t.Name + "/g/inner/a", "/apps": []any{}, "/version": anything{},
			}),
			t.want("GET", "/v2/apps/%s/g/inner/a", "", 200, m{"/app/tasksRunning": 1}),
			t.want("POST", "/v2/groups", tree, 409, m{"/message": has("is already created. Use PUT to change this group.")}),
		)
	}},
	{Name: "what is embedded in a group is said by the asker", From: "groups.raml embed", Run: func(t *T) error {
		return steps(
			t.want("PUT", "/v2/groups", tree, 200, nil),
			t.deployed,
			t.want("GET", "/v2/groups/%s/g?embed=group.groups", "", 200, m{"/groups/0/id": anything{}, "/apps": nil, "/groups/0/apps": nil}),
			t.want("GET", "/v2/groups/%s/g/inner?embed=group.apps&embed=group.apps.tasks&embed=group.apps.counts", "", 200, m{"/groups": nil, "/apps/0/tasks/#": 1, "/apps/0/tasksRunning": 1}),
			t.want("GET", "/v2/groups?embed=group.groups&embed=group.apps&embed=group.pods", "", 200, m{"/id": "/", "/pods": anything{}, "/apps": anything{}, "/groups": anything{}}),
		)
	}},
	{Name: "what a group's update leaves out of a list goes", From: "groups.raml PUT", Run: func(t *T) error {
		return steps(
			t.want("PUT", "/v2/groups", tree, 200, nil),
			t.deployed,
			t.want("PUT", "/v2/groups/%s/g", `{"groups":[{"id":"inner"}]}`, 200, nil),
			t.deployed,
			t.want("GET", "/v2/apps/%s/g/other/b", "", 404, nil),
			t.want("GET", "/v2/apps/%s/g/inner/a", "", 200, nil),
			t.want("PUT", "/v2/groups/%s/g/inner", `{"apps":[]}`, 200, nil),
			t.deployed,
			t.want("GET", "/v2/groups/%s/g/inner", "", 200, m{"/apps": []any{}}),
		)
	}},
	{Name: "a group is scaled, taken back to a version, and deleted with all below", From: "groups.raml scaleBy, version, DELETE", Run: func(t *T) error {
		var version string
		return steps(
			t.want("PUT", "/v2/groups", tree, 200, nil),
			t.deployed,
			func() error {
				version = text(at(t.marathon("GET", "/v2/groups/versions", "").body, "/0"))
				if version == "" {
					return errors.New("GET /v2/groups/versions has none")
				}
				return nil
			},
			t.want("PUT", "/v2/groups/%s/g", `{"scaleBy":2}`, 200, nil),
			t.deployed,
			t.want("GET", "/v2/apps/%s/g/inner/a", "", 200, m{"/app/instances": 2}),
			func() error {
				return t.marathon("PUT", "/v2/groups/%s/g", fmt.Sprintf(`{"version":%q}`, version)).is(200, nil)
			},
			t.deployed,
			t.want("GET", "/v2/apps/%s/g/inner/a", "", 200, m{"/app/instances": 1}),
			t.want("DELETE", "/v2/groups/%s/g", "", 200, m{"/deploymentId": anything{}}),
			t.deployed,
			t.want("GET", "/v2/groups/%s/g", "", 404, nil),
			t.want("GET", "/v2/apps/%s/g/inner/a", "", 404, nil),
		)
	}},
	{Name: "an app is not made where a group is, nor below an app", From: "RootGroup.scala, application-groups.md", Run: func(t *T) error {
		return steps(
			t.want("PUT", "/v2/groups", tree, 200, nil),
			t.deployed,
			t.want("POST", "/v2/apps", `{"id":"/%s/g/inner","cmd":"x","instances":0}`, 422, nil),
			t.want("POST", "/v2/apps", `{"id":"/%s/g/inner/a/below","cmd":"x","instances":0}`, 422, nil),
		)
	}},
}
