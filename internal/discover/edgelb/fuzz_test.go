package edgelb

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"github.com/tranship/tranship/internal/base/corpus"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/discover/discovertest"
)

// only gives a file system of one file of fsys.
func only(t testing.TB, fsys fs.FS, file string) fs.FS {
	t.Helper()
	data, err := fs.ReadFile(fsys, file)
	if err != nil {
		t.Fatal(err)
	}
	return fstest.MapFS{file: {Data: data}}
}

func FuzzPoolsNeverPanicAndNeverLoseALeaf(f *testing.F) {
	f.Add([]byte(linked(`{"marathon": {"serviceIDPattern": "(", "containerNamePattern": "["}, "endpoint": {"port": 1e9, "miscStr": "weight maxconn"}}`)))
	f.Add([]byte(`{"pools": [{"haproxy": {"frontends": {"a": null}, "backends": [[]]}}, null, 3]}`))
	f.Add([]byte(`[{"name": 3, "haproxy": {"frontends": [{"bindPort": "x", "protocol": {}, "linkBackend": []}], "backends": "x"}}]`))
	for _, file := range seeds(f) {
		f.Add(file)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		fsys := fstest.MapFS{"pool.json": {Data: data}, "apps.json": {Data: []byte(world)}}
		r := discover.Read(fsys, readers(), discover.Options{})
		for _, d := range r.Diags {
			if d.Code == "E001" {
				t.Errorf("the estate is not sound: %v", d)
			}
		}
		if w := r.Estate.Find("/edgelb/pools/edge"); w != nil {
			discovertest.Covered(t, fsys, "pool.json", r)
		}
	})
}

// seeds gives the corpus' pools, none where there is no corpus.
func seeds(f *testing.F) (out [][]byte) {
	if os.Getenv("TRANSHIP_CORPUS") == "" {
		if _, err := os.Stat("../../../../shared/corpus"); err != nil {
			return nil
		}
	}
	files, _ := filepath.Glob(filepath.Join(corpus.Dir(f), "haproxy/edgelb/*/*.json"))
	for _, name := range files {
		if data, err := os.ReadFile(name); err == nil {
			out = append(out, data)
		}
	}
	return out
}
