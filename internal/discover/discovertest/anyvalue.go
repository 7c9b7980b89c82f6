package discovertest

import (
	"testing"
	"testing/fstest"

	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/estate"
)

// AnyValue puts a value of every other type in the place of each value of the
// JSON text, and fails the test where a reader panics, breaks an invariant of
// the estate, or leaves a leaf without its entry.
func AnyValue(t testing.TB, readers []any, text string) {
	t.Helper()
	var walk func(v *jsonpos.Value)
	walk = func(v *jsonpos.Value) {
		for _, other := range []string{
			`null`, `true`, `-1`, `0`, `1.5`, `70000`, `1e400`, `""`, `" "`, `"/"`, `"a b:$(c)"`, `"ü"`, `[]`, `{}`, `[null]`, `[[]]`, `["a"]`,
			`[{"name": 1}]`, `{"a": 1}`, `{"": {"secret": 3}}`, `[{}, {}]`,
		} {
			changed, ok := replace([]byte(text), v, other)
			if !ok {
				t.Fatalf("no place for a value at %s", v.Pointer())
			}
			r := One(readers, string(changed))
			for _, d := range r.Diags {
				if d.Code == estate.Inconsistent {
					t.Errorf("with %s at %s: %v", other, v.Pointer(), d)
				}
			}
			if len(r.Ledger) > 0 {
				Covered(t, fstest.MapFS{"app.json": {Data: changed}}, "app.json", r)
			}
		}
		for _, e := range v.Elems() {
			walk(e)
		}
	}
	walk(jsonpos.Parse("app.json", []byte(text)).Root)
}
