package size_test

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/tranship/tranship/internal/base/corpus"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/plan/size"
	"github.com/tranship/tranship/internal/plan/usage"
)

// A dayPair is one day's use of many machines that were also there on the next
// day of the trace: in thousandths of a core, every five minutes.
type dayPair struct {
	names       []estate.Name
	train, next map[estate.Name][]float64
}

// planetLab reads the series (one core a machine, its use in percent).
func planetLab(t *testing.T) []dayPair {
	t.Helper()
	f, err := os.Open(filepath.Join(corpus.Dir(t), "packing", "planetlab-2011-cpu-percent-5min.csv.gz"))
	if err != nil {
		t.Skip("skipped: no corpus")
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	days := map[string]map[estate.Name][]float64{}
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		p := strings.SplitN(lines.Text(), ",", 3)
		var v []float64
		for x := range strings.FieldsSeq(p[2]) {
			n, err := strconv.ParseFloat(x, 64)
			if err != nil {
				t.Fatal(err)
			}
			v = append(v, 10*n)
		}
		if days[p[0]] == nil {
			days[p[0]] = map[estate.Name][]float64{}
		}
		if len(v) >= 288 {
			days[p[0]][estate.Name("/"+p[1])] = v[:288]
		}
	}
	var names []string
	for d := range days {
		names = append(names, d)
	}
	slices.Sort(names)
	var out []dayPair
	for i := 0; i+1 < len(names); i++ {
		x := dayPair{train: days[names[i]], next: days[names[i+1]]}
		for id := range x.train {
			if x.next[id] != nil {
				x.names = append(x.names, id)
			}
		}
		slices.Sort(x.names)
		out = append(out, x)
	}
	return out
}

// krr is the published rule of robusta-dev/krr's simple strategy: the 95th
// percentile, at least 10 m, no margin.
func krr(v []float64) float64 {
	s := slices.Sorted(slices.Values(v))
	return max(rank(s, 0.95), 10)
}

func rank(s []float64, q float64) float64 {
	at := q * float64(len(s)-1)
	i := int(at)
	j := min(i+1, len(s)-1)
	return s[i] + (at-float64(i))*(s[j]-s[i])
}

// vpa is the recommender's published rule: a histogram with buckets from 10 m
// that grow by 5 %, weights that halve in 24 hours, its 90th percentile (the
// end of the bucket), 15 % more, at least 25 m.
func vpa(v []float64) float64 {
	var weights [200]float64
	ends := [200]float64{}
	end, width := 10.0, 10.0
	for i := range ends {
		ends[i] = end
		width *= 1.05
		end += width
	}
	total := 0.0
	for i, x := range v {
		b := 0
		for b < len(ends)-1 && x >= ends[b] {
			b++
		}
		// Every sample is weighted by the request, the same for all, and decays.
		w := math.Exp2(float64(i) * 300 / 86400)
		weights[b] += w
		total += w
	}
	sum := 0.0
	for i, w := range weights {
		if sum += w; sum >= 0.9*total {
			return max(ends[i]*1.15, 25)
		}
	}
	return 25
}

// sized runs the product's own rule over one day of training.
func sized(t testing.TB, x dayPair, replicas int) (map[estate.Name]float64, *size.Tails) {
	t.Helper()
	e := estate.Estate{Version: estate.Version}
	set := usage.Set{}
	for _, id := range x.names {
		e.Workloads = append(e.Workloads, estate.Workload{
			ID: id, Kind: estate.Service, Replicas: replicas,
			Containers: []estate.Container{{Name: "main", CPU: 1000, Memory: unit.GiB}},
		})
		s := usage.Series{Workload: id, Metric: usage.CPU, Step: 300}
		for i, v := range x.train[id] {
			s.Points = append(s.Points, usage.Point{At: int64(i) * 300, Value: v * float64(replicas)})
		}
		set.Series = append(set.Series, s)
	}
	p := policy.Default()
	sizes, _ := size.Make(&e, &set, &p)
	out := map[estate.Name]float64{}
	for _, s := range sizes {
		out[s.Workload] = float64(s.Containers[0].CPU)
	}
	return out, size.NewTails(&e, &set, sizes)
}

