package wave_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/plan/usage"
	"github.com/tranship/tranship/internal/plan/wave"
)

const date = "2026-11-24"

func service(id estate.Name, on ...string) estate.Workload {
	w := estate.Workload{ID: id, Kind: estate.Service, Replicas: 2, Containers: []estate.Container{{
		Name: "main", CPU: 100, Memory: 64 * unit.MiB, Ports: []estate.Port{{Number: 80}}, Checks: []estate.HealthCheck{{Kind: estate.TCP}},
	}}}
	if len(on) > 0 {
		w.Replicas = len(on)
		w.Running = &estate.Running{Instances: len(on), Healthy: len(on), Hosts: on}
	}
	return w
}

func estateOf(ws []estate.Workload, edges ...[2]estate.Name) estate.Estate {
	e := estate.Estate{Version: estate.Version, Workloads: ws}
	for _, x := range edges {
		e.Dependencies = append(e.Dependencies, estate.Dependency{From: x[0], To: x[1], Way: estate.Declared})
	}
	e.Sort()
	return e
}

func route(to ...estate.Name) estate.Endpoint {
	ep := estate.Endpoint{ID: "route:" + string(to[0]) + ":0", Kind: estate.Route, Mode: "http"}
	for _, id := range to {
		ep.Backends = append(ep.Backends, estate.Backend{Workload: id, Port: 80})
	}
	return ep
}

func hosts(names ...string) []estate.Host {
	var out []estate.Host
	for _, n := range names {
		out = append(out, estate.Host{Name: n, CPU: 1000, Memory: 2 * unit.GiB, Active: true})
	}
	return out
}

func spec(w policy.Waves) *policy.Policy {
	p := policy.Default()
	p.Spec.Waves = w
	return &p
}

func order(ws []plan.Wave) string {
	var out []string
	for _, w := range ws {
		var groups []string
		for _, g := range w.Groups {
			var ids []string
			for _, id := range g.Workloads {
				ids = append(ids, string(id))
			}
			groups = append(groups, strings.Join(ids, "+"))
		}
		out = append(out, strings.Join(groups, "|"))
	}
	return strings.Join(out, " then ")
}

func codes(list diag.List) string {
	var out []string
	for _, d := range list {
		out = append(out, string(d.Code))
	}
	return strings.Join(out, " ")
}

func TestCallersMoveAfterWhatTheyCall(t *testing.T) {
	e := estateOf([]estate.Workload{service("/web"), service("/api"), service("/db"), service("/other")},
		[2]estate.Name{"/web", "/api"}, [2]estate.Name{"/api", "/db"})
	ws, diags := wave.Make(wave.Inputs{Estate: &e, Policy: spec(policy.Waves{})})
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	if got, want := order(ws), "/db|/other then /api then /web"; got != want {
		t.Errorf("waves are %q, want %q", got, want)
	}
	if got, want := ws[1].Groups[0].Why, "comes after /db (wave 1); 1 group waits for it"; got != want {
		t.Errorf("the reason of /api is %q, want %q", got, want)
	}
}

func TestACircleMovesTogetherAndIsReported(t *testing.T) {
	e := estateOf([]estate.Workload{service("/a"), service("/b"), service("/c"), service("/d")},
		[2]estate.Name{"/a", "/b"}, [2]estate.Name{"/b", "/c"}, [2]estate.Name{"/c", "/a"}, [2]estate.Name{"/d", "/a"})
	ws, diags := wave.Make(wave.Inputs{Estate: &e, Policy: spec(policy.Waves{})})
	if len(diags) != 1 || diags[0].Code != wave.Cycle {
		t.Errorf("diagnostics %v", diags)
	}
	if got, want := order(ws), "/a+/b+/c then /d"; got != want {
		t.Errorf("waves are %q, want %q", got, want)
	}
}

