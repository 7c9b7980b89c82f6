// Package diagtest runs the examples that stand in the comments of codes. It
// takes a file of codes and a way to run an example, and fails the test where
// the code does not come out. It never runs in the product.
package diagtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tranship/tranship/internal/base/diag"
)

// Examples hands the example of each code that file declares to run, without
// its indent, and wants the code among what run gives, with a problem and a
// hint. A comment without one says "No example", and why.
func Examples(t *testing.T, file string, run func(t *testing.T, text string) diag.List) {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		code, err := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(v.Names[0].Name, func(t *testing.T) {
			_, text, ok := strings.Cut(v.Doc.Text(), "Example:\n")
			if !ok {
				if !strings.Contains(v.Doc.Text(), "No example") {
					t.Error("has no example, and does not say why")
				}
				return
			}
			list := run(t, strings.TrimSpace(strings.ReplaceAll("\n"+text, "\n\t", "\n")))
			if !slices.ContainsFunc(list, func(d diag.Diagnostic) bool {
				return d.Code == diag.Code(code) && d.Problem != "" && d.Hint != ""
			}) {
				t.Errorf("its example does not give %s but %v", code, list)
			}
		})
		return true
	})
}
