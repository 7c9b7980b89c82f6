package jsonpos_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/tranship/tranship/internal/base/jsonpos"
)

// TestEveryValueKnowsItsPlace reads one object and asks each value where it is.
func TestEveryValueKnowsItsPlace(t *testing.T) {
	const text = "\ufeff{\"id\": \"/a\",\n  \"env\": {\"a/b\": [1, true, null, {}]}\n}"
	root := jsonpos.Parse("app.json", []byte(text)).Root
	var got []string
	root.Leaves(func(v *jsonpos.Value) {
		got = append(got, v.Pos("f").String()+" "+v.Pointer()+" "+v.Text())
	})
	want := []string{"f:1:8 /id /a", "f:2:19 /env/a~1b/0 1", "f:2:22 /env/a~1b/1 true", "f:2:28 /env/a~1b/2 ", "f:2:34 /env/a~1b/3 "}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("places are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, p := range []string{"/id", "/env/a~1b/3", ""} {
		if v := root.Lookup(p); v.Pointer() != p {
			t.Errorf("Lookup(%q) leads to %q", p, v.Pointer())
		}
	}
}

// TestTruncatedFileKeepsWhatIsWhole cuts a list at every byte: no panic, a
// reason, and the elements before the cut stand.
func TestTruncatedFileKeepsWhatIsWhole(t *testing.T) {
	const text = `[{"id":"/a","n":1},{"id":"/b"},{"id":"/c"}]`
	for n := 1; n < len(text); n++ {
		tree := jsonpos.Parse("f", []byte(text[:n]))
		if tree.End == nil {
			t.Fatalf("cut at %d: no problem reported", n)
		}
		whole := 0
		for _, e := range tree.Root.Elems() {
			if !e.Broken() && e.Get("id") != nil {
				whole++
			}
		}
		if want := strings.Count(text[:n], "}"); whole != want {
			t.Errorf("cut at %d: %d whole elements, want %d", n, whole, want)
		}
	}
}

// TestACutDefinitionIsLeftOutWhole cuts a group tree in the second app.
func TestACutDefinitionIsLeftOutWhole(t *testing.T) {
	for text, want := range map[string]string{
		`{"id":"/","groups":[{"id":"/g","apps":[{"id":"/a"},{"id":"/b","cm`: "/ /g /a",
		`[{"id":"/a"},{"id":"/b"`: "/a", `{"id":"/a","env":{"A":`: "", `[`: "",
		`{"apps":[{"id":"/a"}`: "/a", `{"id":"/a"} {"id":"/b`: "/a",
	} {
		root := jsonpos.Parse("f", []byte(text)).Root
		var got []string
		if root.Whole("apps", "groups") {
			root.Leaves(func(v *jsonpos.Value) {
				if v.Kind() == jsonpos.String {
					got = append(got, v.Text())
				}
			})
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %v stand, want %s", text, got, want)
		}
	}
}

func TestTheLastOfTwoEqualKeysCounts(t *testing.T) {
	tree := jsonpos.Parse("f", []byte(`{"a":1,"b":2,"a":3}`))
	if got := tree.Root.Get("a").Text(); got != "3" || len(tree.Duplicates) != 1 || len(tree.Root.Elems()) != 2 {
		t.Errorf("a = %s with %d duplicates and %d members", got, len(tree.Duplicates), len(tree.Root.Elems()))
	}
}

func TestStreamOfValuesIsReadAsAList(t *testing.T) {
	tree := jsonpos.Parse("f", []byte("{\"a\":1}\n{\"b\":2}\n"))
	if !tree.Stream || len(tree.Root.Elems()) != 2 || tree.Root.Elems()[1].Get("b").Line() != 2 {
		t.Errorf("tree = %+v", tree)
	}
}

func TestDeepNestingIsAProblemNotACrash(t *testing.T) {
	tree := jsonpos.Parse("f", []byte(strings.Repeat("[", 100000)))
	if tree.End == nil {
		t.Error("no problem reported")
	}
}

// FuzzParse: no panic, and what encoding/json accepts is read to the end.
func FuzzParse(f *testing.F) {
	for _, s := range []string{`{"a":[1,"x",null,true,{}]}`, `[`, `{"a":1}{"b":2}`, "\xff", `{"a":"\ud800"}`, `1e999`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		tree := jsonpos.Parse("f", data)
		tree.Root.Leaves(func(v *jsonpos.Value) {
			if v.Line() < 1 || v.Column() < 1 {
				t.Errorf("%s is at %d:%d", v.Pointer(), v.Line(), v.Column())
			}
			if v.Pointer() != "" && tree.Root.Lookup(v.Pointer()) != v {
				t.Errorf("%q does not lead back to its value", v.Pointer())
			}
		})
		if json.Valid(data) && tree.End != nil && !strings.Contains(tree.End.Text, "nested") {
			t.Errorf("valid JSON is refused: %s", tree.End.Text)
		}
	})
}