func TestWhatIsBoundMovesTogether(t *testing.T) {
	volume := func(id estate.Name) estate.Workload {
		w := service(id)
		w.Volumes = []estate.Volume{{Name: "v", Kind: estate.ExternalVolume, Driver: "ebs.csi.aws.com", Handle: "vol-1"}}
		return w
	}
	job := func(id estate.Name, env ...estate.EnvVar) estate.Workload {
		w := service(id)
		w.Kind, w.Containers[0].Env = estate.Schedule, env
		return w
	}
	shell := func(id estate.Name, line string) estate.Workload {
		w := service(id)
		w.Containers[0].Shell = line
		return w
	}
	blue, green := service("/a"), service("/b")
	blue.BlueGreen, green.BlueGreen = &estate.BlueGreen{Group: "x", Colour: "blue"}, &estate.BlueGreen{Group: "x", Colour: "green"}
	for name, c := range map[string]struct {
		ws   []estate.Workload
		ends []estate.Endpoint
		want string
		why  plan.Reason
	}{
		"address": {
			[]estate.Workload{service("/a"), service("/b")},
			[]estate.Endpoint{{ID: "vip:x", Kind: estate.VirtualAddress, Backends: []estate.Backend{{Workload: "/a"}, {Workload: "/b"}}}},
			"/a+/b", plan.SharedAddress,
		},
		"pair":   {[]estate.Workload{blue, green}, nil, "/a+/b", plan.BlueGreenPair},
		"volume": {[]estate.Workload{volume("/a"), volume("/b")}, nil, "/a+/b", plan.SharedVolume},
		"lock in a variable": {[]estate.Workload{
			job("/a", estate.EnvVar{Name: "JOB_LOCK", Value: "/locks/rollup"}), job("/b", estate.EnvVar{Name: "LOCK_PATH", Value: "/locks/rollup"}),
			job("/c", estate.EnvVar{Name: "LOCK_PATH", Value: "/locks/other"}),
		}, nil, "/a+/b|/c", plan.SharedLock},
		"lock in a command": {[]estate.Workload{
			job("/a", estate.EnvVar{Name: "LOCK", Value: "/run/x.lock"}), shell("/b", "sleep 1 && flock -w 10 '/run/x.lock' ./run"),
		}, nil, "/a+/b", plan.SharedLock},
		"no lock": {[]estate.Workload{
			job("/a", estate.EnvVar{Name: "MEMORY_LOCK", Value: "true"}), job("/b", estate.EnvVar{Name: "MEMORY_LOCK", Value: "true"}),
			job("/c", estate.EnvVar{Name: "BLOCK", Value: "x"}), job("/d", estate.EnvVar{Name: "BLOCK", Value: "x"}),
		}, nil, "/a|/b|/c|/d", plan.MoveAlone},
		"a lock among services": {[]estate.Workload{shell("/a", "flock /x run"), shell("/b", "flock /x run")}, nil, "/a|/b", plan.MoveAlone},
	} {
		e := estateOf(c.ws)
		e.Endpoints = c.ends
		ws, _ := wave.Make(wave.Inputs{Estate: &e, Policy: spec(policy.Waves{})})
		if got := order(ws); got != c.want || ws[0].Groups[0].Reason != c.why {
			t.Errorf("%s: waves are %q for %s, want %q for %s", name, got, ws[0].Groups[0].Reason, c.want, c.why)
		}
	}
}

func TestThePilotIsTheLeastRiskWithRealTraffic(t *testing.T) {
	single, data, risky := service("/single"), service("/data"), service("/risky")
	single.Singleton, data.Stateful = true, true
	risky.Containers[0].Checks = nil
	ws := []estate.Workload{service("/quiet"), single, data, risky, service("/good"), service("/db")}
	e := estateOf(ws, [2]estate.Name{"/good", "/db"})
	e.Endpoints = []estate.Endpoint{route("/single"), route("/data"), route("/risky"), route("/good")}
	got, _ := wave.Make(wave.Inputs{Estate: &e, Policy: spec(policy.Waves{}), AsOf: date})
	if p := got[0]; !p.Pilot || p.Reason != plan.PilotFirst || order(got[:1]) != "/good" {
		t.Fatalf("the pilot is %s (%s, %s)", order(got[:1]), p.Reason, p.Why)
	}
	want := "the least risk (5) of 2 groups with real traffic that could go first; it has a route from outside; until they follow it calls back to the source for /db"
	if got[0].Why != want {
		t.Errorf("it says %q,\nwant     %q", got[0].Why, want)
	}
	// What was measured is known better than what is declared.
	set := &usage.Set{Series: []usage.Series{
		{Workload: "/quiet", Metric: usage.Requests, Points: []usage.Point{{At: 0, Value: 40}}},
		{Workload: "/good", Metric: usage.Requests, Points: []usage.Point{{At: 0, Value: 0}}},
		{Workload: "/risky", Metric: usage.Requests, Copy: "1", Points: []usage.Point{{At: 0, Value: 60}}},
	}}
	got, _ = wave.Make(wave.Inputs{Estate: &e, Policy: spec(policy.Waves{}), Usage: set})
	if order(got[:1]) != "/quiet" || got[0].Groups[0].Risks[0] != "6: 40 % of all requests (40.0/s)" {
		t.Errorf("with requests counted the pilot is %s, risks %v", order(got[:1]), got[0].Groups[0].Risks)
	}
}

