package edgelb

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/tranship/tranship/internal/base/corpus"
	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/discover/discovertest"
	"github.com/tranship/tranship/internal/estate"
)

func TestEveryCodeHasAnExampleThatYieldsIt(t *testing.T) {
	discovertest.Examples(t, "codes.go", readers())
}

// world are the workloads that the tests' pools lead to.
const world = `[
	{"id": "/app-v1", "ports": {"web": 8080, "admin": 8081}, "instances": 3},
	{"id": "/app-v2", "ports": {"web": 8080}, "instances": 3},
	{"id": "/shop/cart", "ports": {"web": 9000}, "instances": 9},
	{"id": "/shop/pay", "ports": {"web": 9000}, "instances": 1, "vip": "/pay:555"},
	{"id": "/pod", "containers": [{"name": "front", "ports": {"http": 80}}, {"name": "side", "ports": {"http": 81}}]},
	{"id": "/kafka", "framework": true}]`

func read(pool string) discover.Result {
	return discovertest.Read(readers(), map[string]string{"apps.json": world, "pool.json": pool})
}

// linked writes a pool whose one frontend leads to a backend with services.
func linked(services string, backend ...string) string {
	return `{"apiVersion": "V2", "name": "edge", "haproxy": {
		"frontends": [{"bindPort": 80, "protocol": "HTTP", "linkBackend": {"defaultBackend": "b"}}],
		"backends": [{"name": "b", "protocol": "HTTP"` + strings.Join(append([]string{""}, backend...), ", ") + `, "services": [` + services + `]}]}}`
}

// routes gives the routes of a result, by what follows the pool in their IDs.
func routes(r discover.Result) map[string]estate.Endpoint {
	out := map[string]estate.Endpoint{}
	for _, ep := range r.Estate.Endpoints {
		if id, ok := strings.CutPrefix(ep.ID, "route:/edgelb/pools/edge:"); ok {
			out[id] = ep
		}
	}
	return out
}

func TestAPoolIsNamedAsInfrastructure(t *testing.T) {
	r := read(linked(""))
	w := r.Estate.Find("/edgelb/pools/edge")
	if w == nil || w.Kind != estate.Infrastructure || w.Operator == nil {
		t.Fatalf("the pool is %+v, want infrastructure with advice", w)
	}
}

func TestPoolsAreReadInEveryFormOfAFile(t *testing.T) {
	one := linked("")
	for name, text := range map[string]string{
		"one.json": one, "list.json": "[" + one + "]", "pools.json": `{"pools": [` + one + `]}`,
		"version.json": `{"apiVersion": "V2", "pools": [` + one + `]}`, "wrapped.json": `[{"v2": ` + one + `}]`,
		"inside.json": `{"apiVersion": "V2", "pool": ` + one + `}`,
		"one.yaml":    "apiVersion: V2\nname: edge\nhaproxy:\n  frontends:\n  - bindPort: 80\n    protocol: HTTP\n    linkBackend: {defaultBackend: b}\n  backends:\n  - name: b\n",
	} {
		t.Run(name, func(t *testing.T) {
			fsys := fstest.MapFS{name: {Data: []byte(text)}}
			r := discover.Read(fsys, readers(), discover.Options{})
			if len(routes(r)) != 1 {
				t.Errorf("%d routes, want 1: %v", len(routes(r)), r.Diags)
			}
			discovertest.Covered(t, fsys, name, r)
		})
	}
}

func TestTheFirstVersionIsSaidToBeUnread(t *testing.T) {
	v1 := `{"name": "old", "haproxy": {"frontends": [], "backends": [{"name": "b", "servers": [{"task": {"value": "a"}}]}]}}`
	for _, text := range []string{`{"pools": [` + v1 + `]}`, `{"apiVersion": "V1", "name": "old", "haproxy": {"frontends": []}}`, "[" + v1 + "]", `{"v1": ` + v1 + `}`} {
		fsys := fstest.MapFS{"pool.json": {Data: []byte(text)}}
		r := discover.Read(fsys, readers(), discover.Options{})
		if !discovertest.Codes(r)[discover.NotReadYet] || len(r.Estate.Workloads) != 0 {
			t.Errorf("%s is read as %d workloads, want a word that it is not read yet", text, len(r.Estate.Workloads))
		}
		discovertest.Covered(t, fsys, "pool.json", r)
	}
}

