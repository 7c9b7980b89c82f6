package snapshot

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Problem is one way in which a folder is not what its list says.
type Problem struct {
	// Path is the answer's place below the folder.
	Path string
	// Problem is one clause: "is missing", "was changed after the capture".
	Problem string
}

// String reads as a sentence.
func (p Problem) String() string { return p.Path + ": " + p.Problem }

// Verify compares every answer that has a body with the file that holds it, by
// size and hash, and returns all that differs in the order of paths. A folder
// with more files than the list is no problem: people add exports by hand.
func (s Snapshot) Verify(fsys fs.FS) []Problem {
	var out []Problem
	seen := map[string]bool{}
	for _, a := range s.sorted() {
		if problem := a.verify(fsys, seen[a.Path]); problem != "" {
			out = append(out, Problem{Path: a.Path, Problem: problem})
		}
		seen[a.Path] = true
	}
	return out
}

// Intact tells whether the answer's body lies in the folder as it was kept.
func (a Answer) Intact(fsys fs.FS) bool { return a.Kept() && a.verify(fsys, false) == "" }

// verify returns what is wrong with one answer, or nothing.
func (a Answer) verify(fsys fs.FS, listed bool) string {
	switch {
	case !fs.ValidPath(a.Path) || a.Path == "." || a.Path == FileName:
		return "is no path of an answer below the folder"
	case listed:
		return "is listed twice"
	case !a.Kept():
		return "" // a question without an answer is a gap that the list itself tells
	}
	info, err := fs.Stat(fsys, a.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "is missing"
	case err != nil:
		return "cannot be read: " + err.Error()
	case !info.Mode().IsRegular():
		return "is no regular file"
	case info.Size() != a.Bytes:
		return fmt.Sprintf("has %d bytes, the capture kept %d", info.Size(), a.Bytes)
	}
	sum, _, err := hashFile(fsys, a.Path)
	switch {
	case err != nil:
		return "cannot be read: " + err.Error()
	case sum != a.SHA256:
		return "was changed after the capture"
	}
	return ""
}

// Digest names the content of the snapshot: the lower-case hex sha256 over path,
// size and hash of every body. Neither the order of answers, nor the time, nor
// a URL, nor an error's wording changes it. For a folder that Verify finds
// nothing wrong with and that holds nothing else, it equals DigestFS.
func (s Snapshot) Digest() string {
	var files []file
	for _, a := range s.Answers {
		if a.Kept() {
			files = append(files, file{path: a.Path, sha256: a.SHA256, bytes: a.Bytes})
		}
	}
	return digest(files)
}

// DigestFS names the content of any folder by the same rule as Digest, from the
// files that lie there. It passes over the list itself, files that are still
// being written, and folders whose name begins with a dot (.git).
func DigestFS(fsys fs.FS) (string, error) {
	var files []file
	err := fs.WalkDir(fsys, ".", func(name string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && name != "." && strings.HasPrefix(entry.Name(), "."):
			return fs.SkipDir
		case entry.IsDir(), name == FileName, IsPartial(name):
			return nil
		}
		info, err := fs.Stat(fsys, name)
		if errors.Is(err, fs.ErrNotExist) {
			return nil // a link to nowhere has no content
		}
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			return nil
		}
		sum, size, err := hashFile(fsys, name)
		if err != nil {
			return err
		}
		files = append(files, file{path: name, sha256: sum, bytes: size})
		return nil
	})
	if err != nil {
		return "", fmt.Errorf("hash folder: %w", err)
	}
	return digest(files), nil
}

// IsPartial tells whether name is that of a file which is still being written.
func IsPartial(name string) bool {
	base := path.Base(name)
	return strings.HasPrefix(base, ".") && strings.HasSuffix(base, PartialSuffix)
}

// file is what the digest covers of one body.
type file struct {
	path   string
	sha256 string
	bytes  int64
}

// digest hashes one line a file; a change of the line's form would change every
// digest ever given.
func digest(files []file) string {
	lines := make([]string, 0, len(files))
	for _, f := range files {
		lines = append(lines, fmt.Sprintf("%s %d %q\n", f.sha256, f.bytes, f.path))
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(lines, "")))
	return hex.EncodeToString(sum[:])
}

func hashFile(fsys fs.FS, name string) (sum string, size int64, err error) {
	f, err := fsys.Open(name)
	if err != nil {
		return "", 0, err
	}
	h := sha256.New()
	size, err = io.Copy(h, f)
	if err := errors.Join(err, f.Close()); err != nil {
		return "", 0, err
	}
	return hex.EncodeToString(h.Sum(nil)), size, nil
}
