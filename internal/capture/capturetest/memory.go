package capturetest

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/tranship/tranship/internal/capture"
)

// ErrFull is what a full folder says.
var ErrFull = errors.New("no space left on device")

// Memory is a folder without a disk. Room bounds the bytes that may lie in it,
// those being written among them; a negative Room is no bound.
type Memory struct {
	mu    sync.Mutex
	files map[string][]byte
	open  map[*memoryFile]bool
	room  int
	// onCommit is told of every commit before it counts; an error fails it.
	onCommit func(name string) error
}

// NewMemory makes an empty folder with that much room.
func NewMemory(room int) *Memory {
	return &Memory{files: map[string][]byte{}, open: map[*memoryFile]bool{}, room: room}
}

// OnCommit has f called with each file that is about to get its name.
func (m *Memory) OnCommit(f func(name string) error) { m.onCommit = f }

// Open tells how many files were begun and neither committed nor discarded.
func (m *Memory) Open() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.open)
}

// Names lists the files.
func (m *Memory) Names() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.files))
}

// FS gives the files as they are now.
func (m *Memory) FS() fs.FS {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := fstest.MapFS{}
	for name, data := range m.files {
		out[name] = &fstest.MapFile{Data: slices.Clone(data), Mode: 0o600}
	}
	return out
}

// Remove deletes a file, if it is there.
func (m *Memory) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.files, name)
	return nil
}

// Create begins a file.
func (m *Memory) Create(name string) (capture.File, error) {
	if !fs.ValidPath(name) || name == "." {
		return nil, fmt.Errorf("create %q: %w", name, fs.ErrInvalid)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	f := &memoryFile{folder: m, name: name}
	m.open[f] = true
	return f, nil
}

func (m *Memory) used() int {
	n := 0
	for _, data := range m.files {
		n += len(data)
	}
	for f := range m.open {
		n += f.data.Len()
	}
	return n
}

type memoryFile struct {
	folder *Memory
	name   string
	data   bytes.Buffer
}

func (f *memoryFile) Write(p []byte) (int, error) {
	f.folder.mu.Lock()
	defer f.folder.mu.Unlock()
	if f.folder.room >= 0 && f.folder.used()+len(p) > f.folder.room {
		return 0, ErrFull
	}
	return f.data.Write(p)
}

func (f *memoryFile) Commit() error {
	if hook := f.folder.onCommit; hook != nil {
		if err := hook(f.name); err != nil {
			return errors.Join(err, f.Discard())
		}
	}
	f.folder.mu.Lock()
	defer f.folder.mu.Unlock()
	f.folder.files[f.name] = f.data.Bytes()
	delete(f.folder.open, f)
	return nil
}

func (f *memoryFile) Discard() error {
	f.folder.mu.Lock()
	defer f.folder.mu.Unlock()
	delete(f.folder.open, f)
	return nil
}

// Folder is the suite of promises that every capture.Folder keeps. open gives
// an empty one.
func Folder(t *testing.T, open func(*testing.T) capture.Folder) {
	t.Helper()
	write := func(t *testing.T, folder capture.Folder, name, text string) capture.File {
		t.Helper()
		f, err := folder.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		return f
	}
	read := func(t *testing.T, folder capture.Folder, name string) string {
		t.Helper()
		data, err := fs.ReadFile(folder.FS(), name)
		if errors.Is(err, fs.ErrNotExist) {
			return "nothing"
		}
		if err != nil {
			t.Fatal(err)
		}
		return string(data)
	}
	t.Run("FileHasNoNameBeforeCommit", func(t *testing.T) {
		folder := open(t)
		f := write(t, folder, "a/b.json", "new")
		if got := read(t, folder, "a/b.json"); got != "nothing" {
			t.Errorf("before Commit a/b.json is %q, want nothing", got)
		}
		if err := f.Commit(); err != nil {
			t.Fatal(err)
		}
		if got := read(t, folder, "a/b.json"); got != "new" {
			t.Errorf("after Commit a/b.json is %q, want new", got)
		}
	})
	t.Run("DiscardLeavesWhatWasThere", func(t *testing.T) {
		folder := open(t)
		if err := write(t, folder, "a.json", "old").Commit(); err != nil {
			t.Fatal(err)
		}
		if err := write(t, folder, "a.json", "new").Discard(); err != nil {
			t.Fatal(err)
		}
		if got := read(t, folder, "a.json"); got != "old" {
			t.Errorf("after Discard a.json is %q, want old", got)
		}
	})
	t.Run("CommitReplaces", func(t *testing.T) {
		folder := open(t)
		for _, text := range []string{"a longer first text", "short"} {
			if err := write(t, folder, "a.json", text).Commit(); err != nil {
				t.Fatal(err)
			}
		}
		if got := read(t, folder, "a.json"); got != "short" {
			t.Errorf("a.json is %q, want short", got)
		}
	})
	t.Run("TwoWritersOfOneNameDoNotMix", func(t *testing.T) {
		folder := open(t)
		one, two := write(t, folder, "a.json", "one"), write(t, folder, "a.json", "two")
		if err := errors.Join(one.Commit(), two.Commit()); err != nil {
			t.Fatal(err)
		}
		if got := read(t, folder, "a.json"); got != "two" {
			t.Errorf("a.json is %q, want what was committed last", got)
		}
	})
	t.Run("RemoveOfNothingIsNoError", func(t *testing.T) {
		folder := open(t)
		if err := folder.Remove("a/b.json"); err != nil {
			t.Errorf("Remove of nothing = %v", err)
		}
		if err := write(t, folder, "a/b.json", "x").Commit(); err != nil {
			t.Fatal(err)
		}
		if err := folder.Remove("a/b.json"); err != nil || read(t, folder, "a/b.json") != "nothing" {
			t.Errorf("Remove = %v, and a/b.json is %q", err, read(t, folder, "a/b.json"))
		}
	})
	t.Run("NothingIsWrittenOutside", func(t *testing.T) {
		folder := open(t)
		for _, name := range []string{"../out.json", "/out.json", "a/../../out.json", "", "."} {
			if f, err := folder.Create(name); err == nil {
				t.Errorf("Create(%q) was allowed", name)
				_ = f.Discard()
			}
		}
	})
}
