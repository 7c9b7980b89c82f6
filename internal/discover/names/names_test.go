package names

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/discover/discovertest"
	"github.com/tranship/tranship/internal/estate"
)

func TestExamplesOfCodesRun(t *testing.T) {
	discovertest.Examples(t, "codes.go", []any{stub{}, New()})
}

// world is what the names of the tables below lead to.
const world = `[
 {"id": "/grp/app", "cmd": "true", "container": {"portMappings": [
   {"containerPort": 8080, "hostPort": 31005, "servicePort": 10001, "name": "web", "labels": {"VIP_0": "/grp/app:80", "VIP_1": "11.1.2.3:81"}}]}},
 {"id": "/grp/own", "cmd": "true", "networkName": "dcos", "container": {"portMappings": [{"containerPort": 5432}]}},
 {"id": "/grp/hosty", "cmd": "true", "network": "host", "container": {"portMappings": [
   {"containerPort": 9000}, {"containerPort": 9001, "dynamic": true}]}},
 {"id": "/grp/two", "cmd": "true", "container": {"portMappings": [{"containerPort": 1, "servicePort": 10002, "labels": {"VIP_0": "two:80"}},
   {"containerPort": 2, "labels": {"VIP_0": "two:81"}}]}},
 {"id": "/grp/blue", "cmd": "true", "container": {"portMappings": [{"containerPort": 1, "servicePort": 10003}]}},
 {"id": "/grp/green", "cmd": "true", "container": {"portMappings": [{"containerPort": 1, "servicePort": 10003}]}},
 {"id": "/grp/guarded", "cmd": "true", "route": 10004, "auth": true, "vhost": "guarded.example.com",
   "container": {"portMappings": [{"containerPort": 1, "servicePort": 10004}]}},
 {"id": "/a/very/long/path/of/an/application/that/nobody/can/read/at/once/without/breath", "cmd": "true",
   "networkName": "dcos", "container": {"portMappings": [{"containerPort": 80}]}},
 {"id": "/marathon-lb", "kind": "infrastructure"},
 {"id": "/prod/kafka", "kind": "framework"},
 {"id": "/nightly", "kind": "schedule"},
 {"host": "10.0.1.5"}, {"host": "agent7", "zone": "z1"}
]`

type want struct {
	to       estate.Name
	match    string
	port     int
	listen   int
	endpoint string
	fate     estate.Fate
	code     diag.Code
}

