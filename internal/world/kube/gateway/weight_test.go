package gateway

import (
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"pgregory.net/rapid"

	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/rollout/runner"
)

var shop = rollout.Route{Backend: "shop"}

func routeOf(rules ...[]int64) *unstructured.Unstructured {
	var list []any
	for _, weights := range rules {
		var refs []any
		for i, w := range weights {
			refs = append(refs, map[string]any{"name": "old" + string(rune('a'+i)), "port": int64(80), "weight": w})
		}
		rule := map[string]any{}
		if len(refs) > 0 {
			rule["backendRefs"] = refs
		}
		list = append(list, rule)
	}
	return &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"rules": list}}}
}

func TestSharesAreExactAtBothEndsAndNearBetween(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		weight := rapid.Int64Range(0, most)
		rules := rapid.SliceOfN(rapid.SliceOfN(weight, 1, 4), 1, 3).Draw(t, "rules")
		percents := rapid.SliceOfN(rapid.IntRange(0, 100), 1, 4).Draw(t, "percents")
		for _, r := range rules {
			r[0] = max(r[0], 1)
		}
		route := routeOf(append(rules, nil)...) // and a redirect
		before := route.DeepCopy()
		if err := connect(route, shop); err != nil {
			t.Fatal(err)
		}
		if source, at := shares(route, target(shop)); source != 100 || at != 0 {
			t.Fatalf("shares after connect = %d, %d; want all at the source", source, at)
		}
		for _, percent := range percents {
			if err := weigh(route, target(shop), percent); err != nil {
				t.Fatal(err)
			}
			near(t, route, percent)
		}
		if err := disconnect(route, target(shop)); err != nil {
			t.Fatal(err)
		}
		if len(route.GetAnnotations()) > 0 {
			t.Fatalf("annotations are left: %v", route.GetAnnotations())
		}
		if diff := cmp.Diff(before.Object["spec"], route.Object["spec"]); diff != "" {
			t.Fatalf("the route after the target is gone (-before +after):\n%s", diff)
		}
	})
}

// near holds every rule's weights against a share. Weights are whole numbers up
// to a million, so that a share may be off by as many millionths as a rule has
// backends.
func near(t *rapid.T, route *unstructured.Unstructured, percent int) {
	err := eachRule(route, func(i int, refs []any) ([]any, error) {
		var at, all int64
		for _, ref := range refs {
			w := weightOf(ref)
			if w < 0 || w > most {
				t.Fatalf("weight %d of rule %d is out of bounds", w, i)
			}
			all += w
			if nameOf(ref) == target(shop) {
				at = w
			}
		}
		got := 100 * float64(at) / float64(all)
		if percent == 0 && at != 0 || percent == 100 && at != all || math.Abs(got-float64(percent)) > 0.01 {
			t.Fatalf("rule %d gives the target %v percent, want %d: %v", i, got, percent, refs)
		}
		return refs, nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestARouteThatSomebodyElseChangedIsNotGuessedAt(t *testing.T) {
	route := routeOf([]int64{1})
	if err := connect(route, shop); err != nil {
		t.Fatal(err)
	}
	err := eachRule(route, func(_ int, refs []any) ([]any, error) {
		return append(refs, map[string]any{"name": "new", "port": int64(80)}), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{"weigh": weigh(route, target(shop), 5), "disconnect": disconnect(route, target(shop))} {
		if !errors.Is(err, runner.ErrRefused) {
			t.Errorf("%s = %v, want a refusal", name, err)
		}
	}
	if err := weigh(routeOf([]int64{1}), target(shop), 5); !errors.Is(err, runner.ErrRefused) {
		t.Errorf("weigh of a route without a target = %v, want a refusal", err)
	}
}
