package cluster

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

// control is the control plane's program: one, with the names of its components.
var control = program{
	name: "controlplane", dir: ".", source: "controlplane", module: "k8s.io/kubernetes",
	names: []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"},
	what:  "a Kubernetes control plane", versioned: []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"},
}

// nodes is KWOK, which plays the kubelets.
var nodes = program{name: "kwok", dir: "kwok", source: ".", module: "sigs.k8s.io/kwok", what: "KWOK"}

// A program is built from a folder of the lab and kept in the cache.
type program struct {
	name, dir, source string   // dir is its module's folder, source its own, below it
	module            string   // whose version it has
	names             []string // that it is called by beside its own
	what              string
	versioned         []string // packages that hold a version
}

// Assets is the folder in which the programs stand.
type Assets struct {
	Dir     string
	Version string        // of Kubernetes, as go.mod has it: v1.35.4
	Built   bool          // false: the cache was fresh
	Took    time.Duration // of the build
	Peak    int64         // kilobytes resident, of the largest process of the build
}

// ModuleDir finds the lab's own module folder from any folder inside of it.
func ModuleDir(ctx context.Context) (string, error) {
	out, err := goTool(ctx, "", "env", "GOMOD")
	if err != nil {
		return "", err
	}
	mod := strings.TrimSpace(out)
	text, err := os.ReadFile(mod)
	if err != nil || !strings.HasPrefix(string(text), "module github.com/tranship/tranship/lab\n") {
		return "", fmt.Errorf("find the lab's module: run inside the folder lab, not under %q", mod)
	}
	return filepath.Dir(mod), nil
}

// CacheDir is where the control plane's program is kept: $TRANSHIP_LAB_CACHE, else .cache/lab beside the lab's folder.
func CacheDir(moduleDir string) string {
	if dir := os.Getenv(CacheVariable); dir != "" {
		return dir
	}
	return filepath.Join(filepath.Dir(moduleDir), ".cache", "lab")
}

// Build makes the control plane's program below cacheDir unless the one that stands there has the same sources,
// module versions, toolchain and flags. Two runs at a time build once: the second waits for the first.
func Build(ctx context.Context, moduleDir, cacheDir string, log io.Writer) (Assets, error) {
	return control.build(ctx, moduleDir, cacheDir, log)
}

// BuildNodes does the same for the program that plays the nodes, into the same folder.
func BuildNodes(ctx context.Context, moduleDir, cacheDir string, log io.Writer) (Assets, error) {
	return nodes.build(ctx, moduleDir, cacheDir, log)
}

func (p program) build(ctx context.Context, moduleDir, cacheDir string, log io.Writer) (Assets, error) {
	moduleDir = filepath.Join(moduleDir, p.dir)
	cacheDir, err := filepath.Abs(cacheDir)
	if err != nil {
		return Assets{}, fmt.Errorf("place cache: %w", err)
	}
	bin := filepath.Join(cacheDir, "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return Assets{}, fmt.Errorf("make cache: %w", err)
	}
	unlock, err := lock(filepath.Join(cacheDir, "lock"))
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
	file := filepath.Join(bin, p.name)
	if have, err := os.ReadFile(filepath.Join(cacheDir, p.name+".stamp")); err == nil && string(have) == want {
		if _, err := os.Stat(file); err == nil {
			return a, p.link(bin)
		}
	}

	fmt.Fprintf(log, "building %s, %s, from its modules (minutes when cold, then cached below %s)\n", p.what, a.Version, cacheDir)
	start := time.Now()
	fresh := file + ".new"
	c := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", flags, "-o", fresh, "./"+p.source)
	c.Dir = moduleDir
	c.Env = append(os.Environ(), "CGO_ENABLED=0")
	c.Stdout, c.Stderr = log, log
	if err := c.Run(); err != nil {
		return Assets{}, fmt.Errorf("build %s: %w", p.name, err)
	}
	if use, ok := c.ProcessState.SysUsage().(*syscall.Rusage); ok {
		a.Peak = use.Maxrss
	}
	if err := os.Rename(fresh, file); err != nil {
		return Assets{}, fmt.Errorf("keep %s: %w", p.name, err)
	}
	if err := os.WriteFile(filepath.Join(cacheDir, p.name+".stamp"), []byte(want), 0o644); err != nil {
		return Assets{}, fmt.Errorf("keep stamp: %w", err)
	}
	a.Built, a.Took = true, time.Since(start)
	return a, p.link(bin)
}

// ldflags gives the version to the program: without it kube-apiserver calls itself v0.0.0-master, and tells clients so.
func (p program) ldflags(version string) (string, error) {
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
func (p program) stamp(ctx context.Context, moduleDir, flags string) (string, error) {
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
func (p program) link(bin string) error {
	for _, name := range p.names {
		if err := os.Symlink(p.name, filepath.Join(bin, name)); err != nil && !errors.Is(err, os.ErrExist) {
			return fmt.Errorf("name %s: %w", p.name, err)
		}
	}
	return nil
}

func lock(path string) (func(), error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("lock cache: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		f.Close()
		return nil, fmt.Errorf("lock cache: %w", err)
	}
	return func() { f.Close() }, nil
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
