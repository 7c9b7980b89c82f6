package usage_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/diag/diagtest"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan/usage"
)

const id = "b8db9f73-562f-11e4-a088-c20493233aa5"

func options() usage.Options {
	return usage.Options{
		Workloads: []estate.Name{"/shop/cart", "/shop/web", "/a/b", "/b/a", "daily.report", "/stack/api"},
		Declared: map[estate.Name]usage.Declared{
			"/shop/cart": {CPU: 500, Memory: 512 * unit.MiB, Replicas: 2},
		},
		MinPoints: 2,
	}
}

func read(t testing.TB, o usage.Options, files map[string]string) (usage.Set, diag.List) {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return usage.Read(fsys, o)
}

// one reads one file and wants no more than notes.
func one(t *testing.T, file, text string) usage.Set {
	t.Helper()
	set, list := read(t, options(), map[string]string{file: text})
	for _, d := range list {
		if d.Severity != diag.Note && d.Code != usage.FewPoints {
			t.Errorf("%v", d)
		}
	}
	return set
}

// show writes a set as text: "workload metric container/copy: at=value ...".
func show(set usage.Set) string {
	var b strings.Builder
	for _, s := range set.Series {
		fmt.Fprintf(&b, "%s %s", s.Workload, s.Metric)
		if s.Container != "" {
			fmt.Fprintf(&b, " in %s", s.Container)
		}
		if s.Copy != "" {
			fmt.Fprintf(&b, " of %s", s.Copy)
		}
		b.WriteString(":")
		for _, p := range s.Points {
			fmt.Fprintf(&b, " %d=%s", p.At, strconv.FormatFloat(math.Round(p.Value*1000)/1000, 'f', -1, 64))
		}
		b.WriteString("\n")
	}
	return b.String()
}

