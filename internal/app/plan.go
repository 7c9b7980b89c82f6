package app

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tranship/tranship/internal/base/binpack"
	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/catalog"
	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/plan/propose"
	"github.com/tranship/tranship/internal/plan/usage"
)

// PlanOptions are what a user may say of planning.
type PlanOptions struct {
	// AsOf is the date to plan for, as 2006-01-02.
	AsOf string
	// Usage are files and folders of what was used.
	Usage []string
	// Prices is a price list that prices import wrote; the embedded one if empty.
	Prices string
	Seed   uint64
	// Budget is how long the search for nodes should take, about: it is turned
	// into a number of iterations, so that the same budget gives the same plan.
	Budget time.Duration
}

// Plan makes and seals a plan of the declared sizes and the waves alone: what a
// look at definitions needs. Propose chooses nodes too.
func Plan(e estate.Estate, p policy.Policy, asOf string) (plan.Plan, diag.List, error) {
	return seal(propose.Make(propose.Inputs{Estate: e, Policy: p, AsOf: asOf}, binpack.Options{}))
}

// Propose makes and seals a plan from usage and prices.
func Propose(e estate.Estate, p policy.Policy, o PlanOptions) (plan.Plan, diag.List, error) {
	var diags diag.List
	in := propose.Inputs{Estate: e, Policy: p, AsOf: o.AsOf}
	if len(o.Usage) > 0 {
		fsys, err := inputs(o.Usage)
		if err != nil {
			return plan.Plan{}, nil, fmt.Errorf("open usage: %w; name files that your monitoring exported, or leave --usage out to keep what was declared", err)
		}
		set, list := usage.Read(fsys, usageOptions(&e, &p))
		in.Usage, diags = set, append(diags, list...)
	}
	prices, err := priceList(o.Prices)
	if err != nil {
		return plan.Plan{}, diags, err
	}
	in.Prices = prices
	if there, ok := prices.For(p.Spec.Target.Region); ok {
		in.Prices = there // otherwise the planner says what is missing
	}
	out, list, err := seal(propose.Make(in, binpack.Options{Seed: o.Seed, Iterations: max(binpack.Budget(o.Budget.Seconds()), 1), Each: both}))
	return out, append(diags, list...), err
}

// priceList reads a price list, or takes the embedded one.
func priceList(file string) (catalog.Catalog, error) {
	if file == "" {
		return catalog.Embedded()
	}
	f, err := os.Open(file)
	if err != nil {
		return catalog.Catalog{}, fmt.Errorf("open price list: %w; make one with: tranship prices import FILE --out %s", err, file)
	}
	defer f.Close()
	c, err := catalog.ReadCSV(f)
	if err != nil {
		return c, fmt.Errorf("read price list %s: %w; make one with: tranship prices import FILE --out %s", file, err, file)
	}
	return c, nil
}

// usageOptions tells the readers of usage which workloads there are, and what
// policy says of names.
func usageOptions(e *estate.Estate, p *policy.Policy) usage.Options {
	o := usage.For(e)
	said := &p.Spec.Usage
	o.Label, o.Metrics, o.MinPoints = said.Label, said.Metrics, p.Spec.Sizing.MinPoints
	o.Names = map[string]estate.Name{}
	for name, id := range said.Names {
		o.Names[name] = estate.Name(id)
	}
	return o
}

func seal(p plan.Plan, diags diag.List) (plan.Plan, diag.List, error) {
	if p.Version == 0 {
		return p, diags, ErrInput
	}
	if err := p.Close(); err != nil {
		return p, diags, fmt.Errorf("seal plan: %w", err)
	}
	return p, diags, nil
}

// both calls do for each index on two goroutines at most: the machine that
// plans has other work too.
func both(n int, do func(i int)) {
	var g errgroup.Group
	g.SetLimit(2)
	for i := range n {
		g.Go(func() error {
			do(i)
			return nil
		})
	}
	_ = g.Wait() // do gives no error
}
