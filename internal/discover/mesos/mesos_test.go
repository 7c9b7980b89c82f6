package mesos

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/tranship/tranship/internal/base/corpus"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/discover/discovertest"
	"github.com/tranship/tranship/internal/estate"
)

// definitions reads {"definitions": {"/id": "kind"}}: what the real readers
// would have read.
type definitions struct{}

func (definitions) Recognise(d *discover.Document) bool { return d.Root.Has("definitions") }

func (definitions) Read(d *discover.Document, b *discover.Builder) {
	for _, e := range d.Root.Get("definitions").Elems() {
		w := estate.Workload{ID: estate.Name(e.Key()), Kind: estate.Kind(e.Text()), Containers: []estate.Container{{Name: "main"}}}
		b.Add(w, e.Pos(d.File))
		b.Note(d.File, w.ID, e, discover.Ruling{Verdict: ledger.Exact, Code: "T001"})
	}
}

func read(files map[string]string) discover.Result {
	return discovertest.Read([]any{New(), definitions{}}, files)
}

func TestExamplesOfCodesRun(t *testing.T) {
	discovertest.Examples(t, "codes.go", []any{New()}, "DigestSeen")
}

const agents = `{"type": "GET_AGENTS", "get_agents": {"agents": [{
  "active": true, "version": "1.11.0", "pid": "slave(1)@10.0.1.5:5051",
  "agent_info": {
    "hostname": "10.0.1.5", "id": {"value": "S0"},
    "domain": {"fault_domain": {"region": {"name": "eu-central-1"}, "zone": {"name": "eu-central-1b"}}},
    "attributes": [
      {"name": "rack", "type": "TEXT", "text": {"value": "r1"}},
      {"name": "weight", "type": "SCALAR", "scalar": {"value": 2.0625}},
      {"name": "slots", "type": "RANGES", "ranges": {"range": [{"begin": 30, "end": 40}, {"begin": 1, "end": 2}]}},
      {"name": "tags", "type": "SET", "set": {"item": ["b", "a"]}}],
    "resources": [{"name": "cpus", "type": "SCALAR", "role": "*", "scalar": {"value": 1}}]},
  "total_resources": [
    {"name": "cpus", "type": "SCALAR", "role": "*", "scalar": {"value": 2.0}},
    {"name": "cpus", "type": "SCALAR", "role": "db", "scalar": {"value": 2.0}},
    {"name": "mem", "type": "SCALAR", "reservations": [{"role": "slave_public", "type": "STATIC"}], "scalar": {"value": 1024}},
    {"name": "ports", "type": "RANGES", "ranges": {"range": [{"begin": 1, "end": 9}]}}],
  "allocated_resources": [{"name": "cpus", "type": "SCALAR", "scalar": {"value": 0.5}}]}]}}`

var wantHost = estate.Host{
	Name: "10.0.1.5", ID: "S0", Region: "eu-central-1", Zone: "eu-central-1b", Active: true, Version: "1.11.0",
	Attributes: map[string]string{"rack": "r1", "weight": "2.062", "slots": "[1-2,30-40]", "tags": "{a,b}"},
	CPU:        4000, Memory: 1 << 30, UsedCPU: 500, Roles: []string{"db", "slave_public"},
}

func TestAgentBecomesHostWithItsAttributesAsMarathonComparesThem(t *testing.T) {
	camel := strings.NewReplacer(
		"get_agents", "getAgents", "agent_info", "agentInfo", "fault_domain", "faultDomain",
		"total_resources", "totalResources", "allocated_resources", "allocatedResources").Replace(agents)
	for name, text := range map[string]string{"snake": agents, "camel": camel} {
		t.Run(name, func(t *testing.T) {
			r := read(map[string]string{"agents.json": text})
			if diff := cmp.Diff([]estate.Host{wantHost}, r.Estate.Hosts); diff != "" {
				t.Errorf("hosts (-want +got):\n%s", diff)
			}
			if len(r.Diags) != 0 {
				t.Errorf("diagnostics %v, want none", r.Diags)
			}
		})
	}
}

func TestStateTellsTheSameOfAnAgentAsTheOperatorAPI(t *testing.T) {
	state := `{"slaves": [{"id": "S0", "hostname": "10.0.1.5", "pid": "slave(1)@10.0.1.5:5051", "active": true,
	  "version": "1.11.0", "domain": {"fault_domain": {"region": {"name": "eu-central-1"}, "zone": {"name": "eu-central-1b"}}},
	  "attributes": {"rack": "r1", "weight": 2.0625, "slots": "[30-40, 1-2]", "tags": "{b, a}"},
	  "resources": {"cpus": 4, "mem": 1024, "ports": "[1-9]"}, "used_resources": {"cpus": 0.5, "mem": 0},
	  "reserved_resources": {"db": {"cpus": 2}, "slave_public": {"mem": 1024}}}], "frameworks": []}`
	for name, files := range map[string]map[string]string{
		"state alone": {"state.json": state},
		"both":        {"state.json": state, "agents.json": agents},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff([]estate.Host{wantHost}, read(files).Estate.Hosts); diff != "" {
				t.Errorf("hosts (-want +got):\n%s", diff)
			}
		})
	}
}