func TestLinksAreAskedInTheirOrder(t *testing.T) {
	r := read(`{"apiVersion": "V2", "name": "edge", "secrets": [{"secret": "tls/edge", "file": "cert"}], "haproxy": {
		"frontends": [
			{"bindPort": 80, "protocol": "HTTP", "redirectToHttps": {"except": [{"host": "Plain.example.com", "pathBeg": "/ok"}]}, "linkBackend": {"defaultBackend": "b"}},
			{"bindPort": 443, "protocol": "HTTPS", "certificates": ["$SECRETS/cert"], "bindAddress": "0.0.0.0", "bindModifier": "alpn h2", "linkBackend": {
				"defaultBackend": "b", "map": [
					{"hostEq": "A.example.com", "pathBeg": "/x", "backend": "b"}, {"hostReg": ".*.example.com", "backend": "c"}, {"pathEnd": ".png", "backend": "c"}]}},
			{"bindPort": 5432, "protocol": "TCP", "linkBackend": {"defaultBackend": "d"}},
			{"bindPort": 81, "protocol": "HTTP", "redirectToHttps": {}}],
		"backends": [
			{"name": "b", "protocol": "HTTPS", "balance": "leastconn", "services": [{"marathon": {"serviceID": "/app-v1"}, "endpoint": {"portName": "web"}}]},
			{"name": "c", "protocol": "HTTP", "miscStrs": ["timeout server 5m"], "customCheck": {"httpchk": true, "httpchkMiscStr": "GET /ping"},
			 "rewriteHttp": {"host": "c.example.com", "path": {"fromPath": "/x", "toPath": "/"}, "sticky": {}},
			 "services": [{"marathon": {"serviceID": "app-v2"}, "endpoint": {"port": 8080}}]},
			{"name": "d", "protocol": "TCP", "services": [{"endpoint": {"type": "ADDRESS", "address": "db.example.com", "port": 5432}}]}]}}`)
	base := func(id string, port int, mode string) estate.Endpoint {
		return estate.Endpoint{
			ID: "route:/edgelb/pools/edge:" + id, Kind: estate.Route, Protocol: "tcp", Port: port, Mode: mode, Groups: []string{"edge"},
			Origin: estate.Origin{File: "pool.json", Pointer: "/haproxy/frontends/" + id[:1]},
		}
	}
	v1 := []estate.Backend{{Workload: "/app-v1", Port: 8080}}
	tls := func(backend bool) *estate.TLS {
		return &estate.TLS{FromClients: true, Certs: []string{"$SECRETS/cert"}, Secret: "tls/edge", ToBackend: backend}
	}
	plain := base("0:default", 80, "http")
	plain.Backends, plain.Balance = v1, "leastconn"
	plain.TLS = &estate.TLS{Redirect: true, ToBackend: true, RedirectExcept: []estate.Match{{Host: "plain.example.com", Path: "/ok", PathKind: estate.StringPrefix}}}
	first := base("1:0", 443, "http")
	first.Order, first.Hosts, first.TLS, first.Backends, first.Balance, first.Bind = 3, []string{"a.example.com"}, tls(true), v1, "leastconn", "0.0.0.0 alpn h2"
	first.Rules = []estate.Match{{Path: "/x", PathKind: estate.StringPrefix}}
	second := base("1:1", 443, "http")
	second.Order, second.TLS, second.Bind, second.Backends = 2, tls(false), first.Bind, []estate.Backend{{Workload: "/app-v2", Port: 8080}}
	second.Rules, second.Raw, second.Sticky = []estate.Match{{HostRegex: ".*.example.com"}}, map[string]string{"backend": "timeout server 5m"}, &estate.Sticky{Cookie: "dcos.edgelb"}
	second.Times, second.Check = &estate.Timeouts{Server: 300}, &estate.LBCheck{Path: "/ping"}
	second.Rework = &estate.Rewrite{From: "/x", Path: "/", Host: "c.example.com", RewriteLocation: true, LocationPath: "/x"}
	third := second
	third.ID, third.Order, third.Rules = base("1:2", 0, "").ID, 1, []estate.Match{{Path: ".png", PathKind: estate.PathSuffix}}
	def := first
	def.ID, def.Order, def.Hosts, def.Rules = base("1:default", 0, "").ID, 0, nil, nil
	tcp := base("2:default", 5432, "tcp")
	tcp.Backends = []estate.Backend{{Address: "db.example.com", Port: 5432}}
	moved := base("3:redirect", 81, "http")
	moved.TLS = &estate.TLS{Redirect: true}
	want := map[string]estate.Endpoint{"0:default": plain, "1:0": first, "1:1": second, "1:2": third, "1:default": def, "2:default": tcp, "3:redirect": moved}
	if diff := cmp.Diff(want, routes(r)); diff != "" {
		t.Errorf("routes (-want +got):\n%s", diff)
	}
}

