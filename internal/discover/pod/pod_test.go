package pod_test

import (
	"encoding/json"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/tranship/tranship/internal/base/corpus"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/discover/discovertest"
	"github.com/tranship/tranship/internal/discover/pod"
	"github.com/tranship/tranship/internal/estate"
)

var readers = []any{pod.Reader{}}

func TestEveryCodeHasAnExample(t *testing.T) {
	discovertest.Examples(t, "codes.go", readers)
}

// whole has every key of the schema.
const whole = `{
  "id": "/shop/cart",
  "labels": {"team": "till"},
  "version": "2020-01-01T00:00:00Z",
  "user": "www-data",
  "environment": {"COLOUR": "green", "BOTH": "pod", "KEY": {"secret": "k"}, "DB_PASSWORD": "canary-1"},
  "containers": [
    {
      "name": "web",
      "exec": {"command": {"argv": ["serve", "--port", "8080"]}, "overrideEntrypoint": true},
      "resources": {"cpus": 0.5, "mem": 64, "disk": 10, "gpus": 1},
      "resourceLimits": {"cpus": "unlimited", "mem": 256},
      "endpoints": [
        {"name": "http", "containerPort": 8080, "hostPort": 0, "protocol": ["tcp"], "labels": {"VIP_0": "/cart:80", "note": "x"}},
        {"name": "any", "containerPort": 0, "protocol": ["udp"], "networkNames": ["blue"]}
      ],
      "linuxInfo": {"seccomp": {"unconfined": true}, "ipcInfo": {"mode": "PRIVATE", "shmSize": 64}},
      "image": {"kind": "DOCKER", "id": "shop/cart:1", "forcePull": true, "pullConfig": {"secret": "pull"}, "labels": {"os": "linux"}},
      "environment": {"BOTH": "web"},
      "user": "root",
      "healthCheck": {"http": {"endpoint": "http", "path": "/up", "scheme": "HTTPS"}, "gracePeriodSeconds": 30, "intervalSeconds": 10, "maxConsecutiveFailures": 2, "timeoutSeconds": 5, "delaySeconds": 2},
      "check": {"tcp": {"endpoint": "any"}, "intervalSeconds": 5, "timeoutSeconds": 1, "delaySeconds": 1},
      "volumeMounts": [{"name": "data", "mountPath": "/data", "readOnly": true}, {"name": "scratch", "mountPath": "tmp"}],
      "artifacts": [{"uri": "https://example.com/x.tgz", "extract": true, "executable": false, "cache": true, "destPath": "x/y.tgz"}],
      "labels": {"role": "front"},
      "lifecycle": {"killGracePeriodSeconds": 7},
      "tty": true
    },
    {
      "name": "log",
      "exec": {"command": {"shell": "tail -F $MESOS_SANDBOX/log | nc $EP_HOST_HTTP 1"}},
      "resources": {"cpus": 0.1, "mem": 32},
      "environment": {"BOTH": "log"},
      "volumeMounts": [{"name": "scratch", "mountPath": "/tmp"}, {"name": "cert", "mountPath": "certs/cert.pem"}, {"name": "etc", "mountPath": "/host-etc"}],
      "lifecycle": {"killGracePeriodSeconds": 9.5}
    }
  ],
  "secrets": {"k": {"source": "shop/k"}, "pull": {"source": "shop/pull"}},
  "volumes": [
    {"name": "data", "persistent": {"size": 1024, "type": "mount", "maxSize": 2048, "profileName": "fast", "constraints": [["path", "LIKE", "/ssd.*"]]}},
    {"name": "scratch"},
    {"name": "cert", "secret": "k"},
    {"name": "etc", "host": "/etc"},
    {"name": "box", "host": "box"}
  ],
  "networks": [{"mode": "container", "name": "blue", "labels": {"a": "b"}}],
  "scaling": {"kind": "fixed", "instances": 3},
  "scheduling": {
    "backoff": {"backoff": 1, "backoffFactor": 1.15, "maxLaunchDelay": 300},
    "upgrade": {"minimumHealthCapacity": 0.5, "maximumOverCapacity": 0},
    "placement": {"constraints": [{"fieldName": "hostname", "operator": "UNIQUE"}, {"fieldName": "rack", "operator": "LIKE", "value": "r.*"}], "acceptedResourceRoles": ["slave_public"]},
    "killSelection": "Oldest_First",
    "unreachableStrategy": {"inactiveAfterSeconds": 900, "expungeAfterSeconds": 604800}
  },
  "executorResources": {"cpus": 0.1, "mem": 32, "disk": 10},
  "role": "dev",
  "linuxInfo": {"seccomp": {"profileName": "default.json", "unconfined": false}},
  "legacySharedCgroups": false
}`

