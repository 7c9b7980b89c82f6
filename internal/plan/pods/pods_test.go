package pods_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/tranship/tranship/internal/base/binpack"
	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/diag/diagtest"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/plan/catalog"
	"github.com/tranship/tranship/internal/plan/pods"
)

func usual() pods.Filter {
	return pods.Filter{
		Families: []string{"c", "m", "r"}, Architectures: []string{"amd64", "arm64"}, MinGeneration: 5, MaxVCPU: 32, Ephemeral: 99 * unit.GiB,
	}
}

func prices(t testing.TB) catalog.Catalog {
	t.Helper()
	c, err := catalog.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func pack(t testing.TB, text, survive string) (pods.Answer, diag.List) {
	t.Helper()
	set, diags := pods.Read("pods.json", []byte(text))
	c, f := prices(t), usual()
	p := pods.New(&set, &c, &f, pods.Levels()[survive], 3)
	out, more, err := p.Pack("pods.json", binpack.Options{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	return out, append(diags, more...)
}

// TestEveryCodeHasAnExampleThatYieldsIt runs the examples in codes.go.
func TestEveryCodeHasAnExampleThatYieldsIt(t *testing.T) {
	diagtest.Examples(t, "codes.go", func(t *testing.T, text string) diag.List {
		_, list := pack(t, text, "node")
		for _, d := range list {
			if d.Pos.File == "" {
				t.Errorf("%v has no place", d)
			}
		}
		return list
	})
}

// TestWhatIsWrongIsLeftOutAndTheRestIsPacked: one bad field drops its pod, one
// bad pod drops nothing else.
func TestWhatIsWrongIsLeftOutAndTheRestIsPacked(t *testing.T) {
	for text, want := range map[string]string{
		`{"pods":[{"name":"a","cpuMilli":100},{"name":"b","memMiB":-5},{"name":"c","memMiB":"x"}]}`: "a=1 | 1:59 K103, 1:84 K103",
		"{\"pods\":[{\"name\":\"a\",\"replicas\":3},\n {\"name\":\"a\"},\n {\"replicas\":2},\n 7]}": "a=3 | 2:10 K104, 3:2 K105, 4:2 K101",
		`{"pods":[{"name":"a","limits":{"cpu":1}}],"daemonsets":{}}`:                                "a=1 | 1:31 K102, 1:56 K102",
		`{"pods":[{"name":"a","replicas":null,"cpuMilli":10.2,"memMiB":1e3}], "daemonset":null}`:    "a=1 |",
		`{"pods":[{"name":"a","cpuMilli":1},{"name":"b","cpuMilli":1}`:                              "a=1 b=1 | 1:61 K101",
		`{"pods":[{"name":"a","cpuMilli":1},{"name":"b","cpuM`:                                      "a=1 | 1:53 K101",
		`[1]`:                                  "| 1:1 K101",
		`{}`:                                   "| 1:1 K101",
		``:                                     "| K101",
		`cpu: 1`:                               "| 1:1 K101",
		`{"pods":{"a":1}}`:                     "| 1:9 K101",
		`{"pods":[]}`:                          "|",
		`{"pods":[{"name":"a","replicas":0}]}`: "|",
		`{"pods":[{"name":"a","replicas":1e99}]}`:             "| 1:33 K103",
		`{"pods":[{"name":"a"}],"daemonset":{"cpuMilli":-1}}`: "a=1 | 1:48 K103",
	} {
		out, diags := pack(t, text, "none")
		got := map[string]int{}
		for _, n := range out.Nodes {
			for _, c := range n.Pods {
				got[c.Name] += c.Count
			}
		}
		var names, said []string
		for _, name := range slices.Sorted(maps.Keys(got)) {
			names = append(names, fmt.Sprintf("%s=%d", name, got[name]))
		}
		for _, d := range diags {
			at, _ := strings.CutPrefix(d.Pos.String(), "pods.json")
			said = append(said, strings.TrimSpace(strings.TrimPrefix(at, ":")+" "+string(d.Code)))
		}
		line := strings.TrimSpace(strings.Join(names, " ") + " | " + strings.Join(said, ", "))
		if line != want {
			t.Errorf("%s\n gives %s\n want  %s", text, line, want)
		}
	}
}

func TestAPodThatFitsNowhereSaysWhatItLacks(t *testing.T) {
	out, diags := pack(t, `{"pods":[{"name":"small","cpuMilli":100},{"name":"big","cpuMilli":100,"memMiB":9999999,"replicas":2}]}`, "node")
	if len(out.Left) != 1 || out.Left[0] != (pods.Count{Name: "big", Count: 2}) || len(out.Nodes) == 0 {
		t.Errorf("%+v", out)
	}
	if len(diags) != 1 || diags[0].Code != pods.FitsNowhere || !strings.Contains(diags[0].Problem, "has only memMiB ") {
		t.Errorf("%v", diags)
	}
}

// TestOnlyWhatIsAllowedIsBought tries the filters.
func TestOnlyWhatIsAllowedIsBought(t *testing.T) {
	set, _ := pods.Read("x", []byte(`{"pods":[{"name":"a","replicas":30,"cpuMilli":900,"memMiB":900,"ephemeralMiB":1000}]}`))
	c := prices(t)
	for _, f := range []pods.Filter{
		{Families: []string{"c"}, Architectures: []string{"amd64"}, MinGeneration: 7, MaxVCPU: 8, Ephemeral: unit.GiB * 9},
		{Families: []string{"t"}, Architectures: []string{"arm64"}, Ephemeral: unit.GiB * 9},
		{Families: []string{"m"}, Architectures: []string{"arm64"}, MinGeneration: 8, Ephemeral: unit.GiB * 2, Kubelet: catalog.Kubelet{MaxPods: 3}},
	} {
		p := pods.New(&set, &c, &f, pods.Levels()["none"], 0)
		out, diags, err := p.Pack("x", binpack.Options{})
		if err != nil || len(diags) > 0 {
			t.Fatal(err, diags)
		}
		for _, n := range out.Nodes {
			x, sum := c.Find(n.Type), 0
			for _, k := range n.Pods {
				sum += k.Count
			}
			if x.Name[:1] != f.Families[0] || x.Arch != f.Architectures[0] || x.Generation < f.MinGeneration || f.MaxVCPU > 0 && x.VCPU > f.MaxVCPU ||
				x.Flex || x.BareMetal || n.Price != x.Price || sum*1000 > int(f.Ephemeral>>20) || f.Kubelet.MaxPods > 0 && sum > f.Kubelet.MaxPods {
				t.Errorf("%+v buys %s with %d pods", f, n.Type, sum)
			}
		}
	}
}

// TestNothingIsLost packs random pods at every level and counts: every copy is
// on one node, no node has too many, and after every failure every copy that
// was lost is moved once, to a node that stands.
func TestNothingIsLost(t *testing.T) {
	c, f := prices(t), usual()
	f.MaxVCPU = 8
	rapid.Check(t, func(t *rapid.T) {
		var set pods.Set
		for i := range rapid.IntRange(1, 6).Draw(t, "services") {
			set.Pods = append(set.Pods, pods.Pod{
				Name: fmt.Sprint("s", i), Replicas: rapid.IntRange(0, 6).Draw(t, "replicas"), CPUMilli: int64(rapid.SampledFrom([]int{0, 100, 500}).Draw(t, "cpu")),
				MemMiB: int64(rapid.SampledFrom([]int{0, 256, 2048}).Draw(t, "memory")), MaxPerNode: rapid.IntRange(0, 3).Draw(t, "most"),
				EphemeralMiB: int64(rapid.SampledFrom([]int{0, 0, 30000}).Draw(t, "disk")),
			})
		}
		level := rapid.SampledFrom([]string{"none", "node", "zone"}).Draw(t, "level")
		p := pods.New(&set, &c, &f, pods.Levels()[level], 3)
		out, diags, err := p.Pack("x", binpack.Options{Seed: 1})
		if err != nil || len(diags) > 0 {
			t.Fatalf("%v %v", err, diags)
		}
		var cost unit.Money
		on := map[string]int{}
		for _, n := range out.Nodes {
			cost += n.Price
			for _, k := range n.Pods {
				on[k.Name] += k.Count
				for _, x := range set.Pods {
					if x.Name == k.Name && x.MaxPerNode > 0 && k.Count > x.MaxPerNode {
						t.Errorf("%d of %s on a node, at most %d", k.Count, k.Name, x.MaxPerNode)
					}
				}
			}
		}
		for _, x := range set.Pods {
			if on[x.Name] != x.Replicas {
				t.Errorf("%d of %s run, want %d", on[x.Name], x.Name, x.Replicas)
			}
		}
		if cost != out.Cost || out.Bound > out.Cost || out.Gap < 0 {
			t.Errorf("cost %s, nodes %s, bound %s", out.Cost, cost, out.Bound)
		}
		for _, x := range out.Failures {
			lost := map[string]int{}
			for _, b := range x.Lost {
				for _, k := range out.Nodes[b].Pods {
					lost[fmt.Sprint(b, k.Name)] += k.Count
				}
			}
			for _, m := range x.Moves {
				lost[fmt.Sprint(m.From, m.Name)] -= m.Count
				if slices.Contains(x.Lost, m.To) {
					t.Errorf("a pod moves to node %d, which is lost", m.To)
				}
			}
			for what, n := range lost {
				if n != 0 {
					t.Errorf("%d of %s are not moved when %v are lost", n, what, x.Lost)
				}
			}
		}
	})
}

// TestTheSameSeedGivesTheSameNodes compares two whole answers.
func TestTheSameSeedGivesTheSameNodes(t *testing.T) {
	const text = `{"pods":[{"name":"a","replicas":20,"cpuMilli":300,"memMiB":700},{"name":"b","replicas":9,"cpuMilli":900,"memMiB":300},{"name":"c","replicas":5,"cpuMilli":300,"memMiB":700}]}`
	one, _ := pack(t, text, "node")
	two, _ := pack(t, text, "node")
	a, _ := json.Marshal(one)
	b, _ := json.Marshal(two)
	if string(a) != string(b) {
		t.Errorf("%s\n%s", a, b)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"pods":[{"name":"a","replicas":3,"cpuMilli":100,"memMiB":1,"ephemeralMiB":1,"gpu":0,"maxPerNode":1}],"daemonset":{"cpuMilli":1,"memMiB":1,"pods":1}}`))
	f.Add([]byte(`{"pods":[{"name":"a","replicas":-3,"x":{}},1,[]],"daemonset":[]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		set, diags := pods.Read("x", b)
		if len(set.Pods) == 0 && len(diags) == 0 && !strings.Contains(string(b), "pods") {
			t.Error("neither pods nor a word why")
		}
		names := map[string]bool{}
		for _, p := range set.Pods {
			if p.Name == "" || names[p.Name] || p.Replicas < 0 || p.CPUMilli < 0 || p.MemMiB < 0 || p.EphemeralMiB < 0 || p.GPU < 0 || p.MaxPerNode < 0 {
				t.Errorf("pod %+v", p)
			}
			names[p.Name] = true
		}
	})
}
