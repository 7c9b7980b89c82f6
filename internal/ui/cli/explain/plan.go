package explain

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/plan"
)

// A Plan is what a plan comes to: nodes, cost, what it outlives and what it
// rests on.
type Plan struct {
	// Copies of all workloads, with what they ask for and what they declared.
	Copies    int         `json:"copies"`
	Requested plan.Amount `json:"requested"`
	Declared  plan.Amount `json:"declared"`

	Nodes    int              `json:"nodes"`
	Machines int              `json:"machines"` // of today
	Bill     *Bill            `json:"bill,omitempty"`
	Survival *Survival        `json:"survival,omitempty"`
	Prices   plan.Prices      `json:"prices,omitzero"`
	Usage    []plan.UsageFile `json:"usage"`
	pools    Pools
}

// A Bill is the sums of both bills, per month.
type Bill struct {
	Today     unit.Money   `json:"today"`
	Tomorrow  unit.Money   `json:"tomorrow"`
	Saving    float64      `json:"saving"`
	Wished    float64      `json:"wished,omitempty"`
	Reachable float64      `json:"reachable"`
	Short     []string     `json:"short,omitempty"`
	Levers    []plan.Lever `json:"levers"`
	Dual      unit.Money   `json:"dual"`
	BreakEven string       `json:"breakEven,omitempty"`
	Support   plan.Support `json:"support,omitzero"`
}

// Survival is what the plan outlives, and its distance from the bound.
type Survival struct {
	Level   plan.SurvivalLevel `json:"level"`
	Reached plan.SurvivalLevel `json:"reached"`
	// Failures that were tried, copies that were placed anew and that found no room.
	Failures int `json:"failures"`
	Moved    int `json:"moved"`
	Stranded int `json:"stranded"`
	// Month is its price over the same plan without it.
	Month      unit.Money `json:"month"`
	Cost       unit.Money `json:"cost"`  // of the nodes an hour
	Bound      unit.Money `json:"bound"` // the proven least an hour
	Gap        float64    `json:"gap"`
	Iterations int        `json:"iterations,omitempty"`
	CutShort   bool       `json:"cutShort,omitempty"`
	// Preempted is how many copies one loss makes give way at most; Restored asks
	// for a restart of what it moved.
	Preempted int  `json:"preempted,omitempty"`
	Restored  bool `json:"restored,omitempty"`
}

// OfPlan sums a plan up.
func OfPlan(p *plan.Plan) Plan {
	out := Plan{Nodes: len(p.Nodes), Machines: len(p.Estate.Hosts), Prices: p.Prices, Usage: p.Usage, pools: OfPools(p)}
	said := 0
	for _, h := range p.Policy.Spec.Costs.Hosts {
		said += h.Count
	}
	if said > 0 {
		out.Machines = said
	}
	for _, x := range p.Sizes {
		n := x.Replicas
		out.Copies += n
		for _, c := range x.Containers {
			asked := plan.Amount{CPU: c.CPU, Memory: c.Memory}
			if c.Declared != nil {
				asked = *c.Declared
			}
			out.Requested.CPU += c.CPU * unit.CPU(n)
			out.Requested.Memory += c.Memory * unit.Bytes(n)
			out.Declared.CPU += asked.CPU * unit.CPU(n)
			out.Declared.Memory += asked.Memory * unit.Bytes(n)
		}
	}
	if out.Usage == nil {
		out.Usage = []plan.UsageFile{}
	}
	if b := &p.Bill; len(b.Today)+len(b.Tomorrow) > 0 {
		x := Bill{
			Saving: b.Saving, Wished: b.Wished, Reachable: b.Reachable, Short: b.Short, Levers: b.Levers, Dual: b.Dual,
			BreakEven: b.BreakEven, Support: b.Support,
		}
		for _, l := range b.Today {
			x.Today += l.Month
		}
		for _, l := range b.Tomorrow {
			x.Tomorrow += l.Month
		}
		out.Bill = &x
	}
	if s := &p.Survival; s.Level != "" || s.Cost > 0 {
		x := Survival{
			Level: s.Level, Reached: s.Reached, Failures: len(s.Failures), Month: s.Price.Month(), Cost: s.Cost, Bound: s.Bound, Gap: s.Gap,
			Iterations: s.Iterations, CutShort: s.CutShort, Preempted: s.Preempted, Restored: s.Restored,
		}
		for _, f := range s.Failures {
			for _, m := range f.Moves {
				x.Moved += m.Count
			}
			for _, c := range f.Stranded {
				x.Stranded += c.Count
			}
		}
		out.Survival = &x
	}
	return out
}

