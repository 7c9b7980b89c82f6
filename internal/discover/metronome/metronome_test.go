package metronome_test

import (
	"encoding/json"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tranship/tranship/internal/base/corpus"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/discover/discovertest"
	"github.com/tranship/tranship/internal/discover/field"
	"github.com/tranship/tranship/internal/discover/metronome"
	"github.com/tranship/tranship/internal/estate"
)

var readers = []any{metronome.Reader{}}

func TestEveryCodeHasAnExample(t *testing.T) {
	discovertest.Examples(t, "codes.go", readers)
}

// whole has every key of the schema.
const whole = `{
  "id": "prod.reports.daily",
  "description": "counts what was sold",
  "dependencies": [{"id": "prod.import"}],
  "labels": {"team": "till"},
  "schedules": [
    {"id": "night", "cron": "20 0 * * *", "timezone": "Europe/Paris", "startingDeadlineSeconds": 60, "concurrencyPolicy": "FORBID", "enabled": true, "nextRunAt": "2020-01-01T00:00:00Z"},
    {"id": "sunday", "cron": "0 6 * * 7", "enabled": false, "concurrencyPolicy": "ALLOW", "timezone": "GMT+2"}
  ],
  "run": {
    "cpus": 0.5, "mem": 64, "disk": 10, "gpus": 1,
    "args": ["--day", "yesterday"],
    "docker": {"image": "shop/report:1", "forcePullImage": true, "privileged": false, "parameters": [{"key": "cap-add", "value": "SYSLOG"}]},
    "artifacts": [{"uri": "https://example.com/x.zip", "extract": true, "executable": false, "cache": false}],
    "networks": [{"mode": "container", "name": "blue", "labels": {"a": "b"}}],
    "env": {"COLOUR": "green", "KEY": {"secret": "k"}, "DB_PASSWORD": "canary-1", "WHERE": "$MESOS_SANDBOX/x"},
    "secrets": {"k": {"source": "shop/k"}},
    "maxLaunchDelay": 3600,
    "placement": {"constraints": [
      {"attribute": "disk", "operator": "IS", "value": "ssd"}, {"attribute": "rack", "operator": "EQ", "value": "r1"},
      {"attribute": "rack", "operator": "LIKE", "value": "r.*"}, {"attribute": "rack", "operator": "UNLIKE", "value": "r9"}]},
    "user": "www-data",
    "taskKillGracePeriodSeconds": 12.5,
    "restart": {"policy": "ON_FAILURE", "activeDeadlineSeconds": 120},
    "volumes": [
      {"containerPath": "/data", "hostPath": "/srv/data", "mode": "RO"}, {"containerPath": "tmp", "hostPath": "tmp", "mode": "RW"},
      {"containerPath": "certs/cert.pem", "secret": "k"}]
  },
  "activeRuns": [{"id": "1", "jobId": "prod.reports.daily", "status": "ACTIVE", "tasks": []}],
  "history": {"successCount": 3, "lastFailureAt": null},
  "historySummary": {"successCount": 3}
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
	if len(r.Diags) > 0 {
		t.Errorf("diagnostics: %v", r.Diags)
	}
	for _, e := range r.Ledger {
		if e.Code == discover.UnknownKey {
			t.Errorf("%s is unknown", e.Pointer)
		}
	}
	c := w.Containers[0]
	got := map[string]any{
		"kind": w.Kind, "group": w.Group, "run": *w.Run, "after": w.DependsOn, "grace": *w.KillGrace, "args": c.Args, "image": c.Image,
		"pull": c.AlwaysPull, "security": c.Security, "mounts": c.Mounts, "env": c.Env, "sandbox": c.Sandbox, "network": w.Networks,
		"resources": []any{c.CPU, c.Memory, c.Disk, c.GPUs},
	}
	want := map[string]any{
		"kind": estate.Schedule, "group": estate.Name("/prod/reports"), "after": []estate.Name{"prod.import"}, "grace": unit.Seconds(12.5),
		"run": estate.Run{Retry: true, ActiveDeadline: 120, Schedules: []estate.Times{
			{ID: "night", Cron: "20 0 * * *", Zone: "Europe/Paris", StartDeadline: 60, Forbid: true, Enabled: true},
			{ID: "sunday", Cron: "0 6 * * 0", Zone: "Etc/GMT-2", StartDeadline: 900},
		}},
		"args": []string{"--day", "yesterday"}, "image": "shop/report:1", "pull": true,
		"security": estate.Security{User: "www-data", Add: []string{"SYSLOG"}},
		"mounts": []estate.Mount{
			{Volume: "data", Path: "/data", ReadOnly: true},
			{Volume: "tmp", Path: "/mnt/mesos/sandbox/tmp"},
			{Volume: "certs-cert-pem", Path: "/mnt/mesos/sandbox/certs/cert.pem", SubPath: "value", ReadOnly: true},
		},
		"env": []estate.EnvVar{
			{Name: "MESOS_SANDBOX", Value: field.Sandbox, Injected: true},
			{Name: "COLOUR", Value: "green"},
			{Name: "KEY", Secret: &estate.SecretRef{Name: "k", Key: "value"}},
			{Name: "DB_PASSWORD", Secret: &estate.SecretRef{Name: "daily-env", Key: "DB_PASSWORD"}},
			{Name: "WHERE", Value: "$MESOS_SANDBOX/x"},
		},
		"sandbox": field.Sandbox, "network": []estate.NetworkRef{{Name: "blue", Labels: map[string]string{"a": "b"}}},
		"resources": []any{unit.CPU(500), 64 * unit.MiB, 10 * unit.MiB, 1},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("the job is read otherwise (-want +got):\n%s", d)
	}
	fsys := fstest.MapFS{"app.json": {Data: []byte(whole)}}
	discovertest.Covered(t, fsys, "app.json", r)
	discovertest.Truth(t, readers, fsys, "app.json")
	b, err := json.Marshal(r)
	if err != nil || strings.Contains(string(b), "canary") {
		t.Errorf("a secret's value is in the result (%v)", err)
	}
}

// Fault 12: the earlier converter lost schedules after the first, the time
// zone, the policies and deadlines, the grace, volumes, networks and placement.
func TestFault12NothingOfAJobIsLost(t *testing.T) {
	w, r := read(t, whole)
	if n := len(w.Run.Schedules); n != 2 {
		t.Errorf("%d schedules, want both", n)
	}
	first := w.Run.Schedules[0]
	if first.Zone != "Europe/Paris" || !first.Forbid || first.StartDeadline != 60 {
		t.Errorf("first schedule = %+v, want its zone, policy and deadline", first)
	}
	if w.KillGrace == nil || len(w.Volumes) != 3 || len(w.Networks) != 1 || len(w.Constraints) != 4 || w.Run.ActiveDeadline != 120 {
		t.Errorf("grace %v, %d volumes, %d networks, %d constraints, deadline %v: want all", w.KillGrace, len(w.Volumes), len(w.Networks), len(w.Constraints), w.Run.ActiveDeadline)
	}
	for pointer, want := range map[string]ledger.Verdict{
		"/schedules/0/timezone": ledger.Exact, "/schedules/0/concurrencyPolicy": ledger.Exact, "/schedules/0/startingDeadlineSeconds": ledger.Exact,
		"/schedules/1/cron": ledger.Equivalent, "/schedules/1/timezone": ledger.Equivalent, "/run/taskKillGracePeriodSeconds": ledger.Equivalent,
		"/run/maxLaunchDelay": ledger.Dropped, "/dependencies/0/id": ledger.Decision, "/run/restart/policy": ledger.Approximate,
	} {
		if e, ok := discovertest.Entry(r, pointer); !ok || e.Verdict != want {
			t.Errorf("%s is %q, want %s", pointer, e.Verdict, want)
		}
	}
	_, r = read(t, `{"id": "a", "run": {"cmd": "true"}, "schedules": [{"id": "s", "cron": "0 0 * * *", "timeZone": "Europe/Paris"}]}`)
	if z := r.Estate.Workloads[0].Run.Schedules[0].Zone; z != "UTC" || !discovertest.Codes(r)[metronome.ZoneKey] {
		t.Errorf("a key that Metronome passes over gives zone %s, want UTC and a warning", z)
	}
	_, r = read(t, `{"id": "a", "run": {"cmd": "true", "env": {"KEY": {"secret": "x"}}}}`)
	if e := r.Estate.Workloads[0].Containers[0].Env[0]; e.Value != "" || e.Secret == nil {
		t.Errorf("a secret that is not declared becomes %+v, want a reference", e)
	}
}

// Fault 13: archives were extracted by the wrong tool, and over the working folder.
func TestFault13ArtifactsGoToTheSandbox(t *testing.T) {
	w, _ := read(t, `{"id": "a", "run": {"cmd": "true", "docker": {"image": "a:1"}, "artifacts": [
		{"uri": "https://example.com/a.zip"}, {"uri": "https://example.com/b.tgz?x=1"}, {"uri": "https://example.com/c.jar", "extract": true},
		{"uri": "https://example.com/d.tar.xz", "extract": false}, {"uri": "https://example.com/e.tar.gz", "executable": true}]}}`)
	var got []bool
	for _, a := range w.Containers[0].Artifacts {
		got = append(got, a.Extract)
	}
	if d := cmp.Diff([]bool{true, false, false, false, false}, got); d != "" {
		t.Errorf("extracted (-want +got):\n%s", d)
	}
	if s := w.Containers[0].Sandbox; s != "/mnt/mesos/sandbox" || w.Containers[0].WorkingDir != "" {
		t.Errorf("they go to %q with working folder %q, want the sandbox and the image's own", s, w.Containers[0].WorkingDir)
	}
}

func TestCronLinesAreKubernetesOwn(t *testing.T) {
	for _, c := range []struct {
		line, want string
		ok         bool
	}{
		{"0 0 * * *", "0 0 * * *", true},
		{" */5  *\t* * * ", "*/5 * * * *", true},
		{"0 0 * * 7", "0 0 * * 0", true},
		{"0 0 * * 5-7", "0 0 * * 0,5,6", true},
		{"0 0 * * 1-7/2", "0 0 * * 0,1,3,5", true},
		{"0 0 * * 7,1", "0 0 * * 0,1", true},
		{"0 0 * JAN MON-FRI", "0 0 * JAN MON-FRI", true},
		{"0 0 1 1 *", "0 0 1 1 *", true},
		{"0 0 * * FRI-7", "0 0 * * 0,5,6", true},
		{"0 0 * * *-7,0", "", false},
		{"0 0 * * 8", "", false},
		{"0 0 * * 9-7", "", false},
		{"0 0 * *", "", false},
		{"0 0 0 * * *", "", false},
		{"@hourly", "", false},
		{"TZ=UTC 0 0 * *", "", false},
		{"", "", false},
		{"0 0 L * *", "", false},
	} {
		got, _, problem := metronome.Cron(c.line)
		if got != c.want || (problem == "") != c.ok {
			t.Errorf("Cron(%q) = %q, %q; want %q", c.line, got, problem, c.want)
		}
	}
}

func TestTimeZonesAreThoseOfTheAPIServer(t *testing.T) {
	for _, c := range []struct {
		text, want string
		same       bool
	}{
		{"UTC", "UTC", true},
		{"Europe/Paris", "Europe/Paris", true},
		{"Z", "UTC", false},
		{"GMT+2", "Etc/GMT-2", false},
		{"UTC-05:00", "Etc/GMT+5", false},
		{"+00:00", "UTC", false},
		{"+05:30", "", false},
		{"Mars", "", false},
		{"", "", false},
		{"Local", "", false},
		{"\n", "", false},
	} {
		if got, same := metronome.Zone(c.text); got != c.want || same != c.same {
			t.Errorf("Zone(%q) = %q, %v; want %q, %v", c.text, got, same, c.want, c.same)
		}
		if c.want == "" {
			continue
		}
		if _, err := time.LoadLocation(c.want); err != nil {
			t.Errorf("%s is no time zone here: %v", c.want, err)
		}
	}
}

func TestJobsStandInManyForms(t *testing.T) {
	const j = `{"id": "%", "run": {"cmd": "true"}}`
	one := func(id string) string { return strings.Replace(j, "%", id, 1) }
	for _, c := range []struct{ name, text, want string }{
		{"alone", one("a.b"), "a.b"},
		{"list", "[" + one("a") + "," + one("b") + "]", "a b"},
		{"list below jobs", `{"jobs": [` + one("a") + "]}", "a"},
		{"list with other things", "[null, 3, " + one("a") + "]", "a"},
		{"stream", one("a") + "\n" + one("b"), "a b"},
		{"without id", `{"run": {"cmd": "true"}}`, "app"},
		{"twice the same", "[" + one("a") + "," + one("a") + "]", "a"},
		{"with nulls", `{"id": "a", "description": null, "labels": null, "schedules": null, "dependencies": null, "run": {"cmd": "true", "args": null,
			"docker": null, "ucr": null, "env": null, "secrets": null, "volumes": null, "artifacts": null, "restart": null, "placement": null, "user": null}}`, "a"},
		{"ucr", `{"id": "a", "run": {"ucr": {"image": {"id": "x:1", "kind": "docker", "forcePull": true}, "privileged": true}}}`, "a"},
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

func TestNothingStartsByItselfThatDidNot(t *testing.T) {
	for text, want := range map[string]bool{
		`{"id": "a", "run": {"cmd": "true"}}`: true,
		`{"id": "a", "run": {"cmd": "true"}, "schedules": [{"id": "s", "cron": "0 0 * * *", "enabled": false}]}`:                                   true,
		`{"id": "a", "run": {"cmd": "true"}, "schedules": [{"id": "s", "cron": "0 0 * * *", "enabled": false}, {"id": "t", "cron": "0 0 * * *"}]}`: false,
		`{"id": "a", "run": {"cmd": "true"}, "schedules": [{"id": "s", "cron": "at night"}]}`:                                                      true,
	} {
		if w, _ := read(t, text); w.Run.Suspended != want {
			t.Errorf("suspended = %v, want %v: %s", w.Run.Suspended, want, text)
		}
	}
}

func TestLoneSchedulesAndRunsAreNamed(t *testing.T) {
	r := discovertest.One(readers, `[{"id": "s", "cron": "0 0 * * *", "enabled": true, "nextRunAt": "x"}]`)
	if len(r.Estate.Workloads) != 0 || !discovertest.Codes(r)[metronome.LoneSchedule] {
		t.Errorf("a schedule without a job gives %d workloads, %v", len(r.Estate.Workloads), r.Diags)
	}
	r = discovertest.One(readers, `[{"id": "1", "jobId": "a", "status": "ACTIVE", "tasks": [{"id": "t"}, {"id": "u"}]}]`)
	if len(r.Diags) > 0 || len(r.Ledger) != 4 {
		t.Errorf("runs give %v and %d entries, want none and one a key", r.Diags, len(r.Ledger))
	}
}

func TestRefusedFieldDropsOnlyItself(t *testing.T) {
	for _, c := range []struct{ name, old, text string }{
		{"processors", `"cpus": 0.5`, `"cpus": "many"`},
		{"policy", `"ON_FAILURE"`, `"SOMETIMES"`},
		{"cron", `"20 0 * * *"`, `"at night"`},
		{"zone", `"Europe/Paris"`, `"Europe/Atlantis"`},
		{"concurrency", `"FORBID"`, `"REPLACE"`},
		{"mode", `"RO"`, `"READ"`},
		{"operator", `"IS"`, `"NEAR"`},
		{"image", `"shop/report:1"`, `["shop/report:1"]`},
		{"env", `"env": {`, `"env": [], "envy": {`},
		{"arguments", `["--day", "yesterday"]`, `"--day"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !strings.Contains(whole, c.old) {
				t.Fatalf("no %s in the job", c.old)
			}
			text := strings.Replace(whole, c.old, c.text, 1)
			w, r := read(t, text)
			if c.name != "env" && !r.Diags.HasErrors() {
				t.Errorf("no error for %s", c.text)
			}
			if len(w.Run.Schedules) == 0 || w.Description == "" || w.Containers[0].GPUs != 1 {
				t.Error("the rest of the job is lost")
			}
			discovertest.Covered(t, fstest.MapFS{"app.json": {Data: []byte(text)}}, "app.json", r)
		})
	}
}

