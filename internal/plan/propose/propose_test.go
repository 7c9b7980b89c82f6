package propose_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tranship/tranship/internal/base/binpack"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/plan/propose"
	"github.com/tranship/tranship/internal/plan/wave"
)

const date = "2026-11-24"

func service(id estate.Name) estate.Workload {
	return estate.Workload{ID: id, Kind: estate.Service, Replicas: 2, Containers: []estate.Container{{Name: "main", CPU: 100, Memory: 1 << 20}}}
}

func estateOf(ws []estate.Workload, edges ...[2]estate.Name) estate.Estate {
	e := estate.Estate{Version: estate.Version, Workloads: ws}
	for _, x := range edges {
		e.Dependencies = append(e.Dependencies, estate.Dependency{From: x[0], To: x[1], Way: estate.Declared})
	}
	e.Sort()
	return e
}

// TestCallersMoveAfterWhatTheyCall reads the waves of a small shop.
func TestCallersMoveAfterWhatTheyCall(t *testing.T) {
	e := estateOf([]estate.Workload{service("/web"), service("/api"), service("/db"), service("/other")},
		[2]estate.Name{"/web", "/api"}, [2]estate.Name{"/api", "/db"})
	p, diags := propose.Make(propose.Inputs{Estate: e, Policy: policy.Default(), AsOf: date}, binpack.Options{})
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	if got, want := waves(p), "/db|/other then /api then /web"; got != want {
		t.Errorf("waves are %q, want %q", got, want)
	}
}

func TestACircleMovesTogetherAndIsReported(t *testing.T) {
	e := estateOf([]estate.Workload{service("/a"), service("/b"), service("/c"), service("/d")},
		[2]estate.Name{"/a", "/b"}, [2]estate.Name{"/b", "/c"}, [2]estate.Name{"/c", "/a"}, [2]estate.Name{"/d", "/a"})
	p, diags := propose.Make(propose.Inputs{Estate: e, Policy: policy.Default(), AsOf: date}, binpack.Options{})
	if len(diags) != 1 || diags[0].Code != wave.Cycle {
		t.Errorf("diagnostics %v", diags)
	}
	if got, want := waves(p), "/a+/b+/c then /d"; got != want {
		t.Errorf("waves are %q, want %q", got, want)
	}
}

func TestWhatSharesAnAddressMovesTogether(t *testing.T) {
	e := estateOf([]estate.Workload{service("/a"), service("/b")})
	e.Endpoints = []estate.Endpoint{{ID: "vip:x", Kind: estate.VirtualAddress, Backends: []estate.Backend{{Workload: "/a"}, {Workload: "/b"}}}}
	p, _ := propose.Make(propose.Inputs{Estate: e, Policy: policy.Default(), AsOf: date}, binpack.Options{})
	if got, want := waves(p), "/a+/b"; got != want || p.Waves[0].Groups[0].Reason != plan.SharedAddress {
		t.Errorf("waves are %q, want %q", got, want)
	}
}

func waves(p plan.Plan) string {
	var out []string
	for _, w := range p.Waves {
		var groups []string
		for _, g := range w.Groups {
			var ids []string
			for _, id := range g.Workloads {
				ids = append(ids, string(id))
			}
			groups = append(groups, strings.Join(ids, "+"))
		}
		out = append(out, strings.Join(groups, "|"))
	}
	return strings.Join(out, " then ")
}

// TestEveryWorkloadHasOneWaveAfterAllItNeeds is the law of waves, for any graph.
func TestEveryWorkloadHasOneWaveAfterAllItNeeds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "n")
		var ws []estate.Workload
		for i := range n {
			ws = append(ws, service(estate.Name(fmt.Sprintf("/w%02d", i))))
		}
		var edges [][2]estate.Name
		for range rapid.IntRange(0, 30).Draw(t, "edges") {
			edges = append(edges, [2]estate.Name{ws[rapid.IntRange(0, n-1).Draw(t, "from")].ID, ws[rapid.IntRange(0, n-1).Draw(t, "to")].ID})
		}
		p, _ := propose.Make(propose.Inputs{Estate: estateOf(slices.Clone(ws), edges...), Policy: policy.Default(), AsOf: date}, binpack.Options{})
		wave, group := map[estate.Name]int{}, map[estate.Name]string{}
		for _, w := range p.Waves {
			for _, g := range w.Groups {
				for _, id := range g.Workloads {
					if wave[id] != 0 {
						t.Fatalf("%s stands in two waves", id)
					}
					wave[id], group[id] = w.Number, string(g.Workloads[0])
				}
			}
		}
		if len(wave) != n {
			t.Fatalf("%d of %d workloads have a wave", len(wave), n)
		}
		for _, x := range edges {
			if group[x[0]] != group[x[1]] && wave[x[0]] <= wave[x[1]] {
				t.Fatalf("%s (wave %d) does not come after %s (wave %d)", x[0], wave[x[0]], x[1], wave[x[1]])
			}
		}
		shuffled := slices.Clone(ws)
		slices.Reverse(shuffled)
		slices.Reverse(edges)
		again, _ := propose.Make(propose.Inputs{Estate: estateOf(shuffled, edges...), Policy: policy.Default(), AsOf: date}, binpack.Options{})
		if d := cmp.Diff(p.Waves, again.Waves); d != "" {
			t.Fatalf("the order of the input changes the waves:\n%s", d)
		}
	})
}

func sealed(t *testing.T) (plan.Plan, []byte) {
	t.Helper()
	e := estateOf([]estate.Workload{service("/a")})
	e.Hosts, e.Endpoints = []estate.Host{}, []estate.Endpoint{}
	e.Ledger = []ledger.Entry{{File: "f", Pointer: "/id", Verdict: ledger.Exact, Code: "M1", Workload: "/a", Reason: "a < b"}}
	p, diags := propose.Make(propose.Inputs{Estate: e, Policy: policy.Default(), AsOf: date}, binpack.Options{})
	if len(diags) > 0 {
		t.Fatal(diags)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	return p, b.Bytes()
}

func TestASealedPlanReadsBack(t *testing.T) {
	p, data := sealed(t)
	got, err := plan.Read(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if got.Seal != p.Seal || len(got.Ledger) != 1 || got.Estate.Workloads[0].ID != "/a" {
		t.Errorf("read back: %+v", got)
	}
}

func TestAChangedPlanIsRefused(t *testing.T) {
	_, data := sealed(t)
	for name, change := range map[string][2]string{
		"replicas": {`"replicas":2`, `"replicas":3`}, "date": {date, "2026-11-25"},
		"ledger": {`"verdict":"exact"`, `"verdict":"dropped"`}, "wave": {`"number":1`, `"number":2`},
	} {
		changed := bytes.Replace(data, []byte(change[0]), []byte(change[1]), 1)
		if bytes.Equal(changed, data) {
			t.Fatalf("%s: nothing was changed", name)
		}
		if _, err := plan.Read(bytes.NewReader(changed)); !errors.Is(err, plan.ErrSeal) {
			t.Errorf("a plan with another %s is read: %v", name, err)
		}
	}
	if _, err := plan.Read(bytes.NewReader(append([]byte(`{"more":1,`), data[1:]...))); err == nil {
		t.Error("a plan with an unknown key is read")
	}
}

// TestSpacesDoNotBreakTheSeal: the seal is over the content, not its layout.
func TestSpacesDoNotBreakTheSeal(t *testing.T) {
	_, data := sealed(t)
	if _, err := plan.Read(bytes.NewReader(bytes.ReplaceAll(data, []byte(","), []byte(" , ")))); err != nil {
		t.Error(err)
	}
}
