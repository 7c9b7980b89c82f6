// Package main is the judge's command: a real API server's strict dry run over what tranship renders.
//
// Input: the program and a corpus of definitions, each an estate of its own, or a folder of ready manifests. Output:
// each refusal with the server's words, and one line of numbers at the end. It never reaches another cluster than the
// one that it starts itself.
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
	"regexp"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tranship/tranship/lab/cluster"
	"github.com/tranship/tranship/lab/crd"
	"github.com/tranship/tranship/lab/judge"
)

type options struct {
	tranship, corpus, manifests, assets, output, keep string
	only                                              *regexp.Regexp
	crds                                              []string
	workers                                           int
	buildOnly                                         bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o, err := parse(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		os.Exit(0)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "dryrun: %v\n", err)
		os.Exit(2)
	}
	ok, err := run(ctx, o, os.Stdout, os.Stderr)
	if err != nil {
		fmt.Fprintf(os.Stderr, "dryrun: %v\n", err)
	}
	if err != nil || !ok {
		os.Exit(1)
	}
}

func parse(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("dryrun", flag.ContinueOnError)
	f.StringVar(&o.tranship, "tranship", "", "the tranship `program` that renders the corpus")
	f.StringVar(&o.corpus, "corpus", "", "`folder` of definitions: marathon, metronome, haproxy/edgelb, mesos, compose")
	f.StringVar(&o.manifests, "manifests", "", "submit this `folder` of manifests instead of rendering a corpus")
	only := f.String("only", "", "render only files whose path in the corpus matches this regular `expression`")
	f.StringVar(&o.output, "o", "table", "`format` of the report: table or json")
	f.StringVar(&o.keep, "keep", "", "leave what was rendered below this `folder`")
	f.StringVar(&o.assets, "assets", "", "`folder` with etcd and kube-apiserver, instead of building them")
	f.IntVar(&o.workers, "workers", 2*runtime.GOMAXPROCS(0), "estates at a time")
	f.BoolVar(&o.buildOnly, "build-only", false, "build the control plane if it is stale, and end")
	f.Func("crds", "`folder` of further custom resource definitions, may be repeated", func(dir string) error {
		o.crds = append(o.crds, dir)
		return nil
	})
	if err := f.Parse(args); err != nil {
		return o, err
	}
	var err error
	if o.only, err = regexp.Compile(*only); err != nil {
		return o, fmt.Errorf("read -only: %w", err)
	}
	rendering := o.tranship != "" && o.corpus != ""
	switch {
	case f.NArg() > 0:
		return o, fmt.Errorf("read arguments: %q is not known", f.Arg(0))
	case o.output != "table" && o.output != "json":
		return o, fmt.Errorf("read -o: %q is neither table nor json", o.output)
	case !o.buildOnly && rendering == (o.manifests != ""):
		return o, errors.New("read arguments: give either -tranship and -corpus, or -manifests")
	}
	o.workers = max(1, o.workers)
	for _, path := range []*string{&o.tranship, &o.corpus, &o.manifests, &o.keep} {
		if *path != "" {
			if *path, err = filepath.Abs(*path); err != nil {
				return o, fmt.Errorf("find folder: %w", err)
			}
		}
	}
	return o, nil
}

