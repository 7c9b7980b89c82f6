package discovertest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/estate"
)

// An Outcome is what became of one file: the ledger, how many parts of it were
// refused, and all that is written because of it.
type Outcome struct {
	Ledger  []ledger.Entry
	Refused int
	Output  string
}

// Truth holds the ledger of one JSON file against the estate: a changed value
// of a leaf that is exact or equivalent changes the estate, of one that is
// dropped or informational it does not. Places and versions do not count.
func Truth(t testing.TB, readers []any, fsys fs.FS, file string) {
	t.Helper()
	TruthOf(t, fsys, file, func(data []byte) Outcome {
		r := discover.Read(fstest.MapFS{file: {Data: data}}, readers, discover.Options{})
		return Outcome{Ledger: r.Ledger, Refused: refused(r.Diags), Output: bare(t, r.Estate)}
	})
}

// TruthOf is Truth for any output: do tells what becomes of the file's bytes.
func TruthOf(t testing.TB, fsys fs.FS, file string, do func(data []byte) Outcome) {
	t.Helper()
	data, err := fs.ReadFile(fsys, file)
	if err != nil {
		t.Fatal(err)
	}
	tree := jsonpos.Parse(file, data)
	if tree.Root == nil {
		return
	}
	base := do(data)
	for _, l := range sample(leaves(tree.Root, file, base.Ledger), len(data)) {
		holds(t, data, l, base, do)
	}
}

// bare writes an estate without what changes with any byte of its sources.
func bare(t testing.TB, e estate.Estate) string {
	e.SnapshotSHA256, e.Ledger = "", nil
	e.Workloads = slices.Clone(e.Workloads)
	for i := range e.Workloads {
		e.Workloads[i].Origin, e.Workloads[i].SourceVersion = estate.Origin{}, ""
	}
	e.Endpoints = slices.Clone(e.Endpoints)
	for i := range e.Endpoints {
		e.Endpoints[i].Origin = estate.Origin{}
	}
	b, err := json.Marshal(e)
	if err != nil {
		t.Fatalf("the estate has no JSON: %v", err)
	}
	return string(b)
}

func refused(l diag.List) int {
	n := 0
	for _, d := range l {
		if d.Severity == diag.Error {
			n++
		}
	}
	return n
}

// A ruled leaf is one value with the entry that stands for it.
type ruled struct {
	leaf  *jsonpos.Value
	entry ledger.Entry
}

func leaves(root *jsonpos.Value, file string, entries []ledger.Entry) []ruled {
	at := map[string]ledger.Entry{}
	for _, e := range entries {
		if e.File == file {
			at[e.Pointer] = e
		}
	}
	var out []ruled
	root.Leaves(func(leaf *jsonpos.Value) {
		if k := leaf.Kind(); k != jsonpos.String && k != jsonpos.Number && k != jsonpos.Bool {
			return
		}
		for v := leaf; v != nil; v = v.Parent() {
			if e, ok := at[v.Pointer()]; ok {
				out = append(out, ruled{leaf, e})
				return
			}
		}
		if e, ok := at[Pattern(leaf)]; ok {
			out = append(out, ruled{leaf, e})
		}
	})
	return out
}

// sample keeps as many leaves as a test has time for, some of each code and key.
func sample(all []ruled, size int) []ruled {
	limit := max(40, 20_000_000/max(size, 1))
	if len(all) <= limit {
		return all
	}
	type group struct {
		code diag.Code
		key  string
	}
	seen := map[group]int{}
	turn := make([]int, len(all))
	order := make([]int, len(all))
	for i, l := range all {
		g := group{l.entry.Code, l.leaf.Key()}
		turn[i], order[i] = seen[g], i
		seen[g]++
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(turn[a], turn[b]) })
	out := make([]ruled, 0, limit)
	for _, i := range order[:limit] {
		out = append(out, all[i])
	}
	return out
}

func holds(t testing.TB, data []byte, l ruled, base Outcome, do func([]byte) Outcome) {
	t.Helper()
	var must bool
	switch l.entry.Verdict {
	case ledger.Exact, ledger.Equivalent:
		must = true
	case ledger.Dropped, ledger.Informational:
	default:
		return
	}
	for _, text := range mutations(l.leaf) {
		changed, ok := splice(data, l.leaf, text)
		if !ok {
			continue
		}
		got := do(changed)
		if got.Refused > base.Refused {
			continue // no valid value: try another
		}
		if (got.Output != base.Output) != must {
			want := "nothing changes"
			if !must {
				want = "the output changes"
			}
			t.Errorf("%s: %s is %s (%s: %s), and with %s in its place %s", l.leaf.Pos(l.entry.File), l.leaf.Pointer(),
				l.entry.Verdict, l.entry.Code, l.entry.Reason, text, want)
		}
		return
	}
}

