package archtest

import (
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const (
	maxFiles = 12  // Go files in a package, tests apart
	maxLines = 400 // lines in a file, tests apart
)

var emptyNames = []string{"util", "utils", "common", "helper", "helpers", "misc", "shared", "types", "models", "manager"}

// TestPackages asks of every package: does it say what it is, is it named for
// what it holds, and can it be read in one sitting?
func TestPackages(t *testing.T) {
	for pkg, paths := range sources(t) {
		if len(paths) > maxFiles {
			t.Errorf("%s: %d files, more than %d: which two packages is it?", pkg, len(paths), maxFiles)
		}
		documented := false
		fset := token.NewFileSet()
		for _, p := range paths {
			f, err := parser.ParseFile(fset, p, nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			documented = documented || strings.HasPrefix(f.Doc.Text(), "Package "+f.Name.Name+" ")
			if slices.Contains(emptyNames, f.Name.Name) {
				t.Errorf("%s: package %s is named for nothing it holds", p, f.Name.Name)
			}
			if n := fset.File(f.Pos()).LineCount(); n > maxLines {
				t.Errorf("%s: %d lines, more than %d: split it by meaning", p, n, maxLines)
			}
		}
		if !documented {
			t.Errorf("%s: no comment beginning %q", pkg, "Package "+filepath.Base(pkg)+" ")
		}
	}
}

// banned are words that say nothing, or that the glossary replaces, and what a
// text of the project never holds.
var banned = regexp.MustCompile(`(?i)\b(TODO|FIXME|XXX|not implemented|unimplemented)\b`)

// TestWords looks for banned words in code and documents.
func TestWords(t *testing.T) {
	for _, paths := range sources(t) {
		for _, p := range paths {
			words(t, p)
		}
	}
	docs, err := filepath.Glob("../../*.md")
	if err != nil {
		t.Fatal(err)
	}
	more, err := filepath.Glob("../../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range append(docs, more...) {
		words(t, p)
	}
}

func words(t *testing.T, path string) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		if w := banned.FindString(line); w != "" {
			t.Errorf("%s:%d: the word %q", strings.TrimPrefix(path, "../../"), n, w)
		}
	}
}