func TestServicesAreTiedToWorkloads(t *testing.T) {
	pay := []estate.Backend{{Workload: "/shop/pay", Port: 9000}}
	for _, c := range []struct {
		name, service string
		want          []estate.Backend
	}{
		{"by ID", `{"marathon": {"serviceID": "/app-v1"}, "endpoint": {"portName": "admin"}}`, []estate.Backend{{Workload: "/app-v1", Port: 8081}}},
		{"by ID without a slash", `{"marathon": {"serviceID": "shop/pay"}, "endpoint": {"port": 9000}}`, pay},
		{"a port named though numbered -1", `{"marathon": {"serviceID": "/shop/pay"}, "mesos": {}, "endpoint": {"port": -1, "portName": "web"}}`, pay},
		{"all ports", `{"marathon": {"serviceID": "/app-v1"}, "endpoint": {"allPorts": true}}`, []estate.Backend{{Workload: "/app-v1", Port: 8080}, {Workload: "/app-v1", Port: 8081}}},
		{"by pattern", `{"marathon": {"serviceIDPattern": "^/app-v[12]$"}, "endpoint": {"portName": "web"}}`, []estate.Backend{{Workload: "/app-v1", Port: 8080}, {Workload: "/app-v2", Port: 8080}}},
		{"a pod's container", `{"marathon": {"serviceID": "/pod", "containerName": "side"}, "endpoint": {"portName": "http"}}`, []estate.Backend{{Workload: "/pod", Port: 81}}},
		{"by task", `{"mesos": {"frameworkName": "marathon", "taskName": "pay.shop"}, "endpoint": {"portName": "web"}}`, pay},
		{"by task ID", `{"mesos": {"frameworkID": "f-0001", "taskID": "shop_pay.instance-a4d15847-455d-11eb-a670-f624ba957830._app.1"}, "endpoint": {"portName": "web"}}`, pay},
		{"a framework", `{"mesos": {"frameworkName": "kafka", "taskNamePattern": "^broker-.*$"}, "endpoint": {"port": 1025}}`, []estate.Backend{{Workload: "/kafka", Port: 1025}}},
		{"a virtual address", `{"endpoint": {"type": "ADDRESS", "address": "pay.marathon.l4lb.thisdcos.directory", "port": 555}}`, pay},
		{"an address", `{"endpoint": {"type": "ADDRESS", "address": "10.1.2.3", "port": 80}}`, []estate.Backend{{Address: "10.1.2.3", Port: 80}}},
		{"nobody", `{"marathon": {"serviceID": "/grp/gone"}, "endpoint": {"port": 80}}`, []estate.Backend{{Address: "gone-grp.marathon.autoip.dcos.thisdcos.directory", Port: 80}}},
		{"a port that is not there", `{"marathon": {"serviceID": "/app-v2"}, "endpoint": {"portName": "admin"}}`, []estate.Backend{{Address: "app-v2.marathon.autoip.dcos.thisdcos.directory"}}},
		{"nobody by pattern", `{"marathon": {"serviceIDPattern": "^/none$"}, "endpoint": {"port": 80}}`, nil},
		{"a backup", `{"marathon": {"serviceID": "/shop/pay"}, "endpoint": {"port": 9000, "miscStr": "backup"}}`, []estate.Backend{{Workload: "/shop/pay", Port: 9000, Backup: true}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := read(linked(c.service))
			if diff := cmp.Diff(c.want, routes(r)["0:default"].Backends); diff != "" {
				t.Errorf("backends (-want +got):\n%s", diff)
			}
			lost := len(c.want) == 0 || strings.HasPrefix(c.want[0].Address, "gone") || strings.HasPrefix(c.want[0].Address, "app")
			if discovertest.Codes(r)[UnresolvedService] != lost {
				t.Errorf("said to be unresolved: %t, want %t", !lost, lost)
			}
		})
	}
}

