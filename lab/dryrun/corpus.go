package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/tranship/tranship/lab/judge"
)

// renderTimeout is the longest that one definition may take: a hang is a fault, not a wait.
const renderTimeout = 2 * time.Minute

// folders of the corpus that hold definitions, and how those files end.
func folders() map[string][]string {
	return map[string][]string{
		"marathon":       {".json"},
		"metronome":      {".json"},
		"haproxy/edgelb": {".json"},
		"mesos":          {".json"},
		"compose":        {".yaml", ".yml"},
	}
}

// definitions lists the corpus' definition files, relative to it, that match only.
func definitions(corpus string, only *regexp.Regexp) ([]string, error) {
	var list []string
	for folder, endings := range folders() {
		root := filepath.Join(corpus, filepath.FromSlash(folder))
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			rel, err := filepath.Rel(corpus, path)
			if err != nil {
				return err
			}
			if rel = filepath.ToSlash(rel); d.Type().IsRegular() && slices.Contains(endings, filepath.Ext(path)) && only.MatchString(rel) {
				list = append(list, rel)
			}
			return nil
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("list definitions: %w", err)
		}
	}
	slices.Sort(list)
	return list, nil
}

// estate is one definition file, judged as an estate of its own.
type estate struct {
	File    string        `json:"file"`
	Fault   string        `json:"fault,omitempty"`   // tranship crashed, hung or could not be started
	Code    string        `json:"code,omitempty"`    // why there is no object
	Message string        `json:"message,omitempty"` // the diagnostic of that code
	Render  time.Duration `json:"renderNanoseconds"`
	judge.Verdict
}

// tranship is the product's program, known to the lab by its command line only.
type tranship struct {
	program string
	corpus  string
	keep    string // where the rendered trees are left; empty: nowhere
}

// render runs the product over one file in a folder of its own and gives the tree that it wrote.
func (t tranship) render(ctx context.Context, file string) (estate, judge.Tree) {
	e := estate{File: file}
	out, remove, err := t.folder(file)
	if err != nil {
		e.Fault = err.Error()
		return e, judge.Tree{}
	}
	defer remove()

	ctx, cancel := context.WithTimeoutCause(ctx, renderTimeout, fmt.Errorf("no end after %v", renderTimeout))
	defer cancel()
	c := exec.CommandContext(ctx, t.program, "render", filepath.Join(t.corpus, filepath.FromSlash(file)), "--out", out)
	c.Dir = out
	// What a definition becomes must not hang on who runs the lab: Compose files read the environment.
	c.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + out, "NO_COLOR=1"}
	var stderr bytes.Buffer
	c.Stderr = &stderr
	c.WaitDelay = time.Second
	start := time.Now()
	err = c.Run()
	e.Render = time.Since(start)
	if ctx.Err() != nil {
		e.Fault = context.Cause(ctx).Error()
		return e, judge.Tree{}
	}
	e.Fault = fault(err, stderr.String())

	kubernetes := filepath.Join(out, "kubernetes")
	if _, err := os.Stat(kubernetes); err != nil {
		e.Code, e.Message = reason(stderr.String())
		return e, judge.Tree{}
	}
	tree := judge.ReadTree(kubernetes)
	if len(tree.Objects) == 0 {
		e.Code, e.Message = reason(stderr.String())
	}
	return e, tree
}

func (t tranship) folder(file string) (string, func(), error) {
	if t.keep == "" {
		out, err := os.MkdirTemp("", "tranship-dryrun-")
		if err != nil {
			return "", nil, fmt.Errorf("make output folder: %w", err)
		}
		return out, func() { _ = os.RemoveAll(out) }, nil
	}
	out := filepath.Join(t.keep, filepath.FromSlash(file))
	if err := errors.Join(os.RemoveAll(out), os.MkdirAll(out, 0o755)); err != nil {
		return "", nil, fmt.Errorf("make output folder: %w", err)
	}
	return out, func() {}, nil
}

// fault tells an end that no input may cause from the exit statuses 0 (done) and 1 (the input has errors).
func fault(err error, stderr string) string {
	if err == nil {
		return ""
	}
	exit, ok := errors.AsType[*exec.ExitError](err)
	if ok && exit.ExitCode() == 1 && !strings.Contains(stderr, "\ngoroutine ") {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(stderr), "\n")
	return fmt.Sprintf("tranship ended with %v: %s", err, strings.Join(lines[:min(len(lines), 4)], " | "))
}

// diagnostic is a line `file:line:col: error: subject: problem [CODE]`.
var diagnostic = regexp.MustCompile(`(?m)\b(error|warning|note): (.*) \[([A-Za-z0-9-]+)\]$`)

// reason is the first and worst diagnostic: each definition without objects counts once.
func reason(stderr string) (code, message string) {
	found := diagnostic.FindAllStringSubmatch(stderr, -1)
	for _, severity := range []string{"error", "warning", "note"} {
		for _, m := range found {
			if m[1] == severity {
				return m[3], m[2]
			}
		}
	}
	return "NONE", "no diagnostic"
}
