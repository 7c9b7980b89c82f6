package discovertest

import (
	"slices"
	"testing"

	"github.com/tranship/tranship/internal/base/jsonpos"
)

// OneMore fails the test unless an unknown key, added to any object of the
// JSON text, adds exactly one entry to the ledger. Free are the keys of
// objects whose keys are the user's own.
func OneMore(t testing.TB, readers []any, text string, free ...string) {
	t.Helper()
	base := len(One(readers, text).Ledger)
	var walk func(v *jsonpos.Value)
	walk = func(v *jsonpos.Value) {
		if v.Kind() == jsonpos.Object && slices.Contains(free, v.Key()) {
			return
		}
		if v.Kind() == jsonpos.Object && !v.IsLeaf() {
			changed, ok := splice([]byte(text), v, `{"favouriteColour": {"a": 1, "b": [2, null]}, `)
			if !ok {
				t.Fatalf("no place for a key in %s", v.Pointer())
			}
			if n := len(One(readers, string(changed)).Ledger); n != base+1 {
				t.Errorf("an unknown key in %q makes %d entries of %d, want one more", v.Pointer(), n, base)
			}
		}
		for _, e := range v.Elems() {
			walk(e)
		}
	}
	walk(jsonpos.Parse("app.json", []byte(text)).Root)
}
