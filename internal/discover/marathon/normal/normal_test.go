package normal_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tranship/tranship/internal/base/corpus"
	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/discover/discovertest"
	"github.com/tranship/tranship/internal/discover/field"
	"github.com/tranship/tranship/internal/discover/marathon/normal"
)

// probe is a reader that only normalises, and keeps what came of it.
type probe struct{ out *normal.App }

func (probe) Recognise(*discover.Document) bool { return true }

func (p probe) Read(d *discover.Document, b *discover.Builder) {
	*p.out = normal.Normalise(d.Root, field.Scope{B: b, File: d.File, ID: "/a", Kind: "app"})
}

func normalise(t testing.TB, text string) (map[string]any, map[string]any, discover.Result) {
	t.Helper()
	var app normal.App
	r := discovertest.One([]any{probe{&app}}, text)
	data, err := json.Marshal(app)
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}
	// Canonical JSON goes in again: the second time nothing changes.
	var again normal.App
	discovertest.One([]any{probe{&again}}, string(data))
	second, err := json.Marshal(again)
	if err != nil {
		t.Fatal(err)
	}
	var twice map[string]any
	if err := json.Unmarshal(second, &twice); err != nil {
		t.Fatal(err)
	}
	return prune(out).(map[string]any), prune(twice).(map[string]any), r
}

// prune takes out what is null.
func prune(v any) any {
	switch x := v.(type) {
	case map[string]any:
		for k, e := range x {
			if e == nil {
				delete(x, k)
				continue
			}
			x[k] = prune(e)
		}
	case []any:
		for i := range x {
			x[i] = prune(x[i])
		}
	}
	return v
}

const (
	docker = `"container": {"type": "DOCKER", "docker": {"image": "x:1"`
	hosted = `"networks": [{"mode": "host"}]`
	noPort = `{"port": 0, "protocol": "tcp", "name": "default"}`
)