func TestUnknownKeyAddsOneEntry(t *testing.T) {
	text := whole[:strings.Index(whole, `  "activeRuns"`)]
	text = strings.TrimRight(text, " \n,") + "}"
	discovertest.OneMore(t, readers, text, "labels", "env", "secrets")
}

// variants are jobs that take the other way wherever whole takes one.
var variants = map[string]string{
	"never again": `{"id": "a", "run": {"cmd": "true", "restart": {"policy": "NEVER", "activeDeadlineSeconds": 3}, "maxLaunchDelaySeconds": 3, "networks": [{"mode": "host"}]}}`,
	"ucr": `{"id": "a", "run": {"args": ["a"], "ucr": {"image": {"id": "x:1", "kind": "docker", "forcePull": false, "pullConfig": {"secret": "k"}}, "privileged": true},
		"networks": [{"mode": "container/bridge"}], "secrets": {"k": {"source": "k"}}}}`,
	"no image": `{"id": "a", "run": {"args": ["a", "b"], "user": "root", "volumes": [{"containerPath": "a", "hostPath": "/b"}, {"containerPath": "a"}]}}`,
	"both":     `{"id": "a", "run": {"cmd": "x", "args": ["a"], "docker": {"image": "x:1", "privileged": true}, "ucr": {"image": {"id": "y:1"}}}}`,
	"schedules": `{"id": "a", "run": {"cmd": "x"}, "schedules": [{"id": "s", "cron": "0 0 * * *"}, {"id": "s", "cron": "0 1 * * *", "timezone": "Nowhere"},
		{"id": "t", "cron": "never", "enabled": true}, {"cron": "0 0 * * 1-7", "timezone": "GMT+1", "timeZone": "UTC"}]}`,
	"appc": `{"id": "a", "description": "see https://me:canary@x", "run": {"ucr": {"image": {"id": "x", "kind": "appc"}}, "env": {"A": {"secret": "undeclared"}}}}`,
}

