package size_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/diag/diagtest"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/plan/size"
	"github.com/tranship/tranship/internal/plan/usage"
)

func one(id estate.Name, replicas int, cpu unit.CPU, memory unit.Bytes) estate.Workload {
	return estate.Workload{
		ID: id, Kind: estate.Service, Replicas: replicas,
		Containers: []estate.Container{{Name: "main", CPU: cpu, Memory: memory}},
	}
}

// series repeats values five minutes apart, 2,016 points in all: a week.
func series(id estate.Name, m usage.Metric, values ...float64) usage.Series {
	return long(id, m, 2016, values...)
}

func long(id estate.Name, m usage.Metric, n int, values ...float64) usage.Series {
	s := usage.Series{Workload: id, Metric: m, Step: 300}
	for i := range n {
		s.Points = append(s.Points, usage.Point{At: int64(1700000000 + 300*i), Value: values[i%len(values)]})
	}
	return s
}

func of(ws ...estate.Workload) *estate.Estate {
	e := &estate.Estate{Version: estate.Version, Workloads: ws}
	e.Sort()
	return e
}

// made sizes one estate and gives the first workload's first container.
func made(t *testing.T, e *estate.Estate, p policy.Policy, s ...usage.Series) (plan.Size, diag.List) {
	t.Helper()
	sizes, list := size.Make(e, &usage.Set{Series: s}, &p)
	if len(sizes) == 0 || len(sizes[0].Containers) == 0 {
		t.Fatal("nothing was sized")
	}
	return sizes[0], list
}

const mib = 1 << 20

func TestCPUIsAPercentileAndMemoryThePeakWithAMargin(t *testing.T) {
	s, list := made(t, of(one("/a", 2, 1000, 512*unit.MiB)), policy.Default(),
		series("/a", usage.CPU, 100, 200, 300, 400, 500, 600, 700, 800, 900, 1000), series("/a", usage.Memory, 300*mib, 400*mib))
	c := s.Containers[0]
	// Of the sum of two copies: the 80th percentile is 400 each, 82.2 with its
	// uncertainty in a week.
	if c.CPU < 400 || c.CPU > 450 || c.Memory != 230*unit.MiB || c.Reason != plan.FromUsage || s.Reason != plan.FromUsage {
		t.Errorf("got %s %s for %s: %s", c.CPU, c.Memory, c.Reason, c.Why)
	}
	want := &plan.Used{CPUMedian: 250, CPUHigh: 500, CPUPeak: 500, MemoryPeak: 200 * unit.MiB, Points: 2016}
	if d := cmp.Diff(want, c.Used); d != "" || c.Declared == nil || c.Declared.CPU != 1000 || len(list) > 0 {
		t.Errorf("used: %s%v", d, list)
	}
	for _, number := range []string{"80th", "2016 points", "means of 2 copies", "15 %"} {
		if !strings.Contains(c.Why, number) {
			t.Errorf("%q does not say %q", c.Why, number)
		}
	}
}

func TestFewPointsRaiseThePercentile(t *testing.T) {
	values := make([]float64, 100)
	for i := range values {
		values[i] = float64(10 + 10*i)
	}
	last := unit.CPU(0)
	for _, n := range []int{4000, 1000, 300, 100} {
		s, _ := made(t, of(one("/a", 1, 1000, 512*unit.MiB)), policy.Default(), long("/a", usage.CPU, n, values...))
		if s.Containers[0].CPU < last {
			t.Errorf("%d points give %s, more gave %s", n, s.Containers[0].CPU, last)
		}
		last = s.Containers[0].CPU
	}
	if s, _ := made(t, of(one("/a", 1, 1000, 512*unit.MiB)), policy.Default(), long("/a", usage.CPU, 99, values...)); s.Containers[0].CPU != 1000 || s.Reason != plan.AsDeclared || !strings.Contains(s.Containers[0].Why, "99 points") {
		t.Errorf("99 points give %s: %s", s.Containers[0].CPU, s.Containers[0].Why)
	}
}

func TestAKillForMemoryGivesMoreThanItHad(t *testing.T) {
	s, list := made(t, of(one("/a", 1, 100, 512*unit.MiB)), policy.Default(), series("/a", usage.Memory, 300*mib), long("/a", usage.OOM, 3, 0, 1, 1))
	c := s.Containers[0]
	if c.Memory != 640*unit.MiB || c.Reason != plan.FromOOM || c.Used.OOMKills != 2 || len(list) != 1 || list[0].Code != size.Killed {
		t.Errorf("got %s for %s: %s %v", c.Memory, c.Reason, c.Why, list)
	}
}

