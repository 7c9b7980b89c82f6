// Package corpus finds the shared corpus of real definitions for tests. It
// takes nothing and gives a file system, or skips the test where there is
// none. It never copies a file of it into the project.
package corpus

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// Dir gives the corpus' folder: that of TRANSHIP_CORPUS, else shared/corpus
// beside the checkout. Without one the test is skipped.
func Dir(t testing.TB) string {
	t.Helper()
	if dir := os.Getenv("TRANSHIP_CORPUS"); dir != "" { //nolint:forbidigo // where a test finds its data
		return dir
	}
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for dir := wd; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		c := filepath.Join(dir, "shared", "corpus")
		if st, err := os.Stat(c); err == nil && st.IsDir() {
			return c
		}
	}
	t.Skip("skipped: no corpus")
	return ""
}

// Files gives the paths, relative to the corpus, of the files in the named
// folders whose names end in one of the suffixes.
func Files(t testing.TB, folders []string, suffixes ...string) (fs.FS, []string) {
	t.Helper()
	root := os.DirFS(Dir(t))
	var out []string
	for _, folder := range folders {
		err := fs.WalkDir(root, folder, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			for _, s := range suffixes {
				if filepath.Ext(path) == s {
					out = append(out, path)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return root, out
}

// Beside reads a file of the reference folder that lies beside the corpus, or
// skips the test where there is none.
func Beside(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(filepath.Dir(Dir(t)), "reference", path))
	if err != nil {
		t.Skip("skipped: no reference beside the corpus")
	}
	return b
}