func TestSharesOfTrafficCountCopies(t *testing.T) {
	service := `{"marathon": {"serviceID": %q}, "endpoint": {"portName": "web", "miscStr": %q}}`
	for _, c := range []struct {
		name, a, b, miscA, miscB string
		want                     []int
	}{
		{"weights alone, as many copies", "/app-v1", "/app-v2", "weight 20", "weight 10", []int{20, 10}},
		{"copies alone", "/shop/cart", "/shop/pay", "", "", []int{9, 1}},
		{"both", "/shop/cart", "/shop/pay", "weight 1", "weight 18", []int{9, 18}},
		{"neither", "/app-v1", "/app-v2", "", "", nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := read(linked(fmt.Sprintf(service, c.a, c.miscA) + "," + fmt.Sprintf(service, c.b, c.miscB)))
			var got []int
			for _, b := range routes(r)["0:default"].Backends {
				if b.Weight != nil {
					got = append(got, *b.Weight)
				}
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("shares (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNoSecretOfAPoolLeavesTheSnapshot(t *testing.T) {
	const canary = "canary-Qp8"
	r := read(`{"apiVersion": "V2", "name": "edge", "environmentVariables": {"ELB_FILE_CERT": "` + canary + `", "OTHER": "` + canary + `"}, "haproxy": {
		"frontends": [{"bindPort": 443, "protocol": "HTTPS", "certificates": ["$ENVFILE/ELB_FILE_CERT"],
			"miscStrs": ["http-request set-header Authorization \"Basic ` + canary + `\""], "linkBackend": {"defaultBackend": "b"}}],
		"backends": [{"name": "b", "miscStrs": ["stats auth ann:` + canary + `"], "services": [
			{"endpoint": {"type": "ADDRESS", "address": "http://ann:` + canary + `@a.example.com", "port": 80}}]}]}}`)
	out, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(out), canary) {
		t.Error("a secret's value is in the result")
	}
	if got := routes(r)["0:default"].TLS.Secret; got != "edge-files" {
		t.Errorf("the certificate is in secret %q, want edge-files", got)
	}
}

func TestAnUnknownKeyAddsOneEntry(t *testing.T) {
	base := linked(`{"marathon": {"serviceID": "/app-v1"}, "endpoint": {"portName": "web", "check": {"enabled": true}}}`,
		`"rewriteHttp": {"path": {"fromPath": "/a", "toPath": "/"}, "request": {"forwardfor": true}}`, `"customCheck": {"httpchk": true}`)
	n := len(read(base).Ledger)
	for i := 0; ; i++ {
		at := nth(base, "{", i)
		if at < 0 {
			break
		}
		for _, add := range []string{`"favouriteColour": "green"`, `"favouriteColour": {"a": {"b": [1, 2]}, "c": 3}`} {
			text := base[:at+1] + add + ", " + base[at+1:]
			if got := len(read(text).Ledger); got != n+1 {
				t.Errorf("%s: %d entries more, want 1", text, got-n)
			}
		}
	}
}

func nth(s, sep string, n int) int {
	at := -1
	for range n + 1 {
		i := strings.Index(s[at+1:], sep)
		if i < 0 {
			return -1
		}
		at += i + 1
	}
	return at
}

func TestEveryPoolOfTheCorpusIsCoveredAndTrue(t *testing.T) {
	fsys, files := corpus.Files(t, []string{"haproxy/edgelb"}, ".json", ".yaml")
	for _, file := range files {
		r := discover.Read(only(t, fsys, file), readers(), discover.Options{})
		discovertest.Covered(t, fsys, file, r)
		if r.Diags.HasErrors() || len(r.Estate.Workloads) == 0 {
			t.Errorf("%s: %d workloads, %v", file, len(r.Estate.Workloads), r.Diags)
		}
		for _, e := range r.Ledger {
			if e.Code == discover.UnknownKey {
				t.Errorf("%s: %s is not known", file, e.Pointer)
			}
		}
		discovertest.Truth(t, readers(), fsys, file)
	}
	t.Logf("%d files", len(files))
}

func TestTheLedgerTellsTheTruthAboutTiedPools(t *testing.T) {
	pool := linked(`{"marathon": {"serviceID": "/app-v1", "containerName": "c0"}, "endpoint": {"type": "AUTO_IP", "port": -1, "portName": "web", "miscStr": "weight 20", "allPorts": false}},
		{"mesos": {"frameworkName": "marathon", "taskName": "app-v2", "frameworkID": "x"}, "endpoint": {"port": 8080}}`,
		`"rewriteHttp": {"host": "a.example.com", "path": {"fromPath": "/a", "toPath": "/"}, "sticky": {"enabled": true, "customStr": "X"}}`, `"balance": "source"`)
	more := strings.Replace(pool, `"backends": [`, `"backends": [{"name": "unused", "protocol": "HTTP", "services": [{"marathon": {"serviceID": "/app-v1"}, "endpoint": {"port": 8080}}]}, `, 1)
	for _, text := range []string{pool, more, strings.Replace(pool, `"HTTP", "linkBackend"`, `"HTTP", "redirectToHttps": {}, "linkBackend"`, 1)} {
		discovertest.TruthOf(t, fstest.MapFS{"pool.json": {Data: []byte(text)}}, "pool.json", func(data []byte) discovertest.Outcome {
			r := read(string(data))
			return discovertest.Outcome{Ledger: r.Ledger, Refused: count(r.Diags), Output: bare(t, r.Estate)}
		})
	}
}

func count(l diag.List) (n int) {
	for _, d := range l {
		if d.Severity == diag.Error {
			n++
		}
	}
	return n
}

func bare(t *testing.T, e estate.Estate) string {
	e.SnapshotSHA256, e.Ledger = "", nil
	for i := range e.Workloads {
		e.Workloads[i].SourceVersion = ""
	}
	out, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestLabelsOfAutoPoolsAreDecisions(t *testing.T) {
	r := discovertest.One(readers(), `{"id": "/a", "ports": {"web": 80}, "labels": {"edgelb.expose": "true", "edgelb.web.frontend.rules": "hostEq:a.example.com", "edgelb.x": ["y"]}}`)
	if e, ok := discovertest.Entry(r, "/labels/edgelb.web.frontend.rules"); !ok || e.Verdict != ledger.Decision {
		t.Errorf("the label is %+v, want a decision", e)
	}
	if l := r.Estate.Find("/a").Labels; len(l) != 2 {
		t.Errorf("labels are %v, want the two that are strings", l)
	}
}
