// Package discovertest holds what the tests of all readers share. It takes
// readers and input texts and fails the test when a promise of every reader is
// broken. It never stands in for a reader.
package discovertest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/base/yamlpos"
	"github.com/tranship/tranship/internal/discover"
)

// Read reads files, given as name and text, with readers.
func Read(readers []any, files map[string]string) discover.Result {
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return discover.Read(fsys, readers, discover.Options{})
}

// One reads one JSON text as app.json.
func One(readers []any, text string) discover.Result {
	return Read(readers, map[string]string{"app.json": text})
}

// Codes gives every code that a result has, in diagnostics and ledger.
func Codes(r discover.Result) map[diag.Code]bool {
	have := map[diag.Code]bool{}
	for _, d := range r.Diags {
		have[d.Code] = true
	}
	for _, e := range r.Ledger {
		have[e.Code] = true
	}
	return have
}

// Entry gives the ledger's entry at pointer, and whether there is exactly one.
func Entry(r discover.Result, pointer string) (ledger.Entry, bool) {
	var found []ledger.Entry
	for _, e := range r.Ledger {
		if e.Pointer == pointer {
			found = append(found, e)
		}
	}
	if len(found) != 1 {
		return ledger.Entry{}, false
	}
	return found[0], true
}

// Covered fails the test unless every leaf of the file has its own entry, or
// lies below an unknown key's or, without indices, evidence's entry; evidence
// may be told together for a key above the leaf.
func Covered(t testing.TB, fsys fs.FS, file string, r discover.Result) {
	t.Helper()
	data, err := fs.ReadFile(fsys, file)
	if err != nil {
		t.Fatal(err)
	}
	var roots []*jsonpos.Value
	if strings.HasSuffix(file, ".json") {
		roots = []*jsonpos.Value{jsonpos.Parse(file, data).Root}
	} else {
		roots, _ = yamlpos.Parse(file, data)
	}
	count := map[string]int{}
	for _, e := range r.Ledger {
		if e.File == file {
			count[e.Pointer]++
		}
	}
	for _, root := range roots {
		root.Leaves(func(leaf *jsonpos.Value) {
			p := leaf.Pointer()
			if n := count[p]; n == 1 || n == 0 && coveredAbove(count, leaf) {
				return
			}
			t.Errorf("%s:%d:%d: leaf %s has %d entries in the ledger, want one", file, leaf.Line(), leaf.Column(), p, count[p])
		})
	}
}

func coveredAbove(count map[string]int, v *jsonpos.Value) bool {
	for p := v.Parent(); p != nil; p = p.Parent() {
		if count[p.Pointer()] == 1 || count[Pattern(p)] == 1 {
			return true
		}
	}
	return count[Pattern(v)] == 1
}

// Pattern gives v's pointer without indices: "/frameworks/tasks/statuses".
func Pattern(v *jsonpos.Value) string {
	p := v.Parent()
	switch {
	case p == nil:
		return ""
	case p.Kind() == jsonpos.Array:
		return Pattern(p)
	}
	return Pattern(p) + "/" + jsonpos.Escape(v.Key())
}

// Examples runs the example of every code that file declares and fails the
// test where the code does not come out, or where a code has no example and
// is not among those excused.
func Examples(t *testing.T, file string, readers []any, excused ...string) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	for _, decl := range f.Decls {
		gen, ok := decl.(*ast.GenDecl)
		if !ok || gen.Tok != token.CONST {
			continue
		}
		for _, spec := range gen.Specs {
			vs := spec.(*ast.ValueSpec)
			if len(vs.Values) != 1 {
				continue
			}
			lit, ok := vs.Values[0].(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				continue
			}
			code, _ := strconv.Unquote(lit.Value)
			example(t, vs, gen, diag.Code(code), readers, excused)
		}
	}
}

func example(t *testing.T, vs *ast.ValueSpec, gen *ast.GenDecl, code diag.Code, readers []any, excused []string) {
	name := vs.Names[0].Name
	doc := vs.Doc.Text()
	if doc == "" {
		doc = gen.Doc.Text()
	}
	t.Run(name, func(t *testing.T) {
		_, text, ok := strings.Cut(doc, "Example:\n")
		if !ok {
			if slices.Contains(excused, name) {
				return
			}
			t.Fatalf("%s (%s) has no example in its comment", name, code)
		}
		var b strings.Builder
		for line := range strings.Lines(text) {
			b.WriteString(strings.TrimPrefix(line, "\t"))
		}
		in := strings.TrimSpace(b.String())
		file := "compose.yaml"
		if strings.HasPrefix(in, "{") || strings.HasPrefix(in, "[") {
			file = "app.json"
		}
		if r := Read(readers, map[string]string{file: in}); !Codes(r)[code] {
			t.Errorf("the example of %s does not give %s but %v", name, code, Codes(r))
		}
	})
}
