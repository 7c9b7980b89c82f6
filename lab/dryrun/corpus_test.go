package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// write makes a file and the folders above it.
func write(t *testing.T, mode os.FileMode, text string, path ...string) string {
	t.Helper()
	file := filepath.Join(path...)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	return file
}

// Every definition file of the folders that hold them is an estate, and nothing else is.
func TestEveryDefinitionOfTheCorpusIsRead(t *testing.T) {
	corpus := t.TempDir()
	for _, f := range []string{
		"marathon/apps/a.json", "metronome/b.json", "haproxy/edgelb/x/c.json", "compose/swarm/d.yml", "compose/compose/e.yaml", "mesos/f.json",
		"haproxy/marathon-lb-expected/g.json", "datadog/h.json", "compose/LICENSE", "SOURCES.md",
	} {
		write(t, 0o644, "{}", corpus, f)
	}
	for _, c := range []struct{ name, only, want string }{
		{"all", "", "compose/compose/e.yaml compose/swarm/d.yml haproxy/edgelb/x/c.json marathon/apps/a.json mesos/f.json metronome/b.json"},
		{"a part", "^m.*/", "marathon/apps/a.json mesos/f.json metronome/b.json"},
		{"nothing", "zzz", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := definitions(corpus, regexp.MustCompile(c.only))
			if err != nil || strings.Join(got, " ") != c.want {
				t.Errorf("definitions = %q, %v; want %q", got, err, c.want)
			}
		})
	}
}

// A stand-in for the product: it renders, refuses its input or crashes, by the name of its input.
const standIn = `#!/bin/sh
case "$1 $2 $3" in
"render "*/good.json" --out")
	mkdir -p "$4/kubernetes"
	printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s}\n' "$(basename "$2" .json)" > "$4/kubernetes/a.yaml"
	echo "$2:1:1: warning: app /a: has no health check [D200]" >&2 ;;
*/bad.json*)
	echo "$2:1:1: error: app /a: has no id [D101]" >&2; exit 1 ;;
*)
	echo "panic: at the disco" >&2; exit 2 ;;
esac
`

// What the product says and writes is taken in, and none of its ends is mistaken for another.
func TestEachEndOfARenderIsToldApart(t *testing.T) {
	corpus := t.TempDir()
	keep := t.TempDir()
	p := tranship{program: write(t, 0o755, standIn, t.TempDir(), "tranship"), corpus: corpus, keep: keep}
	for _, c := range []struct {
		file, code, fault string
		objects           []string
	}{
		{"marathon/good.json", "", "", []string{"ConfigMap good"}},
		{"marathon/bad.json", "D101", "", nil},
		{"marathon/crash.json", "NONE", "exit status 2: panic: at the disco", nil},
	} {
		t.Run(c.file, func(t *testing.T) {
			write(t, 0o644, "{}", corpus, c.file)
			e, tree := p.render(t.Context(), c.file)
			var objects []string
			for _, o := range tree.Objects {
				objects = append(objects, o.Ref())
			}
			if !slices.Equal(objects, c.objects) || e.Code != c.code || !strings.Contains(e.Fault, c.fault) || (e.Fault == "") != (c.fault == "") {
				t.Errorf("render = %q, code %q, fault %q; want %q, %q, %q", objects, e.Code, e.Fault, c.objects, c.code, c.fault)
			}
		})
	}
	if _, err := os.Stat(filepath.Join(keep, "marathon/good.json/kubernetes/a.yaml")); err != nil {
		t.Errorf("-keep kept nothing: %v", err)
	}
}