// clauses are those of the rule by which Marathon brought old definitions into
// the form of today: what goes in, and what of it comes out.
var clauses = []struct {
	name, in, want string
	code           diag.Code // of the diagnostic, where there is one
}{
	{
		"docker.portMappings become container.portMappings", `{` + docker + `, "network": "BRIDGE", "portMappings": [{"containerPort": 80, "hostPort": 8080}]}}}`,
		`{"container": {"type": "DOCKER", "portMappings": [{"containerPort": 80, "hostPort": 8080, "protocol": "tcp"}]}, "networks": [{"mode": "container/bridge"}]}`, "",
	},
	{
		"both kinds of port mappings are an error, and the newer counts", `{` + docker + `, "network": "BRIDGE", "portMappings": [{"containerPort": 80}]}, "portMappings": [{"containerPort": 81}]}}`,
		`{"container": {"type": "DOCKER", "portMappings": [{"containerPort": 81, "hostPort": 0, "protocol": "tcp"}]}}`, "M150",
	},
	{
		"empty docker.portMappings beside container.portMappings are none", `{` + docker + `, "network": "BRIDGE", "portMappings": []}, "portMappings": [{"containerPort": 81}]}}`,
		`{"container": {"type": "DOCKER", "portMappings": [{"containerPort": 81, "hostPort": 0, "protocol": "tcp"}]}}`, "",
	},
	{
		"ipAddress.discovery.ports become port mappings", `{"ipAddress": {"networkName": "n", "discovery": {"ports": [{"number": 80, "name": "web", "protocol": "udp"}]}}}`,
		`{"container": {"type": "MESOS", "portMappings": [{"containerPort": 80, "name": "web", "protocol": "udp"}]}, "networks": [{"mode": "container", "name": "n"}]}`, "",
	},
	{
		"ipAddress.discovery.ports are for MESOS only", `{"ipAddress": {"discovery": {"ports": [{"number": 80, "name": "web"}]}}, ` + docker + `}}}`,
		`{"container": {"type": "DOCKER", "portMappings": [{"containerPort": 0, "name": "default", "protocol": "tcp"}]}}`, "M153",
	},
	{"docker.network HOST is the host network", `{` + docker + `, "network": "HOST"}}}`, `{` + hosted + `, "portDefinitions": [` + noPort + `]}`, ""},
	{"docker.network BRIDGE is the bridge", `{` + docker + `, "network": "BRIDGE"}}}`, `{"networks": [{"mode": "container/bridge"}]}`, ""},
	{"docker.network USER is a named network", `{` + docker + `, "network": "USER"}}, "ipAddress": {"networkName": "n"}}`, `{"networks": [{"mode": "container", "name": "n"}]}`, ""},
	{"docker.network NONE is none", `{` + docker + `, "network": "NONE"}}}`, `{"networks": [{"mode": "none"}]}`, ""},
	{"docker.network of no meaning is reported, and the default is taken", `{` + docker + `, "network": "bogus"}}}`, `{` + hosted + `}`, "D007"},
	{"ipAddress on the bridge of Mesos is the bridge", `{"ipAddress": {"networkName": "mesos-bridge"}}`, `{"networks": [{"mode": "container/bridge"}]}`, ""},
	{"ipAddress in host mode is host mode", `{` + docker + `, "network": "HOST"}}, "ipAddress": {}}`, `{` + hosted + `}`, ""},
	{"networks beside the old fields win", `{` + hosted + `, ` + docker + `, "network": "BRIDGE"}}}`, `{` + hosted + `}`, "M151"},
	{
		"port mappings are dropped in host mode", `{` + hosted + `, ` + docker + `}, "portMappings": [{"containerPort": 80}]}}`,
		`{"container": {"type": "DOCKER"}, "portDefinitions": [` + noPort + `]}`, "",
	},
	{"ports become port definitions", `{"ports": [80, 0]}`, `{"portDefinitions": [{"port": 80, "protocol": "tcp"}, {"port": 0, "protocol": "tcp"}]}`, ""},
	{"portDefinitions beside ports win", `{"ports": [80], "portDefinitions": [{"port": 81}]}`, `{"portDefinitions": [{"port": 81, "protocol": "tcp"}]}`, ""},
	{
		"uris become fetch, extracted by their ending", `{"uris": ["http://x/a.tgz", "http://x/b.jar", "http://x/c.zip"]}`,
		`{"fetch": [{"uri": "http://x/a.tgz", "extract": true, "executable": false, "cache": false},
		  {"uri": "http://x/b.jar", "extract": false, "executable": false, "cache": false},
		  {"uri": "http://x/c.zip", "extract": true, "executable": false, "cache": false}]}`, "",
	},
	{
		"uris beside fetch are an error, and fetch counts", `{"uris": ["http://x/a"], "fetch": [{"uri": "http://x/b"}]}`,
		`{"fetch": [{"uri": "http://x/b", "extract": true, "executable": false, "cache": false}]}`, "M152",
	},
	{
		"uris that copy fetch are none", `{"uris": ["http://x/b"], "fetch": [{"uri": "http://x/b", "cache": true}]}`,
		`{"fetch": [{"uri": "http://x/b", "extract": true, "executable": false, "cache": true}]}`, "",
	},
	{
		"empty uris beside fetch are none", `{"uris": [], "fetch": [{"uri": "http://x/b"}]}`,
		`{"fetch": [{"uri": "http://x/b", "extract": true, "executable": false, "cache": false}]}`, "",
	},
	{"a check without a port asks the first", `{"healthChecks": [{"protocol": "TCP"}]}`, `{"healthChecks": [{"protocol": "TCP", "portIndex": 0}]}`, ""},
	{"a check with a port has no index", `{"healthChecks": [{"port": 80}]}`, `{"healthChecks": [{"protocol": "HTTP", "port": 80}]}`, ""},
	{"a command check has no port", `{"healthChecks": [{"protocol": "COMMAND", "command": {"value": "true"}}]}`, `{"healthChecks": [{"protocol": "COMMAND"}]}`, ""},
	{"no networks are the host's", `{"cmd": "true"}`, `{` + hosted + `}`, ""},
	{"empty networks are the host's", `{"networks": []}`, `{` + hosted + `}`, ""},
	{"no port definitions in host mode are one port", `{"cmd": "true"}`, `{"portDefinitions": [` + noPort + `]}`, ""},
	{"null port definitions are one port", `{"portDefinitions": null, "ports": null}`, `{"portDefinitions": [` + noPort + `]}`, ""},
	{"empty port definitions are none", `{"portDefinitions": []}`, `{"portDefinitions": []}`, ""},
	{"empty ports are none", `{"ports": []}`, `{"portDefinitions": []}`, ""},
	{
		"no port mappings on the bridge are one", `{"networks": [{"mode": "container/bridge"}], ` + docker + `}}}`,
		`{"container": {"type": "DOCKER", "portMappings": [{"containerPort": 0, "hostPort": 0, "name": "default", "protocol": "tcp"}]}}`, "",
	},
	{
		"null port mappings on the bridge are one", `{"networks": [{"mode": "container/bridge"}], ` + docker + `}, "portMappings": null}}`,
		`{"container": {"type": "DOCKER", "portMappings": [{"containerPort": 0, "hostPort": 0, "name": "default", "protocol": "tcp"}]}}`, "",
	},
	{
		"empty port mappings are none", `{"networks": [{"mode": "container/bridge"}], ` + docker + `}, "portMappings": []}}`,
		`{"container": {"type": "DOCKER", "portMappings": []}}`, "",
	},
	{
		"a host port left out on the bridge is any", `{"networks": [{"mode": "container/bridge"}], ` + docker + `}, "portMappings": [{"containerPort": 80}]}}`,
		`{"container": {"type": "DOCKER", "portMappings": [{"containerPort": 80, "hostPort": 0, "protocol": "tcp"}]}}`, "",
	},
	{
		"a host port left out on a named network is none", `{"networks": [{"name": "n"}], ` + docker + `}, "portMappings": [{"containerPort": 80}]}}`,
		`{"container": {"type": "DOCKER", "portMappings": [{"containerPort": 80, "protocol": "tcp"}]}}`, "",
	},
	{
		"more ports than mappings add mappings", `{"ports": [1, 2], ` + docker + `, "network": "BRIDGE", "portMappings": [{"containerPort": 80}]}}}`,
		`{"container": {"type": "DOCKER", "portMappings": [{"containerPort": 80, "hostPort": 0, "protocol": "tcp"}, {"containerPort": 0, "hostPort": 0, "protocol": "tcp"}]}}`, "",
	},
	{
		"a network without a container makes one", `{"networks": [{"name": "n"}]}`,
		`{"container": {"type": "MESOS", "portMappings": [{"containerPort": 0, "name": "default", "protocol": "tcp"}]}}`, "",
	},
	{"ready is 200", `{"readinessChecks": [{"path": "/"}]}`, `{"readinessChecks": [{"httpStatusCodesForReady": [200]}]}`, ""},
	{"ready is what it says", `{"readinessChecks": [{"httpStatusCodesForReady": [200, 302]}]}`, `{"readinessChecks": [{"httpStatusCodesForReady": [200, 302]}]}`, ""},
	{"an upgrade keeps all and doubles", `{}`, `{"upgradeStrategy": {"minimumHealthCapacity": 1, "maximumOverCapacity": 1}}`, ""},
	{
		"an upgrade of one with volumes halves", `{` + docker + `}, "volumes": [{"containerPath": "d", "persistent": {"size": 1}}]}}`,
		`{"upgradeStrategy": {"minimumHealthCapacity": 0.5, "maximumOverCapacity": 0}, "unreachableStrategy": "disabled"}`, "",
	},
	{"an upgrade is as it says", `{"upgradeStrategy": {"minimumHealthCapacity": 0.2}}`, `{"upgradeStrategy": {"minimumHealthCapacity": 0.2, "maximumOverCapacity": 1}}`, ""},
	{"a lost copy is replaced at once", `{}`, `{"unreachableStrategy": {"inactiveAfterSeconds": 0, "expungeAfterSeconds": 0}}`, ""},
	{
		"a lost copy is replaced when it says", `{"unreachableStrategy": {"inactiveAfterSeconds": 60, "expungeAfterSeconds": 90}}`,
		`{"unreachableStrategy": {"inactiveAfterSeconds": 60, "expungeAfterSeconds": 90}}`, "",
	},
	{"required ports count in host mode", `{"ports": [80], "requirePorts": true}`, `{"requirePorts": true}`, ""},
	{"required ports do not count elsewhere", `{"requirePorts": true, ` + docker + `, "network": "BRIDGE"}}}`, `{"requirePorts": false}`, ""},
	{
		"null is the same as nothing", `{"networks": null, "ipAddress": null, "container": null, "fetch": null, "uris": null, "healthChecks": null, "upgradeStrategy": null, "unreachableStrategy": null, "requirePorts": null}`,
		`{` + hosted + `, "portDefinitions": [` + noPort + `], "requirePorts": false, "upgradeStrategy": {"minimumHealthCapacity": 1, "maximumOverCapacity": 1}}`, "",
	},
}