func TestScalarsRoundHalfToEven(t *testing.T) {
	for in, want := range map[string]string{
		"10.0": "10", "0.0625": "0.062", "0.1875": "0.188", "2.5": "2.5", "-0.0001": "0", "1e3": "1000", "x": "x",
	} {
		if got := scalar(in); got != want {
			t.Errorf("scalar(%s) = %s, want %s", in, got, want)
		}
	}
}

const uuid1, uuid2 = "b8db9f73-562f-11e4-a088-c20493233aa5", "bc4e3796-2d7a-11e4-b8df-d43d7edb01cd"

func TestTaskCountsForTheWorkloadItsIDNames(t *testing.T) {
	for _, tc := range []struct{ name, framework, id, extra, want string }{
		{"app", "marathon", "shop_cart." + uuid1, "", "/shop/cart"},
		{"app since 1.8", "marathon", "shop_cart.instance-" + uuid1 + "._app.7", "", "/shop/cart"},
		{"resident app", "marathon", "shop_db.marathon-" + uuid1, "", "/shop/db"},
		{"pod's container", "marathon", "shop_pod.instance-" + uuid1 + ".web", "", "/shop/pod"},
		{"dotted app", "marathon", "shop_cart.v2." + uuid1, "", "/shop/cart.v2"},
		{"job", "metronome", "nightly_report_20200117143010pXk3s." + uuid1, "", "nightly.report"},
		{"discovery name", "marathon", "odd", `, "discovery": {"name": "cart.shop"}`, "/shop/cart"},
		{"unknown app", "marathon", "shop_gone." + uuid1, "", ""},
		{"another framework's", "kafka", "shop_cart." + uuid1, "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := read(map[string]string{
				"defs.json": `{"definitions": {"/shop/cart": "service", "/shop/db": "service", "/shop/pod": "service",
				  "/shop/cart.v2": "service", "nightly.report": "service"}}`,
				"state.json": fmt.Sprintf(`{"slaves": [{"id": "S0", "hostname": "h0"}], "frameworks": [{"id": "F0", "name": %q,
				  "tasks": [{"id": %q, "state": "TASK_RUNNING", "slave_id": "S0"%s}, {"id": "x", "state": "TASK_KILLED"}]}]}`,
					tc.framework, tc.id, tc.extra),
			})
			for _, w := range r.Estate.Workloads {
				var want *estate.Running
				if string(w.ID) == tc.want {
					want = &estate.Running{Instances: 1, Hosts: []string{"h0"}, Images: []string{}}
				}
				if strings.HasPrefix(string(w.ID), "/framework:") {
					continue
				}
				if diff := cmp.Diff(want, w.Running); diff != "" {
					t.Errorf("running of %s (-want +got):\n%s", w.ID, diff)
				}
			}
		})
	}
}

func TestTaskSeenInSeveralAnswersCountsOnce(t *testing.T) {
	id := "shop_cart." + uuid1
	r := read(map[string]string{
		"defs.json": `{"definitions": {"/shop/cart": "service"}}`,
		"state.json": `{"slaves": [{"id": "S0", "hostname": "h0"}], "frameworks": [{"id": "F0", "name": "marathon", "tasks": [
		  {"id": "` + id + `", "state": "TASK_RUNNING", "slave_id": "S0",
		   "container": {"type": "DOCKER", "docker": {"image": "shop/cart@sha256:` + strings.Repeat("a", 64) + `"}},
		   "statuses": [{"timestamp": 2, "healthy": true}, {"timestamp": 1, "healthy": false}]}]}]}`,
		"GET_TASKS.json": `{"type": "GET_TASKS", "get_tasks": {"tasks": [{"task_id": {"value": "` + id + `"},
		  "framework_id": {"value": "F0"}, "agent_id": {"value": "S0"}, "state": "TASK_RUNNING"}]}}`,
		"tasks.json": `{"tasks": [{"id": "` + id + `", "appId": "/shop/cart", "host": "h0", "state": "TASK_RUNNING"},
		  {"id": "shop_cart.` + uuid2 + `", "appId": "/shop/cart", "host": "h1"}]}`,
	})
	want := &estate.Running{
		Instances: 2, Healthy: 1, Hosts: []string{"h0", "h1"}, Images: []string{"shop/cart@sha256:" + strings.Repeat("a", 64)},
	}
	if diff := cmp.Diff(want, r.Estate.Workloads[0].Running); diff != "" {
		t.Errorf("running (-want +got):\n%s", diff)
	}
	e, ok := discovertest.Entry(r, "/frameworks/0/tasks/0/container/docker/image")
	if !ok || e.Code != DigestSeen || e.Workload != "/shop/cart" || e.Verdict != ledger.Decision {
		t.Errorf("entry of the image = %+v, want a decision %s of /shop/cart", e, DigestSeen)
	}
}

