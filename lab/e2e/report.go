package main

import (
	"fmt"
	"io"
)

// A report prints each figure beside what is wanted. What is asserted and not so
// makes the run fail; what is measured is printed with its target.
type report struct {
	out    io.Writer
	failed int
}

// zero asserts that a count is zero.
func (r *report) zero(what string, n int64) {
	verdict := "ok"
	if n != 0 {
		verdict = "FAILED"
		r.failed++
	}
	fmt.Fprintf(r.out, "  %-64s %10d   wanted 0           %s\n", what, n, verdict)
}

// all asserts that n of n were so.
func (r *report) all(what string, n, of int) {
	verdict := "ok"
	if n != of || of == 0 {
		verdict = "FAILED"
		r.failed++
	}
	fmt.Fprintf(r.out, "  %-64s %6d/%-4d  wanted all         %s\n", what, n, of, verdict)
}

// most prints a figure with its target, which is not asserted.
func (r *report) most(what string, got float64, unit string, target float64) {
	verdict := "met"
	if got > target {
		verdict = "MISSED"
	}
	fmt.Fprintf(r.out, "  %-64s %10.4g %-3s target <= %-8.4g %s\n", what, got, unit, target, verdict)
}

// least is its mirror.
func (r *report) least(what string, got float64, unit string, target float64) {
	verdict := "met"
	if got < target {
		verdict = "MISSED"
	}
	fmt.Fprintf(r.out, "  %-64s %10.4g %-3s target >= %-8.4g %s\n", what, got, unit, target, verdict)
}

func (r *report) note(format string, args ...any) { fmt.Fprintf(r.out, "  "+format+"\n", args...) }

func (r *report) part(name string) { fmt.Fprintf(r.out, "\n== %s\n", name) }
