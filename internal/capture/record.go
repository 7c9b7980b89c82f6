package capture

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync"
	"time"

	"github.com/tranship/tranship/internal/base/snapshot"
)

// A record keeps snapshot.json true to what lies in the folder, after every
// answer. Sources share it.
type record struct {
	mu     sync.Mutex
	folder Folder
	list   snapshot.Snapshot
}

// openRecord takes up the folder's list, or begins one. fresh forgets what an
// earlier run took: first the files, then the list, so that a kill between
// leaves answers that are missing and never files that nobody lists.
func openRecord(folder Folder, now func() time.Time, fresh bool) (*record, error) {
	r := &record{folder: folder}
	list, err := snapshot.Read(folder.FS())
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		// Whatever it is, it is not for capture to write over.
		return nil, fmt.Errorf("take up folder: %w", err)
	case fresh:
		for _, a := range list.Answers {
			if err := r.remove(a.Path); err != nil {
				return nil, err
			}
		}
	default:
		r.list = list
	}
	if !slices.ContainsFunc(r.list.Answers, snapshot.Answer.Kept) {
		r.list.TakenAt = now()
	}
	return r, r.write()
}

// kept tells whether the answer lies in the folder as one of urls gave it.
func (r *record) kept(path string, urls []string) (snapshot.Answer, bool) {
	r.mu.Lock()
	a, ok := r.list.Find(path)
	r.mu.Unlock()
	return a, ok && slices.Contains(urls, a.URL) && a.Intact(r.folder.FS())
}

// put lists an answer in place of what its path had. The body of an answer that
// has none is removed: it would be an older one.
func (r *record) put(a snapshot.Answer) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !a.Kept() {
		if err := r.remove(a.Path); err != nil {
			return err
		}
	}
	r.unlist(a.Path)
	r.list.Answers = append(r.list.Answers, a)
	return r.write()
}

// giveUp forgets answers and their bodies.
func (r *record) giveUp(paths []string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	before := len(r.list.Answers)
	for _, path := range paths {
		if _, ok := r.list.Find(path); !ok {
			continue
		}
		if err := r.remove(path); err != nil {
			return err
		}
		r.unlist(path)
	}
	if len(r.list.Answers) == before {
		return nil
	}
	return r.write()
}

// snapshot is the list as it stands.
func (r *record) snapshot() snapshot.Snapshot {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := r.list
	out.Version = snapshot.Version
	out.Answers = slices.Clone(r.list.Answers)
	slices.SortFunc(out.Answers, func(a, b snapshot.Answer) int { return bytes.Compare([]byte(a.Path), []byte(b.Path)) })
	return out
}

func (r *record) unlist(path string) {
	r.list.Answers = slices.DeleteFunc(r.list.Answers, func(a snapshot.Answer) bool { return a.Path == path })
}

// remove deletes a body. A path that capture would never have written is left
// alone, and so is the list itself.
func (r *record) remove(path string) error {
	if !fs.ValidPath(path) || path == "." || path == snapshot.FileName {
		return nil
	}
	if err := r.folder.Remove(path); err != nil {
		return fmt.Errorf("give up %s: %w", path, err)
	}
	return nil
}

// write replaces snapshot.json; it leaves the file alone if nothing changed.
func (r *record) write() error {
	data, err := r.list.Encode()
	if err != nil {
		return err
	}
	if old, err := fs.ReadFile(r.folder.FS(), snapshot.FileName); err == nil && bytes.Equal(old, data) {
		return nil
	}
	file, err := r.folder.Create(snapshot.FileName)
	if err != nil {
		return err
	}
	if _, err := file.Write(data); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", snapshot.FileName, err), file.Discard())
	}
	return file.Commit()
}
