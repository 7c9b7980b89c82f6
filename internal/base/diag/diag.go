// Package diag holds what is said about bad input: diagnostics with a lasting
// code, a place, a reason and a hint. It takes what readers found and gives a
// sorted list. It never decides what happens next: the caller does, by asking
// for the worst severity.
package diag

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
)

// A Code names one kind of diagnostic or ledger entry for ever: a letter for
// the family and three digits. Codes are never reused.
type Code string

// Severity says what a diagnostic costs.
type Severity string

// The severities, worst first.
const (
	Error   Severity = "error"   // a definition, or a part of it, was left out
	Warning Severity = "warning" // read, but the result may surprise
	Note    Severity = "note"    // worth knowing
)

// Pos is a place in an input file. Line and Column count from 1, columns in
// bytes; zero means that the place is the file as a whole.
type Pos struct {
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
}

// String gives file:line:column as compilers print it.
func (p Pos) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column)
}

// A Diagnostic is one finding about the input.
type Diagnostic struct {
	Code     Code     `json:"code"`
	Severity Severity `json:"severity"`
	Pos      Pos      `json:"pos"`
	Subject  string   `json:"subject"` // what it is about: "app /shop/cart"
	Problem  string   `json:"problem"` // one clause: "has no health check"
	Hint     string   `json:"hint,omitempty"`
}

// String gives the diagnostic on one line, without its hint.
func (d Diagnostic) String() string {
	s := string(d.Severity) + ": "
	if at := d.Pos.String(); at != "" {
		s = at + ": " + s
	}
	if d.Subject != "" {
		s += d.Subject + ": "
	}
	return s + d.Problem + " [" + string(d.Code) + "]"
}

// List is what was found; nil is a valid empty list.
type List []Diagnostic

// HasErrors reports whether any part of the input was left out.
func (l List) HasErrors() bool {
	return slices.ContainsFunc(l, func(d Diagnostic) bool { return d.Severity == Error })
}

// Sort orders the list by file, place, code and text, so that the same
// findings print the same way whatever order they were made in.
func (l List) Sort() {
	slices.SortStableFunc(l, func(a, b Diagnostic) int {
		return cmp.Or(
			strings.Compare(a.Pos.File, b.Pos.File),
			cmp.Compare(a.Pos.Line, b.Pos.Line),
			cmp.Compare(a.Pos.Column, b.Pos.Column),
			strings.Compare(string(a.Code), string(b.Code)),
			strings.Compare(a.Subject, b.Subject),
			strings.Compare(a.Problem, b.Problem),
		)
	})
}

// Print writes the list for people, each diagnostic with its hint below it.
func (l List) Print(w io.Writer) error {
	for _, d := range l {
		s := visible(d.String()) + "\n"
		if d.Hint != "" {
			s += "\thint: " + visible(d.Hint) + "\n"
		}
		if _, err := io.WriteString(w, s); err != nil {
			return err
		}
	}
	return nil
}

// visible replaces what would steer a terminal: names come from the input.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return '\uFFFD'
		}
		return r
	}, s)
}