func TestAHeapSettingIsAFloor(t *testing.T) {
	for _, x := range []struct {
		name     string
		k        estate.Container
		declared unit.Bytes
		want     unit.Bytes
	}{
		{"in the command", estate.Container{Args: []string{"java", "-Xms64m", "-Xmx320m", "-jar", "a.jar"}}, 512, 448},
		{"in the shell, the last one", estate.Container{Shell: "exec java -Xmx1g -Xmx262144k -jar a.jar"}, 1024, 384},
		{"in a variable", estate.Container{Env: []estate.EnvVar{{Name: "JAVA_OPTS", Value: "-server -Xmx1024M"}}}, 2048, 1280},
		{"the JVM's own variable wins", estate.Container{Shell: "java -Xmx900m", Env: []estate.EnvVar{{Name: "_JAVA_OPTIONS", Value: "-Xmx320m"}}}, 1024, 448},
		{"with direct memory", estate.Container{Env: []estate.EnvVar{{Name: "JAVA_TOOL_OPTIONS", Value: "-Xmx320m -XX:MaxDirectMemorySize=64m"}}}, 1024, 512},
		{"not above what was enough", estate.Container{Args: []string{"-Xmx400m"}}, 448, 448},
		{"worked out from what was declared", estate.Container{Shell: "java -Xmx$((MARATHON_APP_RESOURCE_MEM*3/4))m -jar a.jar"}, 777, 777},
		{"with ${...%.*}", estate.Container{Shell: "java -Xmx${MARATHON_APP_RESOURCE_MEM%.*}m"}, 777, 777},
		{"a share of the container's", estate.Container{Env: []estate.EnvVar{{Name: "JAVA_OPTS", Value: "-XX:MaxRAMPercentage=50.0"}}}, 1024, 200},
		{"none", estate.Container{Shell: "python -Xfrozen_modules=off a.py"}, 512, 115},
	} {
		t.Run(x.name, func(t *testing.T) {
			w := one("/a", 1, 100, x.declared*unit.MiB)
			x.k.Name, x.k.CPU, x.k.Memory = "main", 100, x.declared*unit.MiB
			w.Containers[0] = x.k
			s, _ := made(t, of(w), policy.Default(), series("/a", usage.Memory, 100*mib))
			if c := s.Containers[0]; c.Memory != x.want*unit.MiB || (c.Reason == plan.HeapFloor) != (x.name != "none") {
				t.Errorf("got %s for %s, want %dMi: %s", c.Memory, c.Reason, x.want, c.Why)
			}
		})
	}
}

// TestATargetKeepsItsMeaning: sizing an autoscaled workload again and again by
// what it uses then does not shrink it.
func TestATargetKeepsItsMeaning(t *testing.T) {
	w := one("/a", 4, 500, 512*unit.MiB)
	w.Autoscale = &estate.Autoscale{Min: 2, Max: 10, CPU: 80}
	s, _ := made(t, of(w), policy.Default(), series("/a", usage.CPU, 400, 800, 1200))
	if c := s.Containers[0]; c.CPU != 500 || s.Scale == nil || s.Scale.CPU != 80 || s.Scale.Planned != 10 || s.Replicas != 4 {
		t.Errorf("scaled by the source: %s, %+v: %s", c.CPU, s.Scale, c.Why)
	}
	p := policy.Default()
	p.Spec.Workloads = map[string]policy.Workload{"/a": {Autoscale: &policy.Autoscale{Min: 2, Max: 10, CPU: 70}}}
	p.Spec.Target.Headroom = new(0.5)
	w = one("/a", 4, 500, 512*unit.MiB)
	s, _ = made(t, of(w), p, series("/a", usage.CPU, 400, 800, 1200))
	first := s.Containers[0].CPU
	if first != 429 || s.Scale.Planned != 7 {
		t.Errorf("a new target of 70 %% at 300m: %s, planned %d: %s", first, s.Scale.Planned, s.Containers[0].Why)
	}
	// The autoscaler holds copies at its target, and they are sized again.
	for range 5 {
		busy := 0.7 * float64(s.Containers[0].CPU) * 4
		s, _ = made(t, of(w), p, series("/a", usage.CPU, busy/3, busy))
	}
	if got := s.Containers[0].CPU; got < first-5 || got > first+5 {
		t.Errorf("sized five times over: %s, at first %s", got, first)
	}
}

