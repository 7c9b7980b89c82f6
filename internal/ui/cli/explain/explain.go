// Package explain tells why a plan has something as it is: where a workload
// runs, what a pool is for, what a wave waits for. It takes a plan and a name
// and gives an answer with its reason, its numbers and what else there was. It
// never works anything out anew: what it says stands in the plan.
package explain

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/plan"
)

// An Answer is shown to people by Print, and to programs as JSON.
type Answer interface{ Print(w io.Writer) error }

// nearest bounds the names that an error proposes.
const nearest = 5

// Unknown is the error for a name that is not there: it has the nearest names
// and the command that lists all.
func Unknown(what, list, name string, names []string) error {
	near := ""
	if found := Near(name, names); len(found) > 0 {
		near = "; near: " + strings.Join(found, " ")
	}
	return fmt.Errorf("no %s %s in the plan%s; all are listed by: tranship explain %s --plan plan.json", what, name, near, list)
}

// Near gives the names that are most like one, the most like it first.
func Near(name string, names []string) []string {
	type candidate struct {
		name string
		far  int
	}
	bare := strings.ToLower(strings.Trim(name, "/"))
	var all []candidate
	for _, n := range names {
		lower := strings.ToLower(strings.Trim(n, "/"))
		// Who knows only a part of a name means it.
		far := distance(bare, lower)
		if i := strings.LastIndexByte(lower, '/'); i >= 0 {
			far = min(far, distance(bare, lower[i+1:])+1)
		}
		if bare != "" && strings.Contains(lower, bare) {
			far = 0
		}
		if far <= max(len(bare)/2, 2) {
			all = append(all, candidate{n, far})
		}
	}
	slices.SortFunc(all, func(a, b candidate) int {
		return cmp.Or(cmp.Compare(a.far, b.far), cmp.Compare(len(a.name), len(b.name)), strings.Compare(a.name, b.name))
	})
	var out []string
	for _, c := range all[:min(len(all), nearest)] {
		out = append(out, c.name)
	}
	return out
}

// distance is how many letters have to change (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		last := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := last
			if a[i] != b[j] {
				change++
			}
			last = row[j+1]
			row[j+1] = min(change, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}

// A printer writes lines and columns, and keeps the first error.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

func (p *printer) columns(rows ...[]string) {
	if p.err != nil {
		return
	}
	tw := tabwriter.NewWriter(p.w, 0, 4, 2, ' ', 0)
	for _, r := range rows {
		if _, p.err = fmt.Fprintln(tw, strings.Join(r, "\t")); p.err != nil {
			return
		}
	}
	p.err = tw.Flush()
}

// because joins a reason with its sentence.
func because(r plan.Reason, why string) string {
	if why == "" {
		why = r.Meaning()
	}
	if why == string(r) || r == "" {
		return why
	}
	return string(r) + ": " + why
}

// memory gives an amount for people: plan files keep the exact one.
func memory(b unit.Bytes) string {
	switch {
	case b >= 10*unit.GiB:
		return fmt.Sprintf("%.0fGi", float64(b)/float64(unit.GiB))
	case b >= unit.GiB:
		return strings.Replace(fmt.Sprintf("%.1fGi", float64(b)/float64(unit.GiB)), ".0Gi", "Gi", 1)
	}
	return fmt.Sprintf("%.0fMi", float64(b)/float64(unit.MiB))
}

// cores gives a sum of CPU for people.
func cores(c unit.CPU) string { return strconv.FormatFloat(float64(c)/1000, 'f', -1, 64) }

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	if base, ok := strings.CutSuffix(what, "y"); ok {
		return fmt.Sprintf("%d %sies", n, base)
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// share gives a part in percent.
func share[T unit.CPU | unit.Bytes | int](part, whole T) string {
	if whole <= 0 {
		return ""
	}
	return fmt.Sprintf("%.0f %%", 100*float64(part)/float64(whole))
}