func TestPolicyNamesThePilotOrNone(t *testing.T) {
	data := service("/data")
	data.Stateful = true
	e := estateOf([]estate.Workload{service("/a"), service("/b"), data})
	e.Endpoints = []estate.Endpoint{route("/a")}
	for _, c := range []struct{ pilot, first, diags string }{
		{"none", "/a|/b|/data", ""},
		{"/b", "/b", "P061"}, // nobody uses it
		{"/data", "/data", "P061"},
		{"/gone", "/a", "P060"},
		{"", "/a", ""},
	} {
		ws, diags := wave.Make(wave.Inputs{Estate: &e, Policy: spec(policy.Waves{Pilot: c.pilot})})
		if got := order(ws[:1]); got != c.first || codes(diags) != c.diags {
			t.Errorf("pilot %q: begins with %s and says %q, want %s and %q", c.pilot, got, codes(diags), c.first, c.diags)
		}
	}
}

func TestRiskNamesWhatAddsToIt(t *testing.T) {
	w := service("/db")
	w.Replicas, w.Stateful, w.Containers[0].Checks = 1, true, nil
	e := estateOf([]estate.Workload{w, service("/a"), service("/b")}, [2]estate.Name{"/a", "/db"}, [2]estate.Name{"/b", "/db"})
	open := []ledger.Entry{
		{Workload: "/db", Verdict: ledger.Decision, Code: "X1"},
		{Workload: "/db", Verdict: ledger.Decision, Code: "X2", Answer: "said"},
		{Workload: "/db", Verdict: ledger.Exact, Code: "X3"},
		{Workload: "/db", Verdict: ledger.Decision, Code: "X4"},
	}
	p := spec(policy.Waves{})
	p.Spec.Answers = []policy.Answer{{Code: "X4", Answer: "yes"}}
	ws, _ := wave.Make(wave.Inputs{Estate: &e, Policy: p, Ledger: open})
	g := ws[0].Groups[0]
	want := []string{"30: keeps data", "10: runs as one copy", "10: has no health check", "6: 2 workloads depend on it", "1: 1 decision open"}
	if d := cmp.Diff(want, g.Risks); d != "" || g.Risk != 57 {
		t.Errorf("risk %d\n%s", g.Risk, d)
	}
}

func TestTheCalendarKeepsWavesApart(t *testing.T) {
	e := estateOf([]estate.Workload{service("/a"), service("/b"), service("/c")})
	for name, c := range map[string]struct {
		waves       policy.Waves
		want, diags string
	}{
		"two weeks ahead": {policy.Waves{}, "2026-12-08 to 2026-12-11", ""},
		"as policy says":  {policy.Waves{Size: 1, Start: "2027-02-26", Days: 2, SoakDays: 1}, "2027-02-26 to 2027-02-27, 2027-02-28 to 2027-03-01, 2027-03-02 to 2027-03-03", ""},
		"soaks longer":    {policy.Waves{Size: 2, Start: "2027-01-01", Days: 3, SoakDays: 5}, "2027-01-01 to 2027-01-06, 2027-01-07 to 2027-01-12", "P063"},
		"past":            {policy.Waves{Start: "2026-11-01"}, "2026-11-24 to 2026-11-27", "P062"},
		"no date":         {policy.Waves{Start: "soon"}, "2026-12-08 to 2026-12-11", "P062"},
		"a year":          {policy.Waves{Size: 1, Days: 300}, "2026-12-08 to 2026-12-11, 2027-10-04 to 2027-10-07, 2028-07-30 to 2028-08-02", "P064"},
	} {
		ws, diags := wave.Make(wave.Inputs{Estate: &e, Policy: spec(c.waves), AsOf: date})
		var days []string
		for _, w := range ws {
			days = append(days, w.Start+" to "+w.End)
		}
		if got := strings.Join(days, ", "); got != c.want || codes(diags) != c.diags {
			t.Errorf("%s: %s, %q\nwant %s, %q", name, got, codes(diags), c.want, c.diags)
		}
	}
}

