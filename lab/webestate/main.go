// Package main writes an estate of many services, to plan and to carry out: the distribution `web` of the benchmarks.
//
// Input: a seed, how many copies. Output: an estate's file. It never writes other bytes for the same input.
//
// CPU is lognormal around 250m (sigma 1) in [50m, 8], memory 640Mi times exp(0.5 z + 0.9 z') with z that of the CPU, in
// [64Mi, 32Gi], the disk lognormal around 1.5Gi up to 20Gi, copies 2 + Exp(3), and five times as many of one in twenty. Of ten
// services one keeps its copies on different hosts and one spreads them over zones, as definitions in the field do; with
// -plain none does.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"os"
)

type estate struct {
	Version        int        `json:"version"`
	SnapshotSHA256 string     `json:"snapshotSha256"`
	Workloads      []workload `json:"workloads"`
	Hosts          []struct{} `json:"hosts"`
	Endpoints      []struct{} `json:"endpoints"`
	Dependencies   []struct{} `json:"dependencies"`
}

type workload struct {
	ID          string       `json:"id"`
	Kind        string       `json:"kind"`
	Origin      origin       `json:"origin"`
	Group       string       `json:"group"`
	Replicas    int          `json:"replicas"`
	Containers  []container  `json:"containers"`
	Constraints []constraint `json:"constraints,omitempty"`
}

type origin struct {
	File    string `json:"file"`
	Pointer string `json:"pointer"`
}

type container struct {
	Name   string `json:"name"`
	Image  string `json:"image"`
	CPU    string `json:"cpu"`
	Memory string `json:"memory"`
	Disk   string `json:"disk"`
}

type constraint struct {
	Attribute string `json:"attribute"`
	Rule      string `json:"rule"`
	Count     int    `json:"count,omitempty"`
	Source    string `json:"source"`
}

func main() {
	seed := flag.Uint64("seed", 1, "of the random numbers")
	copies := flag.Int("copies", 5000, "of all services together")
	plain := flag.Bool("plain", false, "without constraints")
	flag.Parse()
	if err := write(os.Stdout, *seed, *copies, *plain); err != nil {
		fmt.Fprintln(os.Stderr, "webestate:", err)
		os.Exit(1)
	}
}

func write(out io.Writer, seed uint64, copies int, plain bool) error {
	r := rand.New(rand.NewPCG(seed, 2))
	e := estate{Version: 1, Hosts: []struct{}{}, Endpoints: []struct{}{}, Dependencies: []struct{}{}}
	for left := copies; left > 0; {
		z := r.NormFloat64()
		cpu := min(max(250*math.Exp(z), 50), 8000)
		memory := min(max(640*math.Exp(0.5*z+0.9*r.NormFloat64()), 64), 32*1024)
		disk := min(1536*math.Exp(r.NormFloat64()), 20*1024)
		n := 2 + int(r.ExpFloat64()*3)
		if r.Float64() < 0.05 {
			n *= 5
		}
		n = min(n, left)
		left -= n
		i := len(e.Workloads)
		team, name := fmt.Sprintf("/team-%02d", i%20), fmt.Sprintf("web-%05d", i)
		w := workload{
			ID: team + "/" + name, Kind: "service", Origin: origin{"webestate.json", fmt.Sprintf("/%d", i)}, Group: team, Replicas: n,
			Containers: []container{{
				Name: name, Image: "lab.invalid/" + name, CPU: fmt.Sprintf("%dm", int(math.Ceil(cpu/10))*10),
				Memory: fmt.Sprintf("%dMi", int(math.Ceil(memory))), Disk: fmt.Sprintf("%dMi", int(math.Ceil(disk))),
			}},
		}
		switch {
		case plain:
		case i%10 == 3 && n <= 10: // more than that a company has no hosts for
			w.Constraints = []constraint{{Attribute: "hostname", Rule: "apart", Source: "hostname UNIQUE"}}
		case i%10 == 7:
			w.Constraints = []constraint{{Attribute: "@zone", Rule: "spread", Count: 3, Source: "@zone GROUP_BY 3"}}
		}
		e.Workloads = append(e.Workloads, w)
	}
	enc := json.NewEncoder(out)
	enc.SetIndent("", " ")
	return enc.Encode(e)
}
