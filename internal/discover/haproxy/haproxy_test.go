package haproxy

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/discover/discovertest"
	"github.com/tranship/tranship/internal/estate"
)

// one reads an app with two ports and the labels.
func one(t *testing.T, labels map[string]string, more ...string) discover.Result {
	t.Helper()
	data, err := json.Marshal(labels)
	if err != nil {
		t.Fatal(err)
	}
	return discovertest.One(readers(), `{"id": "/shop/web", "cmd": "true", "portDefinitions": [{"port": 10000}, {"port": 10001}], `+
		strings.Join(more, "")+`"labels": `+string(data)+`}`)
}

func endpoint(t *testing.T, r discover.Result, id string) estate.Endpoint {
	t.Helper()
	for _, ep := range r.Estate.Endpoints {
		if ep.ID == id {
			return ep
		}
	}
	t.Fatalf("there is no endpoint %s among %d", id, len(r.Estate.Endpoints))
	return estate.Endpoint{}
}

func TestEveryPortOfAGroupedAppIsExposed(t *testing.T) {
	r := one(t, map[string]string{"HAPROXY_GROUP": "external, internal", "HAPROXY_1_GROUP": "admin"})
	if got := len(r.Estate.Endpoints); got != 2 {
		t.Fatalf("%d routes, want one for each of the 2 ports", got)
	}
	if diff := cmp.Diff([]string{"external", "internal"}, endpoint(t, r, "route:/shop/web:0").Groups); diff != "" {
		t.Errorf("groups of port 0 (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"admin"}, endpoint(t, r, "route:/shop/web:1").Groups); diff != "" {
		t.Errorf("a group of the port's own does not win (-want +got):\n%s", diff)
	}
}

func TestARouteWithoutGroupIsCarriedByTheGroupOfAllOnly(t *testing.T) {
	r := one(t, map[string]string{"HAPROXY_0_VHOST": "a.example.com"})
	if len(r.Estate.Endpoints) != 1 {
		t.Fatalf("%d routes, want one for the port with labels", len(r.Estate.Endpoints))
	}
	if diff := cmp.Diff([]string{"*"}, r.Estate.Endpoints[0].Groups); diff != "" {
		t.Errorf("groups (-want +got):\n%s", diff)
	}
	if !discovertest.Codes(r)[NoGroup] {
		t.Error("nobody is told that no group carries the route")
	}
}

func TestARouteHasAllThatItsLabelsSay(t *testing.T) {
	r := one(t, map[string]string{
		"HAPROXY_GROUP": "external", "HAPROXY_0_VHOST": "A.example.com,b.example.com", "HAPROXY_0_PATH": "-i /x /y",
		"HAPROXY_0_PORT": "8443", "HAPROXY_0_REDIRECT_TO_HTTPS": "true", "HAPROXY_0_USE_HSTS": "yes",
		"HAPROXY_0_SSL_CERT": "/etc/ssl/a.pem", "HAPROXY_0_BALANCE": "source", "HAPROXY_0_STICKY": "true",
		"HAPROXY_0_AUTH": "staff:ann:canary-hash", "HAPROXY_0_BACKEND_NETWORK_ALLOWED_ACL": "10.0.0.0/8 10.1.2.3",
		"HAPROXY_0_HTTP_BACKEND_PROXYPASS_PATH": "/x", "HAPROXY_0_HTTP_BACKEND_REVPROXY_PATH": "/y",
		"HAPROXY_0_BIND_ADDR": "10.0.0.1", "HAPROXY_0_BIND_OPTIONS": "force-tlsv12", "HAPROXY_0_ENABLED": "true",
		"HAPROXY_0_BACKEND_HEALTHCHECK_PORT_INDEX": "1",
		"HAPROXY_0_BACKEND_HTTP_OPTIONS":           "  timeout server 90s\n  timeout client 1500\n  option httpchk GET /ping\n  maxconn 77\n",
		"HAPROXY_0_BACKEND_SERVER_OPTIONS":         "  server {serverName} {host_ipv4}:{port} ssl verify none check inter 5s\n",
		"HAPROXY_0_BACKEND_STICKY_OPTIONS":         "  cookie JSESSIONID prefix nocache\n",
		"HAPROXY_0_BACKEND_HEAD":                   "\nbackend {backend}\n  balance leastconn\n  mode {mode}\n",
	}, `"healthChecks": [{"protocol": "HTTP", "portIndex": 0, "path": "/"}], `)
	want := estate.Endpoint{
		ID: "route:/shop/web:0", Kind: estate.Route, Protocol: "tcp", Direct: 8443, Groups: []string{"external"}, Mode: "http",
		Origin:   estate.Origin{File: "app.json", Pointer: "/labels/HAPROXY_0_VHOST"},
		Backends: []estate.Backend{{Workload: "/shop/web", Port: 31000}},
		Hosts:    []string{"a.example.com", "b.example.com"},
		Rules: []estate.Match{
			{Path: "/x", PathKind: estate.StringPrefix, NoCase: true}, {Path: "/y", PathKind: estate.StringPrefix, NoCase: true},
		},
		Order: 1, HSTS: true, Balance: "leastconn", Sticky: &estate.Sticky{Cookie: "JSESSIONID"},
		TLS:    &estate.TLS{FromClients: true, Certs: []string{"/etc/ssl/a.pem"}, Redirect: true, ToBackend: true},
		Auth:   &estate.Auth{Realm: "staff", User: "ann", Secret: estate.SecretRef{Name: "web-edge", Key: "HAPROXY_0_AUTH"}},
		Rework: &estate.Rewrite{From: "/x", Path: "/", RewriteLocation: true, LocationPath: "/y"},
		Allow:  []string{"10.0.0.0/8", "10.1.2.3"}, Bind: "10.0.0.1 force-tlsv12",
		Check: &estate.LBCheck{Port: 31001, Path: "/ping", Interval: 5}, Times: &estate.Timeouts{Server: 90, Client: 1.5},
		MaxConns: 77,
	}
	got := endpoint(t, r, "route:/shop/web:0")
	if len(got.Raw) != 4 {
		t.Errorf("%d templates are kept verbatim, want 4", len(got.Raw))
	}
	got.Raw = nil
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("route (-want +got):\n%s", diff)
	}
}

