package objects_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/plantest"
	"github.com/tranship/tranship/internal/render"
	"github.com/tranship/tranship/internal/render/manifest"
	"github.com/tranship/tranship/internal/world/objects"
)

// sharing gives a plan in which two workloads of a group use one configuration
// and one secret, and a third uses neither.
func sharing() plan.Plan {
	p := plantest.Telemetry()
	for _, id := range []estate.Name{"/telemetry/ingest/api", "/telemetry/ingest/writer"} {
		w := p.Estate.Find(id)
		w.Configs = []estate.ConfigRef{{Name: "broker", Data: map[string]string{"url": "kafka:9092"}}}
		w.Secrets = []estate.Secret{{Name: "broker-login", Keys: []string{"password"}}}
		w.Containers[0].EnvConfigs = []string{"broker"}
		w.Containers[0].Env = append(w.Containers[0].Env, estate.EnvVar{Name: "LOGIN", Secret: &estate.SecretRef{Name: "broker-login", Key: "password"}})
	}
	return p
}

func newSet(t testing.TB, p *plan.Plan, folder string) *objects.Set {
	t.Helper()
	s, err := objects.New(p, render.Options{}, folder)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// names gives a workload's objects as "Kind namespace/name", with "*" for
// shared ones.
func names(t testing.TB, s *objects.Set, w estate.Name) []string {
	t.Helper()
	list, err := s.Of(w)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, text := range list {
		var o struct {
			Kind     string
			Metadata struct {
				Namespace, Name string
				Labels          map[string]string
			}
		}
		if err := yaml.Unmarshal(text, &o); err != nil {
			t.Fatal(err)
		}
		line := o.Kind + " " + o.Metadata.Namespace + "/" + o.Metadata.Name
		if o.Metadata.Labels[objects.Shared] == "true" {
			line += "*"
		}
		out = append(out, line)
	}
	return out
}

// written renders the plan into a folder and gives its overlay.
func written(t testing.TB, p *plan.Plan) string {
	t.Helper()
	dir := t.TempDir()
	_, _, err := manifest.Render(p, render.Options{}, func(f render.File) error {
		name := filepath.Join(dir, filepath.FromSlash(f.Path))
		if err := os.MkdirAll(filepath.Dir(name), 0o750); err != nil {
			return err
		}
		return os.WriteFile(name, f.Data, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, manifest.Overlays, "production")
}

func edit(t *testing.T, overlay, kustomization string, files map[string]string) {
	t.Helper()
	files["kustomization.yaml"] = kustomization
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(overlay, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestEveryWorkloadHasItsNamespaceFirstAndThenAllThatItUses(t *testing.T) {
	p := sharing()
	s := newSet(t, &p, "")
	want := []string{
		"Namespace /telemetry", "ConfigMap telemetry/broker*", "Secret telemetry/broker-login*",
		"ServiceAccount telemetry/ingest-writer", "PodDisruptionBudget telemetry/ingest-writer",
		"Deployment telemetry/ingest-writer",
	}
	if got := names(t, s, "/telemetry/ingest/writer"); !slices.Equal(got, want) {
		t.Errorf("objects of the writer =\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, line := range names(t, s, "/telemetry/web/docs") {
		if strings.Contains(line, "broker") {
			t.Errorf("%s comes with a workload that does not use it", line)
		}
	}
}

func TestNoObjectOfTheWorkloadsIsLostOrGivenTwiceUnshared(t *testing.T) {
	p := sharing()
	s := newSet(t, &p, "")
	owners := map[string]int{}
	for i := range p.Estate.Workloads {
		for _, line := range names(t, s, p.Estate.Workloads[i].ID) {
			owners[line]++
		}
	}
	for line, n := range owners {
		if n > 1 && !strings.HasSuffix(line, "*") && !strings.HasPrefix(line, "Namespace ") {
			t.Errorf("%s goes with %d workloads and is not marked as shared", line, n)
		}
	}
	_, _, err := manifest.Render(&p, render.Options{}, func(f render.File) error {
		if !strings.HasPrefix(f.Path, manifest.Base+"/telemetry/") || strings.HasSuffix(f.Path, "kustomization.yaml") {
			return nil
		}
		var o struct {
			Kind     string
			Metadata struct{ Namespace, Name string }
		}
		if err := yaml.Unmarshal(f.Data, &o); err != nil {
			return err
		}
		line := o.Kind + " " + o.Metadata.Namespace + "/" + o.Metadata.Name
		if owners[line] == 0 && owners[line+"*"] == 0 {
			t.Errorf("%s goes with no workload", line)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAnUneditedOverlayGivesTheRenderedObjects(t *testing.T) {
	p := sharing()
	plain, overlay := newSet(t, &p, ""), written(t, &p)
	for name, build := range map[string]func() *objects.Set{
		"as it was written": func() *objects.Set { return newSet(t, &p, overlay) },
		"built by Kustomize": func() *objects.Set {
			edit(t, overlay, "resources: [../../base]\n", map[string]string{})
			return newSet(t, &p, overlay)
		},
	} {
		built := build()
		for i := range p.Estate.Workloads {
			same(t, name, p.Estate.Workloads[i].ID, plain, built)
		}
	}
}

func same(t *testing.T, name string, w estate.Name, plain, built *objects.Set) {
	t.Helper()
	a, err := plain.Of(w)
	if err != nil {
		t.Fatal(err)
	}
	b, err := built.Of(w)
	if err != nil {
		t.Fatal(err)
	}
	if len(a) != len(b) {
		t.Fatalf("%s: %s has %d objects as rendered and %d as built", name, w, len(a), len(b))
	}
	for i := range a {
		x, err := yaml.YAMLToJSON(a[i])
		if err != nil {
			t.Fatal(err)
		}
		y, err := yaml.YAMLToJSON(b[i])
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(x, y) {
			t.Errorf("%s: %s: rendered\n%s\nbuilt\n%s", name, w, x, y)
		}
	}
}

func TestWhatAPersonEditedIsWhatIsApplied(t *testing.T) {
	p := sharing()
	overlay := written(t, &p)
	edit(t, overlay, `
replicas: [{name: ingest-writer, count: 9}]
images: [{name: registry.example/telemetry/ingest/writer, newTag: edited}]
patches:
  - patch: |
      $patch: delete
      apiVersion: policy/v1
      kind: PodDisruptionBudget
      metadata: {name: ingest-writer, namespace: telemetry}
  - path: limit.yaml
resources: [../../base, extra.yaml]
`, map[string]string{
		"limit.yaml": "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: ingest-writer, namespace: telemetry}\nspec: {minReadySeconds: 7}\n",
		"extra.yaml": `apiVersion: v1
kind: ConfigMap
metadata: {name: own, namespace: telemetry, labels: {app.kubernetes.io/name: ingest-writer}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: everybodys, namespace: telemetry}
`,
	})
	s := newSet(t, &p, overlay)
	list, err := s.Of("/telemetry/ingest/writer")
	if err != nil {
		t.Fatal(err)
	}
	all := string(bytes.Join(list, []byte("---\n")))
	for _, want := range []string{"replicas: 9", "minReadySeconds: 7"} {
		if !strings.Contains(all, want) {
			t.Errorf("the edit %q is not in what is applied:\n%s", want, all)
		}
	}
	got := names(t, s, "/telemetry/ingest/writer")
	if slices.Contains(got, "PodDisruptionBudget telemetry/ingest-writer") {
		t.Error("what the overlay deletes is applied")
	}
	for _, want := range []string{"ConfigMap telemetry/own", "ConfigMap telemetry/everybodys*"} {
		if !slices.Contains(got, want) {
			t.Errorf("%s is not among %v", want, got)
		}
	}
	docs := names(t, s, "/telemetry/web/docs")
	if slices.Contains(docs, "ConfigMap telemetry/own") || !slices.Contains(docs, "ConfigMap telemetry/everybodys*") {
		t.Errorf("objects of another workload of the namespace = %v", docs)
	}
}

func TestAWorkloadThatTheFolderRenamesIsNotAppliedBlindly(t *testing.T) {
	p := sharing()
	overlay := written(t, &p)
	edit(t, overlay, "resources: [../../base]\nnamePrefix: blue-\n", map[string]string{})
	s := newSet(t, &p, overlay)
	_, err := s.Of("/telemetry/ingest/writer")
	if err == nil || !strings.Contains(err.Error(), "Deployment telemetry/ingest-writer") || !strings.Contains(err.Error(), overlay) {
		t.Errorf("Of = %v, want what is missing and where", err)
	}
}

func TestAFolderThatCannotBeBuiltIsToldWithItsReason(t *testing.T) {
	p := sharing()
	overlay := written(t, &p)
	edit(t, overlay, "resources: [../../base]\npatches: [{path: nowhere.yaml}]\n", map[string]string{})
	if _, err := objects.New(&p, render.Options{}, overlay); err == nil || !strings.Contains(err.Error(), "nowhere.yaml") {
		t.Errorf("New = %v, want that nowhere.yaml is missing", err)
	}
}

func TestAWorkloadThatIsNotPlannedHasNoObjects(t *testing.T) {
	p := sharing()
	if list, err := newSet(t, &p, "").Of("/nowhere"); err == nil {
		t.Errorf("Of(/nowhere) = %d objects, want an error", len(list))
	}
}

func BenchmarkThousandWorkloads(b *testing.B) {
	p := plantest.Large(1000, 300)
	overlay := written(b, &p)
	for b.Loop() {
		s := newSet(b, &p, overlay)
		for i := range p.Estate.Workloads {
			if _, err := s.Of(p.Estate.Workloads[i].ID); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkEditedHundredWorkloads(b *testing.B) {
	p := plantest.Large(100, 30)
	overlay := written(b, &p)
	if err := os.WriteFile(filepath.Join(overlay, "note.txt"), nil, 0o600); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		newSet(b, &p, overlay)
	}
}
