package manifest_test

import (
	"flag"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/render"
	"github.com/tranship/tranship/internal/render/manifest"
)

var update = flag.Bool("update", false, "rewrite the golden folders")

// TestGolden renders the definitions of every folder of testdata and holds the
// result against the folder "out" beside them.
func TestGolden(t *testing.T) {
	dirs, err := filepath.Glob("testdata/*/in")
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, dir := range dirs {
		dir = filepath.Dir(dir)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			in := tree(t, filepath.Join(dir, "in"))
			said := in["policy.txt"]
			delete(in, "policy.txt")
			r := renderFiles(t, in, said)
			for name, text := range r.files {
				if isObject(name) {
					judged(t, name, text)
				}
			}
			for _, x := range r.summary.Ledger {
				file, _, _ := strings.Cut(x.Target, "#")
				if _, ok := r.files[file]; !ok && x.Target != "" {
					t.Errorf("%s%s went to %s, which is not there", x.File, x.Pointer, x.Target)
				}
			}
			out := filepath.Join(dir, "out")
			got := maps.Clone(r.files)
			got["diagnostics.txt"] = diagnostics(r)
			if *update {
				write(t, out, got)
			}
			if diff := cmp.Diff(tree(t, out), got); diff != "" {
				t.Errorf("%s is not as before (-before +now); -update rewrites it:\n%s", dir, diff)
			}
		})
	}
}

func diagnostics(r result) string {
	var b strings.Builder
	for _, d := range r.diags {
		b.WriteString(d.String() + "\n")
	}
	return b.String()
}

func tree(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	_ = filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil //nolint:nilerr // a folder that is not there is empty
		}
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		rel, _ := filepath.Rel(dir, name)
		out[filepath.ToSlash(rel)] = string(data)
		return nil
	})
	return out
}

