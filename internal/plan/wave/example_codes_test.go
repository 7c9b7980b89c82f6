package wave_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/plan/wave"
)

// TestEveryCodeHasAnExampleThatYieldsIt runs the examples in codes.go.
func TestEveryCodeHasAnExampleThatYieldsIt(t *testing.T) {
	f, err := parser.ParseFile(token.NewFileSet(), "codes.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	for _, spec := range f.Decls[1].(*ast.GenDecl).Specs {
		vs := spec.(*ast.ValueSpec)
		code, _ := strconv.Unquote(vs.Values[0].(*ast.BasicLit).Value)
		_, text, ok := strings.Cut(vs.Doc.Text(), "Example:\n")
		if !ok {
			t.Errorf("%s has no example", code)
			continue
		}
		var in struct {
			estate.Estate
			Spec policy.Spec `json:"spec"`
		}
		if err := json.Unmarshal([]byte(text), &in); err != nil {
			t.Errorf("%s: %v", code, err)
			continue
		}
		for i := range in.Workloads {
			if in.Workloads[i].Kind == "" {
				in.Workloads[i].Kind = estate.Service
			}
		}
		p := policy.Default()
		p.Spec = in.Spec
		_, list := wave.Make(wave.Inputs{Estate: &in.Estate, Policy: &p, AsOf: date})
		if !slices.ContainsFunc(list, func(d diag.Diagnostic) bool { return d.Code == diag.Code(code) }) {
			t.Errorf("the example of %s yields %v", code, list)
		}
	}
}