func read(t *testing.T, text string) (estate.Workload, discover.Result) {
	t.Helper()
	r := discovertest.One(readers, text)
	if len(r.Estate.Workloads) != 1 {
		t.Fatalf("%d workloads, want 1: %v", len(r.Estate.Workloads), r.Diags)
	}
	return r.Estate.Workloads[0], r
}

func TestEveryKeyOfTheSchemaIsRead(t *testing.T) {
	w, r := read(t, whole)
	for _, d := range r.Diags {
		if d.Code != pod.NoImage {
			t.Errorf("diagnostic: %v", d)
		}
	}
	for _, e := range r.Ledger {
		if e.Code == discover.UnknownKey {
			t.Errorf("%s is unknown", e.Pointer)
		}
	}
	web, log := w.Containers[0], w.Containers[1]
	got := map[string]any{
		"replicas": w.Replicas, "group": w.Group, "grace": *w.KillGrace, "role": w.Role, "accepted": w.AcceptedRoles,
		"update": *w.Update, "unreachable": *w.Unreachable, "stateful": w.Stateful, "command": web.Command, "shell": log.Shell,
		"users": []string{web.Security.User, log.Security.User}, "seccomp": []string{web.Security.Seccomp, log.Security.Seccomp},
		"labels": w.Labels, "ports": web.Ports, "pull": w.PullSecrets, "check": web.Checks[0], "sandbox": log.Sandbox,
		"mounts": log.Mounts, "network": w.Networks, "artifacts": web.Artifacts,
	}
	want := map[string]any{
		"replicas": 3, "group": estate.Name("/shop"), "grace": *w.KillGrace, "role": "dev", "accepted": []string{"slave_public"},
		"update": estate.Update{MinHealthy: 0.5}, "unreachable": estate.Unreachable{Replace: 900, Expunge: 604800}, "stateful": true,
		"command": []string{"serve", "--port", "8080"}, "shell": "tail -F $MESOS_SANDBOX/log | nc $EP_HOST_HTTP 1",
		"users": []string{"root", "www-data"}, "seccomp": []string{"unconfined", "default.json"},
		"labels": map[string]string{"team": "till", "web.role": "front"},
		"ports": []estate.Port{
			{Name: "http", Number: 8080, Protocols: []string{"tcp"}, Labels: map[string]string{"VIP_0": "/cart:80", "note": "x"}},
			{Name: "any", Number: 20000, Protocols: []string{"udp"}, Dynamic: true, Networks: []string{"blue"}},
		},
		"pull": []estate.SecretRef{{Name: "pull"}},
		"check": estate.HealthCheck{
			Kind: estate.HTTPS, Path: "/up", Port: 8080, Loopback: true, Interval: 10, Timeout: 5, Grace: 30, Delay: 2, Failures: 2, Kills: true,
		},
		"sandbox": "/mnt/mesos/sandbox",
		"mounts": []estate.Mount{
			{Volume: "scratch", Path: "/tmp"},
			{Volume: "cert", Path: "/mnt/mesos/sandbox/certs/cert.pem", SubPath: "value", ReadOnly: true},
			{Volume: "etc", Path: "/host-etc"},
		},
		"network":   []estate.NetworkRef{{Name: "blue", Labels: map[string]string{"a": "b"}}},
		"artifacts": []estate.Artifact{{URI: "https://example.com/x.tgz", Extract: true, Cache: true, Path: "x/y.tgz"}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("the pod is read otherwise (-want +got):\n%s", d)
	}
	if *w.KillGrace != 9.5 {
		t.Errorf("grace = %v, want the longest, 9.5", *w.KillGrace)
	}
	fsys := fstest.MapFS{"app.json": {Data: []byte(whole)}}
	discovertest.Covered(t, fsys, "app.json", r)
	discovertest.Truth(t, readers, fsys, "app.json")
}

func TestContainersOwnVariablesWin(t *testing.T) {
	w, r := read(t, whole)
	for i, want := range []string{"web", "log"} {
		for _, e := range w.Containers[i].Env {
			if e.Name == "BOTH" && e.Value != want {
				t.Errorf("BOTH = %s in %s, want its own", e.Value, w.Containers[i].Name)
			}
		}
	}
	if e, _ := discovertest.Entry(r, "/environment/BOTH"); e.Verdict != ledger.Informational {
		t.Errorf("an overridden variable is %s, want informational", e.Verdict)
	}
	var names []string
	for _, e := range w.Containers[1].Env {
		names = append(names, e.Name)
	}
	if d := cmp.Diff([]string{"MESOS_SANDBOX", "EP_HOST_HTTP", "EP_CONTAINER_ANY", "EP_HOST_ANY", "COLOUR", "KEY", "DB_PASSWORD", "BOTH"}, names); d != "" {
		t.Errorf("variables (-want +got):\n%s", d)
	}
}

func TestNoSecretLeavesTheSnapshot(t *testing.T) {
	_, r := read(t, whole)
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(b), "canary") {
		t.Error("a secret's value is in the result")
	}
	w := r.Estate.Workloads[0]
	want := estate.Secret{Name: "cart-env", Keys: []string{"DB_PASSWORD"}, At: []estate.Origin{{File: "app.json", Pointer: "/environment/DB_PASSWORD"}}}
	if d := cmp.Diff(want, w.Secrets[2]); d != "" {
		t.Errorf("the secret is declared otherwise (-want +got):\n%s", d)
	}
}

