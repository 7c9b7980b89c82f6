package manifest_test

import (
	"strings"
	"testing"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/render"
)

const database = `{"id": "/shop/db", "cpus": 1, "mem": 64, "networks": [{"mode": "container/bridge"}],
 "container": {"type": "DOCKER", "docker": {"image": "db"}, "portMappings": [{"containerPort": 5432, "labels": {"VIP_0": "/shop/db:6543"}}]}}`

const oldName = "shopdb.marathon.l4lb.thisdcos.directory:6543"

// TestOldNamesGiveWayInEveryPlace puts an old name into every text of every
// dialect that a workload is started or checked with.
func TestOldNamesGiveWayInEveryPlace(t *testing.T) {
	for name, in := range map[string]string{
		"marathon env":      `{"id": "/shop/c", "cmd": "x", "cpus": 1, "mem": 64, "env": {"DB": "tcp://OLD/x"}}`,
		"marathon cmd":      `{"id": "/shop/c", "cmd": "x --db=OLD", "cpus": 1, "mem": 64}`,
		"marathon args":     `{"id": "/shop/c", "args": ["x", "OLD"], "cpus": 1, "mem": 64, "container": {"type": "DOCKER", "docker": {"image": "c"}}}`,
		"marathon check":    `{"id": "/shop/c", "cmd": "x", "cpus": 1, "mem": 64, "healthChecks": [{"protocol": "COMMAND", "command": {"value": "ping OLD"}}]}`,
		"marathon fetch":    `{"id": "/shop/c", "cmd": "x", "cpus": 1, "mem": 64, "fetch": [{"uri": "http://OLD/x.tgz"}]}`,
		"pod shell":         `{"id": "/shop/c", "containers": [{"name": "c", "image": {"kind": "DOCKER", "id": "c"}, "resources": {"cpus": 1, "mem": 64}, "exec": {"command": {"shell": "x OLD"}}}]}`,
		"pod argv":          `{"id": "/shop/c", "containers": [{"name": "c", "image": {"kind": "DOCKER", "id": "c"}, "resources": {"cpus": 1, "mem": 64}, "exec": {"command": {"argv": ["x", "OLD"]}}}]}`,
		"pod env":           `{"id": "/shop/c", "environment": {"DB": "OLD"}, "containers": [{"name": "c", "image": {"kind": "DOCKER", "id": "c"}, "resources": {"cpus": 1, "mem": 64}}]}`,
		"pod container env": `{"id": "/shop/c", "containers": [{"name": "c", "environment": {"DB": "OLD"}, "image": {"kind": "DOCKER", "id": "c"}, "resources": {"cpus": 1, "mem": 64}}]}`,
		"job cmd":           `{"id": "c", "run": {"cmd": "x OLD", "cpus": 1, "mem": 64, "disk": 0}, "schedules": [{"id": "s", "cron": "0 0 * * *"}]}`,
		"job env":           `{"id": "c", "run": {"cmd": "x", "env": {"DB": "OLD"}, "cpus": 1, "mem": 64, "disk": 0}, "schedules": [{"id": "s", "cron": "0 0 * * *"}]}`,
	} {
		r := renderFiles(t, map[string]string{"db.json": database, "c.json": strings.ReplaceAll(in, "OLD", oldName)}, "")
		found := false
		for path, text := range r.files {
			if strings.Contains(text, oldName) && !strings.Contains(path, "/db/") {
				t.Errorf("%s: %s has the old name:\n%s", name, path, text)
			}
			found = found || strings.Contains(text, "shopdb.shop.svc.cluster.local:6543")
		}
		if !found {
			t.Errorf("%s: the new name stands nowhere", name)
		}
	}
}

// TestNewNamesLeadWhereOldOnesLed holds the contract with package names.
func TestNewNamesLeadWhereOldOnesLed(t *testing.T) {
	db := service("/data/db", estate.Container{Ports: []estate.Port{{Number: 5432}}})
	vip := estate.Endpoint{
		ID: "vip:/db:80", Kind: estate.VirtualAddress, Port: 80, Protocol: "tcp", Address: "db.marathon.l4lb.thisdcos.directory",
		Backends: []estate.Backend{{Workload: "/data/db", Port: 5432}},
	}
	for _, x := range []struct {
		name string
		d    estate.Dependency
		want string
	}{
		{"address with a port", estate.Dependency{Match: "v:80", Endpoint: vip.ID, Listen: 80, Port: 5432}, "v.x:80"},
		{"address without", estate.Dependency{Match: "v", Endpoint: vip.ID, Listen: 80, Port: 5432}, "v.x"},
		{"task with its port", estate.Dependency{Match: "db.marathon.mesos:31000", Port: 5432, Listen: 31000}, "db:5432"},
		{"task that the client knows the port of", estate.Dependency{Match: "db.marathon.mesos", Port: 5432}, "db"},
		{"task behind a URL's own port", estate.Dependency{Match: "db.marathon.mesos", Port: 5432, Listen: 80}, "db:5432"},
		{"task that listens where clients connect", estate.Dependency{Match: "db.marathon.mesos", Port: 5432, Listen: 5432}, "db"},
		{"port of the client's own", estate.Dependency{Match: "db.marathon.mesos:5432"}, "db:5432"},
		{"bridged", estate.Dependency{Match: "old", Fate: estate.Bridged}, ""},
	} {
		d := x.d
		d.From, d.To, d.Way = "/shop/c", "/data/db", estate.ByName
		d.Place = estate.Place{Container: "c", Field: "env", Key: "DB"}
		if d.Fate == "" {
			d.Fate = estate.Rewritten
		}
		c := service("/shop/c", estate.Container{Env: []estate.EnvVar{{Name: "DB", Value: "to " + d.Match + " now"}}})
		e := one(db, c)
		e.Endpoints, e.Dependencies = []estate.Endpoint{vip}, []estate.Dependency{d}
		r := renderEstate(t, e, policy.Default(), render.Options{})
		want := "to " + d.Match + " now"
		if x.want != "" {
			name, port, found := strings.Cut(x.want, ":")
			host := "db.data.svc.cluster.local"
			if name == "v.x" {
				host = "db-" // the name is taken by the workload itself
			}
			if found {
				port = ":" + port
			}
			want = "to " + host
			got := deployment(t, r, "shop/c/deployment.yaml").Spec.Template.Spec.Containers[0].Env[0].Value
			if !strings.HasPrefix(got, want) || !strings.HasSuffix(got, ".data.svc.cluster.local"+port+" now") {
				t.Errorf("%s: %q, want %s...%s", x.name, got, want, port)
			}
			continue
		}
		if got := deployment(t, r, "shop/c/deployment.yaml").Spec.Template.Spec.Containers[0].Env[0].Value; got != want {
			t.Errorf("%s: %q, want %q", x.name, got, want)
		}
	}
}
