package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/tranship/tranship/lab/judge"
)

// report is what the whole run has found.
type report struct {
	Server    string         `json:"server"`
	Summary   string         `json:"summary"`
	Submitted int            `json:"submitted"`
	Refused   int            `json:"refused"`
	Warned    int            `json:"warned"`
	Without   int            `json:"definitionsWithoutObjects"`
	ByCode    map[string]int `json:"byCode"`
	Estates   []estate       `json:"estates"`
}

// gather adds the estates up. A fault of the program counts as a refusal: there is nothing to be taken.
func gather(server string, estates []estate) report {
	r := report{Server: server, ByCode: map[string]int{}, Estates: estates}
	for i := range estates {
		e := &estates[i]
		if e.Fault != "" {
			e.Refused = append([]judge.Refusal{{File: e.File, Object: "(none)", Message: e.Fault}}, e.Refused...)
		}
		r.Submitted += e.Submitted
		r.Refused += len(e.Refused)
		r.Warned += len(e.Warnings)
		if e.Submitted == 0 {
			r.Without++
			r.ByCode[e.Code]++
		}
	}
	var codes []string
	for _, c := range slices.Sorted(maps.Keys(r.ByCode)) {
		codes = append(codes, fmt.Sprintf("%s=%d", c, r.ByCode[c]))
	}
	if len(codes) == 0 {
		codes = []string{"none"}
	}
	r.Summary = fmt.Sprintf("submitted %d, refused %d, definitions without objects %d, by code: %s", r.Submitted, r.Refused, r.Without, strings.Join(codes, " "))
	return r
}

// ok is whether the run has proved something: something was submitted and nothing refused.
func (r report) ok() bool { return r.Submitted > 0 && r.Refused == 0 }

// table writes for people; the summary is the last line.
func (r report) table(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	if r.Refused > 0 {
		fmt.Fprintln(t, "REFUSED\tFILE\tOBJECT\tMESSAGE")
		for _, e := range r.Estates {
			for _, f := range e.Refused {
				fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", e.File, f.File, f.Object, oneLine(f.Message))
			}
		}
		fmt.Fprintln(t)
	}
	if r.Without > 0 {
		fmt.Fprintln(t, "CODE\tDEFINITION WITHOUT OBJECTS\tREASON")
		for _, c := range slices.Sorted(maps.Keys(r.ByCode)) {
			for _, e := range r.Estates {
				if e.Submitted == 0 && e.Code == c {
					fmt.Fprintf(t, "%s\t%s\t%s\n", c, e.File, oneLine(e.Message))
				}
			}
		}
		fmt.Fprintln(t)
	}
	for text, n := range warnings(r.Estates) {
		fmt.Fprintf(t, "%d warned:\t%s\n", n, text)
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	_, err := fmt.Fprintln(w, r.Summary)
	return err
}

// json writes for programs.
func (r report) json(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(r)
}

// warnings counts the server's warnings by their words after the place, in the order of the words.
func warnings(estates []estate) func(func(string, int) bool) {
	count := map[string]int{}
	for _, e := range estates {
		for _, w := range e.Warnings {
			text := oneLine(w.Message)
			if _, after, ok := strings.Cut(text, ": "); ok && strings.HasPrefix(text, "spec") {
				text = after
			}
			count[text]++
		}
	}
	return func(yield func(string, int) bool) {
		for _, text := range slices.Sorted(maps.Keys(count)) {
			if !yield(text, count[text]) {
				return
			}
		}
	}
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
