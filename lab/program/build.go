// Package program builds the lab's programs from their Go sources, and keeps them until something that they are made of changes.
//
// Input: the lab's module, a cache folder. Output: programs in the cache's folder bin, under all names they are called
// by. It never takes what another toolchain, other flags or other versions of modules have made.
package program

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"syscall"
	"time"
)

// CacheVariable names the environment variable that moves the cache folder.
const CacheVariable = "TRANSHIP_LAB_CACHE"

// Kubernetes is all of it in one program, which goes by the names of its components.
var Kubernetes = Program{
	Name: "controlplane", dir: ".", source: "controlplane", module: "k8s.io/kubernetes",
	names: []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl"},
	what:  "Kubernetes", versioned: []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"},
}

// KWOK plays kubelets.
var KWOK = Program{Name: "kwok", dir: "kwok", source: ".", module: "sigs.k8s.io/kwok", what: "KWOK"}

// MetricsServer tells what nodes and pods use.
var MetricsServer = Program{
	Name: "metrics-server", dir: "metricsserver", source: ".", module: "sigs.k8s.io/metrics-server", what: "metrics-server",
	versioned: []string{"k8s.io/component-base/version"},
}

// Program is built from a folder of the lab and kept in the cache.
type Program struct {
	Name        string
	dir, source string   // dir is its module's folder, source its own, below it
	module      string   // whose version it has
	names       []string // that it is called by beside its own
	what        string
	versioned   []string // packages that hold a version
}

// Assets is where a program stands, and what it cost.
type Assets struct {
	Dir     string
	Version string        // of its module, as go.mod has it: v1.35.4
	Built   bool          // false: the cache was fresh
	Took    time.Duration // of the build
	Peak    int64         // kilobytes resident, of the largest process of the build
}

// ModuleDir finds the lab's own module folder from any folder of the checkout.
func ModuleDir(context.Context) (string, error) {
	here, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the lab's module: %w", err)
	}
	for dir := here; ; dir = filepath.Dir(dir) {
		for _, d := range []string{dir, filepath.Join(dir, "lab")} {
			text, err := os.ReadFile(filepath.Join(d, "go.mod"))
			if err == nil && strings.HasPrefix(string(text), "module github.com/tranship/tranship/lab\n") {
				return d, nil
			}
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("find the lab's module: %s is not inside a checkout of tranship", here)
		}
	}
}

// CacheDir is where the control plane's program is kept: $TRANSHIP_LAB_CACHE, else .cache/lab beside the lab's folder.
func CacheDir(moduleDir string) string {
	if dir := os.Getenv(CacheVariable); dir != "" {
		return dir
	}
	return filepath.Join(filepath.Dir(moduleDir), ".cache", "lab")
}

// Build makes the program below cacheDir unless the one that stands there has the same sources, module versions,
// toolchain and flags. Two runs at a time build once: the second waits for the first.
func (p Program) Build(ctx context.Context, moduleDir, cacheDir string, log io.Writer) (Assets, error) {
	moduleDir = filepath.Join(moduleDir, p.dir)
	cacheDir, err := filepath.Abs(cacheDir)
	if err != nil {
		return Assets{}, fmt.Errorf("place cache: %w", err)
	}
	bin := filepath.Join(cacheDir, "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return Assets{}, fmt.Errorf("make cache: %w", err)
	}
	unlock, err := lock(ctx, filepath.Join(cacheDir, p.Name+".lock"), func() { fmt.Fprintf(log, "waiting for another build of %s\n", p.what) })
	if err != nil {
		return Assets{}, err
	}
	defer unlock()

	version, err := goTool(ctx, moduleDir, "list", "-m", "-f", "{{.Version}}", p.module)
	if err != nil {
		return Assets{}, err
	}
	a := Assets{Dir: bin, Version: strings.TrimSpace(version)}
	flags, err := p.ldflags(a.Version)
	if err != nil {
		return Assets{}, err
	}
	want, err := p.stamp(ctx, moduleDir, flags)
	if err != nil {
		return Assets{}, err
	}
	file := filepath.Join(bin, p.Name)
	if have, err := os.ReadFile(filepath.Join(cacheDir, p.Name+".stamp")); err == nil && string(have) == want {
		if _, err := os.Stat(file); err == nil {
			return a, p.link(bin)
		}
	}

	fmt.Fprintf(log, "building %s, %s, from its modules (minutes when cold, then cached below %s)\n", p.what, a.Version, cacheDir)
	start := time.Now()
	fresh := file + ".new"
	c := exec.CommandContext(ctx, "go", "build", "-v", "-trimpath", "-buildvcs=false", "-ldflags", flags, "-o", fresh, "./"+p.source)
	c.Dir = moduleDir
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	c.Stdout = log
	said, err := c.StderrPipe()
	if err != nil {
		return Assets{}, fmt.Errorf("build %s: %w", p.Name, err)
	}
	if err := c.Start(); err != nil {
		return Assets{}, fmt.Errorf("build %s: %w", p.Name, err)
	}
	failed := follow(said, log, p.what, start)
	if err := c.Wait(); err != nil {
		return Assets{}, fmt.Errorf("build %s: %w: %s", p.Name, err, failed)
	}
	if use, ok := c.ProcessState.SysUsage().(*syscall.Rusage); ok {
		a.Peak = use.Maxrss
	}
	if err := os.Rename(fresh, file); err != nil {
		return Assets{}, fmt.Errorf("keep %s: %w", p.Name, err)
	}
	if err := os.WriteFile(filepath.Join(cacheDir, p.Name+".stamp"), []byte(want), 0o644); err != nil {
		return Assets{}, fmt.Errorf("keep stamp: %w", err)
	}
	a.Built, a.Took = true, time.Since(start)
	return a, p.link(bin)
}

