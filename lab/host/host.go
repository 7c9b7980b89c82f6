// Package host says what the lab needs of the machine, and has Debian's packages installed.
//
// Input: the machine. Output: a refusal in plain words, or a machine that has everything. It never lets a package start a
// service.
package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/tranship/tranship/lab/tool"
)

// A package is needed for a file that it brings.
type need struct{ pkg, file string }

var needs = []need{
	{"containerd", "containerd"}, {"runc", "runc"}, {"containernetworking-plugins", "/usr/lib/cni/bridge"},
	{"iptables", "iptables"}, {"nftables", "nft"}, {"conntrack", "conntrack"}, {"ipset", "ipset"}, {"ethtool", "ethtool"},
	{"kmod", "modprobe"}, {"socat", "socat"}, {"iproute2", "ip"}, {"util-linux", "nsenter"}, {"mount", "mount"},
	{"haproxy", "haproxy"}, {"postgresql-15", filepath.Join(Postgres, "postgres")},
	{"prometheus", "prometheus"}, {"prometheus-alertmanager", "prometheus-alertmanager"},
}

// Postgres is the folder of PostgreSQL's programs.
const Postgres = "/usr/lib/postgresql/15/bin"

// Errors of a machine that cannot hold the lab.
var (
	ErrSystem = errors.New("the lab needs Linux: it is made of network namespaces and containers")
	ErrRoot   = errors.New("the lab needs root: it makes network namespaces, mounts and cgroups; run it again as root, or with sudo")
)

// Check refuses a machine that is not Linux, or a user that is not root.
func Check() error {
	if runtime.GOOS != "linux" {
		return ErrSystem
	}
	if os.Geteuid() != 0 {
		return ErrRoot
	}
	return nil
}

// Missing are the packages of which the machine lacks the file that is needed.
func Missing() []string {
	var out []string
	for _, n := range needs {
		if !there(n.file) {
			out = append(out, n.pkg)
		}
	}
	return out
}

func there(file string) bool {
	if strings.HasPrefix(file, "/") {
		_, err := os.Stat(file)
		return err == nil
	}
	if _, err := exec.LookPath(file); err == nil {
		return true
	}
	for _, dir := range []string{"/usr/sbin", "/sbin"} { // which a shell of root's need not have
		if _, err := os.Stat(filepath.Join(dir, file)); err == nil {
			return true
		}
	}
	return false
}

// Install has apt-get bring what is missing.
func Install(ctx context.Context, log io.Writer) error {
	missing := Missing()
	if len(missing) == 0 {
		return nil
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("install %s: this is no Debian, and apt-get is not there: bring these by your own means", strings.Join(missing, " "))
	}
	fmt.Fprintf(log, "installing %s\n", strings.Join(missing, " "))
	undo, err := noServices()
	if err != nil {
		return err
	}
	defer undo()
	install := append([]string{"apt-get", "install", "-y", "-q", "--no-install-recommends"}, missing...)
	if _, err := apt(ctx, install); err != nil {
		if _, err := apt(ctx, []string{"apt-get", "update", "-q"}); err != nil {
			return err
		}
		if _, err := apt(ctx, install); err != nil {
			return err
		}
	}
	if still := Missing(); len(still) > 0 {
		return fmt.Errorf("install %s: apt-get brought them, but not the files that are needed", strings.Join(still, " "))
	}
	return nil
}

func apt(ctx context.Context, args []string) (string, error) {
	return tool.Run(ctx, "env", append([]string{"DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1"}, args...)...)
}

// noServices puts Debian's own switch in place, by which packages ask whether they may start a service, unless there is
// one already.
func noServices() (undo func(), err error) {
	const file = "/usr/sbin/policy-rc.d"
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if errors.Is(err, fs.ErrExist) {
		return func() {}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("forbid services to start: %w", err)
	}
	defer f.Close()
	if _, err := f.WriteString("#!/bin/sh\nexit 101\n"); err != nil {
		return nil, fmt.Errorf("forbid services to start: %w", err)
	}
	return func() { _ = os.Remove(file) }, nil
}
