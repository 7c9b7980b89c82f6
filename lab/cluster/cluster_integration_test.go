//go:build integration

package cluster_test

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"k8s.io/client-go/kubernetes"

	"github.com/tranship/tranship/lab/cluster"
)

// Stop leaves no process and no folder behind.
func TestStoppedClusterLeavesNothing(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	ctx := t.Context()
	module, err := cluster.ModuleDir(ctx)
	if err != nil {
		t.Fatal(err)
	}
	assets, err := cluster.Build(ctx, module, cluster.CacheDir(module), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	c, err := cluster.Start(ctx, assets.Dir)
	if err != nil {
		t.Fatal(err)
	}
	client, err := kubernetes.NewForConfig(c.Config())
	if err != nil {
		t.Error(err)
	} else if v, err := client.Discovery().ServerVersion(); err != nil || v.GitVersion != assets.Version || v.Minor == "" {
		t.Errorf("server version = %v, %v; want %s", v, err, assets.Version)
	}
	pids := c.PIDs()
	if err := c.Stop(); err != nil {
		t.Error(err)
	}
	for _, pid := range pids {
		if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
			t.Errorf("process %d answers %v after Stop, want it gone", pid, err)
		}
	}
	left, err := filepath.Glob(filepath.Join(tmp, "tranship-lab-*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind %v, %v; want nothing", left, err)
	}
}

// A fresh cache is taken as it is; a binary that is gone is built again.
func TestFreshCacheIsNotBuiltAgain(t *testing.T) {
	ctx := t.Context()
	module, err := cluster.ModuleDir(ctx)
	if err != nil {
		t.Fatal(err)
	}
	cache := cluster.CacheDir(module)
	if _, err := cluster.Build(ctx, module, cache, t.Output()); err != nil {
		t.Fatal(err)
	}
	again, err := cluster.Build(ctx, module, cache, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	if again.Built {
		t.Error("Build built again what was fresh, want it taken from the cache")
	}
	for _, name := range []string{"etcd", "kube-apiserver"} {
		if _, err := os.Stat(filepath.Join(again.Dir, name)); err != nil {
			t.Errorf("Build gave no %s: %v", name, err)
		}
	}
}

// A folder without the two programs is said to be wrong at once.
func TestMissingAssetsAreNamed(t *testing.T) {
	if _, err := cluster.Start(t.Context(), t.TempDir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Start(empty folder) = %v, want that a file does not exist", err)
	}
}
