package fit_test

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

// small is what an example of a policy is tried with.
var small = "[" + service("/web", 2, "200m", "256Mi", "") + "," + service("/api", 3, "500m", "512Mi", "") + "]"

// TestExamplesOfCodes plans the example in the comment of every code.
func TestExamplesOfCodes(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "codes.go", nil, parser.ParseComments)
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
				if !strings.Contains(v.Doc.Text(), "Example: none") {
					t.Error("has no example, and does not say why")
				}
				return
			}
			list, rest := small, ""
			for line := range strings.SplitSeq(text, "\n") {
				switch line = strings.TrimSpace(line); {
				case line == "":
				case line[0] == '[':
					list = line
				case line[0] == '{' || line[0] == '"':
					list += line
				default:
					rest += line + "\n"
				}
			}
			_, diags := fitted(t, list, rest)
			if !slices.ContainsFunc(diags, func(d diag.Diagnostic) bool { return d.Code == diag.Code(code) && d.Problem != "" && d.Hint != "" }) {
				t.Errorf("its example does not give %s but %v", code, diags)
			}
		})
		return true
	})
}
