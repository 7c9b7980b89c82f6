// Package cargo_test holds the estate's definitions against the programs that they name. In: the definitions. Out: what does
// not fit. It never asks a scheduler.
package cargo_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/tranship/tranship/lab/cargo/service"
)

type docker struct {
	Image string `json:"image"`
}

type definition struct {
	ID        string            `json:"id"`
	Instances int               `json:"instances"`
	Env       map[string]string `json:"env"`
	Labels    map[string]string `json:"labels"`
	Container struct {
		Docker docker `json:"docker"`
	} `json:"container"`
	Ports []struct {
		Port int    `json:"port"`
		Name string `json:"name"`
	} `json:"portDefinitions"`
	Health []struct {
		Path string `json:"path"`
	} `json:"healthChecks"`
	Readiness []struct {
		Path     string `json:"path"`
		PortName string `json:"portName"`
	} `json:"readinessChecks"`
	Kill float64 `json:"taskKillGracePeriodSeconds"`
}

func read(t *testing.T, file string, into any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// program is the command behind an image of the lab.
func program(t *testing.T, image string) string {
	t.Helper()
	name, ok := strings.CutPrefix(image, "lab.local/cargo/")
	name, version, tagged := strings.Cut(name, ":")
	if !ok || !tagged || version != "1" {
		t.Errorf("image %s is not lab.local/cargo/NAME:1", image)
	}
	if _, err := os.Stat("cmd/" + name + "/main.go"); err != nil {
		t.Errorf("image %s: no program of this name: %v", image, err)
	}
	return name
}

func TestTheEstateRunsTheCargo(t *testing.T) {
	var group struct {
		Apps []definition `json:"apps"`
	}
	read(t, "estate/group.json", &group)
	for _, app := range group.Apps {
		if name := program(t, app.Container.Docker.Image); app.ID != "/telemetry/"+name {
			t.Errorf("app %s runs %s", app.ID, name)
		}
		c, err := service.FromEnv("x", func(name string) string { return app.Env[name] })
		if err != nil {
			t.Errorf("app %s: %v", app.ID, err)
		}
		if c.Grace.Seconds() >= app.Kill {
			t.Errorf("app %s is killed after %v s, but takes %v to end", app.ID, app.Kill, c.Grace)
		}
		if len(app.Ports) != 2 || app.Ports[0].Name != "http" || app.Ports[1].Name != "fault" {
			t.Errorf("app %s: $PORT0 and $PORT1 are not for the API and for faults: %+v", app.ID, app.Ports)
		}
		if len(app.Health) != 1 || app.Health[0].Path != "/healthz" || len(app.Readiness) != 1 || app.Readiness[0].Path != "/ready" || app.Readiness[0].PortName != "http" {
			t.Errorf("app %s: checks %+v %+v, want /healthz and /ready at http", app.ID, app.Health, app.Readiness)
		}
		if single := app.Labels["MARATHON_SINGLE_INSTANCE_APP"] == "true"; single != (app.Instances == 1) {
			t.Errorf("app %s: single %v with %d instances", app.ID, single, app.Instances)
		}
	}
	if len(group.Apps) != 4 {
		t.Errorf("%d apps, want 4", len(group.Apps))
	}
	var jobs []struct {
		ID  string `json:"id"`
		Run struct {
			Docker docker `json:"docker"`
		} `json:"run"`
		Schedules []struct {
			Policy string `json:"concurrencyPolicy"`
		} `json:"schedules"`
	}
	read(t, "estate/jobs.json", &jobs)
	if len(jobs) != 1 || jobs[0].ID != "telemetry."+program(t, jobs[0].Run.Docker.Image) || len(jobs[0].Schedules) != 1 || jobs[0].Schedules[0].Policy != "FORBID" {
		t.Errorf("jobs = %+v, want telemetry.rollup alone, with one schedule that forbids runs side by side", jobs)
	}
}
