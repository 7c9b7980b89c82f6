//go:build integration

package judge_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/tranship/tranship/lab/cluster"
	"github.com/tranship/tranship/lab/crd"
	"github.com/tranship/tranship/lab/judge"
)

// start gives a judge over a control plane of its own, and ends both with the test.
func start(t *testing.T) *judge.Judge {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Minute)
	t.Cleanup(cancel)
	module, err := cluster.ModuleDir(ctx)
	if err != nil {
		t.Fatal(err)
	}
	assets, err := cluster.Build(ctx, module, cluster.CacheDir(module), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	c, err := cluster.Start(ctx, assets.Dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	if c.Version() != assets.Version {
		t.Errorf("API server calls itself %s, want %s as built", c.Version(), assets.Version)
	}
	var paths []string
	for _, s := range crd.Sources() {
		list, err := s.Paths(ctx)
		if err != nil {
			t.Fatal(err)
		}
		paths = append(paths, list...)
	}
	if _, err := crd.Install(ctx, c.Config(), paths); err != nil {
		t.Fatal(err)
	}
	j, err := judge.New(c.Config())
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// The judge takes what is right and refuses, with the server's own reason, what is wrong: without the second half a
// count of zero refusals would prove nothing.
func TestJudgeTakesTheGoodAndRefusesTheBad(t *testing.T) {
	j := start(t)
	ctx := t.Context()

	good := j.Submit(ctx, judge.ReadTree("testdata/good"))
	if good.Submitted != 8 || len(good.Refused) != 0 {
		t.Errorf("Submit(good) = %d submitted, refused %v; want 8 and none", good.Submitted, good.Refused)
	}

	want := map[string]string{
		"Service quay/unknown-field":                      ".spec.selektor: field not declared in schema",
		"Service quay/invalid-value":                      "must be between 1 and 65535",
		"Deployment quay/request-above-limit":             "must be less than or equal to memory limit",
		"Deployment quay/stuck":                           "may not be 0 when `maxSurge` is 0",
		"Service quay/Invalid_Name":                       "DNS-1035 label",
		"ConfigMap missing/nowhere":                       `namespaces "missing" not found`,
		"Ship quay/unknown-kind":                          `no matches for kind "Ship"`,
		"Gateway quay/cel":                                "hostname must not be specified for protocols",
		"HTTPRoute quay/unknown-field-in-custom-resource": ".spec.hostnamez: field not declared in schema",
		"ConfigMap quay/twice":                            "stands a second time",
		"Kustomization":                                   "absent.yaml",
		"":                                                `key "level" already set`,
	}
	bad := j.Submit(ctx, judge.ReadTree("testdata/bad"))
	for _, r := range bad.Refused {
		reason, ok := want[r.Object]
		if !ok {
			t.Errorf("refused %s: %s; want it taken", r.Object, r.Message)
		}
		if !strings.Contains(r.Message, reason) {
			t.Errorf("refused %s: %s; want the reason %q", r.Object, r.Message, reason)
		}
		delete(want, r.Object)
	}
	for object, reason := range want {
		t.Errorf("took %q; want it refused: %s", object, reason)
	}

	// The good and the bad folder again, the other way round: an estate must not live on what another has created.
	borrowed := judge.ReadTree("testdata/good")
	borrowed.Objects = borrowed.Objects[1:]
	if v := j.Submit(ctx, borrowed); len(v.Refused) != 7 {
		t.Errorf("Submit(good without its namespace) refused %v; want all 7 objects in it", v.Refused)
	}
}
