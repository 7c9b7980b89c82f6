package marathon_test

import (
	"encoding/json"
	"io/fs"
	"testing"
	"testing/fstest"
)

// sub gives a file system that holds one file.
func sub(t testing.TB, fsys fs.FS, file string) fs.FS {
	t.Helper()
	data, err := fs.ReadFile(fsys, file)
	if err != nil {
		t.Fatal(err)
	}
	return fstest.MapFS{file: {Data: data}}
}

func show(t testing.TB, v any) string {
	t.Helper()
	b, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