func TestAnOwnServerLineTakesTheWorkloadsPlace(t *testing.T) {
	r := one(t, map[string]string{
		"HAPROXY_0_GROUP": "external", "HAPROXY_0_BACKEND_SERVER_OPTIONS": "  server kube api.kube.example.com:6443 ssl verify none\n",
	})
	ep := endpoint(t, r, "route:/shop/web:0")
	if diff := cmp.Diff([]estate.Backend{{Address: "api.kube.example.com", Port: 6443}}, ep.Backends); diff != "" {
		t.Errorf("backends (-want +got):\n%s", diff)
	}
	if ep.TLS == nil || !ep.TLS.ToBackend {
		t.Error("the server is spoken to in the clear, and the label says ssl")
	}
}

func TestATemplateThatTakesTheFrontendAwayIsHeeded(t *testing.T) {
	labels := map[string]string{"HAPROXY_0_GROUP": "external", "HAPROXY_0_FRONTEND_HEAD": "", "HAPROXY_0_FRONTEND_BACKEND_GLUE": ""}
	if ep := endpoint(t, one(t, labels), "route:/shop/web:0"); !ep.Disabled || ep.Port != 0 {
		t.Errorf("a service without frontend and host has the route %+v, want none that is on", ep)
	}
	labels["HAPROXY_0_VHOST"] = "example.com"
	labels["HAPROXY_0_HTTP_FRONTEND_ACL"] = "  acl host_{cleanedUpHostname} hdr_end(host) -i {hostname}\n"
	ep := endpoint(t, one(t, labels), "route:/shop/web:0")
	if ep.Disabled || ep.Direct != 0 || len(ep.Hosts) != 2 || ep.Hosts[1] != "*.example.com" {
		t.Errorf("route is %+v, want hosts that end in example.com, and no port of its own", ep)
	}
}

func TestAPathThatHAProxyNeverReachedIsReported(t *testing.T) {
	app := func(id, path, weight string) string {
		return fmt.Sprintf(`{"id": %q, "cmd": "true", "portDefinitions": [{"port": 10000}], "labels": {"HAPROXY_GROUP": "external",
			"HAPROXY_0_VHOST": "a.example.com", "HAPROXY_0_PATH": %q, "HAPROXY_0_BACKEND_WEIGHT": %q, "HAPROXY_0_PORT": %q}}`, id, path, weight, "1"+weight)
	}
	for _, c := range []struct {
		name string
		apps string
		want bool
	}{
		{"the shorter path first by name", app("/a", "/api", "1") + "," + app("/b", "/api/v2", "1"), true},
		{"the shorter path first by weight", app("/b", "/api", "9") + "," + app("/a", "/api/v2", "1"), true},
		{"the longer path first by weight", app("/a", "/api", "1") + "," + app("/b", "/api/v2", "2"), false},
		{"paths apart", app("/a", "/api", "1") + "," + app("/b", "/web", "1"), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := discovertest.Codes(discovertest.One(readers(), "["+c.apps+"]"))[OrderMatters]; got != c.want {
				t.Errorf("reported: %t, want %t", got, c.want)
			}
		})
	}
}

