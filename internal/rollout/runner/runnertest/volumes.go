package runnertest

import (
	"context"
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/rollout/runner"
)

// VolumesWorld is what the suite does to volumes that are empty in both worlds.
type VolumesWorld struct {
	// Workload has two copies, each with a volume.
	Workload rollout.Workload
	// Put has an instance keep a file, Files gives what it keeps, by path.
	Put   func(side string, instance int, path, content string)
	Files func(side string, instance int) map[string]string
	// Write has a file of a side's instance change during the next copy from there.
	Write func(side string, instance int)
	// Spoil has a file of the next copy from the source arrive other than it was sent.
	Spoil func(instance int)
	// Break has the next copy break off in the middle.
	Break func(instance int)
}

// Volumes holds volumes against what runner.Volumes promises.
func Volumes(t *testing.T, open func(*testing.T) (runner.Volumes, VolumesWorld)) {
	for _, c := range []struct {
		name string
		test func(*volBench)
	}{
		{"An instance's files come to the same instance, never merged with another's", neverMerged},
		{"One call goes from nothing to a copy that is verified", oneCall},
		{"A source that still writes is told", stillWrites},
		{"A file that arrives other than it was sent is told", spoiltTold},
		{"A copy that broke off is an error, and is made good by the next", brokenCopy},
		{"What the source does not have any more is not at the target either", exactCopy},
		{"Done twice is as done once", copiedTwice},
		{"Back brings an instance's files to the same instance of the source", broughtBack},
		{"Nothing is copied as nothing", emptyCopy},
		{"A context that has ended ends the call", volumesEndedContext},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, world := open(t)
			c.test(&volBench{T: t, v: v, w: world})
		})
	}
}

// volBench is one test at work.
type volBench struct {
	*testing.T
	v runner.Volumes
	w VolumesWorld
}

func (b *volBench) copy(instance int, back bool) rollout.Comparison {
	b.Helper()
	c, err := b.v.Copy(b.Context(), b.w.Workload, instance, back)
	if err != nil {
		b.Fatalf("Copy(instance %d, back %t) = %v", instance, back, err)
	}
	return c
}

func (b *volBench) same(instance int, back bool) {
	b.Helper()
	if c := b.copy(instance, back); !c.Same || c.Missing != 0 || c.Extra != 0 || len(c.Different) != 0 {
		b.Errorf("Copy(instance %d, back %t) = %+v, want the same on both sides", instance, back, c)
	}
}

func (b *volBench) files(side string, instance int, want map[string]string) {
	b.Helper()
	got := b.w.Files(side, instance)
	if len(got) == 0 && len(want) == 0 {
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		b.Errorf("files of the %s's instance %d (-want +got):\n%s", side, instance, diff)
	}
}

func (b *volBench) put(side string, instance int, files map[string]string) {
	for _, path := range slices.Sorted(maps.Keys(files)) {
		b.w.Put(side, instance, path, files[path])
	}
}

func neverMerged(b *volBench) {
	all := []map[string]string{
		{"index": "of the first", "only-0": "0"},
		{"index": "of the second", "only-1": "1"},
	}
	for i := range all {
		b.put(sourceSide, i, all[i])
	}
	for i := range all {
		b.same(i, false)
		b.same(i, false)
	}
	for i := range all {
		b.files(targetSide, i, all[i])
		b.files(sourceSide, i, all[i])
	}
}

func oneCall(b *volBench) {
	want := map[string]string{"data/0001.log": "first\nsecond\n", "data/0002.log": "", "meta": "v1"}
	b.put(sourceSide, 0, want)
	c := b.copy(0, false)
	if !c.Same || c.Size != int64(len("first\nsecond\nv1")) {
		b.Errorf("Copy = %+v, want the same on both sides with 15 bytes", c)
	}
	b.files(targetSide, 0, want)
}

func stillWrites(b *volBench) {
	b.put(sourceSide, 0, map[string]string{"log": "begin", "meta": "v1"})
	b.w.Write(sourceSide, 0)
	if c := b.copy(0, false); c.Same || !slices.Contains(c.Different, "log") {
		b.Errorf("Copy while the source writes = %+v, want log to differ", c)
	}
	b.same(0, false)
	b.files(targetSide, 0, b.w.Files(sourceSide, 0))
}

func spoiltTold(b *volBench) {
	b.put(sourceSide, 0, map[string]string{"meta": "v1"})
	b.w.Spoil(0)
	if c := b.copy(0, false); c.Same || !slices.Contains(c.Different, "meta") {
		b.Errorf("Copy of a file that was spoilt on its way = %+v, want meta to differ", c)
	}
	b.same(0, false)
}

func brokenCopy(b *volBench) {
	want := map[string]string{"a": "1", "b": "2", "c": "3"}
	b.put(sourceSide, 0, want)
	b.w.Break(0)
	if c, err := b.v.Copy(b.Context(), b.w.Workload, 0, false); err == nil {
		b.Fatalf("Copy that broke off = %+v, want an error", c)
	} else if errors.Is(err, runner.ErrRefused) {
		b.Errorf("Copy that broke off = %v, want an error that may pass", err)
	}
	b.same(0, false)
	b.files(targetSide, 0, want)
}

func exactCopy(b *volBench) {
	b.put(targetSide, 0, map[string]string{"old": "of an earlier copy", "a": "0"})
	b.put(sourceSide, 0, map[string]string{"a": "1"})
	b.same(0, false)
	b.files(targetSide, 0, map[string]string{"a": "1"})
}

func copiedTwice(b *volBench) {
	b.put(sourceSide, 1, map[string]string{"a": "1"})
	first := b.copy(1, false)
	if diff := cmp.Diff(first, b.copy(1, false)); diff != "" {
		b.Errorf("a second Copy gives another comparison (-first +second):\n%s", diff)
	}
	b.files(targetSide, 1, map[string]string{"a": "1"})
}

func broughtBack(b *volBench) {
	b.put(sourceSide, 0, map[string]string{"a": "1"})
	b.put(sourceSide, 1, map[string]string{"a": "one"})
	b.same(0, false)
	b.put(targetSide, 0, map[string]string{"a": "2", "new": "3"})
	b.same(0, true)
	b.files(sourceSide, 0, map[string]string{"a": "2", "new": "3"})
	b.files(sourceSide, 1, map[string]string{"a": "one"})
	b.files(targetSide, 1, nil)
}

func emptyCopy(b *volBench) {
	if c := b.copy(0, false); !c.Same || c.Size != 0 {
		b.Errorf("Copy of nothing = %+v", c)
	}
}

func volumesEndedContext(b *volBench) {
	b.put(sourceSide, 0, map[string]string{"a": "1"})
	ctx, cancel := context.WithCancel(b.Context())
	cancel()
	if _, err := b.v.Copy(ctx, b.w.Workload, 0, false); err == nil {
		b.Error("Copy with an ended context = nil")
	}
	b.files(targetSide, 0, nil)
}
