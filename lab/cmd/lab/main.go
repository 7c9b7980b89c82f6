// Package main is the command that makes, shows, uses and removes the lab.
//
// Input: a command and flags. Output: a lab, its state, or nothing of it. It never changes the machine's own network.
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

	"github.com/tranship/tranship/lab/lab"
	"github.com/tranship/tranship/lab/program"
)

const usage = `lab makes a small world on this machine, as root: Kubernetes with real nodes, a front door, databases, an old world.

usage:
  lab up [--nodes N] [--only PART,...] [--fake-nodes N]   make it, or what is missing of it
  lab status                                              what runs, and how it is; exit status 1 if not all is well
  lab able                                                whether this machine can carry it; exit status 3 if not
  lab down [--verify]                                     remove all of it (--verify: only look for what is left)
  lab exec -- COMMAND ...                                 run a command where the front door and the API server are
  lab images load ARCHIVE ...                             give every node images, as docker save writes them

flags of each:
  --dir FOLDER      where its files are; default: $TRANSHIP_LAB_DIR, else .cache/lab/run of the checkout
  --prefix NAME     of its namespaces, so that two labs can be up at once; default tranship

parts: %s, %s
`

func main() {
	began := time.Now()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr, began))
}

// run gives the exit status: 0 done, 1 failed, 2 usage, 3 the machine is unable, 130 interrupted.
func run(ctx context.Context, args []string, out, log io.Writer, began time.Time) int {
	err := dispatch(ctx, args, out, log, began)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage):
		fmt.Fprintf(log, "lab: %v\n\n", err)
		printUsage(log)
		return 2
	case ctx.Err() != nil:
		fmt.Fprintf(log, "lab: interrupted: %v\n", err)
		return 130
	}
	fmt.Fprintf(log, "lab: %v\n", err)
	if errors.Is(err, lab.ErrUnable) {
		return 3
	}
	return 1
}

var errUsage = errors.New("wrong usage")

func printUsage(out io.Writer) {
	fmt.Fprintf(out, usage, strings.Join(lab.All(), ", "), lab.FakeNodes)
}

func dispatch(ctx context.Context, args []string, out, log io.Writer, began time.Time) error {
	if len(args) == 0 {
		return fmt.Errorf("%w: which command?", errUsage)
	}
	command, args := args[0], args[1:]
	if command == "images" {
		if len(args) == 0 || args[0] != "load" {
			return fmt.Errorf("%w: images knows the command load", errUsage)
		}
		args = args[1:]
	}
	flags := flag.NewFlagSet("lab "+command, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	dir := flags.String("dir", os.Getenv("TRANSHIP_LAB_DIR"), "")
	prefix := flags.String("prefix", "tranship", "")
	var nodes, fake *int
	var only *string
	var verify *bool
	switch command {
	case "up":
		nodes, only, fake = flags.Int("nodes", 2, ""), flags.String("only", "", ""), flags.Int("fake-nodes", 0, "")
	case "down":
		verify = flags.Bool("verify", false, "")
	case "status", "able", "exec", "images":
	case "help", "-h", "--help":
		printUsage(out)
		return nil
	default:
		return fmt.Errorf("%w: no command %q", errUsage, command)
	}
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		printUsage(out)
		return err
	} else if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	switch takes := command == "exec" || command == "images"; {
	case takes && flags.NArg() == 0:
		return fmt.Errorf("%w: what to run, or to load, is missing", errUsage)
	case !takes && flags.NArg() > 0:
		return fmt.Errorf("%w: what is %q?", errUsage, flags.Arg(0))
	}
	l, o, err := place(ctx, *dir, *prefix)
	if err != nil {
		return err
	}
	o.Log, o.Began = log, began
	switch command {
	case "up":
		l.Nodes, o.FakeNodes = *nodes, *fake
		if *only != "" {
			o.Only = strings.Split(*only, ",")
		}
		if o.FakeNodes < 0 {
			return fmt.Errorf("%w: --fake-nodes %d is below zero", errUsage, o.FakeNodes)
		}
		return lab.Up(ctx, l, o)
	case "status":
		return lab.Status(ctx, l, out)
	case "able":
		return lab.Able(ctx, l, log)
	case "exec":
		return lab.Exec(l, flags.Args())
	case "images":
		return lab.Load(ctx, l, flags.Args())
	}
	if *verify {
		return lab.Verify(ctx, l, out)
	}
	return lab.Down(ctx, l, log, began)
}

// place finds the checkout that the command is run in, and where its lab is.
func place(ctx context.Context, dir, prefix string) (lab.Layout, lab.Options, error) {
	module, err := program.ModuleDir(ctx)
	if err != nil {
		return lab.Layout{}, lab.Options{}, err
	}
	cache, err := filepath.Abs(program.CacheDir(module))
	if err != nil {
		return lab.Layout{}, lab.Options{}, fmt.Errorf("place cache: %w", err)
	}
	if dir == "" {
		dir = filepath.Join(cache, "run")
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return lab.Layout{}, lab.Options{}, fmt.Errorf("place the lab: %w", err)
	}
	return lab.Layout{Dir: dir, Prefix: prefix, Bin: filepath.Join(cache, "bin"), Nodes: 1}, lab.Options{Module: module, Cache: cache}, nil
}