func TestOldFormBecomesCanonicalAsInMarathon(t *testing.T) {
	for _, c := range clauses {
		t.Run(c.name, func(t *testing.T) {
			got, _, r := normalise(t, c.in)
			var want map[string]any
			if err := json.Unmarshal([]byte(c.want), &want); err != nil {
				t.Fatal(err)
			}
			for key, v := range want {
				if diff := cmp.Diff(prune(v), got[key]); diff != "" {
					t.Errorf("%s (-want +got):\n%s", key, diff)
				}
			}
			if c.code == "" && r.Diags.HasErrors() {
				t.Errorf("refuses what Marathon takes: %v", r.Diags)
			}
			if c.code != "" && !discovertest.Codes(r)[c.code] {
				t.Errorf("has no %s but %v", c.code, r.Diags)
			}
		})
	}
}

func TestNormalisingTwiceIsNormalisingOnce(t *testing.T) {
	for _, c := range clauses {
		if c.code != "" || strings.Contains(c.in, "NONE") {
			continue // Marathon of today refuses these
		}
		t.Run(c.name, func(t *testing.T) {
			once, twice, _ := normalise(t, c.in)
			if diff := cmp.Diff(once, twice); diff != "" {
				t.Errorf("(-once +twice):\n%s", diff)
			}
		})
	}
}

func TestNormalisingTheCorpusTwiceIsNormalisingOnce(t *testing.T) {
	fsys, files := corpus.Files(t, []string{"marathon/apps", "marathon/universe-rendered"}, ".json")
	for _, file := range files {
		data, err := fsys.(interface {
			ReadFile(string) ([]byte, error)
		}).ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if jsonpos.Parse(file, data).Root.Kind() != jsonpos.Object {
			continue
		}
		once, twice, r := normalise(t, string(data))
		if r.Diags.HasErrors() {
			continue
		}
		if diff := cmp.Diff(once, twice); diff != "" {
			t.Errorf("%s (-once +twice):\n%s", file, diff)
		}
	}
}
