// Package tool runs programs of the machine to their end: ip, ctr, initdb and the like.
//
// Input: a program and its arguments. Output: what it printed, or an error that says what was run and what it said.
// It never leaves a program running: what has to live on is started by package process.
package tool

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// Run runs a program and gives what it printed.
func Run(ctx context.Context, name string, args ...string) (string, error) {
	return Feed(ctx, "", name, args...)
}

// Feed does the same with text on its standard input.
func Feed(ctx context.Context, in, name string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, name, args...)
	c.Stdin = strings.NewReader(in)
	var out, said bytes.Buffer
	c.Stdout, c.Stderr = &out, &said
	c.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	if err := c.Run(); err != nil {
		return out.String(), fmt.Errorf("run %s: %w: %s", Line(name, args), err, last(said.String(), out.String()))
	}
	return out.String(), nil
}

// Inside makes the arguments that run a program in a network namespace. It is nsenter, not `ip netns exec`, which would
// mount /sys anew and so hide the cgroups.
func Inside(namespace string, args ...string) []string {
	return append([]string{"nsenter", "--net=/var/run/netns/" + namespace, "--"}, args...)
}

// Line is a command as a person would write it, cut where it gets long.
func Line(name string, args []string) string {
	line := strings.Join(append([]string{name}, args...), " ")
	if len(line) > 160 {
		line = line[:157] + "..."
	}
	return line
}

// last is the end of what was said, for an error's text.
func last(texts ...string) string {
	for _, t := range texts {
		if t = strings.TrimSpace(t); t == "" {
			continue
		}
		lines := strings.Split(t, "\n")
		return strings.Join(lines[max(0, len(lines)-4):], " / ")
	}
	return "it said nothing"
}