// Print writes the sum for people.
func (a Plan) Print(w io.Writer) error {
	// What is long is told in full by explain pool and in the report.
	const reasons, sources = 90, 60
	pools := slices.Clone(a.pools)
	for i := range pools {
		pools[i].Why = cut(pools[i].Why, reasons)
	}
	if err := pools.Print(w); err != nil {
		return err
	}
	var rows [][]string
	add := func(name, text string) { rows = append(rows, []string{name, text}) }
	if a.Nodes > 0 {
		add("nodes", fmt.Sprintf("%s today, %s tomorrow", counted(a.Machines, "machine"), counted(a.Nodes, "node")))
	}
	asked := fmt.Sprintf("%s ask for %s CPU and %s", counted(a.Copies, "copy"), cores(a.Requested.CPU), memory(a.Requested.Memory))
	if a.Declared != a.Requested {
		asked += fmt.Sprintf(", declared were %s CPU and %s", cores(a.Declared.CPU), memory(a.Declared.Memory))
	}
	add("requests", asked)
	a.bill(add)
	a.survival(add)
	if a.Prices.Date == "" {
		add("prices", "none: no nodes were chosen; --prices FILE gives a price list")
	} else {
		text := a.Prices.Region + " on " + a.Prices.Date
		if a.Prices.Source != "" {
			text += ", " + cut(a.Prices.Source, sources)
		}
		if a.Prices.Estimated {
			text += " (an estimate: another region's times a factor)"
		}
		add("prices", text)
	}
	if len(a.Usage) == 0 {
		add("usage", "none: requests are as declared; --usage PATH sizes them from what was used")
	} else {
		from, to, points := a.Usage[0].From, a.Usage[0].To, 0
		for _, u := range a.Usage {
			from, to, points = min(from, u.From), max(to, u.To), points+u.Points
		}
		add("usage", fmt.Sprintf("%s, %s from %s to %s", counted(len(a.Usage), "file"), counted(points, "point"), day(from), day(to)))
	}
	p := &printer{w: w}
	p.line("")
	p.columns(rows...)
	return p.err
}

// cut shortens a text to so many letters.
func cut(text string, most int) string {
	r := []rune(text)
	if len(r) <= most {
		return text
	}
	return string(r[:most-1]) + "…"
}

// day gives the day of a time.
func day(at string) string { return at[:min(len(at), len("2006-01-02"))] }

func (a Plan) bill(add func(name, text string)) {
	b := a.Bill
	if b == nil {
		return
	}
	if len(b.Levers) == 0 {
		add("bill", fmt.Sprintf("known are %s a month of today and %s of tomorrow: no saving is claimed", b.Today, b.Tomorrow))
		return
	}
	word := "less"
	saving := b.Saving
	if saving < 0 {
		word, saving = "more", -saving
	}
	text := fmt.Sprintf("%s → %s a month, %.1f %% %s", b.Today, b.Tomorrow, 100*saving, word)
	if b.Wished > 0 {
		text += fmt.Sprintf(" (wished %.0f %%)", 100*b.Wished)
	}
	add("bill", text)
	var levers []string
	var deltas []unit.Money
	for _, l := range b.Levers {
		deltas = append(deltas, l.Delta)
	}
	// As in the report: what is shown sums to the difference that is shown.
	for i, m := range unit.ToCents(deltas, b.Tomorrow.Cents()-b.Today.Cents()) {
		if m != 0 {
			levers = append(levers, b.Levers[i].Name+" "+plus(m))
		}
	}
	if len(levers) > 0 {
		add("", strings.Join(levers, ", "))
	}
	for i, text := range b.Short {
		name := ""
		if i == 0 {
			name = "short"
		}
		add(name, text)
	}
	switch {
	case b.BreakEven != "":
		add("break-even", fmt.Sprintf("%s, after %s for running both worlds", b.BreakEven, b.Dual))
	case b.Dual > 0:
		add("break-even", fmt.Sprintf("never; running both worlds costs %s", b.Dual))
	}
	if s := b.Support; s.StandardUntil != "" {
		add("support", fmt.Sprintf("Kubernetes %s until %s; then %s an hour in place of %s", s.Kubernetes, s.StandardUntil, s.ExtendedFee.Exact(), s.Fee.Exact()))
	}
}

func (a Plan) survival(add func(name, text string)) {
	s := a.Survival
	if s == nil {
		return
	}
	text := lossOf(s.Reached)
	if s.Failures > 0 {
		text += fmt.Sprintf(": proven by failing each of %d; costs %s/month", s.Failures, plus(s.Month))
	}
	if s.Stranded > 0 {
		text += fmt.Sprintf("; %s found no room", counted(s.Stranded, "copy"))
	}
	if s.Preempted > 0 {
		text += fmt.Sprintf("; a loss makes at most %s start again elsewhere", counted(s.Preempted, "small copy"))
	}
	if s.Restored {
		text += "; what a loss moved is to start anew before the next (kubectl rollout restart)"
	}
	if s.Reached != s.Level {
		text += "; wished was " + lossOf(s.Level)
	}
	add("survives", text)
	if s.Bound > 0 {
		text = fmt.Sprintf("%s/h is the proven least, the nodes cost %s/h: %.2f %% above", s.Bound.Exact(), s.Cost.Exact(), 100*s.Gap)
		if s.CutShort {
			text += " (cut short by the clock: another run may differ)"
		}
		add("bound", text)
	}
}

func plus(m unit.Money) string {
	if m < 0 {
		return m.String()
	}
	return "+" + m.String()
}

// lossOf says a level of survival in words.
func lossOf(l plan.SurvivalLevel) string {
	switch l {
	case plan.SurviveNode:
		return "any one node"
	case plan.SurviveZone:
		return "any one zone"
	}
	return "no loss"
}
