package field_test

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/discover/discovertest"
	"github.com/tranship/tranship/internal/discover/field"
	"github.com/tranship/tranship/internal/discover/metronome"
	"github.com/tranship/tranship/internal/discover/pod"
	"github.com/tranship/tranship/internal/estate"
)

// probe reads a definition that has the shared fields and nothing else.
type probe struct{}

func (probe) Recognise(d *discover.Document) bool { return d.Root.Has("probe") }

func (probe) Read(d *discover.Document, b *discover.Builder) {
	v := d.Root
	s := field.Scope{B: b, File: d.File, ID: estate.Name("/" + strings.Trim(v.Get("probe").Text(), "/")), Kind: "probe"}
	w := b.Add(estate.Workload{ID: s.ID, Kind: estate.Service, Containers: []estate.Container{{Name: "c"}}}, v.Pos(d.File))
	s.Note(v.Get("probe"), ledger.Decision, "X001", "", "")
	c := &w.Containers[0]
	s.Secrets(v.Get("secrets"), w)
	s.PullConfig(v.Get("pull"), w)
	c.Env = s.Env(v.Get("env"), w, "c")
	s.Artifacts(v.Get("fetch"), w, c)
	w.Constraints = s.Constraints(v.Get("constraints"))
	s.Resources(v, c)
	s.Limits(v.Get("limits"), c)
	for i, e := range v.Get("volumes").Elems() {
		vol := estate.Volume{Name: string(rune('a' + i))}
		if x := e.Get("persistent"); x != nil {
			s.Persistent(x, &vol)
		} else if x := e.Get("external"); x != nil {
			s.External(x, w, &vol)
		}
		w.Volumes = append(w.Volumes, vol)
	}
	s.Linux(v.Get("linux"), w, c, false)
	if x := v.Get("unreachable"); x != nil {
		s.Unreachable(x, w)
	}
}

var readers = []any{probe{}}

const whole = `{
  "probe": "/shop/cart",
  "secrets": {"k": {"source": "shop/k"}, "empty": {}, "bad": null},
  "env": {
    "PLAIN": "x", "EMPTY": "", "NUMBER": 3, "FLAG": true, "NOTHING": null, "KEY": {"secret": "k"},
    "API_TOKEN": "canary-1", "DB": "postgres://me:canary-2@db/x", "2nd colour": "green", "a=b": {"secret": "k"}
  },
  "fetch": [
    {"uri": "https://example.com/x.tgz", "extract": false, "cache": true, "destPath": "x"}, "https://example.com/y.zip",
    {"uri": "https://me:canary-3@example.com/z", "executable": true}, {"uri": "file:///opt/q"}, {"uri": "hdfs://n/q"},
    {"uri": "https://example.com/docker.tar.gz", "extract": true}
  ],
  "constraints": [
    ["hostname", "UNIQUE"], ["@zone", "GROUP_BY", "3"], ["rack", "GROUP_BY"], ["rack", "MAX_PER", "2"], ["rack", "MAX_PER", "1"],
    ["rack", "LIKE", "r.*"], ["rack", "UNLIKE", "r9"], ["rack", "CLUSTER"], ["rack", "CLUSTER", "r1"], ["hostname", "LIKE", "10.*"],
    ["@region", "IS", "west"], {"fieldName": "rack", "operator": "IS", "value": "r2"}, {"attribute": "rack", "operator": "EQ", "value": "r3"}
  ],
  "cpus": 0.25, "mem": 100, "disk": 5, "gpus": 0,
  "limits": {"cpus": 2, "mem": "unlimited"},
  "pull": {"secret": "k"},
  "volumes": [
    {"persistent": {"size": 10, "type": "mount", "maxSize": 20, "profileName": "fast", "constraints": [["path", "LIKE", "/x"]]}},
    {"external": {"name": "data", "size": 3, "provider": "dvdi", "shared": true, "options": {"dvdi/driver": "rexray", "dvdi/password": "canary-4", "x": "y"}}},
    {"external": {"name": "vol-1", "provider": "csi", "options": {"pluginName": "ebs.csi.aws.com",
      "capability": {"accessMode": "SINGLE_NODE_WRITER", "accessType": "mount", "fsType": "ext4", "mountFlags": ["noatime"]},
      "nodeStageSecret": {"user": "k"}, "nodePublishSecret": {"user": "k"}, "volumeContext": {"a": "b"}}}}
  ],
  "linux": {"seccomp": {"unconfined": false, "profileName": "p.json"}, "ipcInfo": {"mode": "SHARE_PARENT", "shmSize": 8}},
  "unreachable": {"inactiveAfterSeconds": 10, "expungeAfterSeconds": 20}
}`