func TestPodsStandInManyForms(t *testing.T) {
	const p = `{"id": "%", "containers": [{"name": "c"}]}`
	one := func(id string) string { return strings.Replace(p, "%", id, 1) }
	for _, c := range []struct{ name, text, want string }{
		{"alone", one("/a/b"), "/a/b"},
		{"relative", one("a/b"), "/a/b"},
		{"list", "[" + one("/a") + "," + one("/b") + "]", "/a /b"},
		{"list with other things", "[null, 3, " + one("/a") + "]", "/a"},
		{"stream", one("/a") + "\n" + one("/b"), "/a /b"},
		{"status", `{"id": "/a", "spec": ` + one("/a") + `, "status": "STABLE"}`, "/a"},
		{"statuses", `[{"id": "/a", "spec": ` + one("/a") + `}, {"id": "/b", "spec": ` + one("/b") + `}]`, "/a /b"},
		{"without id", `{"containers": [{"name": "c"}], "networks": []}`, "/app"},
		{"with nulls", `{"id": "/a", "containers": [{"name": "c", "image": null, "exec": null, "endpoints": null, "healthCheck": null, "volumeMounts": null}],
			"volumes": null, "networks": null, "scaling": null, "scheduling": null, "environment": null, "secrets": null, "labels": null, "user": null}`, "/a"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := discovertest.One(readers, c.text)
			var got []string
			for _, w := range r.Estate.Workloads {
				got = append(got, string(w.ID))
			}
			if strings.Join(got, " ") != c.want || r.Diags.HasErrors() {
				t.Errorf("workloads = %v, want %s; %v", got, c.want, r.Diags)
			}
		})
	}
}

func TestStatusTellsHowAPodRan(t *testing.T) {
	const text = `{"id": "/a", "spec": {"id": "/a", "version": "1", "containers": [{"name": "c"}]}, "status": "DEGRADED", "instances": [
		{"id": "a.1", "status": "STABLE", "agentHostname": "h1", "containers": [{"name": "c", "status": "TASK_RUNNING"}]},
		{"id": "a.2", "status": "DEGRADED", "agentHostname": "h1"}, {"id": "a.3", "status": "PENDING"}]}`
	w, r := read(t, text)
	if d := cmp.Diff(&estate.Running{Instances: 2, Healthy: 1, Hosts: []string{"h1"}}, w.Running); d != "" {
		t.Errorf("running (-want +got):\n%s", d)
	}
	if w.SourceVersion != "1" || w.Origin.Pointer != "/spec" {
		t.Errorf("version %s at %s, want that of the spec", w.SourceVersion, w.Origin.Pointer)
	}
	fsys := fstest.MapFS{"app.json": {Data: []byte(text)}}
	discovertest.Covered(t, fsys, "app.json", r)
	discovertest.Truth(t, readers, fsys, "app.json")
	twice := "[" + text + `, {"id": "/a", "version": "1", "containers": [{"name": "c"}]}]`
	if _, r := read(t, twice); r.Diags.HasErrors() {
		t.Errorf("the same pod from two answers: %v", r.Diags)
	}
}

