// Package page shows the witness' statement to people: one HTML page that needs
// nothing else, to be read on a screen or on paper. It takes a statement and
// gives the page. It never judges: what it shows is what was sealed.
package page

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"time"

	"github.com/tranship/tranship/internal/rollout/witness"
)

//go:embed page.html.tmpl
var text string

// A view is what the template is filled with.
type view struct {
	witness.Statement
	Title    string
	Says     string
	Findings []finding
	Units    []unit
}

// finding is one mark of a unit that is not as it was promised.
type finding struct {
	Unit string
	witness.Finding
}

type unit struct {
	witness.Proof
	Devices []device
	Axis    axis
}

type device struct {
	witness.DeviceProof
	Of   int64 // sequence numbers that were given
	Line line
}

// Write writes the page.
func Write(w io.Writer, s witness.Statement) error {
	t, err := template.New("page").Funcs(template.FuncMap{"time": clock, "count": count}).Parse(text)
	if err != nil {
		return fmt.Errorf("page of the witness: %w", err)
	}
	v := view{Statement: s, Title: "Witness", Says: says(s)}
	if s.Move != "" {
		v.Title += " of the move " + s.Move
	}
	for _, p := range s.Proofs {
		u := unit{Proof: p, Axis: axisOf(p)}
		for _, f := range p.Findings {
			v.Findings = append(v.Findings, finding{p.Unit, f})
		}
		most := u.Axis.most(p)
		for _, d := range p.Devices {
			u.Devices = append(u.Devices, device{DeviceProof: d, Of: d.Sum.Sent, Line: u.Axis.line(d, most)})
		}
		v.Units = append(v.Units, u)
	}
	if err := t.Execute(w, v); err != nil {
		return fmt.Errorf("page of the witness: %w", err)
	}
	return nil
}

// says puts the verdict into a sentence.
func says(s witness.Statement) string {
	switch s.Verdict {
	case witness.Fail:
		return fmt.Sprintf("%s acknowledged records are missing, %s are there more than once.", count(s.Sum.Missing), count(s.Sum.Duplicated))
	case witness.Pass:
		return fmt.Sprintf("All %s acknowledged records are there, each once.", count(s.Sum.Acknowledged))
	}
	if s.Sum.Acknowledged == 0 {
		return "No record was acknowledged, so nothing can be said."
	}
	return fmt.Sprintf("%s of %s acknowledged records could not be asked for yet; of the others none is missing.", count(int64(s.Unread)), count(s.Sum.Acknowledged))
}

func clock(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}

// count gives a number with thin gaps between thousands.
func count(n int64) string {
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "\u202f" + s[i:]
	}
	return s
}
