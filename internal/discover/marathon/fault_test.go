package marathon_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/discover/discovertest"
	"github.com/tranship/tranship/internal/estate"
)

// one reads a text with one app in it.
func one(t *testing.T, text string) (estate.Workload, discover.Result) {
	t.Helper()
	r := discovertest.One(readers, text)
	if len(r.Estate.Workloads) != 1 {
		t.Fatalf("has %d workloads: %v", len(r.Estate.Workloads), r.Diags)
	}
	return r.Estate.Workloads[0], r
}

func env(w estate.Workload, name string) (estate.EnvVar, bool) {
	for _, e := range w.Containers[0].Env {
		if e.Name == name {
			return e, true
		}
	}
	return estate.EnvVar{}, false
}

// The earlier converter made a liveness probe of every check, and nothing else.
func TestFault5CheckSaysWhetherItKills(t *testing.T) {
	w, _ := one(t, `{"id": "/a", "cmd": "x", "healthChecks": [{"protocol": "HTTP", "path": "/h", "maxConsecutiveFailures": 2}]}`)
	c := w.Containers[0].Checks[0]
	if !c.Kills || c.Failures != 2 || c.Kind != estate.HTTP || c.Path != "/h" {
		t.Errorf("got %+v", c)
	}
}

// It waited out the whole grace period before the first check.
func TestFault6GraceIsNoDelay(t *testing.T) {
	w, _ := one(t, `{"id": "/a", "cmd": "x", "healthChecks": [{"protocol": "HTTP", "gracePeriodSeconds": 120}]}`)
	if c := w.Containers[0].Checks[0]; c.Grace != 120 || c.Delay != 0 {
		t.Errorf("grace is %v and delay %v", c.Grace, c.Delay)
	}
}

// It wrote a threshold of 0, which Kubernetes takes for 3.
func TestFault7ZeroFailuresNeverKillOrKillAtOnce(t *testing.T) {
	for protocol, kills := range map[string]bool{
		"HTTP": false, "HTTPS": false, "TCP": false, "MESOS_HTTP": true, "MESOS_HTTPS": true, "MESOS_TCP": true, "COMMAND": true,
	} {
		w, _ := one(t, `{"id": "/a", "cmd": "x", "healthChecks": [{"protocol": "`+protocol+`", "command": {"value": "true"}, "maxConsecutiveFailures": 0}]}`)
		c := w.Containers[0].Checks[0]
		if c.Kills != kills || kills && c.Failures != 1 {
			t.Errorf("%s: kills is %v with %d failures", protocol, c.Kills, c.Failures)
		}
	}
}

// It set HOST to 0.0.0.0, which programs then told the world.
func TestFault8HostIsTheAddressOthersReach(t *testing.T) {
	for _, cmd := range []string{"run $HOST:$PORT0", "run ${HOST}", `python -c "os.environ['HOST']"`} {
		b := show(t, cmd)
		w, _ := one(t, `{"id": "/a", "cmd": `+b+`}`)
		if e, ok := env(w, "HOST"); !ok || e.Fact != estate.Address || e.Value != "" || !e.Injected {
			t.Errorf("%s: HOST is %+v", cmd, e)
		}
	}
	w, _ := one(t, `{"id": "/a", "cmd": "run $HOST", "env": {"HOST": "mine"}}`)
	if e, _ := env(w, "HOST"); e.Value != "mine" || e.Injected {
		t.Errorf("the user's HOST is %+v", e)
	}
}

// It limited processors to what was asked for, always.
func TestFault9ShareIsNoLimit(t *testing.T) {
	w, _ := one(t, `{"id": "/a", "cmd": "x", "cpus": 0.5}`)
	if c := w.Containers[0]; c.CPU != 500 || c.CPULimit != nil || c.NoCPULimit {
		t.Errorf("got %+v", c)
	}
	w, _ = one(t, `{"id": "/a", "cmd": "x", "cpus": 0.5, "resourceLimits": {"cpus": 2, "mem": "unlimited"}}`)
	if c := w.Containers[0]; c.CPULimit == nil || *c.CPULimit != 2000 || !c.NoMemoryLimit {
		t.Errorf("got %+v", c)
	}
}

// It took the time of forgetting a copy for that of replacing it.
func TestFault10ReplacementComesWhenInactive(t *testing.T) {
	w, _ := one(t, `{"id": "/a", "cmd": "x", "unreachableStrategy": {"inactiveAfterSeconds": 60, "expungeAfterSeconds": 900}}`)
	if diff := cmp.Diff(&estate.Unreachable{Replace: 60, Expunge: 900}, w.Unreachable); diff != "" {
		t.Error(diff)
	}
	w, _ = one(t, `{"id": "/a", "cmd": "x"}`)
	if !w.Unreachable.Default || w.Unreachable.Disabled {
		t.Errorf("the default is %+v", w.Unreachable)
	}
}