func TestWhatIsNoPodIsLeftAlone(t *testing.T) {
	for _, text := range []string{
		`{"id": "/a", "cmd": "true"}`, `{"apiVersion": "v1", "kind": "Pod", "spec": {"containers": []}}`, `[]`, `{}`, `3`, `[1]`,
	} {
		if r := discovertest.One(readers, text); len(r.Estate.Workloads) > 0 || !discovertest.Codes(r)[discover.NotADefinition] {
			t.Errorf("%s is read as a pod", text)
		}
	}
}

func TestRefusedFieldDropsOnlyItself(t *testing.T) {
	for _, c := range []struct{ name, old, text string }{
		{"copies", `"instances": 3`, `"instances": "many"`},
		{"processors", `"cpus": 0.5`, `"cpus": -1`},
		{"port", `"containerPort": 8080`, `"containerPort": 70000`},
		{"check", `{"endpoint": "http", "path": "/up"`, `{"endpoint": "nowhere", "path": "/up"`},
		{"volume", `"name": "scratch"}`, `"nme": "scratch"}`},
		{"operator", `"UNIQUE"`, `"ALONE"`},
		{"image", `"shop/cart:1"`, `["shop/cart:1"]`},
		{"labels", `{"team": "till"}`, `["team"]`},
		{"strategy", `{"inactiveAfterSeconds": 900, "expungeAfterSeconds": 604800}`, `"enabled"`},
		{"secret", `{"source": "shop/k"}`, `"shop/k"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(whole, c.old) {
				t.Fatalf("no %s in the pod", c.old)
			}
			text := strings.Replace(whole, c.old, c.text, 1)
			w, r := read(t, text)
			if !r.Diags.HasErrors() {
				t.Errorf("no error for %s", c.text)
			}
			if len(w.Containers) != 2 || w.Role != "dev" {
				t.Errorf("the rest of the pod is lost: %d containers, role %q", len(w.Containers), w.Role)
			}
			discovertest.Covered(t, fstest.MapFS{"app.json": {Data: []byte(text)}}, "app.json", r)
		})
	}
}

func TestUnknownKeyAddsOneEntry(t *testing.T) {
	discovertest.OneMore(t, readers, whole, "labels", "environment", "secrets")
}

// variants are pods that take the other way wherever whole takes one.
var variants = map[string]string{
	"on the host's network": `{"id": "/a", "networks": [{"mode": "host", "name": "x", "labels": {"a": "b"}}], "containers": [{"name": "c", "image": {"id": "x:1"},
		"endpoints": [{"name": "fixed", "hostPort": 80, "containerPort": 8080}, {"name": "any", "hostPort": 0}, {"name": "unsaid"},
			{"name": "a-name-that-is-too-long-for-a-port", "hostPort": 81, "protocol": ["http", "udp"], "labels": {}}],
		"healthCheck": {"tcp": {"endpoint": "any"}, "maxConsecutiveFailures": 0, "intervalSeconds": 0},
		"lifecycle": {"killGracePeriodSeconds": 7}}], "scheduling": {"unreachableStrategy": "disabled", "killSelection": "YOUNGEST_FIRST"}}`,
	"on a bridge": `{"id": "/a", "networks": [{"mode": "container/bridge"}], "containers": [{"name": "c", "image": {"id": "x:1"},
		"endpoints": [{"name": "web", "containerPort": 80, "hostPort": 8080, "protocol": ["tcp"]}, {"name": "www", "containerPort": 80, "labels": {"VIP_0": "a:80"}}],
		"healthCheck": {"http": {"endpoint": "www"}, "timeoutSeconds": 0}, "resourceLimits": {"cpus": 4, "mem": "unlimited"}}]}`,
	"commands": `{"id": "/a", "containers": [
		{"name": "a", "exec": {"command": {"argv": ["a", "b"]}, "overrideEntrypoint": true}},
		{"name": "b", "image": {"id": "x:1"}, "exec": {"command": {"argv": ["a", "b"]}, "overrideEntrypoint": false}},
		{"name": "c", "image": {"id": "x:1"}, "exec": {"command": {"shell": "a", "argv": ["b"]}, "overrideEntrypoint": false}},
		{"name": "d", "exec": {"command": {"shell": "curl https://me:canary@x/y"}}, "healthCheck": {"exec": {"command": {"argv": ["a", "b"]}}},
			"check": {"exec": {"command": {"shell": "a"}}}},
		{"name": "d", "healthCheck": {"exec": {}, "tcp": null}}, {"healthCheck": {"tcp": {"endpoint": "x"}, "http": {"endpoint": "x"}}}]}`,
	"volumes": `{"id": "/a", "secrets": {"k": {"source": "k"}}, "volumes": [{"name": "k", "secret": "k"}, {"name": "p", "persistent": {"size": 1}},
		{"name": "r", "host": "rel"}, {"name": "n"}, {"name": "x", "external": {"name": "v", "provider": "dvdi", "options": {"dvdi/driver": "rexray"}}}],
		"containers": [{"name": "c", "image": {"id": "x:1"}, "volumeMounts": [{"name": "k", "mountPath": "k", "readOnly": false},
			{"name": "p", "mountPath": "/p"}, {"name": "r", "mountPath": "/r"}, {"name": "n", "mountPath": "/r"}, {"name": "z", "mountPath": "/z"}]}]}`,
	"settings": `{"id": "a", "user": "x", "environment": {"A": "1"}, "linuxInfo": {"seccomp": {"unconfined": true, "profileName": "p"}, "ipcInfo": {"mode": "SHARE_PARENT"}},
		"containers": [{"name": "c", "user": "y", "environment": {"A": "2"}, "linuxInfo": {"seccomp": {"unconfined": false, "profileName": "q"}, "ipcInfo": {"mode": "PRIVATE"}}}],
		"scheduling": {"placement": {"acceptedResourceRoles": ["*"]}, "backoff": {"backoff": 3, "maxLaunchDelaySeconds": 4}}, "scaling": {"kind": "fixed", "instances": 0}}`,
}

func TestLedgerIsWholeAndTrueEitherWay(t *testing.T) {
	for name, text := range variants {
		t.Run(name, func(t *testing.T) {
			_, r := read(t, text)
			fsys := fstest.MapFS{"app.json": {Data: []byte(text)}}
			discovertest.Covered(t, fsys, "app.json", r)
			discovertest.Truth(t, readers, fsys, "app.json")
			for _, d := range r.Diags {
				if strings.Contains(d.String()+d.Hint, "canary") {
					t.Errorf("a secret's value is in %v", d)
				}
			}
		})
	}
}

func TestAnyValueIsSurvived(t *testing.T) {
	discovertest.AnyValue(t, readers, whole)
}

// groups reads {"pods": [...]} as a group does.
type groups struct{}

func (groups) Recognise(d *discover.Document) bool { return d.Root.Has("pods") }

func (groups) Read(d *discover.Document, b *discover.Builder) {
	for _, e := range d.Root.Get("pods").Elems() {
		b.ReadPod(d, e, "/shop")
	}
}

func TestPodsInAGroupAreRead(t *testing.T) {
	r := discovertest.One([]any{groups{}, pod.Reader{}}, `{"pods": [{"id": "cart", "containers": [{"name": "c"}]}, null]}`)
	if len(r.Estate.Workloads) != 1 || r.Estate.Workloads[0].ID != "/shop/cart" {
		t.Errorf("workloads = %v, want /shop/cart", r.Estate.Workloads)
	}
	r = discovertest.One([]any{groups{}}, `{"pods": [{"id": "cart", "containers": [{"name": "c"}]}]}`)
	if !discovertest.Codes(r)[discover.UnknownKey] {
		t.Error("without a reader of pods they are passed over in silence")
	}
}

func TestCorpusIsCoveredAndTrue(t *testing.T) {
	fsys, files := corpus.Files(t, []string{"marathon/pods"}, ".json")
	for _, file := range files {
		t.Run(file, func(t *testing.T) {
			data, err := fs.ReadFile(fsys, file)
			if err != nil {
				t.Fatal(err)
			}
			one := fstest.MapFS{file: {Data: data}}
			r := discover.Read(one, readers, discover.Options{})
			if len(r.Estate.Workloads) == 0 {
				t.Errorf("no workload: %v", r.Diags)
			}
			for _, d := range r.Diags {
				t.Log(d)
			}
			discovertest.Covered(t, one, file, r)
			discovertest.Truth(t, readers, one, file)
		})
	}
}

func FuzzReader(f *testing.F) {
	f.Add(whole)
	f.Add(`[{"id": "/a", "spec": {"containers": [{"name": "c"}]}, "instances": [{"status": "STABLE"}]}]`)
	f.Fuzz(func(t *testing.T, text string) {
		r := discovertest.One(readers, text)
		for _, d := range r.Diags {
			if d.Code == estate.Inconsistent {
				t.Errorf("the estate is inconsistent: %v", d)
			}
		}
	})
}