func TestOldNameLeadsWhereTheTableSays(t *testing.T) {
	const (
		app, own = "/grp/app", "/grp/own"
		long     = "/a/very/long/path/of/an/application/that/nobody/can/read/at/once/without/breath"
	)
	rew, bri, unr := estate.Rewritten, estate.Bridged, estate.Unresolved
	for text, w := range map[string]want{
		// A records, both forms; the machine's port or the container's.
		"app.grp.marathon.mesos:31005":        {to: app, port: 8080, listen: 31005, fate: rew, code: NameRewritten},
		"app-grp.marathon.mesos:31005":        {to: app, port: 8080, listen: 31005, fate: rew, code: NameRewritten},
		"http://app-grp.marathon.mesos:8080/": {to: app, match: "app-grp.marathon.mesos:8080", port: 8080, listen: 8080, fate: rew, code: NameRewritten},
		"App-Grp.Marathon.Mesos.:31005":       {to: app, port: 8080, listen: 31005, fate: rew, code: NameRewritten},
		"app-grp.marathon.mesos":              {to: app, fate: bri, code: NameBridged},
		"app-grp.marathon.mesos:${DB_P}":      {to: app, match: "app-grp.marathon.mesos", fate: bri, code: NameBridged},
		"app-grp.marathon.mesos:1234":         {to: app, listen: 1234, fate: bri, code: NameBridged},
		"app-grp.marathon-user.mesos:31005":   {to: app, port: 8080, listen: 31005, fate: rew, code: NameRewritten},
		"own-grp.marathon.mesos":              {to: own, port: 5432, fate: rew, code: NameRewritten},
		"pg://u@own-grp.marathon.mesos:5432/": {to: own, match: "own-grp.marathon.mesos:5432", port: 5432, listen: 5432, fate: rew, code: NameRewritten},
		"hosty-grp.marathon.mesos:9000":       {to: "/grp/hosty", port: 9000, listen: 9000, fate: rew, code: NameRewritten},
		"hosty-grp.marathon.mesos:9001":       {to: "/grp/hosty", listen: 9001, fate: bri, code: NameBridged},
		"gone-grp.marathon.mesos:80":          {listen: 80, fate: unr, code: UnknownName},
		// Truncation at 63 and, in older versions, at 24.
		"breath-without-once-at-read-can-nobody-that-application-an-of-p.marathon.mesos:80": {to: long, port: 80, listen: 80, fate: rew, code: NameRewritten},
		"breath-without-once-at-r.marathon.mesos:80":                                        {to: long, port: 80, listen: 80, fate: rew, code: NameRewritten},
		// SRV.
		"_app-grp._tcp.marathon.mesos":      {to: app, fate: bri, code: SRVName},
		"_web._app-grp._tcp.marathon.mesos": {to: app, port: 8080, fate: bri, code: SRVName},
		"_gone._tcp.marathon.mesos":         {fate: unr, code: UnknownName},
		// Agents.
		"app-grp.marathon.slave.mesos": {to: app, fate: unr, code: MachineName},
		// DC/OS' own zones.
		"app-grp.marathon.autoip.dcos.thisdcos.directory:31005":     {to: app, port: 8080, listen: 31005, fate: rew, code: NameRewritten},
		"own-grp.marathon.containerip.dcos.thisdcos.directory:5432": {to: own, port: 5432, listen: 5432, fate: rew, code: NameRewritten},
		"own-grp.marathon.containerip.dcos.thisdcos.directory":      {to: own, port: 5432, fate: rew, code: NameRewritten},
		"app-grp.marathon.agentip.dcos.thisdcos.directory:31005":    {to: app, port: 8080, listen: 31005, fate: rew, code: NameRewritten},
		"own-grp.marathon.agentip.dcos.thisdcos.directory":          {to: own, fate: bri, code: NameBridged},
		// Virtual addresses.
		"grpapp.marathon.l4lb.thisdcos.directory:80":    {to: app, port: 8080, listen: 80, fate: rew, code: NameRewritten},
		"grpapp.marathon.l4lb.thisdcos.directory":       {to: app, port: 8080, listen: 80, fate: rew, code: NameRewritten},
		"http://two.marathon.l4lb.thisdcos.directory/x": {to: "/grp/two", match: "two.marathon.l4lb.thisdcos.directory", port: 1, listen: 80, fate: rew, code: NameRewritten},
		"two.marathon.l4lb.thisdcos.directory":          {to: "/grp/two", fate: bri, code: NameBridged},
		"grpapp.marathon.l4lb.thisdcos.directory:99":    {to: app, listen: 99, fate: unr, code: UnknownPort},
		"gone.marathon.l4lb.thisdcos.directory:80":      {listen: 80, fate: unr, code: UnknownName},
		"11.1.2.3:81": {to: app, port: 8080, listen: 81, fate: unr, code: AddressVIP},
		// Frameworks.
		"broker.prodkafka.l4lb.thisdcos.directory:9092":             {to: "/prod/kafka", listen: 9092, fate: bri, code: FrameworkName},
		"broker.kafka.l4lb.thisdcos.directory:9092":                 {to: "/prod/kafka", listen: 9092, fate: bri, code: FrameworkName},
		"kafka-0-broker.kafka.autoip.dcos.thisdcos.directory:1025":  {to: "/prod/kafka", listen: 1025, fate: bri, code: FrameworkName},
		"broker-0.kafka.mesos:9092":                                 {to: "/prod/kafka", listen: 9092, fate: bri, code: FrameworkName},
		"kafka.mesos":                                               {to: "/prod/kafka", fate: bri, code: FrameworkName},
		"node-0.cassandra.mesos":                                    {fate: unr, code: FrameworkName},
		"node-0-server.cassandra.autoip.dcos.thisdcos.directory:99": {listen: 99, fate: unr, code: FrameworkName},
		"/dcos-service-prod__kafka":                                 {to: "/prod/kafka", fate: bri, code: FrameworkName},
		// The platform itself.
		"leader.mesos:5050":       {listen: 5050, fate: unr, code: ControlPlaneName},
		"master.mesos":            {fate: unr, code: ControlPlaneName},
		"master0.mesos":           {fate: unr, code: ControlPlaneName},
		"marathon.mesos:8080":     {listen: 8080, fate: unr, code: ControlPlaneName},
		"_leader._tcp.mesos":      {fate: unr, code: ControlPlaneName},
		"zk-1.zk:2181":            {listen: 2181, fate: unr, code: ControlPlaneName},
		"zk://10.9.9.9:2181/x":    {match: "10.9.9.9:2181", listen: 2181, fate: unr, code: ControlPlaneName},
		"198.51.100.1":            {fate: unr, code: ControlPlaneName},
		"ready.spartan":           {fate: unr, code: ControlPlaneName},
		"/opt/mesosphere/bin/x y": {match: "/opt/mesosphere/bin/x", fate: unr, code: PlatformPath},
		// The old load balancer.
		"marathon-lb.marathon.mesos:10001":          {to: app, port: 8080, listen: 10001, fate: rew, code: NameRewritten},
		"marathon-lb-internal.marathon.mesos:10001": {to: app, port: 8080, listen: 10001, fate: rew, code: NameRewritten},
		"marathon-lb.marathon.mesos:10003":          {to: "/grp/blue", listen: 10003, fate: bri, code: NameBridged},
		"marathon-lb.marathon.mesos:10004":          {to: "/grp/guarded", port: 1, listen: 10004, endpoint: "route:/grp/guarded:0", fate: bri, code: NameBridged},
		"marathon-lb.marathon.mesos:10999":          {listen: 10999, fate: unr, code: UnknownPort},
		"http://marathon-lb.marathon.mesos/":        {match: "marathon-lb.marathon.mesos", listen: 80, fate: bri, code: NameBridged},
		"marathon-lb.marathon.mesos:9090":           {listen: 9090, fate: unr, code: ControlPlaneName},
		// Machines.
		"10.0.1.5:31005":           {to: app, listen: 31005, fate: unr, code: MachineName},
		"10.0.1.5":                 {fate: unr, code: MachineName},
		"http://agent7:1/x":        {match: "agent7:1", listen: 1, fate: unr, code: MachineName},
		"${X}.marathon.mesos":      {match: "marathon.mesos", fate: unr, code: VariableInName},
		"$X-grp.marathon.mesos:80": {match: "X-grp.marathon.mesos:80", listen: 80, fate: unr, code: VariableInName},
	} {
		t.Run(text, func(t *testing.T) {
			r := read(map[string]string{
				"world.json": world, "client.json": fmt.Sprintf(`{"id": "/client", "cmd": "true", "env": {"X": %q}}`, text),
			})
			if w.match == "" {
				w.match = text
			}
			d, ok := first(r, "/client")
			if !ok {
				t.Fatal("nothing was found")
			}
			e, _ := discovertest.Entry(r, "/env/X")
			got := want{to: d.To, match: d.Match, port: d.Port, listen: d.Listen, endpoint: d.Endpoint, fate: d.Fate, code: e.Code}
			if diff := cmp.Diff(w, got, cmp.AllowUnexported(want{})); diff != "" {
				t.Errorf("(-want +got):\n%s\n%+v", diff, d)
			}
			if verdict := map[estate.Fate]ledger.Verdict{rew: ledger.Equivalent, bri: ledger.Approximate, unr: ledger.Decision}[d.Fate]; e.Verdict != verdict {
				t.Errorf("the ledger says %s, want %s", e.Verdict, verdict)
			}
			if d.At.Pointer != "/env/X" || d.Place != (estate.Place{Container: "main", Field: "env", Key: "X"}) {
				t.Errorf("found at %+v in %+v", d.At, d.Place)
			}
			if (d.Why == "") != (d.Fate == estate.Rewritten) {
				t.Errorf("fate %s with reason %q", d.Fate, d.Why)
			}
		})
	}
}

