package manifest_test

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

// TestExamplesOfCodes renders the example in the comment of every code.
func TestExamplesOfCodes(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "cluster/codes.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(f, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		code, _ := strconv.Unquote(v.Values[0].(*ast.BasicLit).Value)
		t.Run(v.Names[0].Name, func(t *testing.T) {
			_, text, ok := strings.Cut(v.Doc.Text(), "Example:\n")
			if !ok {
				if !strings.Contains(v.Doc.Text(), "No example") {
					t.Error("has no example, and does not say why")
				}
				return
			}
			file := "app.json"
			if !strings.ContainsAny(text[:2], "{[") {
				file = "compose.yaml"
			}
			text = strings.ReplaceAll("\n"+text, "\n\t", "\n")
			r := renderFiles(t, map[string]string{file: text}, "")
			if !slices.ContainsFunc(r.diags, func(d diag.Diagnostic) bool { return d.Code == diag.Code(code) }) {
				t.Errorf("its example does not give %s but %v", code, r.diags)
			}
		})
		return true
	})
}