func TestEveryFormatGivesTheSameModel(t *testing.T) {
	mib := 1 << 20
	for _, x := range []struct{ name, file, text, want, format string }{
		{
			"the example's table", "usage.csv", "time,workload,cpu_cores,memory_mib\n2026-11-01T00:00:00Z,/shop/cart,0.25,300\n2026-11-01T00:05:00Z,/shop/cart,0.5,301\n",
			fmt.Sprintf("/shop/cart cpu: 1793491200=250 1793491500=500\n/shop/cart memory: 1793491200=%d 1793491500=%d\n", 300*mib, 301*mib), "csv",
		},
		{
			"a table in another order, with copies and kills", "x.txt", "copy;mem_bytes;oom;container;cpu_milli;app;timestamp;requests\na;629145600;1;main;100;shop/cart;1700000000;3\na;629145600;0;main;150;shop/cart;1700000060;4\n",
			"/shop/cart cpu in main of a: 1700000000=100 1700000060=150\n/shop/cart memory in main of a: 1700000000=629145600 1700000060=629145600\n/shop/cart oom in main of a: 1700000000=1 1700000060=0\n/shop/cart requests in main of a: 1700000000=3 1700000060=4\n", "csv",
		},
		{
			"counters of Prometheus with a task's ID", "p.json", `{"status":"success","data":{"resultType":"matrix","result":[
			{"metric":{"__name__":"container_cpu_usage_seconds_total","container_label_MESOS_TASK_ID":"shop_cart.` + id + `","cpu":"cpu00"},"values":[[1700000000,"10"],[1700000060,"22"]]},
			{"metric":{"__name__":"container_cpu_usage_seconds_total","container_label_MESOS_TASK_ID":"shop_cart.` + id + `","cpu":"cpu01"},"values":[[1700000000,"0"],[1700000060,"6"]]},
			{"metric":{"__name__":"container_memory_working_set_bytes","container_label_MESOS_TASK_ID":"shop_cart.instance-` + id + `._app.2"},"values":[[1700000000,"1e8"],[1700000060,"1.1e8"]]},
			{"metric":{"__name__":"container_memory_rss","container_label_MESOS_TASK_ID":"shop_cart.instance-` + id + `._app.2"},"values":[[1700000000,"5"],[1700000060,"6"]]}]}}`,
			"/shop/cart cpu of " + id + ": 1700000060=300\n/shop/cart memory of " + id + ": 1700000000=100000000 1700000060=110000000\n", "prometheus",
		},
		{
			"a rate without a name", "cpu_cores.json", `{"data":{"result":[{"values":[[1700000000.123,"0.25"],[1700000060,"0.5"]],"metric":{"app":"cart.shop"}}],"resultType":"matrix"},"status":"success"}`,
			"/shop/cart cpu: 1700000000=250 1700000060=500\n", "prometheus",
		},
		{
			"a pod's container", "q.json", `[{"metric":{"__name__":"container_memory_working_set_bytes","container_label_MESOS_TASK_ID":"shop_web.instance-` + id + `.nginx"},"values":[[1700000000,"1e8"]]}]`,
			"/shop/web memory in nginx of " + id + ": 1700000000=100000000\n", "prometheus",
		},
		{
			"Graphite", "g.json", `[{"target":"apps.shop.cart.0.cpu.cores","datapoints":[[0.25,1700000000],[null,1700000060],[0.5,1700000120]]},
			{"target":"scaleToSeconds(nonNegativeDerivative(mesos.shop_cart.cpus_user_time_secs),1)","datapoints":[[0.1,1700000000],[0.1,1700000060]]},
			{"target":"shop/web memory_mib","datapoints":[[100,1700000000],[100,1700000060]]}]`,
			"/shop/cart cpu: 1700000000=100 1700000060=100\n/shop/cart cpu of 0: 1700000000=250 1700000120=500\n/shop/web memory: 1700000000=104857600 1700000060=104857600\n", "graphite",
		},
		{
			"CloudWatch, newest first", "c.json", `{"MetricDataResults":[{"Id":"shop_cart_cpu","Label":"cart CPUUtilization","Timestamps":["2026-11-01T00:05:00+00:00","2026-11-01T00:00:00Z"],"Values":[50,25],"StatusCode":"Complete"},
			{"Id":"m2","Label":"/shop/web MemoryUtilized","Timestamps":[1700000000],"Values":[128],"StatusCode":"Complete"}],"Messages":[]}`,
			fmt.Sprintf("/shop/cart cpu: 1793491200=250 1793491500=500\n/shop/web memory: 1700000000=%d\n", 128*mib), "cloudwatch",
		},
		{
			"samples of an agent, one after the other", "s.json", `[{"executor_id":"shop_cart.` + id + `","framework_id":"F","source":"shop_cart.` + id + `","statistics":{"cpus_system_time_secs":1,"cpus_user_time_secs":9,"mem_rss_bytes":100000000,"timestamp":1700000000.5}}]
			[{"executor_id":"shop_cart.` + id + `","source":"shop_cart.` + id + `","statistics":{"cpus_system_time_secs":2,"cpus_user_time_secs":20,"mem_rss_bytes":110000000,"timestamp":1700000060.5}}]`,
			"/shop/cart cpu of " + id + ": 1700000061=200\n/shop/cart memory of " + id + ": 1700000001=100000000 1700000061=110000000\n", "mesos",
		},
		{
			"a job's run", "j.csv", "time,task_id,cpu_cores\n1700000000,daily_report_20200117143010pXk3s." + id + ",0.5\n",
			"daily.report cpu of " + id + "20200117143010pXk3s: 1700000000=500\n", "csv",
		},
		{
			"a task of Swarm", "j.csv", "time,name,cpu_percent\n1700000000,stack_api.2.abcdefghijklmnopqrstuvwxy,50\n",
			"/stack/api cpu of abcdefghijklmnopqrstuvwxy: 1700000000=500\n", "csv",
		},
	} {
		t.Run(x.name, func(t *testing.T) {
			set := one(t, x.file, x.text)
			if d := cmp.Diff(x.want, show(set)); d != "" {
				t.Error(d)
			}
			if len(set.Sources) != 1 || set.Sources[0].Format != x.format {
				t.Errorf("sources %+v, want one of %s", set.Sources, x.format)
			}
		})
	}
}