func first(r discover.Result, from estate.Name) (estate.Dependency, bool) {
	for _, d := range r.Estate.Dependencies {
		if d.From == from && d.Fate != estate.None {
			return d, true
		}
	}
	return estate.Dependency{}, false
}

func TestNothingIsFoundWhereNoNameIs(t *testing.T) {
	for _, text := range []string{
		"-Dspark.mesos.executor.home=/x", "https://downloads.mesosphere.com/x", "org.apache.mesos.Protos", "mesos", "x.mesosphere.io",
		"/etc/conf/marathon.mesos", "my.leader.mesos.example", "10.0.1.55", "agent7", "the agent7 of old", "db:5432", "user:leader.mesos@host",
		"$HOME/$PATH", "echo $$", "directory", "a.directory", "thisdcos.directory.example", "zk-1", "foo.zk", "",
	} {
		r := read(map[string]string{
			"world.json": world, "client.json": fmt.Sprintf(`{"id": "/client", "cmd": "true", "env": {"X": %q}}`, text),
		})
		if d, ok := first(r, "/client"); ok {
			t.Errorf("in %q was found %q: %s", text, d.Match, d.Why)
		}
	}
}

func TestVirtualAddressIsNamedByItsEndpoint(t *testing.T) {
	x := newIndex(fakeBuilder(t, `[{"id": "/a", "cmd": "true", "container": {"portMappings": [{"containerPort": 1}]}},
	  {"id": "/b", "cmd": "true", "container": {"portMappings": [{"containerPort": 1}]}}]`))
	x.endpoint(&estate.Endpoint{
		ID: "vip:/db:5432", Kind: estate.VirtualAddress, Address: "/db", Port: 5432,
		Backends: []estate.Backend{{Workload: "/a", Port: 1}, {Workload: "/b", Port: 1}},
	})
	p := &place{raw: "db.marathon.l4lb.thisdcos.directory:5432", from: x.b.Workload("/a")}
	for tok := range estate.Tokens(p.raw) {
		f, ok := x.resolve(p, tok)
		if !ok || f.endpoint != "vip:/db:5432" || f.fate != estate.Rewritten || len(f.to) != 2 {
			t.Errorf("resolve(%s) = %+v, want the shared endpoint and both workloads", p.raw, f)
		}
	}
}

