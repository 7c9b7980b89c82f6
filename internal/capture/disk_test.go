package capture_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/tranship/tranship/internal/capture"
	"github.com/tranship/tranship/internal/capture/capturetest"
)

func open(t *testing.T, path string) *capture.Disk {
	t.Helper()
	disk, err := capture.OpenDisk(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := disk.Close(); err != nil {
			t.Error(err)
		}
	})
	return disk
}

func TestEveryFolderKeepsItsPromises(t *testing.T) {
	t.Run("Disk", func(t *testing.T) {
		capturetest.Folder(t, func(t *testing.T) capture.Folder { return open(t, filepath.Join(t.TempDir(), "snapshot")) })
	})
	t.Run("Memory", func(t *testing.T) {
		capturetest.Folder(t, func(*testing.T) capture.Folder { return capturetest.NewMemory(-1) })
	})
}

func write(t *testing.T, folder capture.Folder, name, text string) {
	t.Helper()
	f, err := folder.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := f.Commit(); err != nil {
		t.Fatal(err)
	}
}

func TestFolderIsForThisUserAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "snapshot")
	write(t, open(t, path), "marathon/v2_info.json", "{}")
	for name, want := range map[string]fs.FileMode{
		"": 0o700, "marathon": 0o700, "marathon/v2_info.json": 0o600,
	} {
		info, err := os.Stat(filepath.Join(path, name))
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("mode of %q = %o, want %o", name, got, want)
		}
	}
	loose := filepath.Join(t.TempDir(), "loose")
	if err := os.Mkdir(loose, 0o755); err != nil {
		t.Fatal(err)
	}
	open(t, loose)
	info, err := os.Stat(loose)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got != 0o700 {
		t.Errorf("mode of a folder that stood open = %o, want 700", got)
	}
}

func TestFolderOfSomethingElseIsLeftAlone(t *testing.T) {
	path := t.TempDir()
	if err := os.WriteFile(filepath.Join(path, "thesis.txt"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := capture.OpenDisk(path); !errors.Is(err, capture.ErrNotSnapshot) {
		t.Errorf("OpenDisk = %v, want ErrNotSnapshot", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := info.Mode().Perm(); got == 0o700 {
		t.Error("a folder that was refused got another mode")
	}
	if _, err := capture.OpenDisk(filepath.Join(path, "thesis.txt")); err == nil {
		t.Error("OpenDisk took a file for a folder")
	}
}

func TestLinksAreRefused(t *testing.T) {
	outside := t.TempDir()
	link := func(t *testing.T, target, name string) {
		t.Helper()
		if err := os.Symlink(target, name); err != nil {
			t.Skipf("this file system has no links: %v", err)
		}
	}
	t.Run("FolderItself", func(t *testing.T) {
		name := filepath.Join(t.TempDir(), "snapshot")
		link(t, outside, name)
		if _, err := capture.OpenDisk(name); err == nil {
			t.Error("OpenDisk went through a link")
		}
	})
	t.Run("FolderWithin", func(t *testing.T) {
		path := t.TempDir()
		link(t, outside, filepath.Join(path, "marathon"))
		if _, err := capture.OpenDisk(path); err == nil {
			t.Error("OpenDisk took a folder with a link in it")
		}
	})
	t.Run("MadeLater", func(t *testing.T) {
		path := t.TempDir()
		disk := open(t, path)
		link(t, outside, filepath.Join(path, "marathon"))
		if f, err := disk.Create("marathon/v2_info.json"); err == nil {
			t.Error("Create went through a link that leads out")
			_ = f.Discard()
		}
	})
	entries, err := os.ReadDir(outside)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 0 {
		t.Errorf("%d files were written outside", len(entries))
	}
}

func TestWhatAKilledRunLeftIsCleared(t *testing.T) {
	path := t.TempDir()
	if _, err := open(t, path).Create("mesos/state.json"); err != nil {
		t.Fatal(err)
	}
	var names []string
	disk := open(t, path) // no snapshot.json yet, and still no stranger's folder
	err := fs.WalkDir(disk.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if !entry.IsDir() {
			names = append(names, name)
		}
		return err
	})
	if err != nil || len(names) != 0 {
		t.Errorf("after the next run began there is %v (%v), want nothing", names, err)
	}
}
