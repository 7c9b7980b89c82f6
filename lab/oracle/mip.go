package main

import (
	"bufio"
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// program writes the case as an integer program in CPLEX's LP format: x_p_b copies of pod p are in bin b, y_b_t says that
// bin b is of type t, and, where any node may be lost, z_f_p_b copies of p go to bin b when bin f is lost. No optimum
// has more bins than a sound answer's cost buys of the cheapest type.
func program(p *problem, bins int) string {
	var b strings.Builder
	b.WriteString("Minimize\n cost:")
	for j := range bins {
		for t, k := range p.kinds {
			fmt.Fprintf(&b, " + %g y_%d_%d", k.price, j, t)
		}
	}
	b.WriteString("\nSubject To\n")
	for i, x := range p.pods {
		for j := range bins {
			fmt.Fprintf(&b, " + x_%d_%d", i, j)
		}
		fmt.Fprintf(&b, " = %d\n", x.Replicas)
	}
	for j := range bins {
		for t := range p.kinds {
			fmt.Fprintf(&b, " + y_%d_%d", j, t)
		}
		b.WriteString(" <= 1\n")
		if j > 0 { // bins in the order of their price: all others are the same again
			for t, k := range p.kinds {
				fmt.Fprintf(&b, " + %g y_%d_%d - %g y_%d_%d", k.price, j-1, t, k.price, j, t)
			}
			b.WriteString(" >= 0\n")
		}
		p.hold(&b, j, -1)
		if p.survive != "node" {
			continue
		}
		for i := range p.pods { // what bin j ran goes to the others
			for o := range bins {
				if o != j {
					fmt.Fprintf(&b, " + z_%d_%d_%d", j, i, o)
				}
			}
			fmt.Fprintf(&b, " - x_%d_%d = 0\n", i, j)
		}
		for o := range bins {
			if o != j {
				p.hold(&b, o, j)
			}
		}
	}
	b.WriteString("Bounds\n")
	for i, x := range p.pods {
		most := x.Replicas
		if x.MaxPerNode > 0 {
			most = min(most, x.MaxPerNode)
		}
		for j := range bins {
			fmt.Fprintf(&b, " 0 <= x_%d_%d <= %d\n", i, j, most)
		}
	}
	b.WriteString("General\n")
	for i := range p.pods {
		for j := range bins {
			fmt.Fprintf(&b, " x_%d_%d\n", i, j)
			for o := range bins {
				if p.survive == "node" && o != j {
					fmt.Fprintf(&b, " z_%d_%d_%d\n", j, i, o)
				}
			}
		}
	}
	b.WriteString("Binary\n")
	for j := range bins {
		for t := range p.kinds {
			fmt.Fprintf(&b, " y_%d_%d\n", j, t)
		}
	}
	b.WriteString("End\n")
	return b.String()
}

// hold writes that a bin holds what is in it, with what comes to it when bin lost is lost; -1 for none.
func (p *problem) hold(b *strings.Builder, bin, lost int) {
	for d := range len(p.system) {
		for i := range p.pods {
			size := p.pods[i].size()[d]
			fmt.Fprintf(b, " + %d x_%d_%d", size, i, bin)
			if lost >= 0 {
				fmt.Fprintf(b, " + %d z_%d_%d_%d", size, lost, i, bin)
			}
		}
		for t := range p.kinds {
			fmt.Fprintf(b, " - %d y_%d_%d", p.kinds[t].free(p.system)[d], bin, t)
		}
		b.WriteString(" <= 0\n")
	}
}

// solve gives the least cost of the case by cbc; known is the cost of a sound answer.
func solve(ctx context.Context, cbc, dir string, p *problem, known float64) (float64, error) {
	cheapest := math.Inf(1)
	for _, k := range p.kinds {
		cheapest = min(cheapest, k.price)
	}
	bins := int(known/cheapest + cent)
	if p.survive == "none" {
		copies := 0
		for _, x := range p.pods {
			copies += x.Replicas
		}
		bins = min(bins, copies)
	}
	file, solution := filepath.Join(dir, "case.lp"), filepath.Join(dir, "case.sol")
	if err := os.WriteFile(file, []byte(program(p, bins)), 0o644); err != nil {
		return 0, fmt.Errorf("write program: %w", err)
	}
	out, err := exec.CommandContext(ctx, cbc, file, "ratioGap", "0", "allowableGap", "0", "solve", "solution", solution).CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("run cbc: %w: %s", err, out)
	}
	text, err := os.Open(solution)
	if err != nil {
		return 0, fmt.Errorf("run cbc: %w: %s", err, out)
	}
	defer text.Close()
	lines := bufio.NewScanner(text)
	if !lines.Scan() || !strings.HasPrefix(lines.Text(), "Optimal - objective value") {
		return 0, fmt.Errorf("run cbc: it says %q", lines.Text())
	}
	value, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimPrefix(lines.Text(), "Optimal - objective value")), 64)
	if err != nil {
		return 0, fmt.Errorf("run cbc: it says %q", lines.Text())
	}
	return value, nil
}