// families are words that take each other's place in a definition.
var families = [][]string{
	{"UNIQUE", "GROUP_BY", "CLUSTER"},
	{"LIKE", "UNLIKE"},
	{"IS", "UNLIKE"},
	{"EQ", "UNLIKE"},
	{"MAX_PER", "GROUP_BY"},
	{"RO", "RW"},
	{"HTTP", "HTTPS"},
	{"TCP", "HTTP"},
	{"MESOS_HTTP", "MESOS_TCP"},
	{"ALLOW", "FORBID"},
	{"NEVER", "ON_FAILURE"},
	{"tcp", "udp"},
	{"udp,tcp", "tcp"},
	{"host", "container/bridge"},
	{"BRIDGE", "HOST"},
	{"DOCKER", "MESOS"},
	{"root", "mount"},
	{"path", "mount"},
	{"YOUNGEST_FIRST", "OLDEST_FIRST"},
	{"true", "false"},
	{"PRIVATE", "SHARE_PARENT"},
	{"SINGLE_NODE_WRITER", "MULTI_NODE_READER_ONLY"},
	{"block", "mount"},
	{"UTC", "Europe/Paris"},
	{"IPv4", "IPv6"},
	{"roundrobin", "leastconn"},
}

// mutations gives other values for a leaf, the plainest first.
func mutations(v *jsonpos.Value) []string {
	text := v.Text()
	switch v.Kind() {
	case jsonpos.Bool:
		return []string{strconv.FormatBool(text != "true")}
	case jsonpos.Number:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil
		}
		var out []string
		for _, n := range []float64{f + 1, f - 1, f / 2, f * 2} {
			if n != f {
				out = append(out, strconv.FormatFloat(n, 'f', -1, 64))
			}
		}
		return out
	}
	out := []string{text + "x"}
	if n, err := strconv.Atoi(text); err == nil {
		out = append(out, strconv.Itoa(n+1))
	}
	for _, f := range families {
		i := slices.IndexFunc(f, func(w string) bool { return strings.EqualFold(w, text) })
		if i >= 0 {
			out = append(out, f[(i+1)%len(f)])
		}
	}
	if fields := strings.Fields(text); len(fields) == 5 {
		out = append(out, strings.Join(append([]string{"7"}, fields[1:]...), " ")) // a cron line
	}
	if strings.Contains(text, "/") && !strings.Contains(text, " ") {
		out = append(out, "Asia/Tokyo") // a time zone
	}
	out = append(out, "x"+text)
	for i, s := range out {
		b, err := json.Marshal(s)
		if err != nil {
			return nil
		}
		out[i] = string(b)
	}
	return out
}

// splice puts text in the place of leaf's token.
func splice(data []byte, leaf *jsonpos.Value, text string) ([]byte, bool) {
	at, ok := offset(data, leaf)
	if !ok {
		return nil, false
	}
	dec := json.NewDecoder(bytes.NewReader(data[at:]))
	if _, err := dec.Token(); err != nil {
		return nil, false
	}
	return slices.Concat(data[:at], []byte(text), data[at+int(dec.InputOffset()):]), true
}

// replace puts text in the place of the whole value v.
func replace(data []byte, v *jsonpos.Value, text string) ([]byte, bool) {
	at, ok := offset(data, v)
	if !ok {
		return nil, false
	}
	dec := json.NewDecoder(bytes.NewReader(data[at:]))
	var raw json.RawMessage
	if err := dec.Decode(&raw); err != nil {
		return nil, false
	}
	return slices.Concat(data[:at], []byte(text), data[at+int(dec.InputOffset()):]), true
}

// offset gives the index at which v begins in data.
func offset(data []byte, v *jsonpos.Value) (int, bool) {
	at := 0
	if bytes.HasPrefix(data, []byte("\xef\xbb\xbf")) {
		at = 3
	}
	for range v.Line() - 1 {
		i := bytes.IndexByte(data[at:], '\n')
		if i < 0 {
			return 0, false
		}
		at += i + 1
	}
	at += v.Column() - 1
	return at, at < len(data)
}
