// Package main holds `tranship plan pack` against exact integer programs, solved by cbc, on cases small enough for them.
//
// Input: the program, and cbc from Debian's coinor-cbc. Output: what was wrong, and one line of numbers. It never asks
// the product how it came to an answer: it reads its nodes, counts for itself, and compares the bound and the cost
// with the optimum.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

type options struct {
	tranship, cbc, keep string
	cases, failing      int
	each                time.Duration
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var o options
	flag.StringVar(&o.tranship, "tranship", "tranship", "the `program` that packs")
	flag.StringVar(&o.cbc, "cbc", "cbc", "the `program` that solves integer programs")
	flag.IntVar(&o.cases, "cases", 40, "how many cases without survival, of 6 to 12 pods")
	flag.IntVar(&o.failing, "failing", 20, "how many cases that any node may be lost of, of 3 to 6 pods")
	flag.StringVar(&o.keep, "keep", "", "leave the cases below this `folder`")
	flag.DurationVar(&o.each, "each", time.Minute, "the longest that one case may take")
	flag.Parse()
	ok, err := run(ctx, o, os.Stdout)
	if err != nil {
		fmt.Fprintln(os.Stderr, "oracle:", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

// A tally counts the cases of one level.
type tally struct {
	level                   string
	cases, bad, exact, late int
	worst, gap              float64 // cost over optimum, optimum over bound, both less one
}

func run(ctx context.Context, o options, out io.Writer) (bool, error) {
	if _, err := exec.LookPath(o.cbc); err != nil {
		return false, fmt.Errorf("find cbc: %w; it is in Debian's package coinor-cbc", err)
	}
	dir, err := os.MkdirTemp("", "tranship-oracle-")
	if err != nil {
		return false, fmt.Errorf("make folder: %w", err)
	}
	defer os.RemoveAll(dir)
	start := time.Now()
	good := true
	for _, x := range []struct {
		level       string
		cases, most int
	}{{"none", o.cases, 12}, {"node", o.failing, 6}} {
		t := tally{level: x.level}
		for seed := range uint64(x.cases) {
			p := draw(seed+1, x.level, x.most)
			if err := t.judge(ctx, o, dir, &p, out); err != nil {
				return false, err
			}
		}
		fmt.Fprintf(out, "oracle: survive %s: %d cases, %d wrong, %d too long for cbc; cost = optimum in %d, at worst %.2f %% above; bound at worst %.2f %% below\n",
			t.level, t.cases, t.bad, t.late, t.exact, t.worst*100, t.gap*100)
		good = good && t.bad == 0 && t.late*4 < t.cases
	}
	fmt.Fprintf(os.Stderr, "done after %v\n", time.Since(start).Round(100*time.Millisecond))
	return good, nil
}

// judge holds one answer against the optimum.
func (t *tally) judge(ctx context.Context, o options, dir string, p *problem, out io.Writer) error {
	t.cases++
	if o.keep != "" {
		dir = filepath.Join(o.keep, fmt.Sprintf("%s-%d", p.survive, p.seed))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("keep case: %w", err)
		}
	}
	a, err := pack(ctx, o.tranship, dir, p)
	if err != nil {
		return fmt.Errorf("case %d: %w", p.seed, err)
	}
	if err := check(p, a); err != nil {
		t.bad++
		fmt.Fprintf(out, "case %d, survive %s: %v\n", p.seed, p.survive, err)
		return nil
	}
	limited, cancel := context.WithTimeout(ctx, o.each)
	defer cancel()
	best, err := solve(limited, o.cbc, dir, p, a.Cost)
	if limited.Err() != nil && ctx.Err() == nil {
		t.late++
		return nil
	}
	if err != nil {
		return fmt.Errorf("case %d: %w", p.seed, err)
	}
	t.compare(p, a, best, out)
	return nil
}

// compare holds bound and cost against the optimum.
func (t *tally) compare(p *problem, a *answer, best float64, out io.Writer) {
	if a.Bound > best+cent || a.Cost < best-cent {
		t.bad++
		fmt.Fprintf(out, "case %d, survive %s: bound %.6f, optimum %.6f, cost %.6f: out of order\n", p.seed, p.survive, a.Bound, best, a.Cost)
		return
	}
	if a.Cost < best+cent {
		t.exact++
	} else {
		fmt.Fprintf(out, "case %d, survive %s: cost %.6f, optimum %.6f: %.2f %% above\n", p.seed, p.survive, a.Cost, best, (a.Cost/best-1)*100)
	}
	t.worst, t.gap = max(t.worst, a.Cost/best-1), max(t.gap, 1-a.Bound/best)
}

// pack asks the product.
func pack(ctx context.Context, tranship, dir string, p *problem) (*answer, error) {
	pods, list := filepath.Join(dir, "pods.json"), filepath.Join(dir, "catalog.csv")
	text, err := p.input()
	if err != nil {
		return nil, fmt.Errorf("write pods: %w", err)
	}
	if err := errors.Join(os.WriteFile(pods, text, 0o644), os.WriteFile(list, []byte(p.catalog()), 0o644)); err != nil {
		return nil, fmt.Errorf("write case: %w", err)
	}
	c := exec.CommandContext(ctx, tranship, "plan", "pack", "--in", pods, "--catalog", list, "--families", "c,m,r", "--min-generation", "5",
		"--max-vcpu", "32", "--survive", p.survive, "--seed", strconv.FormatUint(p.seed, 10), "--budget", "1s", "-o", "json")
	said, err := c.Output()
	if err != nil {
		if e, ok := errors.AsType[*exec.ExitError](err); ok {
			return nil, fmt.Errorf("pack: %w: %s", err, e.Stderr)
		}
		return nil, fmt.Errorf("pack: %w", err)
	}
	var a answer
	if err := json.Unmarshal(said, &a); err != nil {
		return nil, fmt.Errorf("read answer: %w: %.200s", err, said)
	}
	return &a, nil
}
