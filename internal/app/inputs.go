package app

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// inputs gives one file system for the paths that a user named: a single
// folder as it is, else a flat one in which each file has the name that the
// user typed, so that diagnostics point where the user looks.
func inputs(paths []string) (fs.FS, error) {
	if len(paths) == 1 {
		if st, err := os.Stat(paths[0]); err != nil {
			return nil, err
		} else if st.IsDir() {
			return os.DirFS(paths[0]), nil
		}
	}
	m := &named{files: map[string]string{}}
	for _, p := range paths {
		if err := m.add(p); err != nil {
			return nil, err
		}
	}
	slices.Sort(m.names)
	return m, nil
}

// named is a file system of chosen files under chosen names.
type named struct {
	files map[string]string // name to path on disk
	names []string
}

func (m *named) add(p string) error {
	st, err := os.Stat(p)
	if err != nil {
		return err
	}
	if !st.IsDir() {
		return m.put(logical(p), p)
	}
	return filepath.WalkDir(p, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		return m.put(logical(file), file)
	})
}

func (m *named) put(name, file string) error {
	if have, ok := m.files[name]; ok {
		return fmt.Errorf("%s and %s would both be called %s: name their common folder instead", have, file, name)
	}
	m.files[name] = file
	m.names = append(m.names, name)
	return nil
}

// logical gives the name of a file as typed, or, where a file system cannot
// have that name (it begins with / or ..), without what makes it so.
func logical(p string) string {
	name := path.Clean(filepath.ToSlash(p))
	for strings.HasPrefix(name, "../") {
		name = strings.TrimPrefix(name, "../")
	}
	if path.IsAbs(name) {
		return path.Base(name)
	}
	return name
}

// Open opens a file by its name; "." lists all names, which may hold slashes.
func (m *named) Open(name string) (fs.File, error) {
	if file, ok := m.files[name]; ok {
		return os.Open(file)
	}
	// What stands beside a named file can be asked for, by definitions that
	// refer to it (a Compose file's env_file), and is not listed.
	for _, have := range m.names {
		file := m.files[have]
		if rel, err := filepath.Rel(path.Dir(have), name); err == nil && filepath.IsLocal(rel) {
			return os.Open(filepath.Join(filepath.Dir(file), rel))
		}
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

// ReadDir lists the files in "."; there are no folders.
func (m *named) ReadDir(name string) ([]fs.DirEntry, error) {
	if name != "." {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrNotExist}
	}
	var out []fs.DirEntry
	for _, n := range m.names {
		st, err := os.Stat(m.files[n])
		if err != nil {
			return nil, err
		}
		out = append(out, entry{FileInfo: st, name: n})
	}
	return out, nil
}

// Stat gives what is known of a file or of the one folder.
func (m *named) Stat(name string) (fs.FileInfo, error) {
	if name == "." {
		return folder{}, nil
	}
	f, err := m.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Stat()
}

type entry struct {
	fs.FileInfo
	name string
}

func (e entry) Name() string               { return e.name }
func (e entry) Type() fs.FileMode          { return e.Mode().Type() }
func (e entry) Info() (fs.FileInfo, error) { return e.FileInfo, nil }

type folder struct{ fs.FileInfo }

func (folder) Name() string      { return "." }
func (folder) IsDir() bool       { return true }
func (folder) Mode() fs.FileMode { return fs.ModeDir }
