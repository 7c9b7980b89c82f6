package yamlpos_test

import (
	"strings"
	"testing"

	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/yamlpos"
)

// TestFieldsAreWhereAPersonWroteThem: aliases and merge keys stay as written.
func TestFieldsAreWhereAPersonWroteThem(t *testing.T) {
	const text = "x: &x\n  a: 1\ny:\n  <<: *x\n  b: [yes, 2.5, ~, 'q']\n"
	docs, problem := yamlpos.Parse("f", []byte(text))
	if problem != nil || len(docs) != 1 {
		t.Fatal(problem, len(docs))
	}
	var got []string
	docs[0].Leaves(func(v *jsonpos.Value) { got = append(got, v.Pos("f").String()+" "+v.Pointer()+" "+v.Kind().String()) })
	want := []string{
		"f:2:6 /x/a a number", "f:4:7 /y/<< an alias", "f:5:7 /y/b/0 a string", "f:5:12 /y/b/1 a number",
		"f:5:17 /y/b/2 null", "f:5:20 /y/b/3 a string",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if docs[0].At("y").Get("<<").Target() != docs[0].Get("x") {
		t.Error("the alias does not lead to its anchor")
	}
}

func TestDocumentsBeforeAMistakeStand(t *testing.T) {
	docs, problem := yamlpos.Parse("f", []byte("a: 1\n---\nb: [\n"))
	if len(docs) != 1 || problem == nil || problem.Pos.Line < 3 {
		t.Errorf("%d documents, problem %+v", len(docs), problem)
	}
}

// FuzzParse: no panic on any bytes.
func FuzzParse(f *testing.F) {
	f.Add([]byte("a: &a [*a]\n"))
	f.Add([]byte("? {a: b}\n: c\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		docs, _ := yamlpos.Parse("f", data)
		for _, d := range docs {
			d.Leaves(func(v *jsonpos.Value) { _ = v.Pointer() })
		}
	})
}
