package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tranship/tranship/lab/cgroup"
	"github.com/tranship/tranship/lab/host"
	"github.com/tranship/tranship/lab/netns"
	"github.com/tranship/tranship/lab/process"
	"github.com/tranship/tranship/lab/tool"
)

// grace is how long a process may take to end by itself.
const grace = 10 * time.Second

// ErrRemains is returned by Down and Verify when something of the lab is left.
var ErrRemains = errors.New("something of the lab is left")

// Down ends and removes all of a lab, however far it came and however it was left.
func Down(ctx context.Context, l Layout, log io.Writer, began time.Time) error {
	if err := host.Check(); err != nil {
		return err
	}
	if err := l.Check(); err != nil {
		return err
	}
	b := newBoard(log, began)
	unlock, err := l.lock(ctx, b)
	if err != nil {
		return err
	}
	defer unlock()
	for _, s := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"processes", l.stop},
		{"pods", l.pods},
		{"nodes, control plane", l.stopLast},
		{"what was left of them", l.sweep},
		{"namespaces", l.unplug},
		{"mounts, cgroups, files", l.remove},
	} {
		if err := b.step(ctx, s.name, s.do); err != nil {
			return err
		}
	}
	return Verify(ctx, l, log)
}

// last are the processes that others still need while they end: their logs, and the API, are of use until then.
func last(name string) bool {
	return name == "etcd" || name == "kube-apiserver" || strings.HasSuffix(name, "-containerd") || strings.HasSuffix(name, "-mounts")
}

// stop ends what nothing else stands on.
func (l Layout) stop(ctx context.Context) error {
	return l.end(ctx, func(name string) bool { return !last(name) })
}

func (l Layout) stopLast(ctx context.Context) error {
	return errors.Join(
		l.end(ctx, func(name string) bool { return strings.HasSuffix(name, "-containerd") || name == "kube-apiserver" }),
		l.end(ctx, last),
	)
}

func (l Layout) end(ctx context.Context, which func(string) bool) error {
	all, err := l.table().All()
	if err != nil {
		return err
	}
	var g errgroup.Group
	for _, r := range all {
		if which(r.Name) {
			g.Go(func() error { return l.table().Stop(ctx, r.Name, grace) })
		}
	}
	return g.Wait()
}

// pods ends the processes of all containers: they are those in the lab's cgroup.
func (l Layout) pods(ctx context.Context) error {
	return process.Kill(ctx, process.InCgroup(l.Cgroup()))
}

// sweep ends what carries the lab's mark or lives in its namespaces: containerd's shims, and whatever a starter that was
// killed did not write down.
func (l Layout) sweep(ctx context.Context) error {
	names, err := netns.List(l.Prefix + "-")
	if err != nil {
		return err
	}
	return process.Kill(ctx, append(l.table().Marked(), process.InNetwork(names...)...))
}

func (l Layout) unplug(ctx context.Context) error {
	names, err := netns.List(l.Prefix + "-")
	if err != nil {
		return err
	}
	for _, n := range names {
		if err := netns.Delete(ctx, n); err != nil {
			return err
		}
	}
	return nil
}

func (l Layout) remove(ctx context.Context) error {
	points, err := l.mounts()
	if err != nil {
		return err
	}
	slices.Reverse(points) // what was mounted last goes first
	for _, p := range points {
		if _, err := tool.Run(ctx, "umount", p); err != nil {
			return err
		}
	}
	// A process that was killed leaves its cgroup, and the last file it wrote, a moment after it is gone.
	for limit := time.Now().Add(5 * time.Second); ; {
		err = errors.Join(cgroup.Remove(l.Cgroup()), os.RemoveAll(l.Dir))
		if err == nil {
			break
		}
		if time.Now().After(limit) {
			return fmt.Errorf("remove cgroups and files: %w", err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(50 * time.Millisecond):
		}
	}
	if text, err := os.ReadFile(l.claimFile()); err == nil && strings.TrimSpace(string(text)) == l.Dir {
		if err := os.Remove(l.claimFile()); err != nil {
			return fmt.Errorf("give namespaces up: %w", err)
		}
	}
	return nil
}

// mounts are the mount points below the lab's folder, in the order in which they were made.
func (l Layout) mounts() ([]string, error) {
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("list mounts: %w", err)
	}
	var points []string
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 4 && (f[4] == l.Dir || strings.HasPrefix(f[4], l.Dir+"/")) {
			points = append(points, f[4])
		}
	}
	return points, nil
}

// Verify looks for anything of a lab, and prints what it finds.
func Verify(ctx context.Context, l Layout, log io.Writer) error {
	names, err := netns.List(l.Prefix + "-")
	if err != nil {
		return err
	}
	processes := append(l.table().Marked(), process.InNetwork(names...)...)
	processes = append(processes, process.InCgroup(l.Cgroup())...)
	mounts, err := l.mounts()
	if err != nil {
		return err
	}
	rules, err := rules(ctx)
	if err != nil {
		return err
	}
	files := []string{}
	if _, err := os.Stat(l.Dir); err == nil {
		files = append(files, l.Dir)
	}
	left := 0
	for _, x := range []struct {
		what string
		list []string
	}{
		{"processes", describe(processes)}, {"namespaces", names}, {"mounts", mounts}, {"cgroups", cgroup.Folders(l.Cgroup())},
		{"rules in the machine's own namespace", rules}, {"files", files},
	} {
		fmt.Fprintf(log, "%d %s left\n", len(x.list), x.what)
		for _, item := range x.list {
			fmt.Fprintf(log, "  %s\n", item)
		}
		left += len(x.list)
	}
	if left > 0 {
		return ErrRemains
	}
	return nil
}

func describe(list []process.Record) []string {
	var out []string
	for _, r := range list {
		if s := fmt.Sprintf("%d %s", r.PID, r.Name); !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// rules are those that Kubernetes or its network plugins would have made in the namespace of the machine itself: the lab
// makes its own inside of its namespaces only, so there should be none.
func rules(ctx context.Context) ([]string, error) {
	var found []string
	for _, list := range [][]string{{"nft", "list", "ruleset"}, {"iptables-save"}} {
		if _, err := exec.LookPath(list[0]); err != nil {
			continue // the lab has never been up here
		}
		text, err := tool.Run(ctx, list[0], list[1:]...)
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(text) {
			if line = strings.TrimSpace(line); strings.Contains(line, "kube-proxy") || strings.Contains(line, "KUBE-") || strings.Contains(line, "CNI-") {
				found = append(found, filepath.Base(list[0])+": "+line)
			}
		}
	}
	return found, nil
}
