// Package ledger is the field ledger: what became of every field of every
// definition. It takes entries from the readers and gives them in input order.
// It never holds a field's value: secrets stay where they are.
package ledger

import (
	"bufio"
	"cmp"
	"encoding/json"
	"io"
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
)

// Verdict says how a field fares on the way to Kubernetes.
type Verdict string

// The verdicts, from none lost to no meaning.
const (
	Exact         Verdict = "exact"         // same behaviour
	Equivalent    Verdict = "equivalent"    // same under the condition in Reason
	Decision      Verdict = "decision"      // a choice; a default is proposed, policy can answer it
	Approximate   Verdict = "approximate"   // behaves differently, Reason says how
	Dropped       Verdict = "dropped"       // cannot be carried, Reason says what that costs
	Informational Verdict = "informational" // carries no behaviour
)

// Verdicts lists them in the order in which people read them.
func Verdicts() []Verdict {
	return []Verdict{Exact, Equivalent, Decision, Approximate, Dropped, Informational}
}

// An Entry says what became of one field. Its JSON keys stand in alphabetical
// order, so that what encoding/json writes is canonical as it is.
type Entry struct {
	// Answer is what policy chose for a decision, empty while it is open and
	// the default in Reason holds.
	Answer string    `json:"answer"`
	Code   diag.Code `json:"code"`
	Column int       `json:"column"`
	// Count is how many fields an evidence entry stands for, 0 for one field.
	Count   int    `json:"count,omitempty"`
	File    string `json:"file"`
	Line    int    `json:"line"`
	Pointer string `json:"pointer"`
	Reason  string `json:"reason"`
	// Target is where the field went: "FILE#PATH" once rendered, before that
	// a symbolic object ("workload", "service", ...) in place of the file.
	Target   string  `json:"target"`
	Verdict  Verdict `json:"verdict"`
	Workload string  `json:"workload"`
}

// Sort orders entries by file and place.
func Sort(entries []Entry) {
	slices.SortStableFunc(entries, func(a, b Entry) int {
		return cmp.Or(
			strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			strings.Compare(a.Pointer, b.Pointer))
	})
}

// Write gives one JSON object a line: the fields file.
func Write(w io.Writer, entries []Entry) error {
	buf := bufio.NewWriterSize(w, 1<<16)
	enc := json.NewEncoder(buf)
	enc.SetEscapeHTML(false)
	for i := range entries {
		if err := enc.Encode(&entries[i]); err != nil {
			return err
		}
	}
	return buf.Flush()
}

// A Tally counts entries by verdict and code.
type Tally struct {
	Verdict Verdict   `json:"verdict"`
	Code    diag.Code `json:"code"`
	Count   int       `json:"count"`
	Reason  string    `json:"reason"` // of the first such entry
}

// Count sums entries up by verdict, then by code.
func Count(entries []Entry) []Tally {
	type key struct {
		v Verdict
		c diag.Code
	}
	at := map[key]int{}
	var out []Tally
	for _, e := range entries {
		k := key{e.Verdict, e.Code}
		i, ok := at[k]
		if !ok {
			i = len(out)
			at[k] = i
			out = append(out, Tally{Verdict: e.Verdict, Code: e.Code, Reason: e.Reason})
		}
		out[i].Count += max(e.Count, 1)
	}
	order := Verdicts()
	slices.SortFunc(out, func(a, b Tally) int {
		return cmp.Or(
			cmp.Compare(slices.Index(order, a.Verdict), slices.Index(order, b.Verdict)),
			cmp.Compare(b.Count, a.Count), strings.Compare(string(a.Code), string(b.Code)))
	})
	return out
}
