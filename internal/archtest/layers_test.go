package archtest

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/tranship/tranship/internal/"

// A rule lists what the packages that fit one pattern may import, or, for
// reserved imports, which packages may import what fits the pattern.
type rule struct {
	pattern string
	allow   []string
	used    bool
}

// fits reports whether pkg fits a pattern: "x/..." is x and all below it, "..."
// is everything.
func fits(pattern, pkg string) bool {
	base, below := strings.CutSuffix(pattern, "...")
	if !below {
		return pkg == pattern
	}
	return base == "" || pkg == strings.TrimSuffix(base, "/") || strings.HasPrefix(pkg, base)
}

func fitsAny(patterns []string, pkg string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return fits(p, pkg) })
}

func readPolicy(t *testing.T) (layers, reserved []*rule) {
	t.Helper()
	data, err := os.ReadFile("layers.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		line, _, _ = strings.Cut(line, "#")
		switch f := strings.Fields(line); {
		case len(f) == 0:
		case f[0] == "only":
			reserved = append(reserved, &rule{pattern: f[1], allow: f[2:]})
		default:
			layers = append(layers, &rule{pattern: f[0], allow: f[1:]})
		}
	}
	return layers, reserved
}

// sources gives the Go files below internal/, tests apart, by package.
func sources(t *testing.T) map[string][]string {
	t.Helper()
	files := map[string][]string{}
	err := filepath.WalkDir("..", func(path string, _ fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
			pkg, _ := filepath.Rel("..", filepath.Dir(path))
			files[filepath.ToSlash(pkg)] = append(files[filepath.ToSlash(pkg)], path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func imports(t *testing.T, paths []string) []string {
	t.Helper()
	var out []string
	for _, p := range paths {
		f, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range f.Imports {
			imp, _ := strconv.Unquote(spec.Path.Value)
			out = append(out, imp)
		}
	}
	return out
}

// TestLayers holds every package against layers.txt. It fails on a forbidden
// import, on a package without a rule and on a rule without a package, so that
// the file always describes the tree that there is.
func TestLayers(t *testing.T) {
	layers, reserved := readPolicy(t)
	for pkg, paths := range sources(t) {
		i := slices.IndexFunc(layers, func(r *rule) bool { return fits(r.pattern, pkg) })
		if i < 0 {
			t.Errorf("%s: no rule in layers.txt; which layer is it?", pkg)
			continue
		}
		layers[i].used = true
		for _, imp := range imports(t, paths) {
			if ours, ok := strings.CutPrefix(imp, module); ok && !fitsAny(layers[i].allow, ours) {
				t.Errorf("%s may not import %s (rule %q)", pkg, ours, layers[i].pattern)
			}
			for _, r := range reserved {
				if !fits(r.pattern, imp) {
					continue
				}
				r.used = true
				if !fitsAny(r.allow, pkg) {
					t.Errorf("%s may not import %s: only %s may", pkg, imp, strings.Join(r.allow, ", "))
				}
			}
		}
	}
	for _, r := range append(layers, reserved...) {
		if !r.used {
			t.Errorf("layers.txt: %q fits nothing; delete the line", r.pattern)
		}
	}
}
