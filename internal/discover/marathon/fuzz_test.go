package marathon_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/discover/discovertest"
)

// seeds gives definitions to start from: our own, and the corpus' small ones
// where there is a corpus.
func seeds(f *testing.F) {
	for _, text := range whole {
		f.Add([]byte(text))
	}
	for _, text := range []string{
		"{\"id\": \"/a\", \"cmd\": \"x\"}\n0", `{"id": "/a 0.", "cmd": "x"}`, `{"apps": [{"id": "/", "cmd": "x"}, {"id": "..", "cmd": "x"}]}`,
		`{"id": "/a", "cmd": "x", "cmd": "y"`, `[[[{"id": "/a", "cmd": 1}]]]`, `{"id": "/a", "ports": [0, 0, 0], "healthChecks": [{"port": 0}]}`,
	} {
		f.Add([]byte(text))
	}
	dir := os.Getenv("TRANSHIP_CORPUS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "..", "shared", "corpus")
	}
	_ = fs.WalkDir(os.DirFS(dir), "marathon/apps", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".json" {
			return nil
		}
		if data, err := os.ReadFile(filepath.Join(dir, path)); err == nil && len(data) < 4000 {
			f.Add(data)
		}
		return nil
	})
}

func FuzzReader(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		fsys := fstest.MapFS{"app.json": {Data: data}}
		r := discover.Read(fsys, readers, discover.Options{})
		for _, d := range r.Diags {
			if d.Code == "E001" {
				t.Errorf("an estate that breaks its own rules: %s", d)
			}
		}
		if len(r.Estate.Workloads) > 0 && !discovertest.Codes(r)[discover.BrokenSyntax] {
			discovertest.Covered(t, fsys, "app.json", r)
		}
	})
}
