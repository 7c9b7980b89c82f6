package swarm_test

import (
	"bytes"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"gopkg.in/yaml.v3"

	"github.com/tranship/tranship/internal/app"
	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/render"
)

// outcome is what becomes of one file: all that is rendered, how much was
// refused, and the ledger.
func outcome(t testing.TB, snapshot fstest.MapFS) (string, int, []ledger.Entry) {
	r := discover.Read(snapshot, readers, discover.Options{})
	p, diags, err := app.Plan(r.Estate, policy.Default(), "2026-11-24")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	o, err := app.Render(&p, render.Options{}, func(f render.File) error {
		b.WriteString("=== " + f.Path + "\n")
		b.Write(f.Data)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, d := range slices.Concat(r.Diags, diags, o.Diags) {
		if d.Severity == diag.Error {
			n++
		}
	}
	return b.String(), n, p.Ledger
}

// scalars walks the values of a YAML document that are scalars.
func scalars(n *yaml.Node, at string, f func(pointer string, n *yaml.Node)) {
	switch n.Kind {
	case yaml.DocumentNode:
		for _, c := range n.Content {
			scalars(c, at, f)
		}
	case yaml.SequenceNode:
		for i, c := range n.Content {
			scalars(c, at+"/"+strconv.Itoa(i), f)
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			scalars(n.Content[i+1], at+"/"+jsonpos.Escape(n.Content[i].Value), f)
		}
	case yaml.ScalarNode:
		if n.ShortTag() != "!!null" {
			f(at, n)
		}
	}
}

var families = [][]string{
	{"global", "replicated"},
	{"tcp", "udp"},
	{"host", "ingress", "bridge"},
	{"always", "no", "on-failure"},
	{"any", "none"},
	{"CMD", "CMD-SHELL"},
	{"vip", "dnsrr"},
	{"start-first", "stop-first"},
	{"10s", "20s"},
	{"rollback", "pause"},
	{"missing", "always"},
	{"overlay", "bridge"},
	{"local", "rexray"},
	{"service_healthy", "service_started"},
	{"10.0.0.1", "10.0.0.2"},
}

func mutations(n *yaml.Node) []string {
	text := n.Value
	switch n.ShortTag() {
	case "!!bool":
		return []string{strconv.FormatBool(text != "true")}
	case "!!int", "!!float":
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil
		}
		var out []string
		for _, x := range []float64{f + 1, f - 1, f * 2, f / 2} {
			out = append(out, strconv.FormatFloat(x, 'f', -1, 64))
		}
		return out
	}
	out := []string{text + "x"}
	if i, err := strconv.Atoi(text); err == nil {
		out = append(out, strconv.Itoa(i+1))
	}
	for _, f := range families {
		if i := slices.Index(f, text); i >= 0 {
			out = append(out, f[(i+1)%len(f)])
		}
	}
	if n, err := strconv.ParseFloat(text, 64); err == nil {
		out = append(out, strconv.FormatFloat(n*2, 'f', -1, 64))
	}
	for _, unit := range []string{"s", "m", "M", "G", "g", "Mi", "mb", "b", "ms", "h"} {
		if x, ok := strings.CutSuffix(text, unit); ok {
			if n, err := strconv.Atoi(x); err == nil {
				out = append(out, strconv.Itoa(n+7)+unit)
			}
		}
	}
	if a, b, ok := strings.Cut(text, ":"); ok {
		out = append(out, a+":x"+b)
	}
	return append(out, "x"+text)
}

// truth holds the ledger of one YAML file against what is rendered.
func truth(t testing.TB, name string, files fstest.MapFS) (checked, unproven int) {
	t.Helper()
	var doc yaml.Node
	if yaml.Unmarshal(files[name].Data, &doc) != nil {
		return 0, 0
	}
	plain, err := yaml.Marshal(&doc)
	if err != nil {
		return 0, 0
	}
	snapshot := maps.Clone(files)
	snapshot[name] = &fstest.MapFile{Data: plain}
	base, errors, entries := outcome(t, snapshot)
	at := map[string]ledger.Entry{}
	for _, e := range entries {
		if e.File == name {
			at[e.Pointer] = e
		}
	}
	scalars(&doc, "", func(pointer string, n *yaml.Node) {
		e, ok := at[pointer]
		for p := pointer; !ok && p != ""; {
			p = p[:strings.LastIndex(p, "/")]
			e, ok = at[p]
		}
		must := e.Verdict == ledger.Exact || e.Verdict == ledger.Equivalent
		if !must && e.Verdict != ledger.Dropped && e.Verdict != ledger.Informational {
			return
		}
		was, tag, style := n.Value, n.Tag, n.Style
		defer func() { n.Value, n.Tag, n.Style = was, tag, style }()
		for _, text := range mutations(n) {
			n.Value = text
			if n.ShortTag() == "!!str" {
				n.Style = yaml.DoubleQuotedStyle
			}
			data, err := yaml.Marshal(&doc)
			if err != nil {
				continue
			}
			snapshot[name] = &fstest.MapFile{Data: data}
			got, refused, _ := outcome(t, snapshot)
			if refused > errors {
				continue
			}
			checked++
			if (got != base) != must {
				t.Errorf("%s%s is %s (%s: %s), and with %q in place of %q the output changes: %v", name, pointer, e.Verdict, e.Code, e.Reason, text, was, got != base)
			}
			return
		}
		unproven++
	})
	return checked, unproven
}

func TestLedgerTellsTheTruthOnTheCorpus(t *testing.T) {
	checked, unproven := 0, 0
	corpusFiles(t, func(name string, _ fs.FS, data []byte) {
		if strings.HasSuffix(name, "using-variables.yaml") {
			return // no leaf of it has a value
		}
		c, u := truth(t, name, fstest.MapFS{name: {Data: data}})
		checked, unproven = checked+c, unproven+u
	})
	t.Logf("%d leaves held, %d without a valid other value", checked, unproven)
}

func TestLedgerTellsTheTruthOnEveryKey(t *testing.T) {
	for name, text := range map[string]string{"all/compose.yaml": everyKey, "old/compose.yaml": oldFile, "anchors/compose.yaml": anchored} {
		c, u := truth(t, name, fstest.MapFS{
			name: {Data: []byte(text)}, "all/web.env": {Data: []byte("FROM_FILE=1\n")}, "all/site.conf": {Data: []byte("listen 80")},
		})
		t.Logf("%s: %d leaves held, %d without a valid other value", name, c, u)
	}
}