func TestSeveralFilesMakeOneSeries(t *testing.T) {
	const later, earlier = "time,workload,cpu_cores\n1700000060,/shop/cart,0.5\n1700000120,/shop/cart,0.5\n", "time,workload,cpu_cores\n1700000000,/shop/cart,0.25\n1700000060,/shop/cart,0.5\n"
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, _ = z.Write([]byte(later))
	_ = z.Close()
	set, list := read(t, options(), map[string]string{"a/1.csv.gz": packed.String(), "b.csv": earlier, ".hidden": "x", "empty.csv": ""})
	if want := "/shop/cart cpu: 1700000000=250 1700000060=500 1700000120=500\n"; show(set) != want || len(list) > 0 {
		t.Errorf("read %s%v, want %s", show(set), list, want)
	}
	if len(set.Sources) != 2 || set.Series[0].Step != 60 {
		t.Errorf("sources %+v, step %v", set.Sources, set.Series[0].Step)
	}
}

func TestWhatIsCutOffKeepsItsBeginning(t *testing.T) {
	text := `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"cpu_cores","app":"/shop/cart"},"values":[[1700000000,"1"],[1700000060,"1"]]},{"metric":{`
	set, list := read(t, options(), map[string]string{"a.json": text})
	if len(set.Series) != 1 || len(list) != 1 || list[0].Code != usage.BrokenFile {
		t.Errorf("read %s%v", show(set), list)
	}
}

func TestASumOfCountersThatLosesOneGivesNoSpike(t *testing.T) {
	set, list := read(t, options(), map[string]string{"a.json": `{"data":{"result":[{"metric":{"__name__":"container_cpu_usage_seconds_total","app_id":"/shop/cart"},
		"values":[[1700000000,"900000"],[1700000060,"900030"],[1700000120,"600000"],[1700000180,"600030"],[1700000240,"6"]]}]}}`})
	if want := "/shop/cart cpu: 1700000060=500 1700000180=500 1700000240=100\n"; show(set) != want || len(list) != 1 || list[0].Code != usage.CounterReset {
		t.Errorf("read %s%v, want %s", show(set), list, want)
	}
}

func TestBetweenRunsOfAJobThereIsNoGap(t *testing.T) {
	e := estate.Estate{Workloads: []estate.Workload{{ID: "daily.report", Kind: estate.Schedule, Containers: []estate.Container{{CPU: 500, Memory: unit.GiB}}}}}
	var text strings.Builder
	text.WriteString("time,workload,cpu_cores\n")
	for run := range 3 {
		for n := range 4 {
			fmt.Fprintf(&text, "%d,daily.report,0.5\n", 1700000000+86400*run+300*n)
		}
	}
	set, list := read(t, usage.For(&e), map[string]string{"u.csv": text.String()})
	if len(list) > 0 || len(set.Series) != 1 || len(set.Series[0].Points) != 12 {
		t.Errorf("read %s%v", show(set), list)
	}
}

func TestNamesAndMetricsCanBeSaid(t *testing.T) {
	o := options()
	o.Names = map[string]estate.Name{"shopping basket": "/shop/cart", "q1": "/shop/web"}
	o.Metrics = map[string]string{"busy": "cpu_milli", "q1": "memory_mib"}
	o.Label = "team_app"
	set, list := read(t, o, map[string]string{
		"p.json": `{"data":{"result":[{"metric":{"__name__":"busy","team_app":"shopping basket","app":"/shop/web"},"values":[[1700000000,"250"],[1700000060,"250"]]}]}}`,
		"c.json": `{"MetricDataResults":[{"Id":"q1","Label":"no words","Timestamps":[1700000000,1700000060],"Values":[100,100]}]}`,
	})
	if want := "/shop/cart cpu: 1700000000=250 1700000060=250\n/shop/web memory: 1700000000=104857600 1700000060=104857600\n"; show(set) != want || len(list) > 0 {
		t.Errorf("read %s%v, want %s", show(set), list, want)
	}
}

