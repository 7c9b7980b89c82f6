package gateway

import (
	"encoding/json"
	"fmt"
	"math"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/rollout/runner"
)

// most is the greatest weight that Gateway API takes.
const most = 1_000_000

// servicePort is the port of the mover's Service.
const servicePort = 80

// eachRule calls f with the backends of each rule that has any, and writes what
// it gives.
func eachRule(route *unstructured.Unstructured, f func(rule int, refs []any) ([]any, error)) error {
	rules, _, err := unstructured.NestedSlice(route.Object, "spec", "rules")
	if err != nil {
		return fmt.Errorf("%w: %w", runner.ErrRefused, err)
	}
	for i := range rules {
		rule, _ := rules[i].(map[string]any)
		refs, _ := rule["backendRefs"].([]any)
		if len(refs) == 0 {
			continue // a redirect
		}
		refs, err := f(i, refs)
		if err != nil {
			return err
		}
		rule["backendRefs"] = refs
	}
	return unstructured.SetNestedSlice(route.Object, rules, "spec", "rules")
}

func nameOf(ref any) string {
	m, _ := ref.(map[string]any)
	s, _ := m["name"].(string)
	return s
}

func weightOf(ref any) int64 {
	m, _ := ref.(map[string]any)
	if n, ok := m["weight"].(int64); ok {
		return n
	}
	return 1 // what Gateway API takes one without for
}

func split(refs []any, target string) (sources []any, at map[string]any) {
	for _, ref := range refs {
		if nameOf(ref) == target {
			at, _ = ref.(map[string]any)
			continue
		}
		sources = append(sources, ref)
	}
	return sources, at
}

// connect adds the target to each rule that does not have it, without a share,
// and keeps the source's own weights.
func connect(route *unstructured.Unstructured, r rollout.Route) error {
	base, err := bases(route)
	if err != nil {
		return err
	}
	port := int64(servicePort)
	if r.TargetGroup != "" {
		port = int64(r.Port)
	}
	err = eachRule(route, func(i int, refs []any) ([]any, error) {
		sources, at := split(refs, target(r))
		if at != nil {
			return refs, nil
		}
		weights := make([]int64, len(sources))
		for k, s := range sources {
			weights[k] = weightOf(s)
		}
		base[i] = weights
		return append(refs, map[string]any{"group": "", "kind": "Service", "name": target(r), "port": port, "weight": int64(0)}), nil
	})
	if err != nil {
		return err
	}
	return keep(route, base)
}

// disconnect takes the target out of each rule and gives the source back its
// own weights.
func disconnect(route *unstructured.Unstructured, target string) error {
	base, err := bases(route)
	if err != nil {
		return err
	}
	err = eachRule(route, func(i int, refs []any) ([]any, error) {
		sources, at := split(refs, target)
		if at == nil {
			return refs, nil
		}
		weights := base[i]
		if len(weights) != len(sources) {
			return nil, fmt.Errorf("%w: rule %d has other backends than when the target was connected", runner.ErrRefused, i)
		}
		for k, s := range sources {
			if m, ok := s.(map[string]any); ok {
				m["weight"] = weights[k]
			}
		}
		return sources, nil
	})
	if err != nil {
		return err
	}
	return keep(route, nil)
}

// weigh gives the target a share in percent; sources keep theirs among each other.
func weigh(route *unstructured.Unstructured, target string, percent int) error {
	base, err := bases(route)
	if err != nil {
		return err
	}
	found := false
	err = eachRule(route, func(i int, refs []any) ([]any, error) {
		sources, at := split(refs, target)
		if at == nil {
			return refs, nil
		}
		found = true
		weights := base[i]
		if len(weights) != len(sources) {
			return nil, fmt.Errorf("%w: rule %d has other backends than when the target was connected", runner.ErrRefused, i)
		}
		var total int64
		for _, w := range weights {
			total += w
		}
		if total == 0 {
			return nil, fmt.Errorf("%w: the backends of rule %d have no weight", runner.ErrRefused, i)
		}
		for k, s := range sources {
			if m, ok := s.(map[string]any); ok {
				m["weight"] = scaled(weights[k]*int64(100-percent), total)
			}
		}
		at["weight"] = scaled(total*int64(percent), total)
		return refs, nil
	})
	if err == nil && !found && percent > 0 {
		err = fmt.Errorf("%w: the target is not connected", runner.ErrRefused)
	}
	return err
}

// scaled keeps a weight in bounds, and one that is not 0 from becoming so.
func scaled(weight, total int64) int64 {
	if total*100 <= most || weight == 0 {
		return weight
	}
	return max(int64(math.Round(float64(weight)*most/float64(total*100))), 1)
}

// shares gives what each side has, in percent: the most that it has in any
// rule, so that 0 is 0 in all of them.
func shares(route *unstructured.Unstructured, target string) (source, at int) {
	_ = eachRule(route, func(_ int, refs []any) ([]any, error) {
		var of, all int64
		for _, ref := range refs {
			all += weightOf(ref)
			if nameOf(ref) == target {
				of += weightOf(ref)
			}
		}
		if all > 0 {
			source = max(source, percentOf(all-of, all))
			at = max(at, percentOf(of, all))
		}
		return refs, nil
	})
	return source, at
}

// percentOf rounds, but to 0 and 100 only what is so.
func percentOf(part, all int64) int {
	switch part {
	case 0:
		return 0
	case all:
		return 100
	}
	return min(max(int(math.Round(100*float64(part)/float64(all))), 1), 99)
}

// bases reads the source's own weights by rule.
func bases(route *unstructured.Unstructured) (map[int][]int64, error) {
	out := map[int][]int64{}
	text := route.GetAnnotations()[baseWeights]
	if text == "" {
		return out, nil
	}
	if err := json.Unmarshal([]byte(text), &out); err != nil {
		return nil, fmt.Errorf("%w: annotation %s: %w", runner.ErrRefused, baseWeights, err)
	}
	return out, nil
}

func keep(route *unstructured.Unstructured, base map[int][]int64) error {
	notes := route.GetAnnotations()
	if len(base) == 0 {
		delete(notes, baseWeights)
		route.SetAnnotations(notes)
		return nil
	}
	text, err := json.Marshal(base)
	if err != nil {
		return err
	}
	if notes == nil {
		notes = map[string]string{}
	}
	notes[baseWeights] = string(text)
	route.SetAnnotations(notes)
	return nil
}
