package haproxy

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/tranship/tranship/internal/rollout/runner"
)

// A file is a configuration with one backend of it.
type file struct {
	path    string
	text    string
	section *section
	block   block
}

// open reads the configuration. A backend without marks is ErrRefused.
func (t *Traffic) open(backend string) (*file, error) {
	path, err := filepath.EvalSymlinks(t.config)
	if err != nil {
		return nil, fmt.Errorf("read haproxy's configuration: %w", err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read haproxy's configuration: %w", err)
	}
	f := &file{path: path, text: string(text)}
	if f.section, err = find(f.text, backend); err != nil {
		return nil, fmt.Errorf("%s: %w (docs/frontdoor.md): %w", path, err, runner.ErrRefused)
	}
	if f.block, err = f.section.read(); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", path, err, runner.ErrRefused)
	}
	return f, nil
}

// weights gives what each running server of both sides shall have.
func (f *file) weights(st *state, want block) map[string]int {
	out := map[string]int{}
	source, _ := st.sides()
	base, sourceUp := make([]int, len(source)), make([]bool, len(source))
	changed := f.block.percent > 0 || want.percent > 0
	for i, v := range source {
		base[i], sourceUp[i] = f.base(v, want), v.up
	}
	targetUp := make([]bool, len(want.servers))
	for i, w := range want.servers {
		v := st.find(w.name)
		targetUp[i] = v != nil && v.up
	}
	if want.percent > 0 && want.percent == f.block.percent && keeps(f.block.servers, want.servers) {
		// Servers come or go while the share stays: whoever had weight keeps it.
		for _, v := range source {
			out[v.name] = v.weight
		}
		for _, w := range want.servers {
			out[w.name] = w.weight
		}
		return out
	}
	s, tg := shares(base, sourceUp, targetUp, want.percent)
	for i, v := range source {
		if changed || v.weight == 0 {
			out[v.name] = s[i]
		}
	}
	for i, w := range want.servers {
		out[w.name] = tg[i]
	}
	return out
}

// keeps reports whether servers were added only, or not at all.
func keeps(have, want []target) bool {
	return len(want) > len(have) && len(have) > 0
}

// base is a source server's own weight.
func (f *file) base(v server, want block) int {
	line := f.section.lineOf(v.name)
	for _, b := range [][]weighed{want.before, f.block.before} {
		for _, w := range b {
			if w.name == line {
				return w.weight
			}
		}
	}
	return v.initial
}

// agrees reports whether the running servers are those of the block.
func (f *file) agrees(st *state) bool {
	for _, w := range f.block.servers {
		if v := st.find(w.name); v == nil || v.address != w.address || v.weight != w.weight || v.maintenance {
			return false
		}
	}
	if f.block.percent == 0 {
		return true
	}
	for _, w := range f.section.written(nil) {
		for _, v := range st.servers {
			if !v.ours && f.section.lineOf(v.name) == w.name && !w.implied && v.weight != w.weight {
				return false
			}
		}
	}
	return true
}

// save writes the configuration in one step, if it differs.
func (t *Traffic) save(ctx context.Context, f *file, want block, weights map[string]int, options string) error {
	lines := map[string]int{}
	for name, n := range weights {
		if line := f.section.lineOf(name); line != "" {
			lines[line] = n
		}
	}
	want.servers = slices.Clone(want.servers)
	for i := range want.servers {
		want.servers[i].weight = weights[want.servers[i].name]
	}
	if want.before == nil {
		want.before = f.block.before
	}
	text := f.section.write(want, lines, options)
	if text == f.text {
		return nil
	}
	if err := t.write(ctx, f, text); err != nil {
		return fmt.Errorf("write haproxy's configuration: %w", err)
	}
	return nil
}

func (t *Traffic) write(ctx context.Context, f *file, text string) (err error) {
	was, err := os.Stat(f.path)
	if err != nil {
		return err
	}
	next := f.path + ".tranship"
	defer func() { err = errors.Join(err, gone(os.Remove(next))) }()
	if err := put(next, text, was); err != nil {
		return err
	}
	if err := t.valid(ctx, next, f.path); err != nil {
		return err
	}
	// Nobody shall lose what they wrote into the file meanwhile.
	if now, err := os.ReadFile(f.path); err != nil || string(now) != f.text {
		return errors.Join(err, fmt.Errorf("%s was changed by somebody else meanwhile", f.path))
	}
	if err := os.Rename(next, f.path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(f.path))
}

// put writes a file with the mode and owner of another, down to the disk.
func put(path, text string, like fs.FileInfo) error {
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, like.Mode().Perm())
	if err != nil {
		return err
	}
	defer out.Close()
	if err := out.Chmod(like.Mode().Perm()); err != nil {
		return err
	}
	if s, ok := like.Sys().(*syscall.Stat_t); ok && int(s.Uid) != os.Getuid() {
		if err := out.Chown(int(s.Uid), int(s.Gid)); err != nil {
			return err
		}
	}
	if _, err := out.WriteString(text); err != nil {
		return err
	}
	if err := out.Sync(); err != nil {
		return err
	}
	return out.Close()
}

// valid has HAProxy judge the file. Where the one in use is not valid by itself
// either (it is one of several), the judgement says nothing.
func (t *Traffic) valid(ctx context.Context, next, now string) error {
	if t.o.Program == "" {
		return nil
	}
	out, err := exec.CommandContext(ctx, t.o.Program, "-c", "-q", "-f", next).CombinedOutput()
	if err == nil {
		return nil
	}
	if exec.CommandContext(ctx, t.o.Program, "-c", "-q", "-f", now).Run() != nil {
		return ctx.Err()
	}
	return fmt.Errorf("haproxy does not accept it: %s: %w", strings.TrimSpace(string(out)), runner.ErrRefused)
}

func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
