package app_test

import (
	"bytes"
	"testing"
	"testing/fstest"

	"github.com/tranship/tranship/internal/app"
	"github.com/tranship/tranship/internal/base/corpus"
	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/discover/discovertest"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/render"
)

// TestTheLedgerTellsTheTruth changes the leaves of every definition of the
// corpus: one that is exact or equivalent must change what is rendered, one
// that is dropped or informational must not. The report is left out of this:
// it counts verdicts, which a changed field may well change.
func TestTheLedgerTellsTheTruth(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: short")
	}
	fsys, files := corpus.Files(t, []string{"marathon", "metronome", "haproxy/edgelb", "mesos"}, ".json")
	for _, file := range files {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			discovertest.TruthOf(t, fsys, file, func(data []byte) discovertest.Outcome { return through(t, file, data) })
		})
	}
}

// through runs the stages on one file and gives all that is written.
func through(t testing.TB, file string, data []byte) discovertest.Outcome {
	t.Helper()
	r := discover.Read(fstest.MapFS{file: {Data: data}}, app.Readers(), discover.Options{})
	p, diags, err := app.Plan(r.Estate, policy.Default(), "2026-11-24")
	if err != nil {
		t.Fatal(err)
	}
	out, list := written(t, &p)
	return discovertest.Outcome{Ledger: p.Ledger, Refused: errorsOf(r.Diags) + errorsOf(diags) + errorsOf(list), Output: out}
}

func written(t testing.TB, p *plan.Plan) (string, diag.List) {
	t.Helper()
	var b bytes.Buffer
	r, err := app.Render(p, render.Options{}, func(f render.File) error {
		b.WriteString("=== " + f.Path + "\n")
		b.Write(f.Data)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return b.String(), r.Diags
}

func errorsOf(l diag.List) int {
	n := 0
	for _, d := range l {
		if d.Severity == diag.Error {
			n++
		}
	}
	return n
}
