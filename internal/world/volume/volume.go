// Package volume copies what instances of a workload keep, as streams of tar
// between commands that policy names. It takes an instance and gives the
// comparison of both sides by checksum, made after the copy. It never merges
// two instances, and never calls a copy good that it has not read back.
package volume

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/rollout/runner"
)

// Volumes copies volumes: runner.Volumes.
type Volumes struct {
	say   policy.MoveVolumes
	shell Shell
	opts  Options
}

// Options of copies. The zero value works.
type Options struct {
	// Path tells where a workload mounts a volume, for {{.Path}}.
	Path func(w estate.Name, volume string) string
}

// New takes what policy says of volumes, and who runs its commands.
func New(say policy.MoveVolumes, shell Shell, opts Options) *Volumes {
	if opts.Path == nil {
		opts.Path = func(_ estate.Name, volume string) string { return volume }
	}
	return &Volumes{say: say, shell: shell, opts: opts}
}

// named is a command of policy's, with the name it has there.
type named struct {
	name string
	argv []string
}

// way is how a copy goes, and how each end of it is looked at: by checksums
// that a command prints, or by reading all of it once more.
type way struct {
	read, write      named
	fromSum, fromAll named
	toSum, toAll     named
}

func (v *Volumes) way(back bool) way {
	source := named{"source", v.say.Source}
	target := named{"target", v.say.Target}
	sourceSum := named{"sourceSum", v.say.SourceSum}
	targetSum := named{"targetSum", v.say.TargetSum}
	sourceWrite := named{"sourceWrite", v.say.SourceWrite}
	targetRead := named{"targetRead", v.say.TargetRead}
	if back {
		return way{read: targetRead, write: sourceWrite, fromSum: targetSum, fromAll: targetRead, toSum: sourceSum, toAll: source}
	}
	return way{read: source, write: target, fromSum: sourceSum, fromAll: source, toSum: targetSum, toAll: targetRead}
}

// Copy implements runner.Volumes. It is done whole each time: what an earlier
// copy left half done is written over.
func (v *Volumes) Copy(ctx context.Context, w rollout.Workload, instance int, back bool) (rollout.Comparison, error) {
	x := v.way(back)
	if err := v.fit(w, x); err != nil {
		return rollout.Comparison{}, fmt.Errorf("copy volumes of %s: %w: %w", w.Name, runner.ErrRefused, err)
	}
	out := rollout.Comparison{Same: true}
	for _, volume := range w.Volumes {
		place := place{Workload: string(w.Name), Instance: instance, Volume: volume, Path: v.opts.Path(w.Name, volume)}
		c, err := v.one(ctx, x, place)
		if err != nil {
			return rollout.Comparison{}, fmt.Errorf("copy volume %s of %s, instance %d: %w", volume, w.Name, instance, err)
		}
		prefix := ""
		if len(w.Volumes) > 1 {
			prefix = volume + "/"
		}
		add(&out, c, prefix)
	}
	return out, nil
}

func add(out *rollout.Comparison, c rollout.Comparison, prefix string) {
	out.Same = out.Same && c.Same
	out.Size += c.Size
	out.Missing += c.Missing
	out.Extra += c.Extra
	for _, name := range c.Different {
		if len(out.Different) < places {
			out.Different = append(out.Different, prefix+name)
		}
	}
	for _, name := range c.Skipped {
		out.Skipped = append(out.Skipped, prefix+name)
	}
}

// places is how many files are named at most.
const places = 10

// one copies one volume and looks at both ends once that is done: the end it
// came from, to see what changed meanwhile, and the end it went to.
func (v *Volumes) one(ctx context.Context, x way, p place) (rollout.Comparison, error) {
	sent, said, err := v.send(ctx, x, p)
	if err != nil {
		return rollout.Comparison{}, err
	}
	from, err := v.look(ctx, x.fromSum, x.fromAll, p)
	if err != nil {
		return rollout.Comparison{}, err
	}
	to, err := v.look(ctx, x.toSum, x.toAll, p)
	if err != nil {
		return rollout.Comparison{}, err
	}
	var c rollout.Comparison
	for _, f := range from {
		c.Size += f.size
	}
	changed, _, _ := differ(sent, from)
	arrived, missing, extra := differ(from, to)
	c.Different = append(append(c.Different, changed...), arrived...)
	for _, name := range said.changed {
		if !slices.Contains(c.Different, name) {
			c.Different = append(c.Different, name)
		}
	}
	slices.Sort(c.Different)
	c.Different = slices.Compact(c.Different)
	c.Missing, c.Extra, c.Skipped = missing, extra, said.skipped
	c.Same = len(c.Different) == 0 && missing == 0 && extra == 0
	c.Different = c.Different[:min(len(c.Different), places)]
	return c, nil
}

