package names

import (
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/tranship/tranship/internal/base/corpus"
	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/estate"
)

// everything takes every string of a document for a text of one workload.
type everything struct{}

func (everything) Recognise(*discover.Document) bool { return true }

func (everything) Read(d *discover.Document, b *discover.Builder) {
	w := b.Add(estate.Workload{
		ID: "/one", Kind: estate.Service, Containers: []estate.Container{{Name: "main"}}, Origin: estate.Origin{File: d.File},
	}, d.Root.Pos(d.File))
	d.Root.Leaves(func(v *jsonpos.Value) {
		b.Note(d.File, "/one", v, discover.Ruling{Verdict: ledger.Exact, Code: "T001"})
		if w != nil && v.Kind() == jsonpos.String {
			b.Text(discover.Text{Workload: w.ID, Place: estate.Place{Field: "env"}, File: d.File, At: v})
		}
	})
}

// TestEveryOldNameOfTheCorpusIsFound counts what is found, and holds it against
// a search that knows nothing but the two suffixes.
func TestEveryOldNameOfTheCorpusIsFound(t *testing.T) {
	fsys, files := corpus.Files(t, []string{"marathon", "metronome"}, ".json")
	codes := map[string]int{}
	names := 0
	for _, file := range files {
		data, err := fs.ReadFile(fsys, file)
		if err != nil {
			t.Fatal(err)
		}
		r := discover.Read(fstest.MapFS{file: {Data: data}}, []any{everything{}, New()}, discover.Options{})
		found := map[string]bool{}
		for _, d := range r.Estate.Dependencies {
			found[d.At.Pointer+" "+d.Match] = true
			names++
		}
		for _, e := range r.Ledger {
			if strings.HasPrefix(string(e.Code), "N") {
				codes[string(e.Code)]++
			}
		}
		jsonpos.Parse(file, data).Root.Leaves(func(v *jsonpos.Value) {
			for _, suffix := range []string{".mesos", ".thisdcos.directory"} {
				for rest := v.Text(); v.Kind() == jsonpos.String; {
					i := strings.Index(rest, suffix)
					if i < 0 {
						break
					}
					before, after := rest[:i], rest[i+len(suffix):]
					rest = after
					if after != "" && strings.IndexByte("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.", after[0]) >= 0 {
						continue // a longer word
					}
					j := strings.LastIndexAny(before, " /,;:=@\"'(){}<>\t\n[]|$")
					if j >= 0 && before[j] == '/' && !strings.HasSuffix(before[:j+1], "//") || j == len(before)-1 {
						continue // a path, or no name before it
					}
					hit := false
					for k := range found {
						hit = hit || strings.HasPrefix(k, v.Pointer()+" ") && strings.Contains(k, before[j+1:]+suffix)
					}
					if !hit {
						t.Errorf("%s:%d:%d: %q is not found", file, v.Line(), v.Column(), before[j+1:]+suffix)
					}
				}
			}
		})
	}
	for _, code := range slices.Sorted(maps.Keys(codes)) {
		t.Logf("%s %d texts", code, codes[code])
	}
	t.Logf("%d names in %d files", names, len(files))
}