func write(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		full := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(full), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// service gives an estate of one service that runs c.
func service(id estate.Name, c estate.Container) estate.Workload {
	c.Name, c.Image, c.CPU, c.Memory = "c", "image:1", 100, 64<<20
	return estate.Workload{ID: id, Kind: estate.Service, Replicas: 2, Containers: []estate.Container{c}, Origin: estate.Origin{File: "app.json", Pointer: "/0"}}
}

func one(w ...estate.Workload) estate.Estate { return estate.Estate{Workloads: w} }

func deployment(t testing.TB, r result, at string) *appsv1.Deployment {
	t.Helper()
	return get[*appsv1.Deployment](t, r, at)
}

// TestNothingIsExpandedThatWasNot holds texts with dollars against what
// kubelet makes of them.
func TestNothingIsExpandedThatWasNot(t *testing.T) {
	for _, text := range []string{"$(HOME)", "$$(HOME)", "$$", "a$$$b$(", "$HOME", "$(A)$$(B)", "100$", "$$$$(X)"} {
		w := service("/a/b", estate.Container{Shell: text, Env: []estate.EnvVar{{Name: "T", Value: text}, {Name: "HOME", Value: "no"}}})
		w.Containers[0].Args = []string{text}
		c := deployment(t, renderEstate(t, one(w), policy.Default(), render.Options{}), "a/b/deployment.yaml").Spec.Template.Spec.Containers[0]
		for _, got := range []string{c.Command[2], c.Args[0], c.Env[0].Value} {
			if s := expand(got); s != text {
				t.Errorf("%q is written as %q, of which kubelet makes %q", text, got, s)
			}
		}
	}
}

// expand is what kubelet does with references when every variable has the
// value "expanded".
func expand(in string) string {
	var b strings.Builder
	for i := 0; i < len(in); i++ {
		if in[i] != '$' || i+1 == len(in) {
			b.WriteByte(in[i])
			continue
		}
		switch i++; in[i] {
		case '$':
			b.WriteByte('$')
		case '(':
			if end := strings.IndexByte(in[i:], ')'); end >= 0 {
				b.WriteString("expanded")
				i += end
			} else {
				b.WriteString("$(")
			}
		default:
			b.WriteString("$" + in[i:i+1])
		}
	}
	return b.String()
}

// TestOverlaysAreWrittenOnce: what is the user's is marked so, and nothing else is.
func TestOverlaysAreWrittenOnce(t *testing.T) {
	r := renderEstate(t, one(service("/a/b", estate.Container{})), policy.Default(), render.Options{})
	for name := range r.files {
		if mine := strings.HasPrefix(name, manifest.Overlays); mine != r.keep[name] {
			t.Errorf("%s is kept: %v", name, r.keep[name])
		}
	}
	if r.files["kubernetes/overlays/production/kustomization.yaml"] == "" {
		t.Error("there is no overlay")
	}
}

// TestEveryObjectIsInTheTree: kubectl apply -k of the overlay reaches all.
func TestEveryObjectIsInTheTree(t *testing.T) {
	r := renderText(t, strings.Replace(checked, "FAILURES", "3", 1), "")
	reached := map[string]bool{}
	var walk func(dir string)
	walk = func(dir string) {
		text := r.files[dir+"/kustomization.yaml"]
		if text == "" {
			t.Errorf("%s has no kustomization", dir)
		}
		for line := range strings.Lines(text) {
			item, ok := strings.CutPrefix(strings.TrimSpace(line), "- ")
			switch {
			case !ok:
			case strings.HasSuffix(item, ".yaml"):
				reached[dir+"/"+item] = true
			default:
				walk(filepath.ToSlash(filepath.Join(dir, item)))
			}
		}
	}
	walk("kubernetes/overlays/production")
	for name := range r.files {
		if isObject(name) && !reached[name] {
			t.Errorf("%s is in no kustomization", name)
		}
	}
}

// TestAPartLeavesTheTreeAlone: a render of some workloads writes their folders only.
func TestAPartLeavesTheTreeAlone(t *testing.T) {
	e := one(service("/a/b", estate.Container{}), service("/a/c", estate.Container{}))
	whole := renderEstate(t, e, policy.Default(), render.Options{})
	part := renderEstate(t, e, policy.Default(), render.Options{Only: []estate.Name{"/a/c"}})
	for name, text := range part.files {
		if !strings.HasPrefix(name, "kubernetes/base/a/c/") || whole.files[name] != text {
			t.Errorf("%s was written, or is another than in the whole", name)
		}
	}
	if len(part.files) == 0 {
		t.Error("nothing was rendered")
	}
}

// TestCopiesHaveTimeToDrain: the grace period is longer than the sleep before
// it, whatever the source said and however the sleep is done.
func TestCopiesHaveTimeToDrain(t *testing.T) {
	for _, version := range []string{"1.35", "1.28"} {
		for _, grace := range []unit.Seconds{0, 0.5, 3, 120} {
			w := service("/a/b", estate.Container{Ports: []estate.Port{{Number: 80}}})
			w.KillGrace = &grace
			p := deployment(t, renderEstate(t, one(w), policy.Default(), render.Options{KubeVersion: version}), "a/b/deployment.yaml").Spec.Template.Spec
			h := p.Containers[0].Lifecycle.PreStop
			if (h.Sleep != nil) != (version == "1.35") || (h.Exec != nil) == (version == "1.35") {
				t.Errorf("%s: preStop = %+v", version, h)
			}
			if got := *p.TerminationGracePeriodSeconds; got != 15+max(1, int64(math.Ceil(float64(grace)))) {
				t.Errorf("grace period of %v is %d s, with 15 s of sleep before", grace, got)
			}
		}
	}
}

// TestOnlyVersionsThatHaveItGetIt holds fields that came late against old versions.
func TestOnlyVersionsThatHaveItGetIt(t *testing.T) {
	job := service("/a/j", estate.Container{Env: []estate.EnvVar{{Name: "1st name", Value: "x"}}})
	job.Kind, job.Run = estate.Schedule, &estate.Run{Schedules: []estate.Times{{ID: "s", Cron: "0 0 * * *", Zone: "Europe/Paris", Enabled: true}}}
	now := get[*batchv1.CronJob](t, renderEstate(t, one(job), policy.Default(), render.Options{}), "a/j/cronjob.yaml")
	was := get[*batchv1.CronJob](t, renderEstate(t, one(job), policy.Default(), render.Options{KubeVersion: "1.26"}), "a/j/cronjob.yaml")
	if now.Spec.TimeZone == nil || was.Spec.TimeZone != nil || was.Annotations["tranship.dev/time-zone"] != "Europe/Paris" {
		t.Errorf("time zones: now %v, was %v", now.Spec.TimeZone, was.Spec.TimeZone)
	}
	name := func(j *batchv1.CronJob) string {
		return j.Spec.JobTemplate.Spec.Template.Spec.Containers[0].Env[0].Name
	}
	if name(now) != "1st name" || name(was) != "_1st_name" {
		t.Errorf("variables: now %q, was %q", name(now), name(was))
	}
}

// TestFinalTargetsAreFiles: every target that is an object of a workload is a
// file of it in the end, and a decision has policy's answer.
func TestFinalTargetsAreFiles(t *testing.T) {
	e := one(service("/a/b", estate.Container{Ports: []estate.Port{{Number: 80}}}))
	for _, symbol := range []string{"workload#spec.replicas", "pod#spec.affinity", "container#env.X", "service#spec.ports", "route#spec", "volume#spec", "secret#stringData"} {
		e.Ledger = append(e.Ledger, ledger.Entry{Workload: "/a/b", Target: symbol, Verdict: ledger.Decision, Code: "M101"})
	}
	p := policy.Default()
	p.Spec.Answers = []policy.Answer{{Code: "M101", Answer: "yes"}}
	r := renderEstate(t, e, p, render.Options{})
	want := []string{
		"deployment.yaml#spec.replicas", "deployment.yaml#spec.template.spec.affinity", "deployment.yaml#spec.template.spec.containers[0].env.X",
		"service.yaml#spec.ports", "deployment.yaml#metadata.annotations", "deployment.yaml#spec.template.spec.volumes[]", "deployment.yaml#metadata.annotations",
	}
	for i, x := range r.summary.Ledger {
		if x.Target != "kubernetes/base/a/b/"+want[i] || x.Answer != "yes" {
			t.Errorf("%s became %s (answer %q), want %s", e.Ledger[i].Target, x.Target, x.Answer, want[i])
		}
	}
}

// TestTwoRunsGiveTheSameBytes, and the order of the input does not matter.
func TestTwoRunsGiveTheSameBytes(t *testing.T) {
	e := one(service("/a/b", estate.Container{}), service("/a-b", estate.Container{}), service("/b/a", estate.Container{}))
	first := renderEstate(t, e, policy.Default(), render.Options{})
	slices.Reverse(e.Workloads)
	if diff := cmp.Diff(first.text(), renderEstate(t, e, policy.Default(), render.Options{}).text()); diff != "" {
		t.Error(diff)
	}
}

// TestSharedAddressIsOneService: all workloads behind it answer.
func TestSharedAddressIsOneService(t *testing.T) {
	e := one(service("/a/blue", estate.Container{Ports: []estate.Port{{Number: 80}}}), service("/a/green", estate.Container{Ports: []estate.Port{{Number: 81}}}))
	e.Endpoints = []estate.Endpoint{{
		ID: "vip:/a:80", Kind: estate.VirtualAddress, Port: 80, Protocol: "tcp", Address: "a.marathon.l4lb.thisdcos.directory",
		Backends: []estate.Backend{{Workload: "/a/blue", Port: 80}, {Workload: "/a/green", Port: 81}},
	}}
	r := renderEstate(t, e, policy.Default(), render.Options{})
	s := get[*corev1.Service](t, r, "a/blue/service-a.yaml")
	for _, at := range []string{"a/blue", "a/green"} {
		p := deployment(t, r, at+"/deployment.yaml").Spec.Template
		for k, v := range s.Spec.Selector {
			if p.Labels[k] != v {
				t.Errorf("%s is not selected by %v", at, s.Spec.Selector)
			}
		}
		if got := p.Spec.Containers[0].Ports[0].Name; got != s.Spec.Ports[0].TargetPort.String() {
			t.Errorf("port of %s is named %s, and the Service leads to %s", at, got, s.Spec.Ports[0].TargetPort.String())
		}
	}
}

// TestShutRoutesStayShut: a route with a password or an allow-list hangs on no
// Gateway until somebody has set up what keeps it shut.
func TestShutRoutesStayShut(t *testing.T) {
	for _, label := range []string{`"HAPROXY_0_AUTH": "realm:ann:hash-not-here"`, `"HAPROXY_0_BACKEND_NETWORK_ALLOWED_ACL": "10.0.0.0/8"`} {
		r := renderText(t, `{"id": "/a/b", "cmd": "x", "cpus": 1, "mem": 64, "portDefinitions": [{"port": 10001}],
		 "labels": {"HAPROXY_GROUP": "external", "HAPROXY_0_VHOST": "a.example.com", `+label+`}}`, "")
		text := r.files["kubernetes/base/a/b/httproute-b.yaml"]
		if text == "" || strings.Contains(text, "parentRefs") || strings.Contains(r.text(), "hash-not-here") {
			t.Errorf("with %s:\n%s", label, text)
		}
	}
}

// TestJobsThatNobodyAskedForDoNotStart: a job without a schedule runs on demand.
func TestJobsThatNobodyAskedForDoNotStart(t *testing.T) {
	r := renderText(t, `{"id": "report", "run": {"cmd": "true", "cpus": 1, "mem": 64, "disk": 0}}`, "")
	for name, text := range r.files {
		if strings.Contains(text, "kind: Job\n") {
			t.Errorf("%s starts as soon as it is applied", name)
		}
	}
	if c := get[*batchv1.CronJob](t, r, "default/report/cronjob.yaml"); !*c.Spec.Suspend {
		t.Error("it is not suspended")
	}
}

// TestSkippedWorkloadsAreNamed: frameworks and infrastructure become no objects.
func TestSkippedWorkloadsAreNamed(t *testing.T) {
	e := one(
		estate.Workload{ID: "/kafka", Kind: estate.Framework, Operator: &estate.Operator{Name: "Strimzi"}},
		estate.Workload{ID: "/marathon-lb", Kind: estate.Infrastructure},
	)
	r := renderEstate(t, e, policy.Default(), render.Options{})
	if len(r.files) != 0 || !slices.Equal(r.summary.Skipped, []estate.Name{"/kafka", "/marathon-lb"}) || len(r.diags) != 2 {
		t.Errorf("%d files, skipped %v, %v", len(r.files), r.summary.Skipped, r.diags)
	}
}