func read(t *testing.T, text string) (estate.Workload, discover.Result) {
	t.Helper()
	r := discovertest.One(readers, text)
	if len(r.Estate.Workloads) != 1 {
		t.Fatalf("%d workloads, want 1: %v", len(r.Estate.Workloads), r.Diags)
	}
	return r.Estate.Workloads[0], r
}

func TestEveryCodeHasAnExample(t *testing.T) {
	discovertest.Examples(t, "codes.go", []any{pod.Reader{}, metronome.Reader{}})
}

func TestLedgerOfSharedFieldsIsWholeAndTrue(t *testing.T) {
	_, r := read(t, whole)
	fsys := fstest.MapFS{"app.json": {Data: []byte(whole)}}
	discovertest.Covered(t, fsys, "app.json", r)
	discovertest.Truth(t, readers, fsys, "app.json")
	discovertest.AnyValue(t, readers, whole)
	discovertest.OneMore(t, readers, whole, "env", "secrets", "options", "nodeStageSecret", "nodePublishSecret", "volumeContext")
	for _, e := range r.Ledger {
		if e.Code == discover.UnknownKey {
			t.Errorf("%s is unknown", e.Pointer)
		}
	}
}

func TestNoSecretLeavesTheSnapshot(t *testing.T) {
	w, r := read(t, whole)
	b, err := json.Marshal(r)
	if err != nil || strings.Contains(string(b), "canary") {
		t.Errorf("a secret's value is in the result (%v)", err)
	}
	got := map[string][]string{}
	for _, s := range w.Secrets {
		got[s.Name] = s.Keys
	}
	want := map[string][]string{
		"k": {".dockerconfigjson", "value"}, "empty": {"value"}, "cart-env": {"API_TOKEN", "DB"}, "cart-fetch": {"artifact-2"}, "cart-pull": {".dockerconfigjson"},
		"cart-volume": {"dvdi_password"}, "cart-c-stage": {"user"}, "cart-c-publish": {"user"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("declared secrets (-want +got):\n%s", d)
	}
}

func TestVariablesKeepTheirNamesWherePossible(t *testing.T) {
	w, _ := read(t, `{"probe": "/a", "env": {"plain": "1", "with-dash.dot": "2", "2nd": "3", "a b": "4", "a_b": "5", "": "6", "..": "7", "ü": "8", "a=b": "9"}}`)
	got := map[string]string{}
	for _, e := range w.Containers[0].Env {
		got[e.Name] = e.Value
	}
	want := map[string]string{"plain": "1", "with-dash.dot": "2", "2nd": "3", "a b": "4", "a_b": "5", "..": "7", "_": "8", "a_b_": "9"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("variables (-want +got):\n%s", d)
	}
}

func TestArtifactsAreExtractedAsMesosDid(t *testing.T) {
	w, _ := read(t, `{"probe": "/a", "fetch": [
		"http://x/a.tgz", "http://x/a.tar", "http://x/a.zip?v=1", {"uri": "http://x/a.tar"}, {"uri": "http://x/a.ZIP"},
		{"uri": "http://x/get?id=1", "destPath": "y/a.tar.gz"}, {"uri": "http://x/a.zip", "destPath": "a.bin", "extract": true},
		{"uri": "http://x/a.zip", "extract": false}, {"uri": "http://x/a.zip", "executable": true, "extract": true}]}`)
	type got struct {
		Path             string
		Extract, Execute bool
	}
	var have []got
	for _, a := range w.Containers[0].Artifacts {
		have = append(have, got{a.Path, a.Extract, a.Executable})
	}
	want := []got{
		{"", true, false},
		{"", false, false},
		{"a.zip?v=1", false, false},
		{"", true, false},
		{"", false, false},
		{"y/a.tar.gz", true, false},
		{"a.bin", false, false},
		{"", false, false},
		{"", false, true},
	}
	if d := cmp.Diff(want, have); d != "" {
		t.Errorf("artifacts (-want +got):\n%s", d)
	}
}

func TestConstraintsOfBothFormsAreRead(t *testing.T) {
	w, r := read(t, whole)
	want := []estate.Constraint{
		{Attribute: "hostname", Rule: estate.Apart, Source: "hostname UNIQUE"},
		{Attribute: "@zone", Rule: estate.Spread, Count: 3, Source: "@zone GROUP_BY 3"},
		{Attribute: "rack", Rule: estate.Spread, Source: "rack GROUP_BY"},
		{Attribute: "rack", Rule: estate.AtMost, Count: 2, Source: "rack MAX_PER 2"},
		{Attribute: "rack", Rule: estate.Apart, Source: "rack MAX_PER 1"},
		{Attribute: "rack", Rule: estate.In, Pattern: "r.*", Source: "rack LIKE r.*"},
		{Attribute: "rack", Rule: estate.NotIn, Pattern: "r9", Source: "rack UNLIKE r9"},
		{Attribute: "rack", Rule: estate.Together, Source: "rack CLUSTER"},
		{Attribute: "rack", Rule: estate.In, Values: []string{"r1"}, Source: "rack CLUSTER r1"},
		{Attribute: "hostname", Rule: estate.In, Pattern: "10.*", Source: "hostname LIKE 10.*"},
		{Attribute: "@region", Rule: estate.In, Values: []string{"west"}, Source: "@region IS west"},
		{Attribute: "rack", Rule: estate.In, Values: []string{"r2"}, Source: "rack IS r2"},
		{Attribute: "rack", Rule: estate.In, Values: []string{"r3"}, Source: "rack EQ r3"},
	}
	if d := cmp.Diff(want, w.Constraints); d != "" {
		t.Errorf("constraints (-want +got):\n%s", d)
	}
	for pointer, v := range map[string]ledger.Verdict{
		"/constraints/0/0": ledger.Exact, "/constraints/5/2": ledger.Approximate, "/constraints/9/2": ledger.Decision, "/constraints/10/2": ledger.Decision,
	} {
		if e, _ := discovertest.Entry(r, pointer); e.Verdict != v {
			t.Errorf("%s is %s, want %s", pointer, e.Verdict, v)
		}
	}
}

func TestBadConstraintCostsItselfOnly(t *testing.T) {
	for _, bad := range []string{
		`["rack"]`, `["rack", "NEAR"]`, `["rack", "IS"]`, `["rack", "LIKE"]`, `["rack", "MAX_PER", "x"]`, `["rack", "GROUP_BY", "0"]`, `[1, 2]`,
		`{"operator": "UNIQUE"}`, `["", "UNIQUE"]`, `["a", "UNIQUE", "b", "c"]`, `[["a"], "UNIQUE"]`, `3`,
	} {
		w, r := read(t, `{"probe": "/a", "constraints": [`+bad+`, ["hostname", "UNIQUE"]]}`)
		if len(w.Constraints) != 1 || !r.Diags.HasErrors() {
			t.Errorf("%s leaves %d constraints and %v, want the good one and an error", bad, len(w.Constraints), r.Diags)
		}
	}
}

func TestResourcesDefaultToTheSchedulersOwn(t *testing.T) {
	w, _ := read(t, `{"probe": "/a"}`)
	if c := w.Containers[0]; c.CPU != 1000 || c.Memory != 128*unit.MiB {
		t.Errorf("%v and %v, want 1 and 128Mi", c.CPU, c.Memory)
	}
	w, _ = read(t, `{"probe": "/a", "cpus": 0.0001, "mem": 0.5}`)
	if c := w.Containers[0]; c.CPU != 1 || c.Memory != unit.MiB/2 {
		t.Errorf("%v and %v, want 1m and 512Ki", c.CPU, c.Memory)
	}
}

func TestDigestSeesDefinitionsAndNotEvidence(t *testing.T) {
	at := func(text string) string {
		return discovertest.One([]any{metronome.Reader{}}, text).Estate.Workloads[0].SourceVersion
	}
	a := at(`{"id": "a", "run": {"cmd": "true"}, "schedules": [{"id": "s", "cron": "0 0 * * *", "nextRunAt": "1"}], "history": {"successCount": 1}}`)
	b := at(`{"id": "a", "run": {"cmd": "true"}, "schedules": [{"id": "s", "cron": "0 0 * * *", "nextRunAt": "2"}], "history": {"successCount": 2}}`)
	c := at(`{"id": "a", "run": {"cmd": "false"}, "schedules": [{"id": "s", "cron": "0 0 * * *", "nextRunAt": "1"}]}`)
	if a != b || a == c {
		t.Errorf("versions %s, %s, %s: want two alike and the third not", a, b, c)
	}
}