func TestFrameworkWithoutDefinitionIsNamed(t *testing.T) {
	r := read(map[string]string{
		"defs.json": `{"definitions": {"/db/kafka": "framework"}}`,
		"state.json": `{"slaves": [], "frameworks": [
		  {"id": "F0", "name": "marathon", "active": true},
		  {"id": "F1", "name": "kafka", "active": true},
		  {"id": "F2", "name": "cassandra", "active": true, "role": "db", "TASK_RUNNING": 3},
		  {"id": "F3", "name": "spark-job", "active": false}]}`,
	})
	var ids []string
	for _, w := range r.Estate.Workloads {
		ids = append(ids, string(w.ID))
	}
	if diff := cmp.Diff([]string{"/db/kafka", "/framework:cassandra"}, ids); diff != "" {
		t.Fatalf("workloads (-want +got):\n%s", diff)
	}
	w := r.Estate.Workloads[1]
	if w.Kind != estate.Framework || w.Role != "db" || w.Running.Instances != 3 || w.Operator.Name != "K8ssandra (cass-operator)" {
		t.Errorf("cassandra = %+v, want a framework of role db with 3 tasks and K8ssandra", w)
	}
}

func TestAgentsFlagTellsWhetherHostThrottles(t *testing.T) {
	two := `{"slaves": [{"id": "S0", "hostname": "h0"}, {"id": "S1", "hostname": "h1"}]}`
	yes, no := true, false
	for _, tc := range []struct {
		name   string
		files  map[string]string
		h0, h1 *bool
	}{
		{"nothing seen", nil, nil, nil},
		{"by file's name", map[string]string{"agent_flags/S1.json": `{"flags": {"cgroups_enable_cfs": "true"}}`}, nil, &yes},
		{"each its own", map[string]string{
			"agent_flags/S0.json": `{"flags": {"cgroups_enable_cfs": "false"}}`,
			"agent_flags/S1.json": `{"flags": {"cgroups_enable_cfs": "true"}}`,
		}, &no, &yes},
		{"by host name", map[string]string{"f.json": `{"flags": {"cgroups_enable_cfs": "false", "hostname": "h0"}}`}, &no, nil},
		{"operator API", map[string]string{"S0.json": `{"type": "GET_FLAGS", "get_flags": {"flags": [
		  {"name": "isolation", "value": "cgroups/cpu"}, {"name": "cgroups_enable_cfs", "value": "true"}]}}`}, &yes, nil},
		{"absent flag", map[string]string{"S0.json": `{"flags": {"containerizers": "docker"}}`}, &no, nil},
		{"master's flags", map[string]string{"f.json": `{"flags": {"quorum": "2"}}`}, nil, nil},
		{"DC/OS", map[string]string{"v.json": `{"version": "2.2", "dcos-variant": "open"}`}, &yes, &yes},
		{"agent's state", map[string]string{"s.json": `{"id": "S1", "hostname": "h1", "attributes": {},
		  "flags": {"cgroups_enable_cfs": "true"}}`}, nil, &yes},
	} {
		t.Run(tc.name, func(t *testing.T) {
			files := map[string]string{"state.json": two}
			maps.Copy(files, tc.files)
			h := read(files).Estate.Hosts
			if diff := cmp.Diff([]*bool{tc.h0, tc.h1}, []*bool{h[0].Throttles, h[1].Throttles}); diff != "" {
				t.Errorf("throttles of h0 and h1 (-want +got):\n%s", diff)
			}
		})
	}
}