func TestPodsGetNoRouteFromMarathonLB(t *testing.T) {
	r := discovertest.One(readers(), `{"id": "/a", "containers": [{"name": "c"}], "portDefinitions": [{"port": 10000}],
		"labels": {"HAPROXY_GROUP": "external", "HAPROXY_0_VHOST": "a.example.com"}}`)
	if len(r.Estate.Endpoints) != 0 {
		t.Errorf("%d routes lead to a pod, want none", len(r.Estate.Endpoints))
	}
	if e, ok := discovertest.Entry(r, "/labels/HAPROXY_0_VHOST"); !ok || e.Code != NoEffect {
		t.Errorf("the label is %+v, want one without effect", e)
	}
}

func TestModeIsWhatMarathonLBMakesOfIt(t *testing.T) {
	check := `"healthChecks": [{"protocol": %q, "portIndex": 0, "path": "/"}], `
	for _, c := range []struct{ name, label, host, protocol, want string }{
		{"nothing said", "", "", "TCP", "tcp"},
		{"a virtual host", "", "a.example.com", "TCP", "http"},
		{"an HTTP check", "", "", "HTTP", "http"},
		{"a check by the executor", "", "", "MESOS_HTTP", "http"},
		{"a service of TLS", "", "", "HTTPS", "tcp"},
		{"a label", "HTTP", "", "TCP", "http"},
		{"an HTTP check over a label", "tcp", "", "HTTP", "http"},
		{"nonsense", "udp", "", "TCP", "tcp"},
	} {
		t.Run(c.name, func(t *testing.T) {
			labels := map[string]string{"HAPROXY_GROUP": "external", "HAPROXY_0_VHOST": c.host}
			if c.label != "" {
				labels["HAPROXY_0_MODE"] = c.label
			}
			r := one(t, labels, fmt.Sprintf(check, c.protocol))
			if got := endpoint(t, r, "route:/shop/web:0").Mode; got != c.want {
				t.Errorf("mode is %s, want %s", got, c.want)
			}
		})
	}
}

func TestColoursShareOneRouteByTheirCopies(t *testing.T) {
	app := func(colour, at string, instances int, more string) string {
		return fmt.Sprintf(`{"id": "/web-%s", "cmd": "true", "instances": %d, "portDefinitions": [{"port": 10000}], "labels": {
			"HAPROXY_GROUP": "external", "HAPROXY_0_VHOST": "a.example.com", "HAPROXY_DEPLOYMENT_GROUP": "web",
			"HAPROXY_DEPLOYMENT_COLOUR": %q, "HAPROXY_DEPLOYMENT_STARTED_AT": %q, "HAPROXY_DEPLOYMENT_TARGET_INSTANCES": "6"%s}}`,
			colour, instances, colour, at, more)
	}
	r := discovertest.One(readers(), "["+app("green", "2016-02-01T14:57:54", 2, `, "HAPROXY_DEPLOYMENT_NEW_INSTANCES": "2"`)+","+
		app("blue", "2016-02-01T14:13:42", 5, "")+"]")
	if len(r.Estate.Endpoints) != 1 {
		t.Fatalf("%d routes for one deployment group, want 1", len(r.Estate.Endpoints))
	}
	// Of 5 old and 2 new copies for a target of 6 one old copy is drained.
	four, two := 4, 2
	want := []estate.Backend{{Workload: "/web-blue", Port: 31000, Weight: &four}, {Workload: "/web-green", Port: 31000, Weight: &two}}
	if diff := cmp.Diff(want, r.Estate.Endpoints[0].Backends); diff != "" {
		t.Errorf("backends (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(&estate.BlueGreen{Group: "web", Colour: "green", Target: 6}, r.Estate.Find("/web-green").BlueGreen); diff != "" {
		t.Errorf("marks (-want +got):\n%s", diff)
	}
}

func TestNoPasswordLeavesTheSnapshot(t *testing.T) {
	const canary = "canary-Zk3"
	for key, value := range map[string]string{
		"HAPROXY_0_AUTH":                             "realm:ann:" + canary,
		"HAPROXY_7_AUTH":                             "realm:ann:" + canary,
		"HAPROXY_1_AUTH":                             "ann:" + canary,
		"HAPROXY_0_USERLIST_HEAD":                    "\nuserlist u\n  user ann insecure-password " + canary + "\n",
		"HAPROXY_0_BACKEND_HTTP_OPTIONS":             `  http-request set-header Authorization "Basic ` + canary + `"`,
		"HAPROXY_0_BACKEND_HEAD":                     "backend x\n  http-request set-header Authorization Bearer\\ " + canary,
		"HAPROXY_HEAD":                               "stats auth ann:" + canary,
		"HAPROXY_0_HTTP_BACKEND_REDIR":               "https://ann:" + canary + "@a.example.com/",
		"HAPROXY_0_PASSWORD_LIST":                    "user ann password " + canary,
		"traefik.frontend.auth.basic":                "ann:" + canary,
		"traefik.http.middlewares.m.basicauth.users": "ann:" + canary,
		"F5_0_PASSWORD":                              canary,
	} {
		t.Run(key, func(t *testing.T) {
			r := one(t, map[string]string{"HAPROXY_GROUP": "external", "HAPROXY_0_VHOST": "a.example.com", key: value})
			out, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(out), canary) {
				t.Errorf("the value of %s is in the result", key)
			}
		})
	}
}

