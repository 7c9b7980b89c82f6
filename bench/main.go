package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/karpenter/pkg/operator/logging"

	"github.com/tranship/tranship/internal/base/binpack"
	"github.com/tranship/tranship/internal/base/binpack/packtest"
	"github.com/tranship/tranship/internal/plan/catalog"
)

// An answer is what one side made of it.
type answer struct {
	Cost    float64 // dollars an hour
	Bound   float64
	Nodes   int
	Left    int // pods without a node
	Seconds float64
}

type settings struct {
	catalog, tranship, budget, list string
	sizes                           []int
	generators                      []string
	seeds                           uint64
}

func main() {
	var s settings
	var sizes, generators string
	flag.StringVar(&s.catalog, "catalog", "", "the price list, a CSV of instance types (default: the embedded one)")
	flag.StringVar(&s.tranship, "tranship", "../bin/tranship", "the program to measure")
	flag.StringVar(&s.budget, "budget", "1s", "its --budget")
	flag.StringVar(&s.list, "pods", "", "openb's list of pods, for the generator ali; left out without it")
	flag.StringVar(&sizes, "n", "50,500,5000", "numbers of pods")
	flag.StringVar(&generators, "generators", "karp,web,ali", "what to draw pods from")
	flag.Uint64Var(&s.seeds, "seeds", 3, "seeds of each, from 1")
	flag.Parse()
	log.SetLogger(logging.NopLogger)
	for _, n := range strings.Split(sizes, ",") {
		v, err := strconv.Atoi(n)
		if err != nil {
			fmt.Fprintln(os.Stderr, "bench: -n:", err)
			os.Exit(2)
		}
		s.sizes = append(s.sizes, v)
	}
	s.generators = strings.Split(generators, ",")
	if err := s.run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// run measures and holds the sums against what is promised: never dearer, at
// 500 pods and more at least 8 % cheaper on average, at 5,000 at least 20 times
// faster.
func (s *settings) run() error {
	fmt.Printf("%-6s %6s %4s  %10s %10s %7s %7s  %8s %8s %8s\n", "pods", "n", "seed", "tranship", "karpenter", "ratio", "gap", "seconds", "theirs", "faster")
	bad := 0
	for _, n := range s.sizes {
		var ratios, faster []float64
		for _, g := range s.generators {
			for seed := uint64(1); seed <= s.seeds; seed++ {
				set, nodes, err := s.draw(g, seed, n)
				if errors.Is(err, errNoList) {
					continue
				}
				if err != nil {
					return err
				}
				ours, err := s.ours(set, g)
				if err != nil {
					return err
				}
				theirs, err := karpenter(set, nodes)
				if err != nil {
					return err
				}
				if ours.Left != 0 || theirs.Left != 0 {
					return fmt.Errorf("%s %d seed %d: pods left without a node: %d here, %d there", g, n, seed, ours.Left, theirs.Left)
				}
				ratio, speed := theirs.Cost/ours.Cost, theirs.Seconds/ours.Seconds
				ratios, faster = append(ratios, ratio), append(faster, speed)
				if ratio < 1-1e-9 {
					bad++
				}
				fmt.Printf("%-6s %6d %4d  %10.4f %10.4f %7.4f %6.2f%%  %8.2f %8.2f %7.1fx\n",
					g, n, seed, ours.Cost, theirs.Cost, ratio, 100*(ours.Cost/ours.Bound-1), ours.Seconds, theirs.Seconds, speed)
			}
		}
		cheaper, times := 1-1/mean(ratios), mean(faster)
		fmt.Printf("%-6s %6d mean  %.1f %% cheaper, %.0f times the speed\n", "all", n, 100*cheaper, times)
		if n >= 500 && cheaper < 0.08 || n >= 5000 && times < 20 {
			bad++
		}
	}
	if bad > 0 {
		return fmt.Errorf("%d of the promises above do not hold", bad)
	}
	return nil
}

var errNoList = errors.New("no list of pods")

func (s *settings) draw(generator string, seed uint64, n int) (packtest.Set, []packtest.Node, error) {
	nodes, err := s.nodes(maxVCPU(generator))
	if err != nil {
		return packtest.Set{}, nil, fmt.Errorf("read price list: %w", err)
	}
	switch generator {
	case "karp":
		return packtest.Karp(seed, n), nodes, nil
	case "web":
		return packtest.Web(seed, n), nodes, nil
	case "ali":
		if s.list == "" {
			return packtest.Set{}, nil, errNoList
		}
		list, err := os.Open(s.list)
		if err != nil {
			return packtest.Set{}, nil, fmt.Errorf("open list of pods: %w", err)
		}
		defer list.Close()
		set, err := packtest.Ali(list, seed, n)
		return set, nodes, err
	}
	return packtest.Set{}, nil, fmt.Errorf("no generator is called %q", generator)
}

// nodes are the types of families c, m and r from generation 5 on, of both
// architectures, without bare metal, burstable and flex types.
func (s *settings) nodes(maxVCPU int) ([]packtest.Node, error) {
	list, err := catalog.Embedded()
	if s.catalog != "" {
		var f *os.File
		if f, err = os.Open(s.catalog); err != nil {
			return nil, err
		}
		defer f.Close()
		list, err = catalog.ReadCSV(f)
	}
	if err != nil {
		return nil, err
	}
	var out []packtest.Node
	for i := range list.Types {
		t := &list.Types[i]
		if family := t.Name[:strings.IndexAny(t.Name, "0123456789")]; !slices.Contains([]string{"c", "m", "r"}, family) ||
			t.Generation < 5 || t.VCPU > maxVCPU || t.BareMetal || t.Burstable || t.Flex || t.Price == 0 {
			continue
		}
		a := t.Allocatable(catalog.Kubelet{})
		out = append(out, packtest.Node{Name: t.Name, Arch: t.Arch, CPUMilli: int64(a.CPU), MemMiB: int64(a.Memory >> 20), Pods: int64(a.Pods), Price: binpack.Price(t.Price)})
	}
	return out, nil
}

// maxVCPU is the largest node: ali's pods have up to 32 vCPU themselves.
func maxVCPU(generator string) int {
	if generator == "ali" {
		return 96
	}
	return 32
}

// ours runs the program as a process of its own, reading and printing included.
func (s *settings) ours(set packtest.Set, generator string) (answer, error) {
	dir, err := os.MkdirTemp("", "tranship-bench-")
	if err != nil {
		return answer{}, err
	}
	defer os.RemoveAll(dir)
	in := filepath.Join(dir, "pods.json")
	var b bytes.Buffer
	if err := set.Write(&b); err != nil {
		return answer{}, err
	}
	if err := os.WriteFile(in, b.Bytes(), 0o600); err != nil {
		return answer{}, err
	}
	args := []string{"plan", "pack", "--in", in}
	if s.catalog != "" {
		args = append(args, "--catalog", s.catalog)
	}
	cmd := exec.Command(s.tranship, append(args, "--families", "c,m,r", "--min-generation", "5",
		"--max-vcpu", strconv.Itoa(maxVCPU(generator)), "--survive", "none", "--seed", "1", "--budget", s.budget, "-o", "json")...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	start := time.Now()
	if err := cmd.Run(); err != nil {
		return answer{}, fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, stderr.String())
	}
	took := time.Now().Sub(start)
	var got struct {
		Cost, Bound float64
		Nodes       []struct {
			Pods []struct{ Count int }
		}
	}
	if err := json.Unmarshal(stdout.Bytes(), &got); err != nil {
		return answer{}, fmt.Errorf("read the answer of plan pack: %w", err)
	}
	out := answer{Cost: got.Cost, Bound: got.Bound, Nodes: len(got.Nodes), Left: set.Replicas(), Seconds: took.Seconds()}
	for _, n := range got.Nodes {
		for _, p := range n.Pods {
			out.Left -= p.Count
		}
	}
	return out, nil
}

func mean(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	return sum / float64(max(len(v), 1))
}
