package bill_test

import (
	"encoding/json"
	"testing"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/diag/diagtest"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/bill"
	"github.com/tranship/tranship/internal/plan/policy"
)

// TestEveryCodeHasAnExampleThatYieldsIt runs the examples in codes.go.
func TestEveryCodeHasAnExampleThatYieldsIt(t *testing.T) {
	diagtest.Examples(t, "codes.go", func(t *testing.T, text string) diag.List {
		var in struct {
			estate.Estate
			Spec     policy.Spec       `json:"spec"`
			Machines []policy.HostCost `json:"machines"`
			Pools    []plan.Pool       `json:"pools"`
			Region   string            `json:"region"`
		}
		if err := json.Unmarshal([]byte(text), &in); err != nil {
			t.Fatal(err)
		}
		p, c := policy.Default(), prices()
		if p.Spec = in.Spec; in.Region != "" {
			c.Region = in.Region
		}
		_, list := bill.Make(bill.Inputs{Estate: &in.Estate, Policy: &p, Catalog: c, AsOf: date, Hosts: in.Machines, Pools: in.Pools})
		return list
	})
}
