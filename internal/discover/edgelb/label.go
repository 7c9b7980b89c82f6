package edgelb

import (
	"strings"

	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/estate"
)

// AutoPool reads the labels by which Edge-LB makes pools of its own
// (discover.LabelReader). The pools that they made are in an export of all
// pools; the labels alone are decisions, and stay as annotations.
type AutoPool struct{}

// Claims says whether the label is Edge-LB's.
func (AutoPool) Claims(key string) bool { return strings.HasPrefix(key, "edgelb.") }

// ReadLabels notes each label.
func (AutoPool) ReadLabels(w *estate.Workload, labels []discover.Label, b *discover.Builder) {
	for _, l := range labels {
		switch l.At.Kind() {
		case jsonpos.Null:
			delete(w.Labels, l.Key)
			b.Note(l.File, w.ID, l.At, rule(ledger.Informational, discover.EmptyValue, "", "asks for nothing"))
			continue
		case jsonpos.Object, jsonpos.Array, jsonpos.Alias:
			delete(w.Labels, l.Key)
			b.Note(l.File, w.ID, l.At, rule(ledger.Dropped, discover.WrongType, "", "a label is a string; this one is not, and is left out"))
			continue
		}
		w.Labels[l.Key] = redact(l.Value)
		b.Note(l.File, w.ID, l.At, rule(ledger.Decision, AutoPoolLabel, "workload#metadata.annotations",
			"makes a pool by itself; proposed: none, an annotation; export the pool that it made (dcos edgelb list --json) to have its routes"))
	}
}