func TestWithoutAnEstateNamesAreTakenAsTheyAre(t *testing.T) {
	set, _ := read(t, usage.Options{}, map[string]string{"u.csv": "time,workload,cpu_cores\n1700000000,/x/y,1\n1700000000,z_w." + id + ",1\n"})
	if want := "/x/y cpu: 1700000000=1000\n/z/w cpu of " + id + ": 1700000000=1000\n"; show(set) != want {
		t.Errorf("read %s, want %s", show(set), want)
	}
}

// TestEveryCodeHasAnExampleThatYieldsIt runs the examples in codes.go.
func TestEveryCodeHasAnExampleThatYieldsIt(t *testing.T) {
	diagtest.Examples(t, "codes.go", func(t *testing.T, text string) diag.List {
		_, list := read(t, options(), map[string]string{"example": text})
		for _, d := range list {
			if d.Hint == "" || d.Subject == "" || d.Pos.File == "" {
				t.Errorf("%v has no hint, subject or place", d)
			}
		}
		return list
	})
}

// TestABadFieldCostsItselfOnly puts other values in the place of each value of
// an answer: nothing panics, and the other series stays.
func TestABadFieldCostsItselfOnly(t *testing.T) {
	good := map[string]string{
		"prometheus": `{"metric":{"__name__":"cpu_cores","app":"/shop/web"},"values":[[1700000000,"0.1"],[1700000060,"0.1"]]}`,
		"graphite":   `{"target":"shop.web.cpu.cores","datapoints":[[0.1,1700000000],[0.1,1700000060]]}`,
		"cloudwatch": `{"Id":"shop_web","Label":"/shop/web cpu_cores","Timestamps":[1700000000,1700000060],"Values":[0.1,0.1],"StatusCode":"Complete"}`,
		"mesos":      `{"executor_id":"x","source":"shop_web.` + id + `","statistics":{"cpus_user_time_secs":1,"cpus_system_time_secs":1,"mem_rss_bytes":1e8,"timestamp":1700000000.5}}`,
	}
	for name, text := range good {
		var doc any
		if err := json.Unmarshal([]byte(text), &doc); err != nil {
			t.Fatal(err)
		}
		// walk visits each value with what puts another in its place.
		var walk func(v any, put func(any))
		walk = func(v any, put func(any)) {
			for _, other := range []string{`null`, `true`, `-1`, `1e400`, `1e9999`, `""`, `"NaN"`, `"a b"`, `[]`, `{}`, `[null]`, `[[]]`, `[{"a":[1]}]`, `{"a":{"b":1}}`} {
				put(json.RawMessage(other))
				changed, err := json.Marshal(doc)
				if err != nil {
					t.Fatal(err)
				}
				set, _ := read(t, options(), map[string]string{"f": "[" + string(changed) + "," + strings.ReplaceAll(text, "web", "cart") + "]"})
				holds(t, set)
				if !slices.ContainsFunc(set.Series, func(s usage.Series) bool { return s.Workload == "/shop/cart" }) {
					t.Errorf("%s: %s: the other series is gone: %s", name, changed, show(set))
				}
			}
			put(v)
			switch x := v.(type) {
			case []any:
				for i, e := range x {
					walk(e, func(o any) { x[i] = o })
				}
			case map[string]any:
				for k, e := range x {
					walk(e, func(o any) { x[k] = o })
				}
			}
		}
		walk(doc, func(o any) { doc = o })
	}
}

// TestTheOrderOfRowsIsIrrelevant holds for any rows.
func TestTheOrderOfRowsIsIrrelevant(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string {
			return fmt.Sprintf("%d,%s,%d,%s", 1700000000+60*rapid.IntRange(0, 20).Draw(t, "at"), rapid.SampledFrom([]string{"/shop/cart", "/shop/web", "?"}).Draw(t, "w"),
				rapid.IntRange(-1, 9).Draw(t, "v"), rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "copy"))
		}), 1, 40).Draw(t, "rows")
		text := func(rows []string) map[string]string {
			return map[string]string{"u.csv": "time,workload,cpu_cores,copy\n" + strings.Join(rows, "\n") + "\n"}
		}
		fsys := func(m map[string]string) fstest.MapFS { return fstest.MapFS{"u.csv": {Data: []byte(m["u.csv"])}} }
		a, _ := usage.Read(fsys(text(rows)), options())
		b, _ := usage.Read(fsys(text(rapid.Permutation(rows).Draw(t, "order"))), options())
		if d := cmp.Diff(a, b); d != "" {
			t.Fatal(d)
		}
		holds(t, a)
	})
}

