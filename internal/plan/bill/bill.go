// Package bill works out what is paid today, what will be paid tomorrow and
// what the way from one to the other costs. It takes an estate, the nodes that
// were chosen, prices and the calendar, and gives two bills line by line with
// the levers between them. It never leaves a cost that it does not know at
// zero without saying so.
package bill

import (
	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/catalog"
	"github.com/tranship/tranship/internal/plan/policy"
)

// Inputs are all that the bill follows from.
type Inputs struct {
	Estate  *estate.Estate
	Policy  *policy.Policy
	Catalog *catalog.Catalog
	// AsOf is the date of the plan, as 2006-01-02.
	AsOf string
	// Hosts are the machines of today where policy names none.
	Hosts []policy.HostCost
	Sizes []plan.Size
	Pools []plan.Pool
	// Survival holds the proven bounds.
	Survival plan.Survival
	// Steps are what the nodes cost after each lever, the first being today.
	Steps []Step
	Waves []plan.Wave
}

// A Step is what all nodes cost an hour once a lever has been pulled.
type Step struct {
	Name   string
	Hourly unit.Money
	Why    string
}

// Make gives the bill.
func Make(in Inputs) (plan.Bill, diag.List) {
	m := maker{Inputs: in}
	m.today()
	return m.bill, m.diags
}

type maker struct {
	Inputs
	bill  plan.Bill
	diags diag.List
}

func (m *maker) today() {
	for _, h := range m.Hosts {
		t := m.Catalog.Find(h.Type)
		if h.Price == nil && t != nil {
			h.Price = &t.Price
		}
	}
}
