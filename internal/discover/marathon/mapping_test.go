package marathon_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/discover/discovertest"
	"github.com/tranship/tranship/internal/discover/marathon"
	"github.com/tranship/tranship/internal/estate"
)

const image = `"docker": {"image": "x:1"}`

func TestPortsAreThoseOfTheContainer(t *testing.T) {
	for _, c := range []struct {
		name, app string
		want      []estate.Port
	}{
		{"nothing said", `"cmd": "x"`, []estate.Port{{Name: "default", Number: 20000, Dynamic: true}}},
		{"none", `"cmd": "x", "ports": []`, nil},
		{"any two", `"cmd": "x", "ports": [0, 0]`, []estate.Port{{Number: 20000, Dynamic: true}, {Number: 20001, Dynamic: true}}},
		{
			"service ports", `"cmd": "x", "ports": [10001, 80]`,
			[]estate.Port{{Number: 10001, ServicePort: 10001, Dynamic: true}, {Number: 20000, ServicePort: 80, Dynamic: true}},
		},
		{"required", `"cmd": "x", "ports": [8080], "requirePorts": true`, []estate.Port{{Number: 8080, HostPort: 8080}}},
		{
			"mapped", `"networks": [{"mode": "container/bridge"}], "container": {` + image + `, "portMappings": [{"containerPort": 80, "hostPort": 31000, "servicePort": 10000, "name": "web"}]}`,
			[]estate.Port{{Name: "web", Number: 80, HostPort: 31000, ServicePort: 10000}},
		},
		{
			"the same as the host's", `"networks": [{"mode": "container/bridge"}], "container": {` + image + `, "portMappings": [{"containerPort": 0, "hostPort": 7000}]}`,
			[]estate.Port{{Number: 7000, HostPort: 7000}},
		},
		{
			"chosen", `"networks": [{"mode": "container/bridge"}], "container": {` + image + `, "portMappings": [{"containerPort": 0}, {"containerPort": 20000}]}`,
			[]estate.Port{{Number: 20001, Dynamic: true}, {Number: 20000}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, _ := one(t, `{"id": "/a", `+c.app+`}`)
			for i := range c.want {
				c.want[i].Protocols = []string{"tcp"}
			}
			if diff := cmp.Diff(c.want, w.Containers[0].Ports); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCheckAsksAtTheContainersPort(t *testing.T) {
	mapped := func(check string) string {
		return `{"id": "/a", "networks": [{"mode": "container/bridge"}], "container": {` + image +
			`, "portMappings": [{"containerPort": 80, "hostPort": 31000}, {"containerPort": 81}]}, "healthChecks": [` + check + `]}`
	}
	for check, want := range map[string]int{
		`{"protocol": "HTTP"}`:                         80,
		`{"protocol": "HTTP", "portIndex": 1}`:         81,
		`{"protocol": "HTTP", "port": 31000}`:          80,
		`{"protocol": "MESOS_HTTP", "port": 81}`:       81,
		`{"protocol": "TCP", "port": 9}`:               9,
		`{"protocol": "MESOS_TCP", "portIndex": null}`: 80,
	} {
		w, _ := one(t, mapped(check))
		if got := w.Containers[0].Checks[0].Port; got != want {
			t.Errorf("%s asks at %d, want %d", check, got, want)
		}
	}
	w, r := one(t, mapped(`{"protocol": "HTTP", "portIndex": 5}`))
	if len(w.Containers[0].Checks) != 0 || !discovertest.Codes(r)[marathon.NoSuchPort] {
		t.Errorf("a check at no port: %+v, %v", w.Containers[0].Checks, r.Diags)
	}
}

func TestCheckHasMarathonsDefaults(t *testing.T) {
	w, _ := one(t, `{"id": "/a", "cmd": "x", "healthChecks": [{}, {"protocol": "COMMAND", "command": {"value": "test \\\"$A\\\" = \\\"b\\\""}}]}`)
	want := []estate.HealthCheck{
		{Kind: estate.HTTP, Path: "/", Port: 20000, Interval: 60, Timeout: 20, Grace: 300, Failures: 3, Kills: true},
		{Kind: estate.Command, Shell: `test "$A" = "b"`, Interval: 60, Timeout: 20, Grace: 300, Delay: 15, Failures: 3, Kills: true},
	}
	if diff := cmp.Diff(want, w.Containers[0].Checks); diff != "" {
		t.Error(diff)
	}
}

func TestVolumesBecomeWhatTheyHold(t *testing.T) {
	w, _ := one(t, `{"id": "/a", "secrets": {"s": {"source": "p"}}, "container": {`+image+`, "volumes": [
	  {"containerPath": "data", "mode": "RW", "persistent": {"size": 100}}, {"containerPath": "/var/data", "hostPath": "data", "mode": "RO"},
	  {"containerPath": "own", "mode": "RW", "persistent": {"size": 1}}, {"containerPath": "/etc/x", "hostPath": "/etc/x", "mode": "RO"},
	  {"containerPath": "/tmp/y", "hostPath": "y", "mode": "RW"}, {"containerPath": "/run/s", "secret": "s"}]}}`)
	mounts := []estate.Mount{
		{Volume: "own", Path: "/mnt/mesos/sandbox/own"},
		{Volume: "data", Path: "/var/data", ReadOnly: true},
		{Volume: "x", Path: "/etc/x", ReadOnly: true},
		{Volume: "y", Path: "/tmp/y"},
		{Volume: "secret-s", Path: "/run/s", SubPath: "value", ReadOnly: true},
	}
	if diff := cmp.Diff(mounts, w.Containers[0].Mounts); diff != "" {
		t.Error(diff)
	}
	var kinds []estate.VolumeKind
	for _, v := range w.Volumes {
		kinds = append(kinds, v.Kind)
	}
	want := []estate.VolumeKind{estate.PersistentVolume, estate.PersistentVolume, estate.HostVolume, estate.EphemeralVolume, estate.SecretVolume}
	if diff := cmp.Diff(want, kinds); diff != "" || !w.Stateful || w.Update.MinHealthy != 0.5 || !w.Unreachable.Disabled {
		t.Errorf("%s; %+v", diff, w)
	}
}

func TestInjectedVariablesAreThoseThatTheAppReads(t *testing.T) {
	for _, c := range []struct{ app, want string }{
		{`"cmd": "x"`, "PORT=20000 PORT0=20000"},
		{`"cmd": "x", "ports": []`, ""},
		{
			`"cmd": "x $PORTS ${PORT1} $PORT_WEB", "portDefinitions": [{"port": 0}, {"port": 0, "name": "web"}]`,
			"PORT=20000 PORT0=20000 PORT1=20001 PORTS=20000,20001 PORT_WEB=20001",
		},
		{
			`"cmd": "$MESOS_SANDBOX/x $MARATHON_APP_ID $MARATHON_APP_RESOURCE_CPUS $MARATHON_APP_LABEL_A_B $MARATHON_APP_LABELS", "cpus": 0.5, "ports": [], "labels": {"a.b": "c"}`,
			"MARATHON_APP_ID=/a MARATHON_APP_LABELS=A_B MARATHON_APP_LABEL_A_B=c MARATHON_APP_RESOURCE_CPUS=0.5 MESOS_SANDBOX=/mnt/mesos/sandbox",
		},
		{`"cmd": "x $PORT_80", "networks": [{"mode": "container/bridge"}], "container": {` + image + `, "portMappings": [{"containerPort": 80}]}`, "PORT_80=80"},
	} {
		w, _ := one(t, `{"id": "/a", `+c.app+`}`)
		var got []string
		for _, e := range w.Containers[0].Env {
			if !e.Injected {
				t.Errorf("%s: %s is not marked as injected", c.app, e.Name)
			}
			got = append(got, e.Name+"="+e.Value)
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s: got %q, want %q", c.app, s, c.want)
		}
	}
}

func TestSharedVirtualAddressIsOneEndpoint(t *testing.T) {
	app := func(id, vip string) string {
		return `{"id": "` + id + `", "networks": [{"mode": "container/bridge"}], "container": {` + image + `, "portMappings": [{"containerPort": 80, "labels": {"VIP_0": "` + vip + `"}}]}}`
	}
	r := discovertest.One(readers, `[`+app("/a", "/web:8080")+`,`+app("/b", "/web:8080")+`,`+app("/c", "10.1.2.3:53")+`]`)
	if len(r.Estate.Endpoints) != 2 {
		t.Fatalf("got %+v", r.Estate.Endpoints)
	}
	want := estate.Endpoint{
		ID: "vip:/web:8080", Kind: estate.VirtualAddress, Port: 8080, Protocol: "tcp", Address: "web.marathon.l4lb.thisdcos.directory",
		Backends: []estate.Backend{{Workload: "/a", Port: 80}, {Workload: "/b", Port: 80}},
	}
	got := r.Estate.Endpoints[slices.IndexFunc(r.Estate.Endpoints, func(e estate.Endpoint) bool { return e.ID == want.ID })]
	got.Origin = estate.Origin{}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestGroupTreeResolvesIDsAndDependencies(t *testing.T) {
	r := discovertest.One(readers, whole["group.json"])
	got := map[estate.Name][]estate.Name{}
	for _, w := range r.Estate.Workloads {
		got[w.ID] = w.DependsOn
	}
	want := map[estate.Name][]estate.Name{
		"/top": nil, "/g/a": {"/h/b", "/g/c", "/h/kafka"}, "/g/c": {"/h/b", "/h/kafka"}, "/h/b": nil, "/h/kafka": nil,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(r.Estate.Quotas) != 1 || !r.Estate.Quotas[0].Enforced {
		t.Errorf("quotas are %+v", r.Estate.Quotas)
	}
	for _, e := range r.Ledger {
		if e.Pointer == "/groups/0/dependencies/0" && e.Workload != "" {
			t.Errorf("a group's field belongs to %s", e.Workload)
		}
	}
}

func TestFrameworksAndThePlatformAreNamed(t *testing.T) {
	for app, want := range map[string][2]string{
		`"cmd": "x", "labels": {"DCOS_PACKAGE_NAME": "beta-kafka", "DCOS_PACKAGE_IS_FRAMEWORK": "true"}`: {"framework", "Strimzi or Amazon MSK"},
		`"cmd": "x", "labels": {"DCOS_PACKAGE_FRAMEWORK_NAME": "cassandra"}`:                             {"framework", "K8ssandra (cass-operator)"},
		`"cmd": "x", "labels": {"DCOS_PACKAGE_NAME": "gitlab", "DCOS_PACKAGE_IS_FRAMEWORK": "false"}`:    {"service", ""},
		`"container": {"docker": {"image": "mesosphere/marathon-lb:v1.14"}}`:                             {"infrastructure", "an ingress controller"},
		`"container": {"docker": {"image": "atlassian/bamboo"}}`:                                         {"service", ""},
		`"cmd": "x", "labels": {"DCOS_PACKAGE_NAME": "edgelb", "DCOS_PACKAGE_IS_FRAMEWORK": "true"}`:     {"infrastructure", "an ingress controller"},
	} {
		w, _ := one(t, `{"id": "/a", `+app+`}`)
		name := ""
		if w.Operator != nil {
			name = w.Operator.Name
		}
		if got := [2]string{string(w.Kind), name}; got != want {
			t.Errorf("%s: got %v, want %v", app, got, want)
		}
	}
}

func TestPartOfAnAppIsCalledAfterItsFile(t *testing.T) {
	r := discovertest.Read(readers, map[string]string{"up/Shop Cart.json": `{"instances": 4, "cmd": "x"}`})
	if len(r.Estate.Workloads) != 1 || r.Estate.Workloads[0].ID != "/shop-cart" || r.Estate.Workloads[0].Replicas != 4 {
		t.Fatalf("got %+v", r.Estate.Workloads)
	}
	if !discovertest.Codes(r)[marathon.NoID] || r.Diags.HasErrors() {
		t.Errorf("got %v", r.Diags)
	}
}

func TestRecognitionIsByShape(t *testing.T) {
	for text, want := range map[string]bool{
		`{"id": "/a", "cmd": "x"}`:                          true,
		`{"cpus": 1}`:                                       true,
		`{"app": {"id": "/a", "cmd": "x"}}`:                 true,
		`{"apps": []}`:                                      true,
		`{"apps": [{"id": "/a", "cmd": "x"}]}`:              true,
		`[{"id": "/a", "cmd": "x"}, null]`:                  true,
		`{"id": "/", "groups": [{"id": "/g", "apps": []}]}`: true,
		`{"id": "/", "apps": [], "groups": [], "pods": [], "dependencies": []}`:        true,
		`{"name": "n", "schedule": "R/2015-01-01T00:00:00Z/PT24H", "command": "true"}`: true,
		`{"id": "/a", "containers": [{"name": "x"}]}`:                                  false,
		`[{"id": "/a", "containers": []}]`:                                             false,
		`{"id": "j", "run": {"cmd": "x", "cpus": 1}}`:                                  false,
		`[{"id": "j", "run": {"cmd": "x"}}]`:                                           false,
		`{"apiVersion": "V2", "name": "p", "count": 1, "haproxy": {}}`:                 false,
		`{"name": "p", "cpus": 1, "mem": 1, "ports": [], "constraints": ""}`:           false,
		`{"slaves": [], "frameworks": []}`:                                             false,
		`{"services": {"a": {"image": "x"}}, "networks": {}}`:                          false,
		`{"name": "kafka", "packagingVersion": "3.0", "version": "1", "command": {}}`:  false,
		`{"properties": {"cpus": {"type": "number"}}, "type": "object"}`:               false,
		`{"type": "object", "id": "x", "title": "y"}`:                                  false,
		`{}`:                                false,
		`[]`:                                false,
		`"x"`:                               false,
		`{"env": {"A": "b"}, "labels": {}}`: false,
	} {
		d := &discover.Document{File: "x.json", Root: jsonpos.Parse("x.json", []byte(text)).Root}
		if got := (marathon.Reader{}).Recognise(d); got != want {
			t.Errorf("%s: recognised is %v", text, got)
		}
	}
}

func TestBadElementCostsItselfOnly(t *testing.T) {
	r := discovertest.One(readers, `{"apps": [{"id": "/a", "cmd": "x"}, 7, "x", [], {"colour": 1}, {"id": "/b", "cmd": "x"}, {"id": "/a", "cmd": "other"}]}`)
	if len(r.Estate.Workloads) != 2 {
		t.Errorf("got %d workloads", len(r.Estate.Workloads))
	}
	errs := 0
	for _, d := range r.Diags {
		if d.Severity == diag.Error {
			errs++
		}
	}
	if errs != 5 {
		t.Errorf("got %d errors, want 5: %v", errs, r.Diags)
	}
}

func TestDockerParametersAreCarriedByKey(t *testing.T) {
	w, _ := one(t, whole["hosted.json"])
	c := w.Containers[0]
	want := &estate.HostView{
		Name: "h", PIDs: true, IPC: true, Aliases: []estate.HostAlias{{Name: "x", Address: "10.0.0.1"}}, DNS: []string{"1.1.1.1"},
		Search: []string{"a.b"}, DNSOptions: []string{"ndots:2"}, Sysctls: map[string]string{"net.core.somaxconn": "1"},
	}
	if diff := cmp.Diff(want, w.Host); diff != "" {
		t.Error(diff)
	}
	sec := estate.Security{
		User: "1000", Groups: []string{"7"}, Privileged: true, ReadOnlyRoot: true, NoNewPrivs: true, Add: []string{"NET_ADMIN"}, Drop: []string{"ALL"}, Seccomp: "unconfined",
	}
	if diff := cmp.Diff(sec, c.Security); diff != "" {
		t.Error(diff)
	}
	if c.WorkingDir != "/w" || w.Labels["l"] != "1" || len(c.Mounts) != 3 {
		t.Errorf("got %+v", c)
	}
}