type failer interface{ Errorf(string, ...any) }

// holds asks of a set what size and fit rely on.
func holds(t failer, set usage.Set) {
	for i, s := range set.Series {
		if s.Workload == "" || len(s.Points) == 0 {
			t.Errorf("series %d of %q has %d points", i, s.Workload, len(s.Points))
		}
		for k, p := range s.Points {
			if math.IsNaN(p.Value) || math.IsInf(p.Value, 0) || p.Value < 0 || k > 0 && p.At <= s.Points[k-1].At {
				t.Errorf("series %d has point %v after %v", i, p, s.Points[max(k-1, 0)])
			}
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{
		"time,workload,cpu_cores,memory_mib\n2026-11-01T00:00:00Z,/shop/cart,0.5,300\n",
		"ts;app;mem\n1;x;1e999\n",
		`{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"container_cpu_usage_seconds_total","app_id":"/shop/cart"},"values":[[1,"2"],[3,"1"],[1e300,"x"]]}]}}`,
		`{"data":[[{}]],"result":{"a":[1]},"MetricDataResults":null}`,
		`[{"target":"a(b.shop.cart.cpu,3)","datapoints":[[1,2],[null,3],[],[1]]},{"target":3,"datapoints":{}}]`,
		`{"MetricDataResults":[{"Id":"m","Label":"/shop/cart CPUUtilization","Timestamps":["x",1e99],"Values":[1,"a"]}]}`,
		`[{"executor_id":"shop_cart.` + id + `","statistics":{"cpus_user_time_secs":-1,"timestamp":1e30,"mem_rss_bytes":1}}] [`,
		"\x1f\x8b", "\ufeff[", "1", `""`, "a,b\n\"",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		set, list := read(t, options(), map[string]string{"f": text})
		holds(t, set)
		for _, d := range list {
			if d.Code == "" || d.Hint == "" || d.Problem == "" {
				t.Errorf("%+v", d)
			}
		}
		set, _ = read(t, usage.Options{}, map[string]string{"f": text})
		holds(t, set)
	})
}

// BenchmarkMillionRows reads a table of a million rows.
func BenchmarkMillionRows(b *testing.B) {
	var t bytes.Buffer
	t.WriteString("time,workload,cpu_cores,memory_mib\n")
	for i := range 10000 {
		for w := range 100 {
			fmt.Fprintf(&t, "%d,/w/%d,0.%d,%d\n", 1700000000+300*i, w, i%97, 100+i%50)
		}
	}
	fsys := fstest.MapFS{"u.csv": {Data: t.Bytes()}}
	b.ReportAllocs()
	for b.Loop() {
		set, _ := usage.Read(fsys, usage.Options{})
		if len(set.Series) != 200 {
			b.Fatal(len(set.Series))
		}
	}
}

// BenchmarkMillionSamples reads a range answer of a million samples.
func BenchmarkMillionSamples(b *testing.B) {
	var t bytes.Buffer
	t.WriteString(`{"status":"success","data":{"resultType":"matrix","result":[`)
	for w := range 250 {
		if w > 0 {
			t.WriteByte(',')
		}
		fmt.Fprintf(&t, `{"metric":{"__name__":"container_cpu_usage_seconds_total","app_id":"/w/%d"},"values":[`, w)
		for i := range 4000 {
			if i > 0 {
				t.WriteByte(',')
			}
			fmt.Fprintf(&t, `[%d,"%d.25"]`, 1700000000+300*i, 30*i)
		}
		t.WriteString("]}")
	}
	t.WriteString("]}}")
	fsys := fstest.MapFS{"u.json": {Data: t.Bytes()}}
	b.ReportAllocs()
	for b.Loop() {
		set, _ := usage.Read(fsys, usage.Options{})
		if len(set.Series) != 250 {
			b.Fatal(len(set.Series))
		}
	}
}
