package report

import (
	"fmt"

	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/plan"
)

// The waterfall's measures.
const (
	barLeft  px = 190  // where bars begin; names stand before it
	barRight px = 1000 // where they end; amounts stand after each
	barStep  px = 32
)

// A bill is both bills and the way from one to the other.
type bill struct {
	None     bool
	Partial  bool // one side is not known: no saving is claimed
	Today    side
	Tomorrow side
	Levers   []lever
	Bars     []bar
	Links    []string // where the line from a bar to the next begins
	Height   px
	Left     px
	// Off is what the levers miss the difference by: 0 in a sound plan.
	Off   string
	Short []string
	// Missed is what Short is about: a wish, or any saving at all.
	Missed string
	Notes  []note
}

// A side is one bill line by line.
type side struct {
	Title, ID string
	Lines     []billLine
	Total     string
}

type billLine struct{ ID, Name, Count, Each, Per, Month, Why string }

type lever struct {
	ID, Name, Delta, After, Why string
}

// A bar of the waterfall: a whole bill, or what a lever changes.
type bar struct {
	To, Name, Amount string
	Kind             string // "sum", "less", "more", "same"
	Y, Text          px
	X, Width, End    px // End is where the amount stands
}

// A note is a figure with what it is and why.
type note struct {
	ID, Name, Text, Why string
}

func newBill(p *plan.Plan) bill {
	b := &p.Bill
	out := bill{None: len(b.Today)+len(b.Tomorrow) == 0, Left: barLeft, Short: b.Short}
	if out.None {
		return out
	}
	before, after := total(b.Today), total(b.Tomorrow)
	out.Today = newSide("Today", "today", b.Today)
	out.Tomorrow = newSide("Tomorrow", "tomorrow", b.Tomorrow)
	out.Missed = "The wished saving is not reached."
	if b.Wished == 0 {
		out.Missed = "Tomorrow's bill is not below today's."
	}
	out.Partial = len(b.Levers) == 0
	if !out.Partial {
		out.waterfall(b.Levers, before, after)
	}
	out.notes(b)
	return out
}

func total(lines []plan.Line) unit.Money {
	var sum unit.Money
	for _, l := range lines {
		sum += l.Month
	}
	return sum
}

func newSide(title, name string, lines []plan.Line) side {
	s := side{Title: title, ID: name, Total: dollars(total(lines))}
	months := make([]unit.Money, len(lines))
	for i, l := range lines {
		months[i] = l.Month
	}
	for i, m := range unit.ToCents(months, total(lines).Cents()) {
		l := lines[i]
		s.Lines = append(s.Lines, billLine{
			ID: id(name, i+1), Name: l.Name, Count: number(l.Count), Each: l.Each.Exact(), Per: l.Per, Month: dollars(m), Why: l.Why,
		})
	}
	return s
}

// waterfall lays the bars out: the bill of today, each lever from where the
// one before it ended, the bill of tomorrow.
func (b *bill) waterfall(levers []plan.Lever, before, after unit.Money) {
	most, at := max(before, after), before
	// Rounded together, the amounts shown sum to the bill of tomorrow as shown.
	var parts []unit.Money
	for _, l := range levers {
		at += l.Delta
		most = max(most, at)
		parts = append(parts, l.Delta)
	}
	if off := after - at; off != 0 {
		b.Off = signed(off)
	}
	shown := unit.ToCents(parts, at.Cents()-before.Cents())
	scale := func(m unit.Money) px {
		if most <= 0 {
			return barLeft
		}
		return barLeft + (barRight-barLeft)*px(max(m, 0).Float()/most.Float())
	}
	add := func(x bar, from, to unit.Money) {
		x.X, x.Width = scale(min(from, to)), max(scale(max(from, to))-scale(min(from, to)), 1)
		x.End = x.X + x.Width + 8
		x.Y = barStep*px(len(b.Bars)) + 4
		if len(b.Bars) <= len(levers) {
			b.Links = append(b.Links, scale(to).String()+" "+(x.Y+24).String())
		}
		x.Text = x.Y + 16
		b.Bars = append(b.Bars, x)
	}
	add(bar{To: "sum-today", Name: "today", Amount: dollars(before), Kind: "sum"}, 0, before)
	at, run := before, before.Cents()
	for i, l := range levers {
		kind := "less"
		switch {
		case l.Delta == 0:
			kind = "same"
		case l.Delta > 0:
			kind = "more"
		}
		run += shown[i]
		row := lever{ID: id("lever", i+1), Name: l.Name, Delta: signed(shown[i]), After: dollars(run), Why: l.Why}
		b.Levers = append(b.Levers, row)
		add(bar{To: row.ID, Name: l.Name, Amount: row.Delta, Kind: kind}, at, at+l.Delta)
		at += l.Delta
	}
	add(bar{To: "sum-tomorrow", Name: "tomorrow", Amount: dollars(after), Kind: "sum"}, 0, after)
	b.Height = barStep*px(len(b.Bars)) + 4
}

// notes are what a bill means beyond its month.
func (b *bill) notes(in *plan.Bill) {
	add := func(n note) {
		n.ID = id("bill-note", len(b.Notes)+1)
		b.Notes = append(b.Notes, n)
	}
	if in.Wished > 0 {
		why := "spec.costs.wished in tranship.yaml; the plan saves " + percent(in.Saving)
		if b.Partial {
			why = "spec.costs.wished in tranship.yaml; no saving can be told"
		}
		add(note{Name: "saving wished", Text: percent(in.Wished), Why: why})
	}
	if s := in.Support; s.StandardUntil != "" {
		add(note{
			Name: "Kubernetes " + s.Kubernetes + ", standard support until", Text: s.StandardUntil,
			Why: fmt.Sprintf("from then on the control plane costs %s an hour in place of %s, until %s; an upgrade before that day avoids it",
				s.ExtendedFee.Exact(), s.Fee.Exact(), s.ExtendedUntil),
		})
	}
	if b.Partial {
		return
	}
	add(note{
		Name: "most that can be saved", Text: percent(in.Reachable),
		Why: "with the nodes at their proven lower bound and all other lines as they are",
	})
	if in.Dual > 0 || in.DualMonths > 0 {
		add(note{
			Name: "running both worlds", Text: dollars(in.Dual),
			Why: fmt.Sprintf("for %s months nodes run on both sides: the spend curve shows day by day what each costs", number(in.DualMonths)),
		})
	}
	saved := total(in.Today) - total(in.Tomorrow)
	switch {
	case in.BreakEven != "":
		add(note{
			Name: "break-even", Text: in.BreakEven,
			Why: fmt.Sprintf("the day on which savings of %s a month have paid for running both worlds", dollars(saved)),
		})
	case saved <= 0:
		add(note{Name: "break-even", Text: "never", Why: "tomorrow's bill is not below today's"})
	}
}
