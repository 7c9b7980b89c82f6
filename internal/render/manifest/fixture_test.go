package manifest_test

import (
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/tranship/tranship/internal/app"
	"github.com/tranship/tranship/internal/base/binpack"
	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/plan/propose"
	"github.com/tranship/tranship/internal/render"
	"github.com/tranship/tranship/internal/render/manifest"
)

// A result is what was rendered.
type result struct {
	files   map[string]string
	keep    map[string]bool
	summary manifest.Summary
	diags   diag.List
}

// text gives all files that are not the user's.
func (r result) text() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(r.files)) {
		if !r.keep[name] {
			b.WriteString("=== " + name + "\n" + r.files[name])
		}
	}
	return b.String()
}

// renderPlan renders a plan.
func renderPlan(t testing.TB, p *plan.Plan, opts render.Options) result {
	t.Helper()
	r := result{files: map[string]string{}, keep: map[string]bool{}}
	var err error
	r.summary, r.diags, err = manifest.Render(p, opts, func(f render.File) error {
		if _, twice := r.files[f.Path]; twice {
			t.Errorf("%s is written twice", f.Path)
		}
		r.files[f.Path], r.keep[f.Path] = string(f.Data), f.Keep
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// renderEstate plans and renders an estate.
func renderEstate(t testing.TB, e estate.Estate, p policy.Policy, opts render.Options) result {
	t.Helper()
	e.Version = estate.Version
	e.Sort()
	made, _ := propose.Make(propose.Inputs{Estate: e, Policy: p, AsOf: "2026-11-24"}, binpack.Options{})
	return renderPlan(t, &made, opts)
}

// renderText goes the whole way from definitions.
func renderText(t testing.TB, definitions string, said string) result {
	t.Helper()
	return renderFiles(t, map[string]string{"app.json": definitions}, said)
}

// renderFiles goes the whole way from several files.
func renderFiles(t testing.TB, files map[string]string, said string) result {
	t.Helper()
	p := policy.Default()
	if said != "" {
		var list diag.List
		if p, list = policy.Parse("tranship.yaml", []byte("apiVersion: tranship.dev/v1\nkind: Migration\nspec:\n"+said)); len(list) > 0 {
			t.Fatal(list)
		}
	}
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	r := discover.Read(fsys, app.Readers(), discover.Options{})
	if r.Diags.HasErrors() {
		t.Fatal(r.Diags)
	}
	e := r.Estate
	e.Ledger = r.Ledger
	return renderEstate(t, e, p, render.Options{})
}

// get gives the one object at path below the base.
func get[T runtime.Object](t testing.TB, r result, at string) T {
	t.Helper()
	var none T
	text, ok := r.files[path.Join(manifest.Base, at)]
	if !ok {
		t.Fatalf("there is no %s but %v", at, slices.Sorted(maps.Keys(r.files)))
		return none
	}
	o, ok := judged(t, at, text).(T)
	if !ok {
		t.Fatalf("%s is not what was expected:\n%s", at, text)
	}
	return o
}

// isObject reports whether a path is an object's.
func isObject(name string) bool {
	return strings.HasPrefix(name, manifest.Base) && path.Base(name) != "kustomization.yaml"
}