type grab struct{ b *discover.Builder }

func (g *grab) Finish(b *discover.Builder) { g.b = b }

func fakeBuilder(t testing.TB, text string) *discover.Builder {
	t.Helper()
	g := &grab{}
	discovertest.Read([]any{stub{}, g}, map[string]string{"x.json": text})
	return g.b
}

func TestSecretKeepsAllButTheHostToItself(t *testing.T) {
	r := read(map[string]string{"world.json": world, "client.json": `{"id": "/client", "cmd": "true",
	  "env": {"DB_URL": "postgres://me:canary-$HOST@own-grp.marathon.mesos:5432/x?password=canary", "TOKEN": "canary"}}`})
	d, ok := first(r, "/client")
	if !ok || d.Match != "own-grp.marathon.mesos:5432" || d.Fate != estate.Bridged {
		t.Errorf("found %+v, want the host alone, bridged", d)
	}
	if text := fmt.Sprintf("%+v %+v %+v", r.Estate, r.Ledger, r.Diags); strings.Contains(text, "canary") {
		t.Errorf("the secret is in the result")
	}
	if e, _ := discovertest.Entry(r, "/env/DB_URL"); e.Verdict != ledger.Decision || e.Code != discover.CredentialInURL {
		t.Errorf("entry %+v, want the secret's decision kept", e)
	}
}

