// Package main moves the lab's estate for real, breaks things meanwhile, and counts what was lost.
//
// Input: a lab that is up, the product's program. Output: each figure beside what is wanted; exit status 1 if a count that
// has to be zero is not. It never asserts a time: a miss is printed.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

type options struct {
	estate        string
	devices       int
	rate          float64
	before, after time.Duration
	full          bool
	fault         string // only those with it in their name
	moves         int    // that are killed
	seed          uint64
}

// parts of a run, in their order.
var parts = []string{"story", "after", "database", "kills", "faults"}

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	var o options
	f := flag.NewFlagSet("e2e", flag.ContinueOnError)
	facts := f.String("lab", ".cache/lab/run/lab.json", "the lab's facts")
	tranship := f.String("tranship", "bin/tranship", "the product's program")
	bin := f.String("bin", ".cache/lab/bin", "folder of the programs load and migrate")
	dir := f.String("dir", ".cache/lab/e2e", "folder of this run's files")
	f.StringVar(&o.estate, "estate", "lab/cargo/estate", "folder of the estate")
	f.IntVar(&o.devices, "devices", 2000, "devices that push")
	f.Float64Var(&o.rate, "rate", 520, "requests a second")
	f.DurationVar(&o.before, "before", 15*time.Second, "how long the old world is watched first")
	f.DurationVar(&o.after, "after", 10*time.Second, "how long the new one is, at the end")
	f.BoolVar(&o.full, "full", false, "the whole: slower steps, more rounds")
	f.Uint64Var(&o.seed, "seed", 1, "of what is left to chance")
	f.IntVar(&o.moves, "moves", 0, "of the part kills how many; 0: 1, or 20 with -full")
	f.StringVar(&o.fault, "fault", "", "of the part faults only those whose names have this, such as node")
	only := f.String("parts", strings.Join(parts, ","), "which parts to run")
	if err := f.Parse(args); err != nil {
		return 2
	}
	for p := range strings.SplitSeq(*only, ",") {
		if !slices.Contains(parts, p) {
			fmt.Fprintf(os.Stderr, "e2e: -parts %s: is none of %s\n", p, strings.Join(parts, ", "))
			return 2
		}
	}
	abs := func(p string) string {
		if a, err := filepath.Abs(p); err == nil {
			return a
		}
		return p
	}
	s, err := newStage(ctx, abs(*facts), abs(*tranship), filepath.Join(abs(*bin), "load"), filepath.Join(abs(*bin), "migrate"), abs(*dir), os.Stderr)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	r := &report{out: os.Stdout}
	pace := Short
	if o.full {
		pace = Long
	}
	begun := time.Now()
	for p := range strings.SplitSeq(*only, ",") {
		var err error
		switch p {
		case "story":
			err = s.story(ctx, r, pace, o)
		case "database":
			err = s.databases(ctx, r, pace, o)
		case "after":
			err = s.afterwards(ctx, r, o)
		case "kills":
			err = s.kills(ctx, r, pace, o)
		case "faults":
			err = s.faults(ctx, r, pace, o)
		}
		if err != nil {
			r.broken(p, err)
		}
		if ctx.Err() != nil {
			return 130
		}
	}
	r.end(time.Since(begun))
	if r.failed > 0 {
		return 1
	}
	return 0
}
