package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// A report prints each figure beside what is wanted. What is asserted and not so
// makes the run fail; what is measured is printed with its target.
type report struct {
	out    io.Writer
	failed int
	text   strings.Builder // of the section that is being written
	worse  bool            // something failed in it
	bad    []string        // the sections in which something failed
}

// zero asserts that a count is zero.
func (r *report) zero(what string, n int64) {
	r.line("  %-64s %10d   wanted 0           %s\n", what, n, r.held(n == 0))
}

// all asserts that n of n were so.
func (r *report) all(what string, n, of int) {
	r.line("  %-64s %6d/%-4d  wanted all         %s\n", what, n, of, r.held(n == of && of != 0))
}

// held is the word for what was asserted, and counts what is not so.
func (r *report) held(so bool) string {
	if so {
		return "ok"
	}
	r.failed++
	r.worse = true
	return "FAILED"
}

// most prints a figure with its target, which is not asserted.
func (r *report) most(what string, got float64, unit string, target float64) {
	r.line("  %-64s %10.4g %-3s target <= %-8.4g %s\n", what, got, unit, target, met(got <= target))
}

// least is its mirror.
func (r *report) least(what string, got float64, unit string, target float64) {
	r.line("  %-64s %10.4g %-3s target >= %-8.4g %s\n", what, got, unit, target, met(got >= target))
}

func met(so bool) string {
	if so {
		return "met"
	}
	return "MISSED"
}

// broken tells of a part that could not be carried through, which counts as failed.
func (r *report) broken(part string, err error) {
	r.line("  the part %s could not be carried through: %v %s\n", part, err, r.held(false))
}

func (r *report) note(format string, args ...any) { r.line("  "+format+"\n", args...) }

// section begins a part, or one fault of the part that has many.
func (r *report) section(name string) {
	r.close()
	r.line("\n== %s\n", name)
}

func (r *report) close() {
	if r.worse {
		r.bad = append(r.bad, r.text.String())
	}
	r.text.Reset()
	r.worse = false
}

// end prints each section again in which something failed, so that the last lines
// of a long output tell what it was, and how many did.
func (r *report) end(took time.Duration) {
	r.close()
	for _, s := range r.bad {
		fmt.Fprintf(r.out, "\nonce more, since something failed in it:%s", s)
	}
	fmt.Fprintf(r.out, "\ne2e: %d failed, %s\n", r.failed, took.Round(time.Second))
}

func (r *report) line(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	r.text.WriteString(text)
	fmt.Fprint(r.out, text)
}