func TestLedgerIsWholeAndTrueEitherWay(t *testing.T) {
	for name, text := range variants {
		t.Run(name, func(t *testing.T) {
			_, r := read(t, text)
			fsys := fstest.MapFS{"app.json": {Data: []byte(text)}}
			discovertest.Covered(t, fsys, "app.json", r)
			discovertest.Truth(t, readers, fsys, "app.json")
		})
	}
}

func TestAnyValueIsSurvived(t *testing.T) {
	discovertest.AnyValue(t, readers, whole)
}

func TestCorpusIsCoveredAndTrue(t *testing.T) {
	fsys, files := corpus.Files(t, []string{"metronome"}, ".json")
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
	f.Add(`[{"id": "s", "cron": "0 0 * * 7"}, {"jobId": "a", "status": "ACTIVE"}]`)
	f.Fuzz(func(t *testing.T, text string) {
		r := discovertest.One(readers, text)
		for _, d := range r.Diags {
			if d.Code == estate.Inconsistent {
				t.Errorf("the estate is inconsistent: %v", d)
			}
		}
	})
}

func FuzzCron(f *testing.F) {
	f.Add("0 0 * * 5-7/2")
	f.Fuzz(func(t *testing.T, line string) {
		got, _, problem := metronome.Cron(line)
		if problem != "" {
			return
		}
		if again, sevens, problem := metronome.Cron(got); again != got || sevens || problem != "" {
			t.Errorf("Cron(%q) = %q, and of that %q, %v, %q", line, got, again, sevens, problem)
		}
	})
}
