package mesos

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
)

// attributes reads an agent's attributes: an object in the state, a list of
// typed values in the operator API.
func (s *scan) attributes(h *host, v *jsonpos.Value) {
	if v.Kind() == jsonpos.Object {
		for _, e := range v.Elems() {
			switch e.Kind() {
			case jsonpos.Number:
				s.attribute(h, e.Key(), scalar(e.Text()), e)
			case jsonpos.String:
				s.attribute(h, e.Key(), spelled(e.Text()), e)
			}
		}
		return
	}
	for _, e := range s.each(v) {
		name := get(e, "name")
		if text(name) == "" {
			continue
		}
		value, leaves := typed(e)
		if len(leaves) == 0 {
			s.warn(BadEvidence, e, "attribute "+text(name), "has no value of its type, and was left out", "export it again")
			continue
		}
		s.attribute(h, text(name), value, append(leaves, name, get(e, "type"))...)
	}
}

func (s *scan) attribute(h *host, name, value string, leaves ...*jsonpos.Value) {
	if h.Attributes == nil {
		h.Attributes = map[string]string{}
	}
	h.Attributes[name] = value
	for _, v := range leaves {
		s.note(v, ledger.Decision, AttributeSeen, "policy#spec.nodes",
			"constraints on it are compared with this value; a node label of the same name is proposed")
	}
}

// typed gives a typed attribute as Marathon compares it, and the leaves it
// stands in.
func typed(e *jsonpos.Value) (string, []*jsonpos.Value) {
	if v := get(get(e, "text"), "value"); v != nil && v.IsLeaf() {
		return text(v), []*jsonpos.Value{v}
	}
	if v := get(get(e, "scalar"), "value"); v != nil && v.IsLeaf() {
		return scalar(text(v)), []*jsonpos.Value{v}
	}
	if set := get(e, "set"); set != nil {
		var items []string
		var leaves []*jsonpos.Value
		for _, v := range get(set, "item").Elems() {
			items, leaves = append(items, text(v)), append(leaves, v)
		}
		return formatSet(items), leaves
	}
	var all []span
	var leaves []*jsonpos.Value
	for _, r := range get(get(e, "ranges"), "range").Elems() {
		begin, end := get(r, "begin"), get(r, "end")
		all, leaves = append(all, span{text(begin), text(end)}), append(leaves, begin, end)
	}
	return formatRanges(all), leaves
}

// scalar rounds to three decimals, half to even, without trailing zeroes.
func scalar(literal string) string {
	f, err := strconv.ParseFloat(literal, 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) || math.Abs(f) >= 1e15 {
		return literal
	}
	out := strconv.FormatFloat(math.RoundToEven(f*1000)/1000, 'f', -1, 64)
	if out == "-0" {
		return "0"
	}
	return out
}

// spelled brings a range or set that the state spells as text into the form
// in which it is compared; other text stays as it is.
func spelled(s string) string {
	inner, isSet := strings.CutPrefix(s, "{")
	if in, ok := strings.CutSuffix(inner, "}"); isSet && ok {
		items := strings.Split(in, ",")
		for i := range items {
			items[i] = strings.TrimSpace(items[i])
		}
		return formatSet(items)
	}
	inner, isRanges := strings.CutPrefix(s, "[")
	in, ok := strings.CutSuffix(inner, "]")
	if !isRanges || !ok {
		return s
	}
	var all []span
	for part := range strings.SplitSeq(in, ",") {
		begin, end, ok := strings.Cut(strings.TrimSpace(part), "-")
		if _, err := strconv.ParseUint(begin, 10, 64); err != nil || !ok {
			return s
		}
		all = append(all, span{begin, end})
	}
	return formatRanges(all)
}

type span struct{ begin, end string }

func formatRanges(all []span) string {
	slices.SortFunc(all, func(a, b span) int {
		return cmp.Or(cmp.Compare(len(a.begin), len(b.begin)), strings.Compare(a.begin, b.begin))
	})
	parts := make([]string, 0, len(all))
	for _, r := range all {
		parts = append(parts, r.begin+"-"+r.end)
	}
	return "[" + strings.Join(parts, ",") + "]"
}

func formatSet(items []string) string {
	slices.Sort(items)
	return "{" + strings.Join(items, ",") + "}"
}

// parse reads an amount.
func parse(literal string) (float64, bool) {
	f, err := strconv.ParseFloat(literal, 64)
	return f, err == nil && f >= 0 && !math.IsInf(f, 0) && !math.IsNaN(f)
}
