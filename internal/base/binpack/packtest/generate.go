package packtest

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"strconv"
)

// system is what the measurements take for DaemonSets on each node.
var system = Daemonset{CPUMilli: 250, MemMiB: 512, Pods: 4}

// random is the source of one generator's numbers; stream keeps the generators apart.
func random(seed, stream uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, stream)) }

// Karp is Karpenter's own benchmark: each pod's CPU and memory drawn apart from
// a handful of sizes.
func Karp(seed uint64, replicas int) Set {
	r := random(seed, 1)
	cpu := []int64{100, 250, 500, 1000, 1500}
	mem := []int64{100, 256, 512, 1024, 2048, 4096}
	s := Set{Daemonset: system}
	for i := range replicas {
		s.Pods = append(s.Pods, Pod{
			Name: fmt.Sprintf("karp-%05d", i), Replicas: 1,
			CPUMilli: cpu[r.IntN(len(cpu))], MemMiB: mem[r.IntN(len(mem))],
		})
	}
	return s
}

// Web is services as a company has them: CPU lognormal around 250 m, memory
// that goes with it, two replicas and more, now and then five times as many.
func Web(seed uint64, replicas int) Set {
	r := random(seed, 2)
	s := Set{Daemonset: system}
	for left := replicas; left > 0; {
		z := r.NormFloat64()
		cpu := min(max(250*math.Exp(z), 50), 8000)
		mem := min(max(640*math.Exp(0.5*z+0.9*r.NormFloat64()), 64), 32*1024)
		disk := min(1536*math.Exp(r.NormFloat64()), 20*1024)
		n := 2 + int(r.ExpFloat64()*3)
		if r.Float64() < 0.05 {
			n *= 5
		}
		n = min(n, left)
		left -= n
		s.Pods = append(s.Pods, Pod{
			Name: fmt.Sprintf("web-%05d", len(s.Pods)), Replicas: n,
			CPUMilli: int64(math.Ceil(cpu/10)) * 10, MemMiB: int64(math.Ceil(mem)), EphemeralMiB: int64(math.Ceil(disk)),
		})
	}
	return s
}

// Ali draws pods, with repetition, from those without a GPU of a pod list of
// Alibaba's open-gpu-share trace: large ones, of which two to six fill a node.
func Ali(list io.Reader, seed uint64, replicas int) (Set, error) {
	rows, err := csv.NewReader(list).ReadAll()
	if err != nil {
		return Set{}, fmt.Errorf("read pod list: %w", err)
	}
	var from []Pod
	for i, row := range rows {
		if i == 0 || len(row) < 4 || row[3] != "0" {
			continue
		}
		cpu, err := strconv.ParseInt(row[1], 10, 64)
		if err != nil {
			return Set{}, fmt.Errorf("read pod list: %w", err)
		}
		mem, err := strconv.ParseInt(row[2], 10, 64)
		if err != nil {
			return Set{}, fmt.Errorf("read pod list: %w", err)
		}
		from = append(from, Pod{Replicas: 1, CPUMilli: (cpu + 9) / 10 * 10, MemMiB: mem})
	}
	if len(from) == 0 {
		return Set{}, fmt.Errorf("read pod list: no pod without a GPU")
	}
	r := random(seed, 3)
	s := Set{Daemonset: system}
	for i := range replicas {
		p := from[r.IntN(len(from))]
		p.Name = fmt.Sprintf("ali-%05d", i)
		s.Pods = append(s.Pods, p)
	}
	return s, nil
}
