// Package bill works out what is paid today, what will be paid tomorrow and
// what the way from one to the other costs. It takes an estate, the nodes that
// were chosen, prices and the calendar, and gives two bills line by line with
// the levers between them. It never leaves a cost that it does not know at
// zero without saying so.
package bill

import (
	"cmp"
	"fmt"
	"math"
	"time"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/catalog"
	"github.com/tranship/tranship/internal/plan/policy"
)

// Inputs are all that the bill follows from. Catalog may be nil.
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

// Make gives the bill. Levers sum to the difference of its two sides, to the
// millionth of a dollar.
func Make(in Inputs) (plan.Bill, diag.List) {
	m := maker{Inputs: in, costs: &in.Policy.Spec.Costs, target: &in.Policy.Spec.Target}
	if m.Catalog == nil {
		m.Catalog = &catalog.Catalog{}
	}
	m.span()
	m.support()
	m.today()
	m.tomorrow()
	m.bill.Today, m.bill.Tomorrow = plain(m.now), plain(m.then)
	m.bill.Wished = m.costs.Wished
	if m.known() {
		m.levers()
		m.saving()
		m.dual()
	}
	m.diags.Sort()
	return m.bill, m.diags
}

type maker struct {
	Inputs
	costs  *policy.Costs
	target *policy.Target
	bill   plan.Bill
	diags  diag.List

	now, then []line
	// machines are paid for today; all are these or the estate's hosts, whichever
	// are more; stay is how many of all are left when the waves are over.
	machines, all, stay int
	nodes               int // of tomorrow

	first, last time.Time // the days on which the move begins and ends
	dated       bool
	// todayKnown and thenKnown say that no price is missing.
	todayKnown, thenKnown bool
}

// A line has a kind by which both sides are set against each other, and a way
// in which it comes or goes while both worlds run.
type line struct {
	plan.Line
	kind  string
	while flow
}

// The kinds of line, as spec.costs has them, and two that only stand here.
const (
	nodes         = "nodes"
	controlPlane  = "control-plane"
	disks         = "disks"
	loadBalancers = "load-balancers"
	nat           = "nat"
	zones         = "cross-zone"
	addresses     = "addresses"
	other         = "other"
	staying       = "staying"
	unchanged     = "unchanged"
)

// flow is how a line comes or goes while both worlds run.
type flow int

const (
	whole     flow = iota // in full as long as its world runs
	withHosts             // falls as source hosts are freed
	withNodes             // rises as nodes are added
	both                  // in both worlds, paid once
	after                 // on the source, when all waves are over
)

func plain(lines []line) []plan.Line {
	out := make([]plan.Line, len(lines))
	for i := range lines {
		out[i] = lines[i].Line
	}
	return out
}

func sum(lines []line) unit.Money {
	var out unit.Money
	for i := range lines {
		out += lines[i].Month
	}
	return out
}

func sumOf(lines []line, kind string) unit.Money {
	var out unit.Money
	for i := range lines {
		if lines[i].kind == kind {
			out += lines[i].Month
		}
	}
	return out
}

// hourly makes a line that is paid by the hour.
func hourly(kind, name string, count float64, each unit.Money, why string) line {
	return lineOf(kind, plan.Line{Name: name, Count: count, Each: each, Per: "hour", Month: times(each, count*unit.HoursPerMonth), Why: why})
}

func perGB(kind, name, per string, count float64, each unit.Money, why string) line {
	return lineOf(kind, plan.Line{Name: name, Count: count, Each: each, Per: per, Month: times(each, count), Why: why})
}

func monthly(kind string, c policy.CostLine, why string) line {
	return lineOf(kind, plan.Line{Name: c.Name, Count: 1, Each: c.Month, Per: "month", Month: times(c.Month, 1), Why: why})
}

func lineOf(kind string, l plan.Line) line {
	if l.Month == most || l.Month == -most {
		l.Why += "; it is cut at " + most.String()
	}
	return line{Line: l, kind: kind}
}

