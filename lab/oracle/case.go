package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
)

// A kind is an instance type: what a price list says of it, and what a node of it has for pods by the table that
// Karpenter publishes.
type kind struct {
	name            string
	vcpu, mem       int
	arch            string
	generation      int
	price           float64
	enis, addresses int
	room            load
}

// load is CPU in thousandths, memory in MiB, pods.
type load [3]int

// kinds are on-demand prices in us-east-1 of July 2026.
var kinds = []kind{
	{"c5.large", 2, 4, "amd64", 5, 0.085, 3, 10, load{1930, 3114, 29}},
	{"c5.xlarge", 4, 8, "amd64", 5, 0.17, 4, 15, load{3920, 6584, 58}},
	{"c6g.medium", 1, 2, "arm64", 6, 0.034, 2, 4, load{940, 1392, 8}},
	{"c6g.large", 2, 4, "arm64", 6, 0.068, 3, 10, load{1930, 3055, 29}},
	{"c6g.2xlarge", 8, 16, "arm64", 6, 0.272, 4, 15, load{7910, 14103, 58}},
	{"m5.large", 2, 8, "amd64", 5, 0.096, 3, 10, load{1930, 6903, 29}},
	{"m5.xlarge", 4, 16, "amd64", 5, 0.192, 4, 15, load{3920, 14162, 58}},
	{"m6a.large", 2, 8, "amd64", 6, 0.0864, 3, 10, load{1930, 6903, 29}},
	{"m6a.2xlarge", 8, 32, "amd64", 6, 0.3456, 4, 15, load{7910, 29317, 58}},
	{"m6g.medium", 1, 4, "arm64", 6, 0.0385, 2, 4, load{940, 3286, 8}},
	{"m6g.xlarge", 4, 16, "arm64", 6, 0.154, 4, 15, load{3920, 14103, 58}},
	{"r5.large", 2, 16, "amd64", 5, 0.126, 3, 10, load{1930, 14481, 29}},
	{"r6g.medium", 1, 8, "arm64", 6, 0.0504, 2, 4, load{940, 7075, 8}},
	{"r6g.large", 2, 16, "arm64", 6, 0.1008, 3, 10, load{1930, 14422, 29}},
	{"r6g.xlarge", 4, 32, "arm64", 6, 0.2016, 4, 15, load{3920, 29258, 58}},
}

// A pod is a class of equal pods, in the words of the contract.
type pod struct {
	Name       string `json:"name"`
	Replicas   int    `json:"replicas"`
	CPU        int    `json:"cpuMilli"`
	Memory     int    `json:"memMiB"`
	MaxPerNode int    `json:"maxPerNode,omitempty"`
}

func (p *pod) size() load { return load{p.CPU, p.Memory, 1} }

// A problem is one case.
type problem struct {
	seed    uint64
	survive string // "none", "node"
	pods    []pod
	system  load
	kinds   []kind
}

// draw makes the case of a seed: at most so many pods, at most four types.
func draw(seed uint64, survive string, most int) problem {
	r := rand.New(rand.NewPCG(seed, uint64(most)))
	p := problem{seed: seed, survive: survive, system: load{100 + 50*r.IntN(3), 128 * (1 + r.IntN(3)), 2 + r.IntN(2)}}
	for _, i := range r.Perm(len(kinds))[:2+r.IntN(3)] {
		p.kinds = append(p.kinds, kinds[i])
	}
	left := most/2 + r.IntN(most/2+1)
	for left > 0 {
		n := min(1+r.IntN(4), left)
		left -= n
		x := pod{Name: fmt.Sprintf("pod-%d", len(p.pods)+1), Replicas: n, CPU: 50 * (1 + r.IntN(24)), Memory: 64 * (1 + r.IntN(40))}
		if n > 1 && survive == "none" && r.IntN(3) == 0 {
			x.MaxPerNode = 1 + r.IntN(n)
		}
		p.pods = append(p.pods, x)
	}
	// A pod that fits no type is another question.
	for i := range p.pods {
		x := &p.pods[i]
		for !p.fits(x.size()) {
			x.CPU, x.Memory = max(x.CPU/2, 50), max(x.Memory/2, 64)
		}
	}
	return p
}

func (p *problem) fits(size load) bool {
	for i := range p.kinds {
		if _, ok := p.kinds[i].free(p.system).minus(size); ok {
			return true
		}
	}
	return false
}

func (k *kind) free(system load) load {
	out, _ := k.room.minus(system)
	return out
}

func (l load) minus(m load) (load, bool) {
	ok := true
	for d := range l {
		l[d] -= m[d]
		ok = ok && l[d] >= 0
	}
	return l, ok
}

func (l load) times(n int) load {
	for d := range l {
		l[d] *= n
	}
	return l
}

// input is the file of pods.
func (p *problem) input() ([]byte, error) {
	return json.Marshal(map[string]any{
		"pods": p.pods, "daemonset": map[string]int{"cpuMilli": p.system[0], "memMiB": p.system[1], "pods": p.system[2]},
	})
}

// catalog is the price list.
func (p *problem) catalog() string {
	var b strings.Builder
	b.WriteString("type,vcpu,memGiB,arch,generation,onDemandUSDPerHour,enis,ipv4PerEni\n")
	for _, k := range p.kinds {
		fmt.Fprintf(&b, "%s,%d,%d,%s,%d,%g,%d,%d\n", k.name, k.vcpu, k.mem, k.arch, k.generation, k.price, k.enis, k.addresses)
	}
	return b.String()
}

// find gives the type of that name.
func (p *problem) find(name string) *kind {
	for i := range p.kinds {
		if p.kinds[i].name == name {
			return &p.kinds[i]
		}
	}
	return nil
}
