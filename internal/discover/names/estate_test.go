package names

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/discover/discovertest"
	"github.com/tranship/tranship/internal/estate"
)

func TestServiceOfAProjectIsFoundWhereOnlyAHostCanStand(t *testing.T) {
	for _, tc := range []struct {
		key, text, match string
		to               estate.Name
		port             int
		fate             estate.Fate
	}{
		{"DATABASE_URL", "postgres://db:5432/shop", "db:5432", "/shop/db", 5432, estate.Rewritten},
		{"DATABASE_URL", "postgres://u:p@db/shop", "db", "/shop/db", 5432, estate.Bridged}, // a secret
		{"DB", "db:5432", "db:5432", "/shop/db", 5432, estate.Rewritten},
		{"DB_HOST", "db", "db", "/shop/db", 5432, estate.Rewritten},
		{"PGHOST", "database", "database", "/shop/db", 5432, estate.Rewritten}, // an alias
		{"OPTS", "host=db dbname=db", "db", "/shop/db", 5432, estate.Rewritten},
		{"SERVERS", "cache,other", "cache", "/shop/cache", 0, estate.Bridged}, // no port
		{"API", "http://api/x", "api", "/shop/api", 80, estate.Rewritten},     // learned
		{"PEERS", "tasks.db:5432", "tasks.db:5432", "/shop/db", 0, estate.Bridged},
		{"POSTGRES_DB", "db", "", "", 0, ""},
		{"NAME", "db", "", "", 0, ""},
		{"X", "the db is slow", "", "", 0, ""},
		{"IMAGE", "db:16", "", "", 0, ""},
		{"X", "/var/lib/db:5432", "", "", 0, ""},
		{"X", "far:5432", "", "", 0, ""}, // on another network
	} {
		t.Run(tc.key+"="+tc.text, func(t *testing.T) {
			r := read(map[string]string{"compose.yaml": fmt.Sprintf(`
services:
  db:
    expose: ["5432"]
    networks: {back: {aliases: [database]}, front: {}}
  cache:
    networks: {back: {}}
  api:
    networks: {back: {}}
  far:
    networks: {elsewhere: {}}
  web:
    networks: {back: {}}
    environment: {%s: %q}
`, tc.key, tc.text)})
			d, ok := first(r, "/shop/web")
			if !ok && tc.match == "" {
				return
			}
			got := [4]any{d.Match, d.To, d.Port, d.Fate}
			if diff := cmp.Diff([4]any{tc.match, tc.to, tc.port, tc.fate}, got); diff != "" {
				t.Errorf("match, to, port, fate (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPortThatOthersConnectToBecomesAPortOfTheService(t *testing.T) {
	r := read(map[string]string{"compose.yaml": `
services:
  db: {image: postgres}
  a: {environment: {URL: "postgres://db:5432/x"}}
  b: {environment: {URL: "postgres://db:5432/y"}}
`})
	want := []estate.Port{{Number: 5432, Protocols: []string{"tcp"}}}
	if diff := cmp.Diff(want, r.Estate.Find("/shop/db").Containers[0].Ports); diff != "" {
		t.Errorf("ports (-want +got):\n%s", diff)
	}
	if n := countCode(r, PortLearned); n != 1 {
		t.Errorf("%d notes of the port, want 1", n)
	}
}

func countCode(r discover.Result, code diag.Code) int {
	n := 0
	for _, d := range r.Diags {
		if d.Code == code {
			n++
		}
	}
	return n
}

const racks = `[{"host": "h1.example", "rack": "r1", "zone": "z1"}, {"host": "h2.example", "rack": "r2"}, {"host": "h3.example", "rack": "s1"}]`

func TestPatternStandsForTheValuesThatHostsHave(t *testing.T) {
	for _, tc := range []struct {
		constraint string
		hosts      string
		values     []string
		code       diag.Code // of the value's entry
	}{
		{`["rack", "LIKE", "r[0-9]"]`, racks, []string{"r1", "r2"}, ""},
		{`["rack", "LIKE", "r"]`, racks, nil, PatternMatchesNothing}, // the whole value must match
		{`["rack", "UNLIKE", "r.*"]`, racks, []string{"r1", "r2"}, ""},
		{`["rack", "UNLIKE", "x.*"]`, racks, nil, ""},
		{`["hostname", "LIKE", "h[12]\\.example"]`, racks, []string{"h1.example", "h2.example"}, ""},
		{`["@hostname", "LIKE", "h1.*|h3.*"]`, racks, []string{"h1.example", "h3.example"}, ""},
		{`["@zone", "LIKE", "z\\d"]`, racks, []string{"z1"}, ""},
		{`["gpu", "LIKE", ".*"]`, racks, nil, PatternMatchesNothing},
		{`["rack", "LIKE", "\\p{Lower}1"]`, racks, []string{"r1", "s1"}, ""},
		{`["rack", "LIKE", "(?i)R1"]`, racks, []string{"r1"}, ""},
		{`["rack", "LIKE", "(?!r).*"]`, racks, nil, UnsupportedPattern},
		{`["rack", "LIKE", "r*+1"]`, racks, nil, UnsupportedPattern},
		{`["rack", "LIKE", "[a-z&&[^s]]1"]`, racks, nil, UnsupportedPattern},
		{`["rack", "LIKE", "(r)\\1"]`, racks, nil, UnsupportedPattern},
		{`["rack", "LIKE", "r["]`, racks, nil, UnsupportedPattern},
		{`["rack", "LIKE", "r.*"]`, `[]`, nil, NoHostsForPattern},
	} {
		t.Run(tc.constraint, func(t *testing.T) {
			r := read(map[string]string{
				"hosts.json": tc.hosts, "app.json": `{"id": "/a", "cmd": "true", "constraints": [` + tc.constraint + `]}`,
			})
			c := r.Estate.Workloads[0].Constraints[0]
			if diff := cmp.Diff(tc.values, c.Values); diff != "" {
				t.Errorf("values (-want +got):\n%s", diff)
			}
			e, _ := discovertest.Entry(r, "/constraints/0/2")
			if tc.code != "" && (e.Code != tc.code || e.Verdict != ledger.Decision) {
				t.Errorf("entry %+v, want a decision %s", e, tc.code)
			}
			if tc.code == "" && strings.HasPrefix(string(e.Code), "N") {
				t.Errorf("entry %+v, want it untouched", e)
			}
		})
	}
}

func TestDeclaredDependencyIsAnEdgeToTheWorkloadOrAllOfTheGroup(t *testing.T) {
	r := read(map[string]string{"apps.json": `[{"id": "/db/a", "cmd": "true"}, {"id": "/db/b", "cmd": "true"}, {"id": "/dbx", "cmd": "true"},
	  {"id": "/shop", "cmd": "true", "dependencies": ["/db", "/dbx", "/gone"]}]`})
	var got []string
	for _, d := range r.Estate.Dependencies {
		got = append(got, fmt.Sprintf("%s %s -> %s %s", d.Way, d.From, d.To, d.Fate))
	}
	want := []string{
		"declared /shop ->  unresolved", "declared /shop -> /db/a ", "declared /shop -> /db/b ", "declared /shop -> /dbx ",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("dependencies (-want +got):\n%s", diff)
	}
	if countCode(r, UnknownDependency) != 1 {
		t.Errorf("diagnostics %v, want one of %s", r.Diags, UnknownDependency)
	}
}

func TestEachKnotIsReportedOnceWithItsShortestWay(t *testing.T) {
	r := read(map[string]string{"apps.json": `[
	  {"id": "/a", "cmd": "true", "dependencies": ["/b"]}, {"id": "/b", "cmd": "true", "dependencies": ["/c", "/d"]},
	  {"id": "/c", "cmd": "true", "dependencies": ["/a"]}, {"id": "/d", "cmd": "true", "dependencies": ["/c"]},
	  {"id": "/x", "cmd": "true", "dependencies": ["/a", "/x"]}]`})
	var got []string
	for _, d := range r.Diags {
		got = append(got, d.Problem)
	}
	want := []string{"needs itself by way of others: /a -> /b -> /c -> /a, and 1 more in the same knot"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
}

func TestLongChainIsNoKnot(t *testing.T) {
	const n = 20000
	next := map[estate.Name][]estate.Name{}
	var ids []estate.Name
	for i := range n {
		id := estate.Name(fmt.Sprintf("/a%05d", i))
		ids = append(ids, id)
		next[id] = []estate.Name{estate.Name(fmt.Sprintf("/a%05d", i+1))}
	}
	if k := knots(ids, next); len(k) != 0 {
		t.Errorf("knots = %v, want none", k)
	}
	next[ids[n-1]] = []estate.Name{ids[0]}
	delete(next, ids[n-1]+"x")
	if k := knots(ids, next); len(k) != 1 || len(k[0]) != n || !slices.IsSorted(k[0]) {
		t.Errorf("a ring of %d gives %d knots", n, len(k))
	}
}
