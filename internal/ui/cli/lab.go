package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"

	"github.com/spf13/cobra"
)

// errNoLab says where the lab works.
var errNoLab = errors.New("the lab is part of tranship's sources: run this inside a checkout of https://github.com/tranship/tranship, with Go")

func (s *session) labCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "lab up|status|able|exec|images|down [FLAGS]",
		Short: "A small world to rehearse in: Kubernetes, a front door, databases, an old world",
		Long: `Lab makes a real Kubernetes with nodes of its own, HAProxy, PostgreSQL and a
stand-in of Mesos on this machine, in network namespaces, and removes all of it
again. It needs Linux, root and a checkout of tranship's sources: inside of one
it builds and runs the program in lab/, elsewhere it says so.

"tranship lab help" lists its own flags; lab/README.md tells what is where.`,
		Example: `  tranship lab up --nodes 2
  tranship lab status
  tranship lab exec -- kubectl get pods -A
  tranship lab down`,
		DisableFlagParsing: true, // the flags are the lab's own
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errUsage{errors.New("name what the lab shall do; see tranship lab --help")}
			}
			if args[0] == "--help" || args[0] == "-h" {
				return cmd.Help()
			}
			return s.lab(cmd.Context(), args)
		},
	}
}

// lab builds the lab's program and hands over to it.
func (s *session) lab(ctx context.Context, args []string) error {
	if runtime.GOOS != "linux" {
		return errors.New("the lab needs Linux: it is made of network namespaces and containers")
	}
	here, err := os.Getwd()
	if err != nil {
		return fmt.Errorf("find the lab: %w", err)
	}
	sources, ok := labSources(here)
	if !ok {
		return errNoLab
	}
	program := filepath.Join(filepath.Dir(sources), ".cache", "lab", "bin", "lab")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-o", program, "./cmd/lab")
	build.Dir, build.Env = sources, append(os.Environ(), "CGO_ENABLED=0")
	build.Stdout, build.Stderr = s.err, s.err
	if err := build.Run(); err != nil {
		return fmt.Errorf("build the lab's program in %s: %w", sources, err)
	}
	run := exec.CommandContext(ctx, program, args...)
	run.Stdin, run.Stdout, run.Stderr = os.Stdin, s.out, s.err
	// It ends what it does by itself when it is asked to.
	run.Cancel = func() error { return run.Process.Signal(os.Interrupt) }
	run.WaitDelay = time.Minute
	err = run.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		return errStatus{errors.New("the lab has not done it"), max(exit.ExitCode(), exitFailed)}
	}
	if err != nil {
		return fmt.Errorf("run the lab: %w", err)
	}
	return nil
}

// labSources looks for the lab's module beside or above a folder.
func labSources(here string) (string, bool) {
	for dir := here; ; dir = filepath.Dir(dir) {
		for _, d := range []string{dir, filepath.Join(dir, "lab")} {
			text, err := os.ReadFile(filepath.Join(d, "go.mod"))
			if err == nil && bytes.HasPrefix(text, []byte("module github.com/tranship/tranship/lab\n")) {
				return d, true
			}
		}
		if dir == filepath.Dir(dir) {
			return "", false
		}
	}
}
