package app_test

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/tranship/tranship/internal/app"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/estate"
)

func read(fsys fs.FS) discover.Result {
	return discover.Read(fsys, app.Readers(), discover.Options{})
}

func app1(id string) string {
	return fmt.Sprintf(`{"id": %q, "container": {"type": "DOCKER", "docker": {"image": "a:1"}}}`, id)
}

// TestALargeFileIsReadWhole reads 40 MB of apps in one file.
func TestALargeFileIsReadWhole(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: short")
	}
	var b strings.Builder
	b.WriteString(`{"apps": [`)
	pad := strings.Repeat("x", 20_000)
	const n = 2000
	for i := range n {
		if i > 0 {
			b.WriteString(",\n")
		}
		fmt.Fprintf(&b, `{"id": "/big/app%d", "container": {"docker": {"image": "a:1"}}, "env": {"PAD": %q}}`, i, pad)
	}
	b.WriteString("]}")
	r := read(fstest.MapFS{"apps.json": {Data: []byte(b.String())}})
	if len(r.Estate.Workloads) != n || r.Diags.HasErrors() {
		t.Errorf("%d of %d apps are read from %d bytes", len(r.Estate.Workloads), n, b.Len())
	}
}

// refusing is a file system of which one file cannot be opened and one folder
// cannot be listed.
type refusing struct{ fstest.MapFS }

var errRefused = errors.New("input/output error")

func (r refusing) Open(name string) (fs.File, error) {
	if name == "bad.json" {
		return nil, &fs.PathError{Op: "open", Path: name, Err: errRefused}
	}
	return r.MapFS.Open(name)
}

func (r refusing) ReadFile(name string) ([]byte, error) {
	if name == "bad.json" {
		return nil, &fs.PathError{Op: "read", Path: name, Err: errRefused}
	}
	return r.MapFS.ReadFile(name)
}

func (r refusing) ReadDir(name string) ([]fs.DirEntry, error) {
	if name == "locked" {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: errRefused}
	}
	return r.MapFS.ReadDir(name)
}

func TestWhatTheDiskRefusesCostsOnlyThat(t *testing.T) {
	r := read(refusing{fstest.MapFS{
		"a.json": {Data: []byte(app1("/a"))}, "bad.json": {Data: []byte(app1("/b"))},
		"locked/c.json": {Data: []byte(app1("/c"))}, "z.json": {Data: []byte(app1("/z"))},
	}})
	if got := ids(r.Estate); got != "/a /z" {
		t.Errorf("read %q, want /a /z", got)
	}
	n := 0
	for _, d := range r.Diags {
		if d.Code == discover.UnreadableFile && strings.Contains(d.Problem, errRefused.Error()) {
			n++
		}
	}
	if n != 2 {
		t.Errorf("%d of 2 refusals are reported: %v", n, r.Diags)
	}
}

func TestABinaryFileIsNamedAndSkipped(t *testing.T) {
	r := read(fstest.MapFS{"a.json": {Data: []byte(app1("/a"))}, "core": {Data: []byte("\x7fELF\x00\x01")}, "b.json": {Data: []byte{0xff, 0xfe, 0}}})
	if ids(r.Estate) != "/a" || len(r.Diags) != 2 || r.Diags.HasErrors() {
		t.Errorf("%s %v", ids(r.Estate), r.Diags)
	}
}

func ids(e estate.Estate) string {
	var out []string
	for _, w := range e.Workloads {
		out = append(out, string(w.ID))
	}
	return strings.Join(out, " ")
}
