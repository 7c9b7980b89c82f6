package app

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/tranship/tranship/internal/render"
)

// listName is the file in an output folder that lists what was rendered.
const listName = ".rendered.json"

// A Folder is an output folder. It writes what is rendered, leaves alone what
// is the user's, and takes away what an earlier run wrote and this one did not.
type Folder struct {
	dir     string
	before  map[string]string // path to SHA-256, of the last run
	now     map[string]string
	Written int
	Kept    int
	// Edited are rendered files that someone changed by hand: they were
	// overwritten, or left where they would have been removed.
	Edited  []string
	Removed []string
	dirs    map[string]bool
}

// OpenFolder opens or makes the output folder.
func OpenFolder(dir string) (*Folder, error) {
	f := &Folder{dir: dir, before: map[string]string{}, now: map[string]string{}, dirs: map[string]bool{}}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make output folder: %w", err)
	}
	data, err := os.ReadFile(filepath.Join(dir, listName))
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &f.before)
	}
	if err != nil {
		return nil, fmt.Errorf("read what was rendered before: %w; delete %s to go on without it", err, filepath.Join(dir, listName))
	}
	return f, nil
}

// Put writes one file.
func (f *Folder) Put(file render.File) error {
	if !filepath.IsLocal(filepath.FromSlash(file.Path)) {
		return fmt.Errorf("render %s: the path leaves the output folder", file.Path)
	}
	full := filepath.Join(f.dir, filepath.FromSlash(file.Path))
	have, err := os.ReadFile(full)
	exists := err == nil
	if file.Keep {
		if exists {
			f.Kept++
			return nil
		}
	} else {
		f.now[file.Path] = sum(file.Data)
		if exists && sum(have) == f.now[file.Path] {
			f.Written++
			return nil
		}
		if was := f.before[file.Path]; exists && was != "" && was != sum(have) {
			f.Edited = append(f.Edited, file.Path)
		}
	}
	if dir := filepath.Dir(full); !f.dirs[dir] {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("make folder: %w", err)
		}
		f.dirs[dir] = true
	}
	f.Written++
	return os.WriteFile(full, file.Data, 0o644)
}

// Close removes what is no longer rendered and writes the list.
func (f *Folder) Close() error {
	for _, path := range slices.Sorted(maps.Keys(f.before)) {
		if _, ok := f.now[path]; ok {
			continue
		}
		full := filepath.Join(f.dir, filepath.FromSlash(path))
		data, err := os.ReadFile(full)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("remove %s: %w", path, err)
		}
		if sum(data) != f.before[path] {
			f.Edited = append(f.Edited, path)
			continue
		}
		if err := os.Remove(full); err != nil {
			return fmt.Errorf("remove %s: %w", path, err)
		}
		f.Removed = append(f.Removed, path)
		f.prune(filepath.Dir(full))
	}
	data, err := json.MarshalIndent(f.now, "", " ")
	if err != nil {
		return err
	}
	return WriteFile(filepath.Join(f.dir, listName), func(w *os.File) error {
		_, err := w.Write(append(data, '\n'))
		return err
	})
}

// prune removes folders that are empty now, up to the output folder.
func (f *Folder) prune(dir string) {
	for dir != f.dir && os.Remove(dir) == nil {
		dir = filepath.Dir(dir)
	}
}

func sum(data []byte) string {
	h := sha256.Sum256(data)
	return hex.EncodeToString(h[:])
}

// CloseAdding writes the list without taking anything away, for a run that
// rendered a part.
func (f *Folder) CloseAdding() error {
	for path, s := range f.before {
		if _, ok := f.now[path]; !ok {
			f.now[path] = s
		}
	}
	return f.Close()
}
