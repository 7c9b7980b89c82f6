package lab

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/tranship/tranship/lab/cgroup"
	"github.com/tranship/tranship/lab/host"
	"github.com/tranship/tranship/lab/tool"
)

// ErrUnable is of a machine that lacks what the lab is made of.
var ErrUnable = errors.New("cannot be had on this machine")

// Able tries what the lab is made of, and takes it back: containers that cannot make namespaces or cgroups are as common
// among machines that run tests as those that can. The error says what cannot be had,
// and is ErrUnable then; any other is no word on the machine.
func Able(ctx context.Context, l Layout, log io.Writer) (err error) {
	if err := host.Check(); err != nil {
		return err
	}
	if err := l.Check(); err != nil {
		return err
	}
	if err := host.Install(ctx, log); err != nil {
		return err
	}
	l.Prefix, l.Dir = l.Prefix+"try", l.Dir+"-try"
	defer func() {
		after := context.WithoutCancel(ctx)
		if left := errors.Join(l.unplug(after), l.remove(after)); left != nil {
			err = fmt.Errorf("take back what was tried: %w", left)
		}
	}()
	for _, t := range []struct {
		what string
		do   func(context.Context) error
	}{
		{"namespaces, a bridge, cables and routes", l.network},
		{"packet filters", l.filter},
		{"cgroups", func(context.Context) error { return cgroup.Make(l.Cgroup()) }},
		{"a mount over another", l.overlay},
	} {
		if err := t.do(ctx); err != nil {
			return fmt.Errorf("the lab needs %s, which %w: %w", t.what, ErrUnable, err)
		}
	}
	_, err = fmt.Fprintln(log, "this machine can carry the lab")
	return err
}

// filter sets rules such as kube-proxy's and those of pods' ports.
func (l Layout) filter(ctx context.Context) error {
	for _, rule := range [][]string{
		{"nft", "add table ip try; add chain ip try out { type nat hook postrouting priority 100; }; add rule ip try out masquerade"},
		{"iptables", "-t", "nat", "-A", "POSTROUTING", "-m", "comment", "--comment", "try", "-j", "MASQUERADE"},
	} {
		in := tool.Inside(l.LAN(), rule...)
		if _, err := tool.Run(ctx, in[0], in[1:]...); err != nil {
			return err
		}
	}
	return nil
}

// overlay mounts as containerd does.
func (l Layout) overlay(ctx context.Context) error {
	at := map[string]string{}
	for _, name := range []string{"lower", "upper", "work", "root"} {
		at[name] = filepath.Join(l.Dir, name)
		if err := os.MkdirAll(at[name], 0o755); err != nil {
			return fmt.Errorf("make a folder: %w", err)
		}
	}
	_, err := tool.Run(ctx, "mount", "-t", "overlay", "try", "-o",
		fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s", at["lower"], at["upper"], at["work"]), at["root"])
	return err
}
