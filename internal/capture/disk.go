package capture

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"strconv"

	"github.com/tranship/tranship/internal/base/snapshot"
)

// A Folder is where answers are kept. What it holds under a name is always
// whole: the old bytes or the new ones.
type Folder interface {
	// Create begins a file that takes its name at Commit.
	Create(name string) (File, error)
	// Remove deletes a file; that it is not there is no error.
	Remove(name string) error
	// FS reads back what lies in the folder.
	FS() fs.FS
}

// A File is being written. Exactly one of Commit and Discard ends it.
type File interface {
	io.Writer
	// Commit makes the bytes last and puts them in the place of what was there.
	Commit() error
	// Discard forgets the bytes; what was there stays.
	Discard() error
}

// ErrNotSnapshot is returned by OpenDisk for a folder that holds something else.
var ErrNotSnapshot = errors.New("holds files, but no " + snapshot.FileName + ": give a new or an empty folder")

// Disk is a folder of this machine, open for this user alone. It never goes
// through a symbolic link, nor above itself.
type Disk struct {
	root *os.Root
}

// OpenDisk opens the folder at path, or makes it. It returns ErrNotSnapshot for
// one that is neither empty nor a snapshot, and refuses one with links in it.
// Files that an earlier run was killed over are removed.
func OpenDisk(path string) (*Disk, error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := os.MkdirAll(path, 0o700); err != nil {
			return nil, fmt.Errorf("make folder: %w", err)
		}
	case err != nil:
		return nil, fmt.Errorf("open folder: %w", err)
	case info.Mode()&fs.ModeSymlink != 0:
		return nil, fmt.Errorf("open folder %s: is a symbolic link: give the folder itself", path)
	case !info.IsDir():
		return nil, fmt.Errorf("open folder %s: is no folder", path)
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("open folder: %w", err)
	}
	d := &Disk{root: root}
	if err := d.prepare(); err != nil {
		return nil, errors.Join(fmt.Errorf("open folder %s: %w", path, err), root.Close())
	}
	return d, nil
}

// prepare looks at what is there before anything is changed.
func (d *Disk) prepare() error {
	var partials []string
	files, listed := 0, false
	err := fs.WalkDir(d.root.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			return nil
		case !entry.Type().IsRegular():
			return fmt.Errorf("%s is a link or a device: a snapshot has only files", name)
		case snapshot.IsPartial(name):
			partials = append(partials, name)
			return nil
		}
		files++
		listed = listed || name == snapshot.FileName
		return nil
	})
	if err != nil {
		return err
	}
	if files > 0 && !listed {
		return ErrNotSnapshot
	}
	if err := d.root.Chmod(".", 0o700); err != nil {
		return fmt.Errorf("close it to other users: %w", err)
	}
	for _, name := range partials {
		if err := d.Remove(name); err != nil {
			return err
		}
	}
	return nil
}

// Close releases the folder.
func (d *Disk) Close() error { return d.root.Close() }

// FS reads back what lies in the folder.
func (d *Disk) FS() fs.FS { return d.root.FS() }

// Remove deletes a file, if it is there.
func (d *Disk) Remove(name string) error {
	if err := d.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove %s: %w", name, err)
	}
	return nil
}

// Create begins a file beside its future place, under a name of its own, so
// that two runs on one folder cannot write into each other's bytes.
func (d *Disk) Create(name string) (File, error) {
	if !fs.ValidPath(name) || name == "." {
		return nil, fmt.Errorf("create %q: %w", name, fs.ErrInvalid)
	}
	dir := path.Dir(name)
	if err := d.root.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("create folder %s: %w", dir, err)
	}
	partial := path.Join(dir, "."+path.Base(name)+"."+strconv.FormatUint(rand.Uint64(), 36)+snapshot.PartialSuffix)
	f, err := d.root.OpenFile(partial, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, fmt.Errorf("create %s: %w", name, err)
	}
	return &diskFile{File: f, disk: d, name: name, partial: partial}, nil
}

type diskFile struct {
	*os.File
	disk    *Disk
	name    string
	partial string
}

// Commit syncs the bytes before the rename and the folder after it: after a
// power cut there is the old file or the new one.
func (f *diskFile) Commit() error {
	err := errors.Join(f.Sync(), f.Close())
	if err == nil {
		err = f.disk.root.Rename(f.partial, f.name)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("keep %s: %w", f.name, err), f.disk.Remove(f.partial))
	}
	dir, err := f.disk.root.Open(path.Dir(f.name))
	if err != nil {
		return fmt.Errorf("keep %s: %w", f.name, err)
	}
	if err := errors.Join(dir.Sync(), dir.Close()); err != nil {
		return fmt.Errorf("keep %s: %w", f.name, err)
	}
	return nil
}

// Discard closes and removes the partial file.
func (f *diskFile) Discard() error {
	return errors.Join(f.Close(), f.disk.Remove(f.partial))
}