func TestQuotaIsReadInEveryAgeOfItsForm(t *testing.T) {
	want := []estate.Quota{{Role: "dev", CPU: 2000, Memory: 128 * unit.MiB}}
	for name, text := range map[string]string{
		"limits": `{"type": "GET_QUOTA", "get_quota": {"status": {"configs": [{"role": "dev",
		  "guarantees": {"cpus": {"value": 1}}, "limits": {"cpus": {"value": 2}, "mem": {"value": 128}}}]}}}`,
		"limits in infos": `{"get_quota": {"status": {"infos": [{"configs": [{"role": "dev",
		  "limits": {"cpus": {"value": 2}, "mem": {"value": 128}}}]}]}}}`,
		"guarantee": `{"infos": [{"role": "dev", "principal": "p", "guarantee": [
		  {"name": "cpus", "type": "SCALAR", "scalar": {"value": 2}}, {"name": "mem", "scalar": {"value": 128}}]}]}`,
		"roles": `{"roles": [{"name": "dev", "weight": 1, "quota": {"role": "dev", "limit": {"cpus": 2, "mem": 128}}},
		  {"name": "ops", "weight": 1}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(want, read(map[string]string{"q.json": text}).Estate.Quotas); diff != "" {
				t.Errorf("quotas (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLargeStateHasFewEntriesOfEvidence(t *testing.T) {
	var b strings.Builder
	b.WriteString(`{"slaves": [], "frameworks": [{"id": "F0", "name": "marathon", "tasks": [`)
	for i := range 1000 {
		fmt.Fprintf(&b, `{"id": "a.%d", "state": "TASK_FAILED", "statuses": [{"state": "TASK_FAILED", "timestamp": %d}],
		  "labels": [{"key": "a", "value": "b"}]},`, i, i)
	}
	text := strings.TrimSuffix(b.String(), ",") + `], "completed_tasks": [{"id": "x"}]}]}`
	r := read(map[string]string{"state.json": text})
	if n := len(r.Ledger); n > 20 {
		t.Errorf("the ledger has %d entries, want at most 20", n)
	}
	e, ok := discovertest.Entry(r, "/frameworks/tasks/statuses")
	if !ok || e.Count != 2000 || e.Verdict != ledger.Informational {
		t.Errorf("entry of statuses = %+v, want one informational of 2000 fields", e)
	}
	discovertest.Covered(t, fstest.MapFS{"state.json": {Data: []byte(text)}}, "state.json", r)
}

func TestReaderIsEmptyAfterEachReading(t *testing.T) {
	r := New()
	files := map[string]string{"agents.json": agents}
	first := discovertest.Read([]any{r}, files)
	if diff := cmp.Diff(first, discovertest.Read([]any{r}, files)); diff != "" {
		t.Errorf("a second reading differs:\n%s", diff)
	}
	if again := discovertest.Read([]any{r}, map[string]string{"x.json": `{"flags": {}}`}); len(again.Estate.Hosts) != 0 {
		t.Errorf("a reading without agents has hosts %v", again.Estate.Hosts)
	}
}

func TestDefinitionsAreLeftToTheirReaders(t *testing.T) {
	for _, text := range []string{
		`{"id": "/a", "cmd": "true", "tasks": [{"id": "x"}]}`, `{"apps": []}`, `{"id": "/", "groups": [], "apps": []}`,
		`[{"id": "/a"}]`, `{"colour": "green"}`, `{"name": "pool", "haproxy": {}}`, `{"version": "3", "services": {}}`,
		`{"id": "job", "run": {}}`, `{}`, `"x"`, `{"configs": {"a": {}}}`, `{"tasks": 3}`, `{"leader": true}`,
	} {
		if r := read(map[string]string{"x.json": text}); !discovertest.Codes(r)[discover.NotADefinition] {
			t.Errorf("%s is taken for evidence", text)
		}
	}
}

func TestEveryLeafOfTheCorpusIsAccountedFor(t *testing.T) {
	fsys, files := corpus.Files(t, []string{"mesos"}, ".json")
	for _, file := range files {
		t.Run(file, func(t *testing.T) {
			data, err := fsys.(interface{ ReadFile(string) ([]byte, error) }).ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			one := fstest.MapFS{file: {Data: data}}
			r := discover.Read(one, []any{New()}, discover.Options{})
			discovertest.Covered(t, one, file, r)
			for _, d := range r.Diags {
				if d.Code != UndefinedFramework {
					t.Errorf("diagnostic %v", d)
				}
			}
		})
	}
}

func FuzzReader(f *testing.F) {
	f.Add(agents)
	f.Add(`{"slaves": [{"id": "S0", "attributes": {"a": "[1-2"}}], "frameworks": [{"tasks": [{"id": "_.` + uuid1 + `", "state": "TASK_RUNNING"}]}]}`)
	f.Add(`{"infos": [{"configs": [{"role": "a", "limits": {"cpus": -1}}]}], "flags": {"isolation": null}}`)
	f.Add(`{"get_tasks": {"tasks": [null, {"task_id": "x", "state": "TASK_RUNNING", "statuses": 3}]}}`)
	f.Fuzz(func(t *testing.T, text string) {
		r := read(map[string]string{"x.json": text})
		for _, d := range r.Diags {
			if d.Code == estate.Inconsistent {
				t.Errorf("the estate is inconsistent: %v", d)
			}
		}
	})
}