// TestAHostIsFreeOnceNothingNeedsIt: all that was seen on it has moved, nothing
// unknown runs there, and jobs find room elsewhere.
func TestAHostIsFreeOnceNothingNeedsIt(t *testing.T) {
	lb := service("/lb", "h1")
	lb.Kind = estate.Infrastructure
	skip := service("/skip", "h2")
	chain := [][2]estate.Name{{"/b", "/a"}, {"/job", "/b"}}
	base := func() estate.Estate {
		job := service("/job")
		job.Kind, job.Replicas = estate.Schedule, 1
		e := estateOf([]estate.Workload{service("/a", "h2", "h3"), service("/b", "h3", "h4"), job, lb}, chain...)
		e.Hosts = hosts("h1", "h2", "h3", "h4")
		return e
	}
	for name, c := range map[string]struct {
		change func(e *estate.Estate, p *policy.Policy)
		want   string
		diags  string
	}{
		"by what moved": {func(*estate.Estate, *policy.Policy) {}, "h2; h3,h4; h1", ""},
		"jobs need room": {func(e *estate.Estate, _ *policy.Policy) {
			e.Find("/job").Containers[0].CPU = 950 // the load balancer's host has 900 left
		}, "; h2,h3; h1,h4", ""},
		"something unknown": {func(e *estate.Estate, _ *policy.Policy) {
			for i := range e.Hosts {
				e.Hosts[i].UsedCPU, e.Hosts[i].UsedMemory = 100, 64*unit.MiB
			}
			e.Hosts[1].UsedCPU = 700
			e.Hosts[2].UsedCPU = 200
		}, "; h3,h4; h1,h2", ""},
		"a framework with tasks of its own": {func(e *estate.Estate, _ *policy.Policy) {
			e.Workloads = append(e.Workloads, estate.Workload{ID: "/kafka", Kind: estate.Framework, Replicas: 1, Running: &estate.Running{Instances: 3}})
			e.Sort()
		}, "; ; h1,h2,h3,h4", ""},
		"nothing was seen": {func(e *estate.Estate, _ *policy.Policy) {
			for i := range e.Workloads {
				e.Workloads[i].Running = nil
			}
		}, "; ; h1,h2,h3,h4", "P065"},
		"policy leaves one out": {func(e *estate.Estate, p *policy.Policy) {
			e.Workloads = append(e.Workloads, skip)
			e.Sort()
			p.Spec.Workloads = map[string]policy.Workload{"/skip": {Skip: true}}
		}, "; h3,h4; ", "P066"},
	} {
		e, p := base(), spec(policy.Waves{Pilot: "none"})
		c.change(&e, p)
		ws, diags := wave.Make(wave.Inputs{Estate: &e, Policy: p})
		var free []string
		for _, w := range ws {
			free = append(free, strings.Join(w.Free, ","))
		}
		if got := strings.Join(free, "; "); got != c.want || codes(diags) != c.diags {
			t.Errorf("%s: frees %q and says %q, want %q and %q", name, got, codes(diags), c.want, c.diags)
		}
	}
}

func TestHostsThatDrainingCouldEmptyAreCounted(t *testing.T) {
	e := estateOf([]estate.Workload{service("/a", "h1", "h2", "h3", "h4"), service("/b", "h1", "h2", "h3", "h4")}, [2]estate.Name{"/b", "/a"})
	e.Hosts = hosts("h1", "h2", "h3", "h4")
	ws, _ := wave.Make(wave.Inputs{Estate: &e, Policy: spec(policy.Waves{Pilot: "none"})})
	if ws[0].Drainable != 3 || !strings.Contains(ws[0].Why, "draining could empty about 3 more, h1 first (1 workload left)") {
		t.Errorf("%d could be drained: %s", ws[0].Drainable, ws[0].Why)
	}
	e.Find("/b").Constraints = []estate.Constraint{{Attribute: "hostname", Rule: estate.Apart}}
	if ws, _ = wave.Make(wave.Inputs{Estate: &e, Policy: spec(policy.Waves{Pilot: "none"})}); ws[0].Drainable != 0 {
		t.Errorf("copies that want hosts of their own are packed onto one: %d", ws[0].Drainable)
	}
}

// BenchmarkMake orders 1,000 and 10,000 workloads that call eight others each.
func BenchmarkMake(b *testing.B) {
	for _, n := range []int{1000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			e := crowd(n)
			for b.Loop() {
				got, _ := wave.Make(wave.Inputs{Estate: &e, Policy: spec(policy.Waves{}), AsOf: date})
				b.ReportMetric(float64(len(got)), "waves")
			}
		})
	}
}

func crowd(n int) estate.Estate {
	var ws []estate.Workload
	var edges [][2]estate.Name
	for i := range n {
		w := service(estate.Name(fmt.Sprintf("/g%02d/w%05d", i%50, i)), fmt.Sprintf("h%03d", i%700), fmt.Sprintf("h%03d", (i*7)%700))
		if i%9 == 0 {
			w.Kind, w.Running = estate.Schedule, nil
		}
		ws = append(ws, w)
		for k := range 8 {
			if i > 0 {
				edges = append(edges, [2]estate.Name{w.ID, ws[(i*31+k*17)%i].ID})
			}
		}
	}
	e := estateOf(ws, edges...)
	for i := range 700 {
		e.Hosts = append(e.Hosts, hosts(fmt.Sprintf("h%03d", i))...)
	}
	for i := range ws {
		e.Endpoints = append(e.Endpoints, route(ws[i].ID))
	}
	return e
}
