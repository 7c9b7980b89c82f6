package swarm_test

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/tranship/tranship/internal/base/corpus"
	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/yamlpos"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/discover/discovertest"
	"github.com/tranship/tranship/internal/discover/swarm"
	"github.com/tranship/tranship/internal/world/compose"
)

var readers = []any{swarm.Reader{Loader: compose.Loader{}}}

func TestEveryCodeHasAnExample(t *testing.T) {
	discovertest.Examples(t, "codes.go", readers, "ProjectTaken")
}

// corpusFiles gives each file of the corpus as a snapshot of its own.
func corpusFiles(t testing.TB, f func(name string, snapshot fs.FS, data []byte)) {
	root, files := corpus.Files(t, []string{"compose"}, ".yml", ".yaml")
	for _, name := range files {
		data, err := fs.ReadFile(root, name)
		if err != nil {
			t.Fatal(err)
		}
		f(name, fstest.MapFS{name: {Data: data}}, data)
	}
}

// written counts the services that a file writes down.
func written(data []byte) int {
	docs, _ := yamlpos.Parse("x", data)
	n := 0
	for _, d := range docs {
		if s := d.Get("services"); s.Kind() == jsonpos.Object {
			n += len(s.Elems())
		}
	}
	return n
}

// notCompose are files of the corpus that look alike and are not Compose's.
var notCompose = []string{"values-staging.yaml"}

func TestCorpusYieldsAllServicesAndAllLeaves(t *testing.T) {
	refused := map[diag.Code]int{}
	total, files := 0, 0
	corpusFiles(t, func(name string, snapshot fs.FS, data []byte) {
		r := discover.Read(snapshot, readers, discover.Options{})
		want := written(data)
		for _, x := range notCompose {
			if strings.HasSuffix(name, x) {
				want = 0
			}
		}
		if got := len(r.Estate.Workloads); got != want {
			t.Errorf("%s gives %d workloads, want %d: %v", name, got, want, r.Diags)
		}
		total += len(r.Estate.Workloads)
		files++
		for _, d := range r.Diags {
			refused[d.Code]++
			if d.Severity == diag.Error {
				t.Logf("%v", d)
			}
		}
		if len(r.Ledger) > 0 {
			discovertest.Covered(t, snapshot, name, r)
		}
		for _, e := range r.Ledger {
			if e.Code == discover.UnknownKey {
				t.Logf("%s:%d: unknown %s", e.File, e.Line, e.Pointer)
			}
		}
	})
	t.Logf("%d files, %d workloads, diagnostics by code: %v", files, total, refused)
}

func read(text string) discover.Result {
	return discovertest.Read(readers, map[string]string{"shop/compose.yaml": text})
}