func TestVariableOfTheOldSchedulerIsFound(t *testing.T) {
	for name, w := range map[string]struct {
		fate estate.Fate
		code diag.Code
	}{
		"$HOST": {estate.Bridged, InjectedVariable}, "${PORT0}": {estate.Bridged, InjectedVariable}, "$PORT": {estate.Bridged, InjectedVariable},
		"${PORT_WEB:-1}": {estate.Bridged, InjectedVariable}, "$PORT_8080": {estate.Bridged, InjectedVariable},
		"$PORT1": {estate.Unresolved, UnknownVariable}, "$PORT_X": {estate.Unresolved, UnknownVariable},
		"$MESOS_SANDBOX": {estate.Bridged, InjectedVariable}, "$MESOS_TASK_ID": {estate.Bridged, InjectedVariable},
		"$MESOS_FRAMEWORK_ID": {estate.Unresolved, UnknownVariable}, "$MARATHON_APP_LABEL_X": {estate.Unresolved, UnknownVariable},
		"$MARATHON_APP_ID": {estate.Bridged, InjectedVariable}, "$LIBPROCESS_IP": {estate.Unresolved, UnknownVariable},
		"$USER_SET": {}, "$MARATHON_X": {},
	} {
		t.Run(name, func(t *testing.T) {
			r := read(map[string]string{"app.json": fmt.Sprintf(`{"id": "/a", "cmd": "run %s", "env": {"MARATHON_X": "mine"},
			  "container": {"portMappings": [{"containerPort": 8080, "name": "web"}]}}`, name)})
			d, ok := first(r, "/a")
			if ok != (w.fate != "") || d.Fate != w.fate || ok && d.Match != name {
				t.Fatalf("found %+v, want fate %q", d, w.fate)
			}
			if e, _ := discovertest.Entry(r, "/cmd"); ok && e.Code != w.code {
				t.Errorf("entry %+v, want code %s", e, w.code)
			}
		})
	}
}

func TestNameInALabelIsNotRewritten(t *testing.T) {
	r := read(map[string]string{
		"world.json": world, "c.json": `{"id": "/client", "cmd": "true", "labels": {"x": "own-grp.marathon.mesos:5432"}}`,
	})
	if d, _ := first(r, "/client"); d.Fate != estate.Bridged || d.To != "/grp/own" {
		t.Errorf("found %+v, want it bridged", d)
	}
}

func TestFrameworksOwnTextsAskNothingOfAnybody(t *testing.T) {
	r := read(map[string]string{"c.json": `{"id": "/kafka", "kind": "framework", "cmd": "run zk://leader.mesos:2181/x $MESOS_FRAMEWORK_ID"}`})
	if len(r.Diags) != 0 || len(r.Estate.Dependencies) == 0 {
		t.Errorf("diagnostics %v, dependencies %v; want edges and no diagnostic", r.Diags, r.Estate.Dependencies)
	}
	for _, d := range r.Estate.Dependencies {
		if d.Fate != estate.None {
			t.Errorf("%+v, want no fate", d)
		}
	}
}

func TestImageFromAnOldNameNeedsAPerson(t *testing.T) {
	r := read(map[string]string{"world.json": world, "c.json": `{"id": "/client", "image": "own-grp.marathon.mesos:5432/x:1", "cmd": "true"}`})
	d, _ := first(r, "/client")
	if d.Fate != estate.Unresolved || d.To != "/grp/own" || d.Place.Field != "image" {
		t.Errorf("found %+v, want it unresolved in the image", d)
	}
}

func TestHostOfARouteIsAnEdgeByWayOfTheEdge(t *testing.T) {
	r := read(map[string]string{"world.json": world, "c.json": `{"id": "/client", "cmd": "curl https://guarded.example.com/x"}`})
	ds := r.Estate.Dependencies
	if len(ds) != 1 || ds[0].Way != estate.Routed || ds[0].To != "/grp/guarded" || ds[0].Fate != estate.None {
		t.Errorf("dependencies %+v, want one routed to /grp/guarded", ds)
	}
	if e, _ := discovertest.Entry(r, "/cmd"); e.Code != "T001" {
		t.Errorf("entry %+v, want it untouched: the public name stays good", e)
	}
}