func TestAPasswordIsADeclaredSecretWithItsPlace(t *testing.T) {
	r := one(t, map[string]string{"HAPROXY_GROUP": "external", "HAPROXY_0_VHOST": "a.example.com", "HAPROXY_0_AUTH": "staff:ann:x"})
	want := []estate.Secret{{
		Name: "web-edge", Keys: []string{"HAPROXY_0_AUTH"}, At: []estate.Origin{{File: "app.json", Pointer: "/labels/HAPROXY_0_AUTH"}},
	}}
	w := r.Estate.Find("/shop/web")
	if diff := cmp.Diff(want, w.Secrets); diff != "" {
		t.Errorf("secrets (-want +got):\n%s", diff)
	}
	if _, ok := w.Labels["HAPROXY_0_AUTH"]; ok || w.Labels["HAPROXY_0_VHOST"] != "a.example.com" {
		t.Errorf("labels are %v, want all but the password's", w.Labels)
	}
}

func TestEveryTemplateAndLabelOfTheManualIsKnown(t *testing.T) {
	for _, c := range []struct {
		label string
		want  diag.Code
	}{
		{"HAPROXY_0_BACKEND_HEAD", TemplateOverride},
		{"HAPROXY_12_USERLIST_HEAD", TemplateOverride},
		{"HAPROXY_0_MAP_HTTP_FRONTEND_APPID_ACL", TemplateOverride},
		{"HAPROXY_HTTP_FRONTEND_HEAD", GlobalTemplate},
		{"HAPROXY_BACKEND_HEAD", GlobalTemplate},
		{"HAPROXY_DEPLOYMENT_ALT_PORT", BlueGreen},
	} {
		if k, ok := parseKey(c.label); !ok || k.rule.ruling.Code != c.want {
			t.Errorf("%s is read as %s, want %s", c.label, k.rule.ruling.Code, c.want)
		}
	}
	for _, label := range []string{"HAPROXY_", "HAPROXY_0", "HAPROXY_0_", "HAPROXY_00_VHOST", "HAPROXY_-1_VHOST", "HAPROXY_VHOST", "HAPROXY_0_vhost", "HAPROXY_0_HEAD"} {
		if _, ok := parseKey(label); ok {
			t.Errorf("%s is read as a label of marathon-lb, and it is none", label)
		}
	}
}

func TestALabelThatCannotBeReadCostsItselfOnly(t *testing.T) {
	r := discovertest.One(readers(), `{"id": "/a", "cmd": "true", "portDefinitions": [{"port": 10000}], "labels": {
		"HAPROXY_GROUP": "external", "HAPROXY_0_VHOST": "a.example.com", "HAPROXY_0_PORT": "eighty", "HAPROXY_0_PATH": ["/x"],
		"HAPROXY_0_BALANCE": null, "HAPROXY_0_BACKEND_WEIGHT": 3, "HAPROXY_0_STICKY": true}}`)
	ep := endpoint(t, r, "route:/a:0")
	if ep.Direct != 10000 || ep.Order != 3 || ep.Sticky == nil || len(ep.Hosts) != 1 || len(ep.Rules) != 0 {
		t.Errorf("the good labels are not read: %+v", ep)
	}
	if e, ok := discovertest.Entry(r, "/labels/HAPROXY_0_PATH/0"); !ok || e.Verdict != ledger.Dropped {
		t.Errorf("the list in place of a string is %v, want dropped", e)
	}
	if l := r.Estate.Find("/a").Labels; len(l) != 5 {
		t.Errorf("%d labels are kept, want 5: %v", len(l), l)
	}
}

