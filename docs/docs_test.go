// Package docs_test holds the generated documents against the code.
package docs_test

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/ui/cli"
)

var update = flag.Bool("update", false, "rewrite the documents")

func fresh(t *testing.T, file, want string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got, err := os.ReadFile(file); err != nil || string(got) != want {
		t.Errorf("docs/%s is stale (%v); run make update", file, err)
	}
}

func TestCommandsAreDocumented(t *testing.T) { fresh(t, "cli.md", cli.Reference()) }

func TestSecretNamesAreDocumented(t *testing.T) {
	var b strings.Builder
	b.WriteString(`<!-- Generated from the list in internal/discover by make update. -->
# What counts as a secret

A secret's value stays in the snapshot. Downstream there is a reference, and a
pointer to where the value stands. These are secrets:

- a secret that a definition declares;
- a credential in a URL: ` + "`scheme://user:password@host`" + `, or a signature or token in its query;
- ` + "`HAPROXY_*_AUTH`" + `;
- a credential for pulling images;
- the value of a variable whose name fits one of the patterns below, in any case,
  and none of the exceptions. ` + "`spec.secrets.names`" + ` in tranship.yaml adds patterns; what
  it adds has no exceptions.

## Patterns

`)
	names, exceptions := discover.SecretNames(), discover.NotSecretNames()
	for _, n := range names {
		fmt.Fprintf(&b, "- `%s`\n", n)
	}
	b.WriteString("\n## Exceptions\n\n")
	for _, n := range exceptions {
		fmt.Fprintf(&b, "- `%s`\n", n)
	}
	fresh(t, "secrets.md", b.String())
}

type code struct{ code, name, pkg, doc string }

// TestCodesAreDocumented lists every constant of type diag.Code, and holds that
// no code stands twice.
func TestCodesAreDocumented(t *testing.T) {
	var codes []code
	err := filepath.WalkDir("../internal", func(path string, _ fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
			codes = append(codes, codesOf(t, path)...)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(codes, func(a, b code) int { return strings.Compare(a.code, b.code) })
	var b bytes.Buffer
	b.WriteString("<!-- Generated from the codes' comments by make update. -->\n# Codes\n\n")
	b.WriteString("Of diagnostics and of ledger entries. A code is never reused. Examples are run by tests.\n")
	for i, c := range codes {
		if i > 0 && codes[i-1].code == c.code {
			t.Errorf("code %s stands for %s in %s and for %s in %s", c.code, codes[i-1].name, codes[i-1].pkg, c.name, c.pkg)
		}
		text, example, has := strings.Cut(c.doc, "Example:\n")
		text = strings.TrimSpace(strings.TrimPrefix(text, c.name+" "))
		fmt.Fprintf(&b, "\n## %s %s\n\n%s (`%s`)\n", c.code, c.name, strings.ToUpper(text[:min(1, len(text))])+text[min(1, len(text)):], c.pkg)
		if has {
			fmt.Fprintf(&b, "\n```\n%s\n```\n", strings.TrimSpace(strings.ReplaceAll(example, "\n\t", "\n")))
		}
	}
	fresh(t, "codes.md", b.String())
}

func codesOf(t *testing.T, path string) []code {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	var out []code
	for _, decl := range f.Decls {
		gen, ok := decl.(*ast.GenDecl)
		if !ok || gen.Tok != token.CONST {
			continue
		}
		for _, spec := range gen.Specs {
			vs := spec.(*ast.ValueSpec)
			sel, ok := vs.Type.(*ast.SelectorExpr)
			if !ok || sel.Sel.Name != "Code" || len(vs.Values) != 1 {
				continue
			}
			lit, ok := vs.Values[0].(*ast.BasicLit)
			if !ok {
				continue
			}
			text, _ := strconv.Unquote(lit.Value)
			doc := vs.Doc.Text()
			if doc == "" {
				doc = gen.Doc.Text()
			}
			if doc == "" {
				t.Errorf("%s: code %s has no comment", path, text)
			}
			out = append(out, code{text, vs.Names[0].Name, strings.TrimPrefix(filepath.ToSlash(filepath.Dir(path)), "../internal/"), doc})
		}
	}
	return out
}