func TestSidecarsShareWhatTheCopyUsed(t *testing.T) {
	w := one("/a", 1, 300, 300*unit.MiB)
	w.Containers = append(w.Containers, estate.Container{Name: "log", CPU: 100, Memory: 100 * unit.MiB})
	s, _ := made(t, of(w), policy.Default(), series("/a", usage.CPU, 200), series("/a", usage.Memory, 200*mib))
	if a, b := s.Containers[0], s.Containers[1]; a.CPU != 150 || b.CPU != 50 || a.Memory != 173*unit.MiB || b.Memory != 58*unit.MiB {
		t.Errorf("by share: %s %s and %s %s", a.CPU, a.Memory, b.CPU, b.Memory)
	}
	own := series("/a", usage.CPU, 30)
	own.Container = "log"
	s, _ = made(t, of(w), policy.Default(), own)
	if a, b := s.Containers[0], s.Containers[1]; a.CPU != 300 || a.Reason != plan.AsDeclared || b.CPU != 30 {
		t.Errorf("by container: %s (%s) and %s", a.CPU, a.Why, b.CPU)
	}
}

func TestPolicyHasTheLastWord(t *testing.T) {
	p := policy.Default()
	p.Spec.Workloads = map[string]policy.Workload{"/a": {CPU: new(unit.CPU(77)), Memory: new(99 * unit.MiB), Replicas: new(1)}}
	s, _ := made(t, of(one("/a", 2, 1000, 512*unit.MiB)), p, series("/a", usage.CPU, 400), series("/a", usage.Memory, 300*mib))
	if c := s.Containers[0]; c.CPU != 77 || c.Memory != 99*unit.MiB || c.Reason != plan.ByPolicy || s.Replicas != 1 || s.Reason != plan.ByPolicy {
		t.Errorf("got %d × %s %s: %s", s.Replicas, c.CPU, c.Memory, c.Why)
	}
	p.Spec.Workloads = map[string]policy.Workload{"/a": {Replicas: new(1)}}
	if s, _ = made(t, of(one("/a", 2, 1000, 512*unit.MiB)), p, series("/a", usage.CPU, 400)); s.Containers[0].CPU != 400 {
		t.Errorf("one copy in place of two, 200m each: %s: %s", s.Containers[0].CPU, s.Containers[0].Why)
	}
	p.Spec.Sizing.From = "declared"
	if s, _ = made(t, of(one("/a", 2, 1000, 512*unit.MiB)), p, series("/a", usage.CPU, 400)); s.Containers[0].CPU != 1000 || s.Containers[0].Used != nil {
		t.Errorf("as declared: %s: %s", s.Containers[0].CPU, s.Containers[0].Why)
	}
}

func TestAJobGetsThePeakOfItsRuns(t *testing.T) {
	w := one("report", 1, 1000, 512*unit.MiB)
	w.Kind, w.Run = estate.Schedule, &estate.Run{}
	s, _ := made(t, of(w), policy.Default(), long("report", usage.CPU, 10, 100, 300), long("report", usage.Memory, 10, 100*mib))
	if c := s.Containers[0]; c.CPU != 300 || c.Memory != 115*unit.MiB {
		t.Errorf("got %s %s: %s", c.CPU, c.Memory, c.Why)
	}
}

// TestEveryCodeHasAnExampleThatYieldsIt runs the examples in codes.go.
func TestEveryCodeHasAnExampleThatYieldsIt(t *testing.T) {
	diagtest.Examples(t, "codes.go", func(t *testing.T, text string) diag.List {
		var in struct {
			estate.Estate
			Spec  policy.Spec                          `json:"spec"`
			Usage map[estate.Name]map[string][]float64 `json:"usage"`
		}
		if err := json.Unmarshal([]byte(text), &in); err != nil {
			t.Fatal(err)
		}
		var set usage.Set
		for i := range in.Workloads {
			in.Workloads[i].Kind = estate.Service
			for name, values := range in.Usage[in.Workloads[i].ID] {
				for k := range values {
					if name == "memory" {
						values[k] *= mib
					}
				}
				set.Series = append(set.Series, series(in.Workloads[i].ID, usage.Metric(name), values...))
			}
		}
		p := policy.Default()
		p.Spec = in.Spec
		_, list := size.Make(&in.Estate, &set, &p)
		return list
	})
}