func TestLabelsOfNoUseMakeNoRoute(t *testing.T) {
	for _, labels := range []string{`{"HAPROXY_GROUP": null}`, `{"HAPROXY_0_VHOST": ["a"]}`, `{"HAPROXY_0_VHOST": {}}`} {
		r := discovertest.One(readers(), `{"id": "/a", "cmd": "true", "portDefinitions": [{"port": 10000}], "labels": `+labels+`}`)
		if len(r.Estate.Endpoints) != 0 || len(r.Estate.Find("/a").Labels) != 0 {
			t.Errorf("%s gives %d routes and labels %v, want none", labels, len(r.Estate.Endpoints), r.Estate.Find("/a").Labels)
		}
	}
}

func TestTheLedgerOfLabelsTellsTheTruth(t *testing.T) {
	text := `{"id": "/a", "cmd": "true", "portDefinitions": [{"port": 10000}], "labels": {
		"HAPROXY_GROUP": "external", "HAPROXY_0_VHOST": "a.example.com", "HAPROXY_0_PATH": "/x", "HAPROXY_0_BACKEND_WEIGHT": "3",
		"HAPROXY_0_MODE": "http", "HAPROXY_0_PORT": "80", "HAPROXY_0_REDIRECT_TO_HTTPS": "true", "HAPROXY_0_USE_HSTS": "false",
		"HAPROXY_0_SSL_CERT": "/x", "HAPROXY_0_BALANCE": "source", "HAPROXY_0_STICKY": "true", "HAPROXY_0_ENABLED": "true",
		"HAPROXY_0_BACKEND_NETWORK_ALLOWED_ACL": "10.0.0.0/8", "HAPROXY_0_BACKEND_HEALTHCHECK_PORT_INDEX": "0",
		"HAPROXY_4_VHOST": "b.example.com", "HAPROXY_HEAD": "x", "HAPROXY_VHOST": "y", "HAPROXY_APP_ID": "a",
		"HAPROXY_DEPLOYMENT_GROUP": "a", "HAPROXY_DEPLOYMENT_STARTED_AT": "2016", "traefik.enable": "true", "F5_PARTITION": "p",
		"DCOS_SERVICE_NAME": "a", "HAPROXY_0_BIND_ADDR": {"a": "b"}}}`
	discovertest.Truth(t, readers(), fstest.MapFS{"app.json": {Data: []byte(text)}}, "app.json")
	discovertest.Truth(t, readers(), fstest.MapFS{"app.json": {Data: []byte(strings.ReplaceAll(text, `"HAPROXY_0_VHOST"`, `"HAPROXY_1_VHOST"`))}}, "app.json")
}

func FuzzLabelsNeverPanicAndNeverLoseALabel(f *testing.F) {
	for _, s := range []string{"a.example.com,b", "-i /x /y", "-f /x", "80", "realm:u:h", "  server x y:1 port\n  server", "true", "{", "timeout server", "option httpchk", ""} {
		f.Add("0_VHOST", s, "0_PATH", s)
		f.Add("GROUP", s, "1_BACKEND_SERVER_OPTIONS", s)
		f.Add("DEPLOYMENT_GROUP", s, "0_AUTH", s)
	}
	f.Fuzz(func(t *testing.T, k1, v1, k2, v2 string) {
		labels, err := json.Marshal(map[string]string{"HAPROXY_" + k1: v1, "HAPROXY_" + k2: v2, "HAPROXY_GROUP": "external"})
		if err != nil {
			t.Skip()
		}
		text := `{"id": "/a", "cmd": "true", "portDefinitions": [{"port": 10000}, {"port": 0}], "labels": ` + string(labels) + `}`
		fsys := fstest.MapFS{"app.json": {Data: []byte(text)}}
		r := discover.Read(fsys, readers(), discover.Options{})
		if r.Diags.HasErrors() {
			t.Errorf("the estate is not sound: %v", r.Diags)
		}
		discovertest.Covered(t, fsys, "app.json", r)
	})
}