// send has one command's stream go to the other's, and reads along. It waits
// for both commands and looks at what both say.
func (v *Volumes) send(ctx context.Context, x way, p place) (manifest, notes, error) {
	read, err := p.fill(x.read)
	if err != nil {
		return nil, notes{}, err
	}
	write, err := p.fill(x.write)
	if err != nil {
		return nil, notes{}, err
	}
	fromR, fromW := io.Pipe()
	toR, toW := io.Pipe()
	var (
		sent               manifest
		said               notes
		errRead, errWrite  error
		errStream          error
		work               errgroup.Group
		stopped, stopOther = context.WithCancel(ctx)
	)
	defer stopOther()
	work.Go(func() error {
		said, errRead = v.run(stopped, x.read.name, read, nil, fromW)
		_ = fromW.CloseWithError(cmp.Or(errRead, io.EOF))
		return nil
	})
	work.Go(func() error {
		if sent, errStream = readTar(io.TeeReader(fromR, toW)); errStream == nil {
			errStream = drain(toW, fromR)
		}
		_ = fromR.CloseWithError(cmp.Or(errStream, io.ErrClosedPipe))
		if errStream != nil {
			// A stream that breaks off must not look like one that ends.
			stopOther()
		}
		_ = toW.CloseWithError(cmp.Or(errStream, io.EOF))
		return nil
	})
	work.Go(func() error {
		_, errWrite = v.run(stopped, x.write.name, write, toR, io.Discard)
		_ = toR.CloseWithError(cmp.Or(errWrite, io.ErrClosedPipe))
		return nil
	})
	_ = work.Wait()
	if ctx.Err() != nil {
		return nil, notes{}, context.Cause(ctx)
	}
	// The end that failed by itself is told, not the one that was cut off by it.
	if err := errors.Join(own(errWrite), own(errRead)); err != nil {
		return nil, notes{}, err
	}
	return sent, said, errStream
}

// own is a command's own failure, nil for what the other end of its pipe did to it.
func own(err error) error {
	exit, ended := errors.AsType[*Exit](err)
	if errors.Is(err, io.ErrClosedPipe) || errors.Is(err, context.Canceled) || ended && exit.Code < 0 {
		return nil
	}
	return err
}

// drain reads what comes after the end of an archive: whoever unpacks it may
// have gone by then.
func drain(to io.Writer, from io.Reader) error {
	if _, err := io.Copy(to, from); err == nil {
		return nil
	}
	_, err := io.Copy(io.Discard, from)
	return err
}

// look gives what is at one end.
func (v *Volumes) look(ctx context.Context, sum, all named, p place) (manifest, error) {
	if len(sum.argv) > 0 {
		argv, err := p.fill(sum)
		if err != nil {
			return nil, err
		}
		return v.listen(ctx, sum.name, argv, readSums)
	}
	argv, err := p.fill(all)
	if err != nil {
		return nil, err
	}
	return v.listen(ctx, all.name, argv, readTar)
}

// listen reads what a command writes, to its end.
func (v *Volumes) listen(ctx context.Context, name string, argv []string, read func(io.Reader) (manifest, error)) (manifest, error) {
	r, w := io.Pipe()
	var got manifest
	var errRun, errRead error
	var work errgroup.Group
	work.Go(func() error {
		_, errRun = v.run(ctx, name, argv, nil, w)
		_ = w.CloseWithError(cmp.Or(errRun, io.EOF))
		return nil
	})
	work.Go(func() error {
		if got, errRead = read(r); errRead == nil {
			errRead = drain(io.Discard, r)
		}
		_ = r.CloseWithError(cmp.Or(errRead, io.ErrClosedPipe))
		return nil
	})
	_ = work.Wait()
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errRun != nil && !errors.Is(errRun, io.ErrClosedPipe):
		return nil, errRun
	case errRead != nil:
		return nil, fmt.Errorf("what %s writes: %w", name, errRead)
	}
	return got, errRun
}

// run runs a command and takes in what it says beside its output.
func (v *Volumes) run(ctx context.Context, name string, argv []string, in io.Reader, out io.Writer) (notes, error) {
	stderr, err := v.shell.Run(ctx, argv, in, out)
	n, bad := understand(stderr)
	if exit, ok := errors.AsType[*Exit](err); ok {
		if exit.Code == 1 && len(n.changed) > 0 && bad == "" {
			return n, nil // tar says so of files that changed under it
		}
		return n, fmt.Errorf("%s: %w: %s", name, err, tail(stderr))
	}
	if err != nil {
		return n, fmt.Errorf("%s: %w", name, err)
	}
	if bad != "" {
		return n, fmt.Errorf("%s: it ended well, and said: %s", name, bad)
	}
	return n, nil
}
