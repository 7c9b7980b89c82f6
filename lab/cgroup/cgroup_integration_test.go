//go:build integration

package cgroup_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/tranship/tranship/lab/cgroup"
)

// A host that yields has a quarter of another's share, and what runs there is found there; nothing is left of either.
func TestHostsHaveTheirShares(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	base := fmt.Sprintf("/tranship-test-%d", os.Getpid())
	t.Cleanup(func() {
		if err := cgroup.Remove(base); err != nil || len(cgroup.Folders(base)) > 0 {
			t.Errorf("Remove = %v, and %v are left", err, cgroup.Folders(base))
		}
	})
	shares := map[bool]int{}
	for _, yields := range []bool{false, true} {
		c := exec.CommandContext(t.Context(), "sleep", "60")
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		defer func() { _, _ = c.Process.Kill(), c.Wait() }()
		host := fmt.Sprintf("%s/%t", base, yields)
		if err := cgroup.Host(host, c.Process.Pid, yields); err != nil {
			t.Fatal(err)
		}
		for _, dir := range cgroup.Folders(host) {
			for _, file := range []string{"cpu.shares", "cpu.weight"} {
				text, err := os.ReadFile(filepath.Join(dir, file))
				if err != nil {
					continue
				}
				if shares[yields], err = strconv.Atoi(strings.TrimSpace(string(text))); err != nil {
					t.Fatal(err)
				}
				procs, _ := os.ReadFile(filepath.Join(dir, "cgroup.procs"))
				if strings.TrimSpace(string(procs)) != strconv.Itoa(c.Process.Pid) {
					t.Errorf("processes of %s are %q, want %d", host, procs, c.Process.Pid)
				}
			}
		}
	}
	if shares[false] == 0 || shares[false] != 4*shares[true] {
		t.Errorf("shares are %d, and %d of the one that yields, want four times as much", shares[false], shares[true])
	}
}
