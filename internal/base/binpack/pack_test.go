package binpack_test

import (
	"bytes"
	"flag"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tranship/tranship/internal/base/binpack"
	"github.com/tranship/tranship/internal/base/binpack/packtest"
	"github.com/tranship/tranship/internal/base/corpus"
)

var (
	seconds = flag.Float64("seconds", 0, "measure packings of so many seconds each: TestMeasure")
	which   = flag.String("which", "", "the rows that TestMeasure measures, by their beginning")
	seeds   = flag.Int("seeds", 10, "how many seeds TestMeasure takes")
)

// two runs on two cores at the same time.
func two(n int, do func(i int)) {
	var wg sync.WaitGroup
	gate := make(chan struct{}, 2)
	for i := range n {
		wg.Add(1)
		gate <- struct{}{}
		go func() {
			defer wg.Done()
			do(i)
			<-gate
		}()
	}
	wg.Wait()
}

// workload is a generator's problem with the prices of the reference.
func workload(t testing.TB, name string, seed uint64, n, dimensions int) binpack.Problem {
	t.Helper()
	f := packtest.Filter{}
	var s packtest.Set
	switch name {
	case "karp":
		s = packtest.Karp(seed, n)
	case "web":
		s = packtest.Web(seed, n)
	default:
		f.MaxVCPU = 96
		files, _ := corpus.Files(t, nil)
		list, err := fs.ReadFile(files, "packing/openb_pod_list_default.csv")
		if err != nil {
			t.Skip("skipped: no corpus")
		}
		if s, err = packtest.Ali(bytes.NewReader(list), seed, n); err != nil {
			t.Fatal(err)
		}
	}
	nodes, err := packtest.Catalog(bytes.NewReader(corpus.Beside(t, "catalog/ec2-us-east-1.csv")), f)
	if err != nil {
		t.Fatal(err)
	}
	return s.Problem(nodes, dimensions)
}

// TestMeasure prints cost over bound of the measured workloads:
//
//	go test ./internal/base/binpack -run TestMeasure -seconds 1 -timeout 1h -v
func TestMeasure(t *testing.T) {
	if *seconds == 0 {
		t.Skip("skipped: asked for with -seconds")
	}
	rows := []struct {
		name          string
		n, dimensions int
	}{
		{"karp", 50, 3},
		{"karp", 500, 3},
		{"karp", 5000, 3},
		{"web", 50, 3},
		{"web", 500, 3},
		{"web", 5000, 3},
		{"ali", 50, 3},
		{"ali", 500, 3},
		{"ali", 5000, 3},
		{"karp", 50000, 3},
		{"web", 50000, 3},
		{"web", 50, 4},
		{"web", 500, 4},
		{"web", 5000, 4},
	}
	var all []float64
	for _, row := range rows {
		label := fmt.Sprintf("%s/%d/%dd", row.name, row.n, row.dimensions)
		if !strings.HasPrefix(label, *which) {
			continue
		}
		count := *seeds
		if row.n > 5000 {
			count = min(count, 1)
		}
		var gaps, took, busy []float64
		for seed := range count {
			p := workload(t, row.name, uint64(seed)+1, row.n, row.dimensions)
			start, before := time.Now(), processor()
			r, err := binpack.Pack(p, binpack.Options{Seed: 1, Iterations: binpack.Budget(*seconds), Each: two})
			took = append(took, time.Since(start).Seconds())
			busy = append(busy, processor()-before)
			if err != nil {
				t.Fatal(err)
			}
			if err := binpack.Check(&p, r.Bins, r.Left); err != nil {
				t.Fatal(err)
			}
			gaps = append(gaps, 1+r.Gap())
		}
		t.Logf("%-14s %.4f  median %.4f worst %.4f  seconds %.2f to %.2f, of processor %.2f to %.2f", label, gaps,
			median(gaps), slices.Max(gaps), slices.Min(took), slices.Max(took), slices.Min(busy), slices.Max(busy))
		if row.n <= 5000 && row.dimensions == 3 {
			all = append(all, gaps...)
		}
	}
	if len(all) > 0 {
		t.Logf("%d runs: median %.4f worst %.4f", len(all), median(all), slices.Max(all))
	}
}

// processor is the time that this process has been given so far: on a machine
// that others use too it says more than the clock.
func processor() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

func BenchmarkPack(b *testing.B) {
	for _, name := range []string{"karp", "web", "ali"} {
		for _, n := range []int{50, 500, 5000} {
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				p := workload(b, name, 1, n, 3)
				gap := 0.0
				for b.Loop() {
					r, err := binpack.Pack(p, binpack.Options{Seed: 1, Iterations: binpack.Budget(1), Each: two})
					if err != nil {
						b.Fatal(err)
					}
					gap = r.Gap()
				}
				b.ReportMetric(100*gap, "%gap")
			})
		}
	}
}

func median(of []float64) float64 {
	s := slices.Sorted(slices.Values(of))
	return (s[(len(s)-1)/2] + s[len(s)/2]) / 2
}
