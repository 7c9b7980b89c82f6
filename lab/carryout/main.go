// Package main is the scheduler's judgement on a plan: kube-apiserver, kube-scheduler with its default profile, the
// controllers that make pods, and KWOK in the place of the planned nodes.
//
// Input: a plan's file and the folder rendered from it. Output: one line of numbers, and before it what went wrong. It
// never reaches another cluster than the one that it starts itself.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/tranship/tranship/lab/cluster"
	"github.com/tranship/tranship/lab/fleet"
	"github.com/tranship/tranship/lab/judge"
)

type options struct {
	plan, manifests string
	name            string
	losses          int
	seed            uint64
	restore         bool
	settle, timeout time.Duration
	buildOnly       bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o, err := parse(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		os.Exit(0)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "carryout: %v\n", err)
		os.Exit(2)
	}
	ok, err := run(ctx, o, os.Stdout, os.Stderr)
	if err != nil {
		fmt.Fprintf(os.Stderr, "carryout: %v\n", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

func parse(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("carryout", flag.ContinueOnError)
	f.StringVar(&o.plan, "plan", "", "the plan's `file`")
	f.StringVar(&o.manifests, "manifests", "", "the `folder` of manifests that was rendered from it")
	f.StringVar(&o.name, "name", "plan", "how the last line calls the plan")
	f.IntVar(&o.losses, "losses", 0, "how many nodes to take away, one after the other; 0 for all")
	f.Uint64Var(&o.seed, "seed", 1, "which nodes, where not all")
	f.BoolVar(&o.restore, "restore", false, "start what a loss moved anew once the node is back")
	f.DurationVar(&o.settle, "settle", 15*time.Second, "how long nothing may change until what is pending counts as pending for good")
	f.DurationVar(&o.timeout, "timeout", 20*time.Minute, "the longest that all may take")
	f.BoolVar(&o.buildOnly, "build-only", false, "build the programs that are stale, and end")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	switch {
	case f.NArg() > 0:
		return o, fmt.Errorf("read arguments: %q is not known", f.Arg(0))
	case !o.buildOnly && (o.plan == "" || o.manifests == ""):
		return o, errors.New("read arguments: give -plan and -manifests")
	}
	return o, nil
}

// build makes the programs that are stale, and gives the folder in which they stand.
func build(ctx context.Context, log io.Writer) (string, error) {
	module, err := cluster.ModuleDir(ctx)
	if err != nil {
		return "", err
	}
	var dir string
	for _, make := range []func(context.Context, string, string, io.Writer) (cluster.Assets, error){cluster.Build, cluster.BuildNodes} {
		built, err := make(ctx, module, cluster.CacheDir(module), log)
		if err != nil {
			return "", err
		}
		if built.Built {
			fmt.Fprintf(log, "built %s in %v, largest process %d MB\n", built.Version, built.Took.Round(time.Second), built.Peak/1024)
		}
		dir = built.Dir
	}
	return dir, nil
}

func run(ctx context.Context, o options, out, log io.Writer) (ok bool, err error) {
	assets, err := build(ctx, log)
	if err != nil || o.buildOnly {
		return err == nil, err
	}
	file, err := os.Open(o.plan)
	if err != nil {
		return false, fmt.Errorf("read plan: %w", err)
	}
	p, err := fleet.Read(file)
	if err := errors.Join(err, file.Close()); err != nil {
		return false, err
	}
	dir, err := filepath.Abs(o.manifests)
	if err != nil {
		return false, fmt.Errorf("read manifests: %w", err)
	}
	objects, err := fleet.Collect(judge.ReadTree(dir))
	if err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, o.timeout, fmt.Errorf("it takes longer than %v", o.timeout))
	defer cancel()
	start := time.Now()
	c, err := cluster.Start(ctx, assets)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, c.Stop()) }()
	if err := c.Schedule(ctx); err != nil {
		return false, err
	}
	fmt.Fprintf(log, "Kubernetes %s schedules after %v\n", c.Version(), time.Since(start).Round(time.Millisecond))
	r, err := fleet.Run(ctx, c.Config(), p, objects, fleet.Options{
		Losses: o.losses, Seed: o.seed, Restore: o.restore, Settle: o.settle, Log: log,
	})
	if err != nil {
		return false, errors.Join(err, c.Health())
	}
	fmt.Fprintf(log, "done after %v\n", time.Since(start).Round(time.Millisecond))
	return report(out, o.name, p, r), c.Health()
}

// report says what went wrong, and then all in one line.
func report(out io.Writer, name string, p *fleet.Plan, r *fleet.Report) bool {
	unplaced := p.Unplaced()
	if len(unplaced) > 0 {
		fmt.Fprintf(out, "%s: wants copies and is on no node: %s\n", name, strings.Join(unplaced, ", "))
	}
	for _, w := range r.Why {
		fmt.Fprintf(out, "%s: pending %s\n", name, w)
	}
	for _, l := range r.Losses {
		for _, w := range l.Why {
			fmt.Fprintf(out, "%s: without %s stranded %s\n", name, l.Lost, w)
		}
	}
	for _, w := range r.Overfull {
		fmt.Fprintf(out, "%s: %s\n", name, w)
	}
	survived, stranded := r.Survived()
	s := p.Survival
	cost := fmt.Sprintf("%.4f $/h, bound %.4f, of which for the scheduler %.4f", s.Cost, s.Bound, s.Replay)
	fmt.Fprintf(out, "%s: nodes %d, pods %d, pending %d; failures %d of %d survived, stranded %d; cost %s; placed in %v\n",
		name, r.Nodes, r.Pods, r.Pending, survived, len(r.Losses), stranded, cost, r.Took.Round(100*time.Millisecond))
	return r.Good()
}
