package field

import (
	"strconv"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/estate"
)

// Constraints reads a list of constraints in either form: ["hostname",
// "UNIQUE"], or an object with fieldName or attribute, operator and value. A
// pattern (LIKE, UNLIKE) has no Values yet: they come from the hosts, once all
// files are read.
func (s Scope) Constraints(v *jsonpos.Value) []estate.Constraint {
	if s.Empty(v) || !s.Is(v, jsonpos.Array) {
		return nil
	}
	var out []estate.Constraint
	for _, e := range v.Elems() {
		if s.Empty(e) {
			continue
		}
		p, ok := s.constraintParts(e)
		if !ok {
			continue
		}
		if c, ok := s.constraint(p); ok {
			out = append(out, c)
		}
	}
	return out
}

// parts are a constraint's leaves.
type parts struct{ whole, attribute, operator, value *jsonpos.Value }

func (s Scope) constraintParts(e *jsonpos.Value) (parts, bool) {
	p := parts{whole: e}
	switch e.Kind() {
	case jsonpos.Array:
		for i, x := range e.Elems() {
			switch {
			case x.Kind() == jsonpos.Array || x.Kind() == jsonpos.Object:
				s.badConstraint(p, "has a part that is "+x.Kind().String())
				return p, false
			case i == 0:
				p.attribute = x
			case i == 1:
				p.operator = x
			case i == 2:
				p.value = x
			default:
				s.badConstraint(p, "has more than three parts")
				return p, false
			}
		}
	case jsonpos.Object:
		p.attribute, p.operator, p.value = e.Get("fieldName"), e.Get("operator"), e.Get("value")
		if p.attribute == nil {
			p.attribute = e.Get("attribute")
		}
	default:
		s.wrong(e, "a constraint")
		return p, false
	}
	if p.attribute.Kind() != jsonpos.String || p.attribute.Text() == "" || p.operator.Kind() != jsonpos.String {
		s.badConstraint(p, "has no field or no operator")
		return p, false
	}
	return p, true
}

func (s Scope) badConstraint(p parts, problem string) {
	s.Report(BadConstraint, diag.Error, p.whole, "constraint "+problem,
		`the constraint was left out; the form is ["field", "OPERATOR", "value"]`)
	s.Note(p.whole, ledger.Dropped, BadConstraint, "", problem+", and was left out")
}

// noteParts enters a constraint's leaves under one ruling.
func (s Scope) noteParts(p parts, verdict ledger.Verdict, code diag.Code, reason string) {
	for _, v := range []*jsonpos.Value{p.attribute, p.operator, p.value} {
		if v != nil && !s.B.Noted(v) {
			s.Note(v, verdict, code, "pod#spec.affinity", reason)
		}
	}
}

// attribute gives a host's attribute in the estate's words.
func attribute(name string) string {
	if name == "@hostname" {
		return "hostname"
	}
	return name
}

func (s Scope) constraint(p parts) (estate.Constraint, bool) {
	op := strings.ToUpper(p.operator.Text())
	value := p.value.Text()
	c := estate.Constraint{Attribute: attribute(p.attribute.Text()), Source: p.attribute.Text() + " " + op}
	if value != "" {
		c.Source += " " + value
	}
	switch op {
	case "UNIQUE":
		s.unused(p)
		c.Rule, c.Source = estate.Apart, p.attribute.Text()+" "+op
		s.noteParts(p, ledger.Exact, Placement, "no two copies share a value: required anti-affinity")
	case "CLUSTER", "IS", "EQ":
		return s.cluster(p, c, op, value)
	case "LIKE", "UNLIKE":
		return s.like(p, c, op, value)
	case "GROUP_BY":
		c.Rule = estate.Spread
		if value == "" {
			s.noteParts(p, ledger.Approximate, PlacementSpread,
				"evenly over the values that nodes have; Marathon's order depended on the offers it got")
			return c, true
		}
		n, ok := count(value)
		if !ok {
			s.badConstraint(p, "has a number of groups that is no number above zero")
			return c, false
		}
		c.Count = n
		s.noteParts(p, ledger.Equivalent, PlacementSpread, "evenly over the values, at least that many: the nodes must have them")
	case "MAX_PER":
		n, ok := count(value)
		if !ok {
			s.badConstraint(p, "has a number of copies that is no number above zero")
			return c, false
		}
		c.Rule, c.Count = estate.AtMost, n
		if n == 1 {
			c.Rule, c.Count = estate.Apart, 0
			s.noteParts(p, ledger.Exact, Placement, "one copy a value: required anti-affinity")
			return c, true
		}
		s.noteParts(p, ledger.Approximate, PlacementAtMost,
			"Kubernetes has no such bound: evenly spread, which keeps it while there are nodes enough")
	default:
		s.badConstraint(p, "has an operator that Mesos does not know: "+p.operator.Text())
		return c, false
	}
	return c, true
}

// unused enters a value that the operator does not look at.
func (s Scope) unused(p parts) {
	if p.value != nil && !s.Empty(p.value) {
		s.Note(p.value, ledger.Informational, UnusedValue, "", "the operator takes no value")
	}
}

func count(text string) (int, bool) {
	n, err := strconv.Atoi(strings.TrimSpace(text))
	return n, err == nil && n > 0 && n < 1e6
}

func (s Scope) cluster(p parts, c estate.Constraint, op, value string) (estate.Constraint, bool) {
	if value == "" {
		if op != "CLUSTER" {
			s.badConstraint(p, "has no value")
			return c, false
		}
		c.Rule = estate.Together
		s.noteParts(p, ledger.Equivalent, Placement, "all copies share one value, that of the first: required affinity to itself")
		return c, true
	}
	c.Rule, c.Values = estate.In, []string{value}
	verdict, code, reason := pinned(c, ledger.Equivalent, Placement,
		"only nodes with that value, once nodes carry the attribute as a label")
	s.noteParts(p, verdict, code, reason)
	return c, true
}

func (s Scope) like(p parts, c estate.Constraint, op, value string) (estate.Constraint, bool) {
	if value == "" {
		s.badConstraint(p, "has no pattern")
		return c, false
	}
	c.Rule, c.Pattern = estate.In, value
	if op == "UNLIKE" {
		c.Rule = estate.NotIn
	}
	// Package names rules on it once all hosts are known.
	s.B.Text(discover.Text{
		Workload: s.ID, Place: estate.Place{Field: "constraint", Key: c.Source}, File: s.File, At: p.value,
	})
	verdict, code, reason := pinned(c, ledger.Approximate, PlacementByPattern,
		"the values that match today, as a closed list: nodes that come later are not looked at")
	s.noteParts(p, verdict, code, reason)
	return c, true
}

// pinned gives the ruling for a constraint with a value: one that names a
// machine or a place of the old world is for people to decide.
func pinned(c estate.Constraint, v ledger.Verdict, code diag.Code, reason string) (ledger.Verdict, diag.Code, string) {
	switch c.Attribute {
	case "hostname":
		return ledger.Decision, PinnedToHost,
			"names machines of the old world: find out why (data, licence, device); proposed is to ask for a node of that label"
	case "@zone", "@region":
		return ledger.Decision, PlaceName, "a zone or region of the old world; proposed is the same name, policy maps it"
	}
	return v, code, reason
}