func run(ctx context.Context, o options, out, log io.Writer) (ok bool, err error) {
	assets := o.assets
	if assets == "" {
		module, err := cluster.ModuleDir(ctx)
		if err != nil {
			return false, err
		}
		built, err := cluster.Build(ctx, module, cluster.CacheDir(module), log)
		if err != nil {
			return false, err
		}
		if built.Built {
			fmt.Fprintf(log, "built Kubernetes %s in %v, largest process %d MB\n", built.Version, built.Took.Round(time.Second), built.Peak/1024)
		}
		assets = built.Dir
	}
	if o.buildOnly {
		return true, nil
	}

	start := time.Now()
	c, err := cluster.Start(ctx, assets)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, c.Stop()) }()
	fmt.Fprintf(log, "Kubernetes %s is ready after %v\n", c.Version(), time.Since(start).Round(time.Millisecond))
	j, err := install(ctx, o, c, log)
	if err != nil {
		return false, err
	}

	var estates []estate
	if o.manifests != "" {
		tree := judge.ReadTree(o.manifests)
		e := estate{File: o.manifests, Verdict: j.Submit(ctx, tree)}
		if e.Submitted == 0 {
			e.Code, e.Message = "NONE", "no object in the folder"
		}
		estates = []estate{e}
	} else if estates, err = renderAll(ctx, o, j, log); err != nil {
		return false, err
	}
	if ctx.Err() != nil {
		return false, fmt.Errorf("submit objects: %w", context.Cause(ctx))
	}
	r := gather(c.Version(), estates)
	fmt.Fprintf(log, "done after %v; %s\n", time.Since(start).Round(time.Millisecond), usage(c.PIDs()))
	if o.output == "json" {
		fmt.Fprintln(log, r.Summary)
		return r.ok(), r.json(out)
	}
	return r.ok(), r.table(out)
}

// install brings in the definitions of custom resources and makes the judge.
func install(ctx context.Context, o options, c *cluster.Cluster, log io.Writer) (*judge.Judge, error) {
	var paths []string
	for _, s := range crd.Sources() {
		list, err := s.Paths(ctx)
		if err != nil {
			return nil, err
		}
		paths = append(paths, list...)
	}
	for _, dir := range o.crds {
		list, err := crd.Folder(dir)
		if err != nil {
			return nil, err
		}
		paths = append(paths, list...)
	}
	names, err := crd.Install(ctx, c.Config(), paths)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(log, "installed %d custom resource definitions\n", len(names))
	return judge.New(c.Config())
}

// renderAll renders and submits every definition of the corpus, several at a time.
func renderAll(ctx context.Context, o options, j *judge.Judge, log io.Writer) ([]estate, error) {
	files, err := definitions(o.corpus, o.only)
	if err != nil {
		return nil, err
	}
	t := tranship{program: o.tranship, corpus: o.corpus, keep: o.keep}
	estates := make([]estate, len(files))
	var lock sync.Mutex
	var done, objects, refused int
	var g errgroup.Group
	g.SetLimit(o.workers)
	for i, file := range files {
		g.Go(func() error {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			e, tree := t.render(ctx, file)
			e.Verdict = j.Submit(ctx, tree)
			estates[i] = e
			lock.Lock()
			defer lock.Unlock()
			done, objects, refused = done+1, objects+e.Submitted, refused+len(e.Refused)
			if e.Fault != "" {
				refused++
				fmt.Fprintf(log, "%s: %s\n", e.File, oneLine(e.Fault))
			}
			for _, r := range e.Refused {
				fmt.Fprintf(log, "%s: refused: %s (%s): %s\n", e.File, r.Object, r.File, oneLine(r.Message))
			}
			if done%50 == 0 || done == len(files) {
				fmt.Fprintf(log, "%d of %d definitions, %d objects, %d refused\n", done, len(files), objects, refused)
			}
			return nil
		})
	}
	return estates, g.Wait()
}

// usage tells what the two processes have taken at most, where the system tells.
func usage(pids []int) string {
	var list []string
	for i, name := range []string{"etcd", "kube-apiserver"} {
		if i < len(pids) {
			list = append(list, name+" at most "+peak(pids[i]))
		}
	}
	return strings.Join(list, ", ")
}

func peak(pid int) string {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return "unknown"
	}
	m := regexp.MustCompile(`VmHWM:\s*(\d+) kB`).FindSubmatch(status)
	if m == nil {
		return "unknown"
	}
	var kB int
	if _, err := fmt.Sscan(string(m[1]), &kB); err != nil {
		return "unknown"
	}
	return fmt.Sprintf("%d MB", kB/1024)
}