// TestPlanetLab trains on one day and judges on the next, beside krr and VPA.
// The pods are placed at random; all rules judge the same nodes.
func TestPlanetLab(t *testing.T) {
	days := planetLab(t)
	pairs := 0
	rules := []string{"krr P95", "VPA P90 x1.15", "tranship request"}
	requests := make([]map[string]map[estate.Name]float64, len(days))
	tails := make([]*size.Tails, len(days))
	over, slack, clipped, demand := map[string]float64{}, map[string]float64{}, map[string]float64{}, 0.0
	samples := 0
	for d, x := range days {
		pairs += len(x.names)
		own, tl := sized(t, x, 1)
		tails[d] = tl
		requests[d] = map[string]map[estate.Name]float64{rules[0]: {}, rules[1]: {}, rules[2]: own}
		for _, id := range x.names {
			requests[d][rules[0]][id] = krr(x.train[id])
			requests[d][rules[1]][id] = vpa(x.train[id])
			for _, v := range x.next[id] {
				demand += v
				samples++
				for _, r := range rules {
					q := requests[d][r][id]
					if v > q {
						over[r]++
						clipped[r] += v - q
					} else if q > 0 {
						slack[r] += (q - v) / q
					}
				}
			}
		}
	}
	t.Logf("%d machines on two days of the trace, CPU every 5 min, trained on the first", pairs)
	t.Logf("%-34s %12s %14s %8s", "a pod alone", "over request", "demand clipped", "slack")
	for _, r := range rules {
		t.Logf("%-34s %11.1f%% %13.1f%% %7.1f%%", r, 100*over[r]/float64(samples), 100*clipped[r]/demand, 100*slack[r]/float64(samples))
	}
	t.Logf("%-34s %12s %14s %12s %18s", "K pods on a node", "CPU / krr's", "time overload", "clipped", "nodes > 5 % over")
	for _, k := range []int{5, 20, 35, 50, 100} {
		for _, correlated := range []bool{false, true} {
			got := nodes(t, days, requests, tails, k, correlated)
			name := fmt.Sprintf("K = %d", k)
			if correlated {
				name += ", five copies of each service"
			}
			for _, r := range append(slices.Clone(rules), "tranship node") {
				g := got[r]
				t.Logf("%-34s %12.3f %13.3f%% %11.3f%% %17.2f%%", name+": "+r, g.cpu/got[rules[0]].cpu, 100*g.over/g.samples, 100*g.clipped/g.demand, 100*g.bad/g.nodes)
			}
			f := got[rules[0]].hindsight()
			t.Logf("%-34s %12.3f %13.3f%%", name+": krr scaled by hindsight", f, 0.5)
			own, peer := got["tranship node"], got[rules[0]]
			for half, over := range own.halves {
				t.Logf("%-34s %12s %13.3f%%", fmt.Sprintf("%s: tranship node, half %d of the days", name, half+1), "", 100*over[0]/over[1])
			}
			if own.over/own.samples > 0.005 {
				t.Errorf("K = %d: nodes are overloaded %.3f %% of the time, want at most 0.5 %%", k, 100*own.over/own.samples)
			}
			if k >= 35 && !correlated && own.cpu > 0.80*peer.cpu {
				t.Errorf("K = %d: nodes request %.3f of krr's CPU, want at most 0.80", k, own.cpu/peer.cpu)
			}
		}
	}
}

type judged struct {
	cpu, over, samples, clipped, demand, bad, nodes float64
	halves                                          [2][2]float64 // of the days: samples over, samples
	ratios                                          []float64     // use over request
}

// hindsight is the factor by which requests could be scaled, had the next day
// been known, to be overloaded 0.5 % of the time.
func (j judged) hindsight() float64 {
	s := slices.Clone(j.ratios)
	slices.Sort(s)
	return rank(s, 0.995)
}

// nodes places pods at random and judges every rule's request for the node.
// Correlated: each service has five copies on the node, all with one series.
func nodes(t *testing.T, days []dayPair, requests []map[string]map[estate.Name]float64, tails []*size.Tails, k int, correlated bool) map[string]judged {
	t.Helper()
	rng := rand.New(rand.NewPCG(5, uint64(k)))
	out := map[string]judged{}
	each := 1
	if correlated {
		each = 5
	}
	for range 800 {
		d := rng.IntN(len(days))
		x := days[d]
		var pods []plan.Copies
		for _, i := range rng.Perm(len(x.names))[:k/each] {
			pods = append(pods, plan.Copies{Workload: x.names[i], Count: each})
		}
		total := make([]float64, 288)
		sums := map[string]float64{}
		for _, p := range pods {
			for i, v := range x.next[p.Workload] {
				total[i] += v * float64(each)
			}
			for r, q := range requests[d] {
				sums[r] += q[p.Workload] * float64(each)
			}
		}
		// A node has to hold its pods' requests and what they use together.
		sums["tranship node"] = max(sums["tranship request"], float64(tails[d].Need(pods, 0.005)))
		for r, room := range sums {
			g := out[r]
			g.cpu += room
			g.nodes++
			n := 0.0
			half := &g.halves[d*2/len(days)]
			for _, v := range total {
				g.demand += v
				g.ratios = append(g.ratios, v/room)
				if v > room {
					n++
					g.clipped += v - room
				}
			}
			g.over += n
			half[0] += n
			half[1] += float64(len(total))
			g.samples += float64(len(total))
			if n > 0.05*float64(len(total)) {
				g.bad++
			}
			out[r] = g
		}
	}
	return out
}