// span finds the days of the move.
func (m *maker) span() {
	from, err := time.Parse(time.DateOnly, m.AsOf)
	if err != nil {
		return
	}
	m.first, m.last = from, from
	for i, w := range m.Waves {
		start, err := time.Parse(time.DateOnly, w.Start)
		if err != nil {
			return
		}
		end, err := time.Parse(time.DateOnly, w.End)
		if err != nil {
			return
		}
		if i == 0 || start.Before(m.first) {
			m.first = start
		}
		if i == 0 || end.After(m.last) {
			m.last = end
		}
	}
	m.dated = len(m.Waves) > 0
}

// fees gives what the control plane costs an hour, before and after its
// version leaves standard support.
func (m *maker) fees() (fee, extended unit.Money) {
	fee, extended = catalog.ClusterFee, catalog.ExtendedFee
	if m.costs.EKSFee != nil {
		fee = *m.costs.EKSFee
	}
	if m.costs.ExtendedFee != nil {
		extended = *m.costs.ExtendedFee
	}
	return fee, extended
}

// soon is how many months before its end it is said that support ends.
const soon = 6

// defaultVersion of Kubernetes, as spec.target.kubernetes has it.
const defaultVersion = "1.35"

// support finds the version's calendar and says when the control plane costs more.
func (m *maker) support() {
	s := &m.bill.Support
	s.Kubernetes = cmp.Or(m.target.Kubernetes, defaultVersion)
	s.Fee, s.ExtendedFee = m.fees()
	standard, extended, ok := catalog.Support(s.Kubernetes)
	if !ok {
		m.warn(UnknownVersion, diag.Warning, "policy", fmt.Sprintf("wants Kubernetes %s, of which it is not known how long EKS supports it", s.Kubernetes),
			fmt.Sprintf("the fee is taken as %s an hour for ever; after standard support it is %s", hour(s.Fee), hour(s.ExtendedFee)))
		return
	}
	s.StandardUntil, s.ExtendedUntil = standard, extended
	until, err := time.Parse(time.DateOnly, standard)
	if err != nil || m.last.IsZero() || until.After(m.last.AddDate(0, soon, 0)) {
		return
	}
	more := (s.ExtendedFee - s.Fee).Month()
	if m.last.After(until) {
		m.warn(SupportEnds, diag.Warning, "Kubernetes "+s.Kubernetes, fmt.Sprintf("left standard support on %s: its control plane costs %s an hour, %s a month more", standard, hour(s.ExtendedFee), more),
			"choose a newer version in spec.target.kubernetes; EKS upgrades by force after "+extended)
		return
	}
	m.warn(SupportEnds, diag.Note, "Kubernetes "+s.Kubernetes, fmt.Sprintf("leaves standard support on %s: its control plane costs %s a month more from then on", standard, more),
		"upgrade before, or choose a newer version in spec.target.kubernetes")
}

// feeOn gives the control plane's price an hour on a day.
func (m *maker) feeOn(d time.Time) unit.Money {
	s := &m.bill.Support
	if s.StandardUntil != "" && d.Format(time.DateOnly) > s.StandardUntil {
		return s.ExtendedFee
	}
	return s.Fee
}

func (m *maker) warn(code diag.Code, severity diag.Severity, subject, problem, hint string) {
	m.diags = append(m.diags, diag.Diagnostic{Code: code, Severity: severity, Subject: subject, Problem: problem, Hint: hint})
}

// known reports whether both sides are known well enough to compare them.
func (m *maker) known() bool { return m.todayKnown && m.thenKnown && sum(m.now) > 0 }

// saving works out the shares, and what would have to give for the wish.
func (m *maker) saving() {
	today, then := sum(m.now), sum(m.then)
	m.bill.Saving = share(today-then, today)
	m.bill.Reachable = m.bill.Saving
	if m.Survival.Bound > 0 {
		least := then - sumOf(m.then, nodes) + m.Survival.Bound.Month()
		m.bill.Reachable = max(m.bill.Saving, share(today-least, today))
	}
	m.short(today, then)
}

// share gives a/b to a millionth.
func share(a, b unit.Money) float64 { return math.Round(1e6*float64(a)/float64(b)) / 1e6 }