// ldflags gives the version to the program: without it kube-apiserver calls itself v0.0.0-master, and tells clients so.
func (p Program) ldflags(version string) (string, error) {
	part := strings.SplitN(strings.TrimPrefix(version, "v"), ".", 3)
	if len(part) != 3 {
		return "", fmt.Errorf("read version %q of %s: not vMAJOR.MINOR.PATCH", version, p.module)
	}
	flags := []string{"-s", "-w"}
	for _, v := range p.versioned {
		flags = append(flags,
			"-X", v+".gitVersion="+version,
			"-X", v+".gitMajor="+part[0],
			"-X", v+".gitMinor="+part[1],
			"-X", v+".gitCommit=module",
			"-X", v+".gitTreeState=clean",
		)
	}
	return strings.Join(flags, " "), nil
}

// stamp hashes all that the program is made of.
func (p Program) stamp(ctx context.Context, moduleDir, flags string) (string, error) {
	toolchain, err := goTool(ctx, moduleDir, "env", "GOVERSION", "GOOS", "GOARCH")
	if err != nil {
		return "", err
	}
	files, err := filepath.Glob(filepath.Join(moduleDir, p.source, "*.go"))
	if err != nil {
		return "", fmt.Errorf("list sources: %w", err)
	}
	sort.Strings(files)
	files = append(files, filepath.Join(moduleDir, "go.mod"), filepath.Join(moduleDir, "go.sum"))
	h := sha256.New()
	fmt.Fprintf(h, "%s\n%s\n", toolchain, flags)
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			return "", fmt.Errorf("hash sources: %w", err)
		}
		fmt.Fprintf(h, "%s %d\n%s\n", filepath.Base(f), len(text), text)
	}
	return hex.EncodeToString(h.Sum(nil)) + "\n", nil
}

// link gives the program its further names.
func (p Program) link(bin string) error {
	for _, name := range p.names {
		if err := os.Symlink(p.Name, filepath.Join(bin, name)); err != nil && !errors.Is(err, os.ErrExist) {
			return fmt.Errorf("name %s: %w", p.Name, err)
		}
	}
	return nil
}

// lock takes a file for this process alone; wait is called once when another has it.
func lock(ctx context.Context, path string, wait func()) (func(), error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("lock cache: %w", err)
	}
	for told := false; ; {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			f.Close()
			return nil, fmt.Errorf("lock cache: %w", err)
		}
		if !told {
			wait()
			told = true
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, fmt.Errorf("lock cache: %w", context.Cause(ctx))
		case <-time.After(200 * time.Millisecond):
		}
	}
}

func goTool(ctx context.Context, dir string, args ...string) (string, error) {
	c := exec.CommandContext(ctx, "go", args...)
	c.Dir = dir
	out, err := c.Output()
	if err != nil {
		if e, ok := errors.AsType[*exec.ExitError](err); ok {
			return "", fmt.Errorf("run go %s: %w: %s", strings.Join(args, " "), err, strings.TrimSpace(string(e.Stderr)))
		}
		return "", fmt.Errorf("run go %s: %w", strings.Join(args, " "), err)
	}
	return string(out), nil
}
