package bill_test

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
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/bill"
	"github.com/tranship/tranship/internal/plan/policy"
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
			Spec     policy.Spec       `json:"spec"`
			Machines []policy.HostCost `json:"machines"`
			Pools    []plan.Pool       `json:"pools"`
			Region   string            `json:"region"`
		}
		if err := json.Unmarshal([]byte(text), &in); err != nil {
			t.Errorf("%s: %v", code, err)
			continue
		}
		p, c := policy.Default(), prices()
		if p.Spec = in.Spec; in.Region != "" {
			c.Region = in.Region
		}
		_, list := bill.Make(bill.Inputs{Estate: &in.Estate, Policy: &p, Catalog: c, AsOf: date, Hosts: in.Machines, Pools: in.Pools})
		if !slices.ContainsFunc(list, func(d diag.Diagnostic) bool { return d.Code == diag.Code(code) }) {
			t.Errorf("the example of %s yields %v", code, list)
		}
	}
}
