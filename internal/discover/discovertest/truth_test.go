package discovertest_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/discover/discovertest"
	"github.com/tranship/tranship/internal/estate"
)

// reader reads {"id", "says"} and enters says under any verdict.
type reader struct {
	verdict ledger.Verdict
	uses    bool
}

func (r reader) Recognise(d *discover.Document) bool { return d.Root.Has("id") }

func (r reader) Read(d *discover.Document, b *discover.Builder) {
	w := estate.Workload{ID: "/a", Kind: estate.Infrastructure}
	if r.uses {
		w.Description = d.Root.Get("says").Text()
	}
	b.Add(w, diag.Pos{})
	b.Note(d.File, "/a", d.Root.Get("id"), discover.Ruling{Verdict: ledger.Decision, Code: "X001"})
	b.Note(d.File, "/a", d.Root.Get("says"), discover.Ruling{Verdict: r.verdict, Code: "X002"})
}

// recorder keeps what a test would have failed with.
type recorder struct {
	testing.TB
	said []string
}

func (r *recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.said = append(r.said, fmt.Sprintf(format, args...))
}

func TestTruthFindsALedgerThatLies(t *testing.T) {
	fsys := fstest.MapFS{"a.json": {Data: []byte("{\n  \"id\": \"/a\", \"says\": \"hé\\n\"}\n")}}
	for _, c := range []struct {
		name   string
		reader reader
		want   string
	}{
		{"exact and used", reader{ledger.Exact, true}, ""},
		{"exact and not used", reader{ledger.Exact, false}, "nothing changes"},
		{"dropped and not used", reader{ledger.Dropped, false}, ""},
		{"informational and used", reader{ledger.Informational, true}, "the output changes"},
		{"approximate and used", reader{ledger.Approximate, true}, ""},
		{"decision and not used", reader{ledger.Decision, false}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &recorder{TB: t}
			discovertest.Truth(r, []any{c.reader}, fsys, "a.json")
			said := strings.Join(r.said, "\n")
			if (c.want == "") != (said == "") || !strings.Contains(said, c.want) {
				t.Errorf("Truth says %q, want %q", said, c.want)
			}
		})
	}
}

func TestTruthLeavesUnreadableFilesAlone(t *testing.T) {
	fsys := fstest.MapFS{"a.json": {Data: []byte("{")}, "b.json": {Data: nil}}
	discovertest.Truth(t, []any{reader{}}, fsys, "a.json")
	discovertest.Truth(t, []any{reader{}}, fsys, "b.json")
	if jsonpos.Parse("b.json", nil).Root != nil {
		t.Error("an empty file has a root")
	}
}