// It rounded an upgrade of {1, 0} to nothing more and nothing less.
func TestFault11UpgradeKeepsItsShares(t *testing.T) {
	w, _ := one(t, `{"id": "/a", "cmd": "x", "upgradeStrategy": {"minimumHealthCapacity": 1, "maximumOverCapacity": 0}}`)
	if diff := cmp.Diff(&estate.Update{MinHealthy: 1}, w.Update); diff != "" {
		t.Error(diff)
	}
}

// It asked for a label of the old host name that no node had.
func TestFault15HostNameIsADecision(t *testing.T) {
	w, r := one(t, `{"id": "/a", "cmd": "x", "constraints": [["hostname", "LIKE", "10.0.0.[12]"]]}`)
	e, _ := discovertest.Entry(r, "/constraints/0/2")
	if e.Verdict != ledger.Decision || w.Constraints[0].Pattern != "10.0.0.[12]" {
		t.Errorf("got %+v, %+v", e, w.Constraints)
	}
}

// It gave /a/b and /a-b one selector.
func TestFault16LikeIDsStayTwoWorkloads(t *testing.T) {
	r := discovertest.One(readers, `[{"id": "/a/b", "cmd": "x"}, {"id": "/a-b", "cmd": "x"}]`)
	var ids []estate.Name
	for _, w := range r.Estate.Workloads {
		ids = append(ids, w.ID)
	}
	if !slices.Equal(ids, []estate.Name{"/a-b", "/a/b"}) {
		t.Errorf("got %v", ids)
	}
}

func TestRefusedFieldDropsOnlyItself(t *testing.T) {
	const rest = `"id": "/a", "cmd": "run", "mem": 64`
	for _, field := range []string{
		`"cpus": -1`, `"cpus": "many"`, `"instances": -3`, `"instances": 1.5`, `"disk": []`, `"env": 7`, `"env": {"A": [1]}`, `"labels": "x"`,
		`"container": "x"`, `"container": {"docker": 1}`, `"container": {"volumes": [1]}`, `"container": {"volumes": [{"containerPath": 1, "hostPath": 2}]}`,
		`"portDefinitions": {"port": 1}`, `"portDefinitions": [{"port": 99999}]`, `"ports": ["x"]`, `"healthChecks": [1]`, `"healthChecks": [{"protocol": "X"}]`,
		`"constraints": ["hostname"]`, `"networks": [{"mode": "x"}]`, `"networks": "host"`, `"upgradeStrategy": {"minimumHealthCapacity": 7}`,
		`"unreachableStrategy": "x"`, `"unreachableStrategy": 3`, `"fetch": [1]`, `"fetch": "x"`, `"secrets": []`, `"secrets": {"a": 1}`, `"dependencies": [1, {}]`,
		`"acceptedResourceRoles": "x"`, `"readinessChecks": [[]]`, `"check": []`, `"resourceLimits": {"cpus": "x"}`, `"ipAddress": 1`, `"killSelection": "X"`,
		`"taskKillGracePeriodSeconds": -1`, `"tty": "x"`, `"user": {}`, `"args": ["a"]`,
	} {
		w, _ := one(t, `{`+rest+`, `+field+`}`)
		if w.Containers[0].Shell != "run" || w.Containers[0].Memory != 64<<20 || w.Kind != estate.Service {
			t.Errorf("%s: got %+v", field, w)
		}
	}
}

func TestNullIsTheSameAsNothing(t *testing.T) {
	want, _ := one(t, `{"id": "/a", "cmd": "x"}`)
	keys := []string{
		"args", "container", "cpus", "mem", "disk", "gpus", "instances", "env", "labels", "healthChecks", "readinessChecks", "check", "networks",
		"ports", "portDefinitions", "requirePorts", "uris", "fetch", "storeUrls", "upgradeStrategy", "unreachableStrategy", "killSelection", "user",
		"tty", "role", "acceptedResourceRoles", "executor", "executorResources", "resourceLimits", "residency", "secrets", "constraints", "dependencies",
		"backoffSeconds", "backoffFactor", "maxLaunchDelaySeconds", "taskKillGracePeriodSeconds", "ipAddress", "version", "versionInfo", "tasks",
	}
	got, r := one(t, `{"id": "/a", "cmd": "x", "`+strings.Join(keys, `": null, "`)+`": null}`)
	got.SourceVersion, want.SourceVersion = "", ""
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for _, k := range keys {
		if e, ok := discovertest.Entry(r, "/"+k); !ok || e.Verdict != ledger.Informational || e.Code == discover.UnknownKey {
			t.Errorf("%s: entry %+v", k, e)
		}
	}
	if r.Diags.HasErrors() {
		t.Error(r.Diags)
	}
}

func TestContradictionKeepsTheApp(t *testing.T) {
	w, r := one(t, `{"id": "/a", "cmd": "run", "args": ["a", "b"]}`)
	if w.Containers[0].Shell != "run" || len(w.Containers[0].Args) > 0 || !r.Diags.HasErrors() {
		t.Errorf("got %+v, %v", w.Containers[0], r.Diags)
	}
	if e, _ := discovertest.Entry(r, "/args/1"); e.Verdict != ledger.Dropped {
		t.Errorf("got %+v", e)
	}
}
