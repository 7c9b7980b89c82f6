package fit

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/policy"
)

// A labelRule asks something of a node's label: one of values, none of them,
// or, without values, that it is there.
type labelRule struct {
	key    string
	values []string
	not    bool
}

type labelRules []labelRule

// String gives the rules as kubectl's selectors have them.
func (l labelRules) String() string {
	var out []string
	for _, r := range l {
		switch {
		case r.not:
			out = append(out, r.key+" not in ("+strings.Join(r.values, ", ")+")")
		case len(r.values) == 0:
			out = append(out, r.key)
		case len(r.values) == 1:
			out = append(out, r.key+"="+r.values[0])
		default:
			out = append(out, r.key+" in ("+strings.Join(r.values, ", ")+")")
		}
	}
	return strings.Join(out, ", ")
}

// hold reports whether nodes with those labels will do.
func (l labelRules) hold(labels map[string]string) bool {
	for _, r := range l {
		value, ok := labels[r.key]
		switch {
		case r.not:
			if ok && slices.Contains(r.values, value) {
				return false
			}
		case !ok, len(r.values) > 0 && !slices.Contains(r.values, value):
			return false
		}
	}
	return true
}

// choose gives labels that meet the rules, nil if none do.
func (l labelRules) choose() map[string]string {
	labels := map[string]string{}
	for _, r := range l {
		if r.not {
			continue
		}
		if len(r.values) == 0 {
			if labels[r.key] == "" {
				labels[r.key] = "any"
			}
			continue
		}
		for _, v := range r.values {
			with := maps.Clone(labels)
			with[r.key] = v
			if l.about(r.key).hold(with) {
				labels = with
				break
			}
		}
	}
	if !l.hold(labels) {
		return nil
	}
	return labels
}

// about gives the rules for one key.
func (l labelRules) about(key string) labelRules {
	var out labelRules
	for _, r := range l {
		if r.key == key {
			out = append(out, r)
		}
	}
	return out
}

// label gives every want the labels of its nodes. As many as can share nodes
// do: the value that most ask for goes on the nodes of all.
func (d *demand) label() {
	rest := slices.Clone(d.wants)
	for len(rest) > 0 {
		labels := d.popular(rest)
		var left []*want
		for _, x := range rest {
			if x.labels.hold(labels) {
				x.class.labels = written(labels)
			} else {
				left = append(left, x)
			}
		}
		if len(left) == len(rest) {
			// What most ask for suits nobody: take the first on its own.
			labels = rest[0].labels.choose()
			rest[0].class.labels = written(labels)
			left = rest[1:]
		}
		rest = left
	}
}

// popular gives for every key the value that suits most of the wants.
func (d *demand) popular(wants []*want) map[string]string {
	type vote struct{ key, value string }
	votes := map[vote]int{}
	for _, x := range wants {
		for key, value := range x.labels.choose() {
			if value != "any" || len(x.labels.about(key)) == 1 {
				votes[vote{key, value}]++
			}
			for _, r := range x.labels.about(key) {
				for _, v := range r.values {
					if v != value && !r.not {
						votes[vote{key, v}]++
					}
				}
			}
		}
	}
	order := slices.SortedFunc(maps.Keys(votes), func(a, b vote) int {
		return cmp.Or(cmp.Compare(votes[b], votes[a]), strings.Compare(a.key, b.key), strings.Compare(a.value, b.value))
	})
	labels := map[string]string{}
	for _, v := range order {
		if was, ok := labels[v.key]; !ok || was == "any" {
			labels[v.key] = v.value
		}
	}
	return labels
}

// written gives labels as one text, read gives them back.
func written(labels map[string]string) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(labels)) {
		out = append(out, k+"="+labels[k])
	}
	return strings.Join(out, ",")
}

func read(labels string) map[string]string {
	if labels == "" {
		return nil
	}
	out := map[string]string{}
	for part := range strings.SplitSeq(labels, ",") {
		key, value, _ := strings.Cut(part, "=")
		out[key] = value
	}
	return out
}

// labelKey is the label that takes an attribute's place in the manifests.
func labelKey(nodes *policy.Nodes, attribute string) string {
	if l := nodes.Labels[attribute]; l != "" {
		return l
	}
	return "mesos.attr/" + labelValue(strings.TrimPrefix(attribute, "@"))
}

// labelValue gives a label's value near to text, as the manifests do for what
// is short enough.
func labelValue(text string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		if r < 128 && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.", r)) {
			return r
		}
		return '-'
	}, text), "-_.")
}

// scalar rounds a number to three decimals, as Mesos compared them.
func scalar(value string) string {
	if !strings.Contains(value, ".") || strings.Trim(value, "0123456789.-") != "" {
		return value
	}
	f, err := strconv.ParseFloat(value, 64)
	if err != nil {
		return value
	}
	return strings.TrimRight(strings.TrimRight(strconv.FormatFloat(f, 'f', 3, 64), "0"), ".")
}

// A class is a kind of nodes that some workloads need and others do not share.
type class struct {
	purchase  plan.Purchase
	arch      string // joined by commas
	gpu, disk bool
	labels    string
}

func (k class) archs() []string { return strings.Split(k.arch, ",") }

// name tells classes apart in the names of pools.
func (k class) name() string {
	var out []string
	if k.purchase == plan.Spot {
		out = append(out, "spot")
	}
	if k.gpu {
		out = append(out, "gpu")
	}
	if k.disk {
		out = append(out, "nvme")
	}
	return strings.Join(out, "-")
}
