// Package haproxy reads what the labels of an application tell an edge load
// balancer: marathon-lb's first of all, and those of its neighbours. It takes
// labels and the ports of the workloads that they stand on, and gives routes,
// with a ledger entry for each label. It never lets a password or its hash go
// further than the snapshot.
package haproxy

import (
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/discover/field"
	"github.com/tranship/tranship/internal/estate"
)

// Reader reads marathon-lb's labels (discover.LabelReader) and makes routes of
// them once all ports are known (discover.Finisher). One Reader reads one
// snapshot at a time.
type Reader struct {
	apps []*app
	byID map[estate.Name]*app
}

// New gives a Reader that has read nothing.
func New() *Reader { return &Reader{byID: map[estate.Name]*app{}} }

// An app is what one workload's labels say.
type app struct {
	w *estate.Workload
	// global labels by name ("GROUP"), the others by port index and name.
	global map[string]discover.Label
	ports  map[int]map[string]discover.Label
	first  discover.Label
}

// Claims says whether the label is marathon-lb's.
func (r *Reader) Claims(key string) bool { return strings.HasPrefix(key, "HAPROXY_") }

// ReadLabels keeps w's labels for Finish and notes each.
func (r *Reader) ReadLabels(w *estate.Workload, labels []discover.Label, b *discover.Builder) {
	a := r.app(w)
	for _, l := range labels {
		if !scalar(w, l, b) {
			continue
		}
		if a.first.At == nil {
			a.first = l
		}
		k, known := parseKey(l.Key)
		l.Value = keep(w, l, k, b)
		switch {
		case !known:
			unknownLabel(w, l, b)
			continue
		case k.perPort:
			if a.ports[k.index] == nil {
				a.ports[k.index] = map[string]discover.Label{}
			}
			a.ports[k.index][k.name] = l
		default:
			a.global[k.name] = l
		}
		note(b, w, l, k.rule.ruling)
		if k.rule.template {
			b.Text(discover.Text{
				Workload: w.ID, Place: estate.Place{Field: "label", Key: l.Key}, File: l.File, At: l.At, Raw: l.Value,
			})
		}
	}
	blueGreen(a)
}

func (r *Reader) app(w *estate.Workload) *app {
	if a := r.byID[w.ID]; a != nil {
		return a
	}
	a := &app{w: w, global: map[string]discover.Label{}, ports: map[int]map[string]discover.Label{}}
	r.apps = append(r.apps, a)
	r.byID[w.ID] = a
	return a
}

// scalar reports whether the label has a value that a label can have. What has
// none leaves the workload's labels.
func scalar(w *estate.Workload, l discover.Label, b *discover.Builder) bool {
	switch l.At.Kind() {
	case jsonpos.Null:
		delete(w.Labels, l.Key)
		note(b, w, l, discover.Ruling{
			Verdict: ledger.Informational, Code: discover.EmptyValue, Reason: "asks for nothing",
		})
		return false
	case jsonpos.Object, jsonpos.Array, jsonpos.Alias:
		delete(w.Labels, l.Key)
		note(b, w, l, discover.Ruling{
			Verdict: ledger.Dropped, Code: discover.WrongType,
			Reason: "a label is a string; this one is not, and is left out",
		})
		return false
	}
	return true
}

// keep takes what is secret out of the label, here and in the workload's
// annotations, and gives the value that may go on.
func keep(w *estate.Workload, l discover.Label, k key, b *discover.Builder) string {
	if k.rule.secret {
		delete(w.Labels, l.Key)
		declare(b, w, l)
		i := strings.LastIndexByte(l.Value, ':')
		return l.Value[:max(i, 0)] // realm and user; the hash stays behind
	}
	clean, found := redact(l.Value)
	if !found {
		return l.Value
	}
	w.Labels[l.Key] = clean
	if !k.rule.template {
		return clean
	}
	declare(b, w, l)
	return clean
}

func note(b *discover.Builder, w *estate.Workload, l discover.Label, r discover.Ruling) {
	b.Note(l.File, w.ID, l.At, r)
}

func report(b *discover.Builder, w *estate.Workload, l discover.Label, d diag.Diagnostic) {
	d.Pos, d.Subject = l.At.Pos(l.File), discover.Subject("app", w.ID)
	b.Report(d)
}

func unknownLabel(w *estate.Workload, l discover.Label, b *discover.Builder) {
	note(b, w, l, discover.Ruling{
		Verdict: ledger.Equivalent, Code: UnknownLabel, Target: annotations,
		Reason: "an annotation; marathon-lb has no such label and did nothing with it",
	})
	report(b, w, l, diag.Diagnostic{
		Code: UnknownLabel, Severity: diag.Warning, Problem: "has label " + l.Key + ", which marathon-lb does not know",
		Hint: "it had no effect; if a word is misspelt, what it was meant to do is not done today either",
	})
}

// declare adds the value of label l to the workload's own secret for the edge.
func declare(b *discover.Builder, w *estate.Workload, l discover.Label) estate.SecretRef {
	return field.Scope{B: b, File: l.File, ID: w.ID, Kind: "app"}.Keep(w, "edge", "", l.Key, l.At)
}
