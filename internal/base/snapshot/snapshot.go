// Package snapshot is the contract between capture and discover: the list of
// answers that were taken from the old world, as snapshot.json holds it.
//
// Input is bytes or an fs.FS, output is a Snapshot, its bytes or its digest.
// The package never opens a path of the machine and never asks a clock: what it
// says about a folder follows from the folder's content alone.
package snapshot

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"time"
)

// Version is the form of snapshot.json that this program writes. Every version
// up to it is read for ever.
const Version = 1

// FileName is where a folder keeps its list of answers.
const FileName = "snapshot.json"

// PartialSuffix ends the name of a file that is still being written. Such a
// file is no part of a snapshot: a reader skips it, the next capture removes it.
const PartialSuffix = ".partial"

// maxListBytes bounds what is read as a list of answers: 100,000 answers fit
// in half of it, and a wrong file of any size cannot exhaust memory.
const maxListBytes = 64 << 20

// Snapshot lists what was asked of the old world and what was answered.
type Snapshot struct {
	Version int `json:"version"`
	// TakenAt is when the oldest answer's run began, in UTC to the second: a
	// snapshot is never younger than it says.
	TakenAt time.Time `json:"takenAt"`
	Answers []Answer  `json:"answers"`
}

// Answer is one question and what became of it.
type Answer struct {
	// Source names who was asked: marathon, metronome, mesos, or the name that
	// a second one of a kind was given.
	Source string `json:"source"`
	// URL is what was asked. It holds neither user information nor a token.
	URL string `json:"url"`
	// Path is where the body lies, or would lie, below the folder; it is the
	// answer's identity.
	Path string `json:"path"`
	// Status is the HTTP status, 0 if there was no answer at all.
	Status int `json:"status"`
	// SHA256 is the body's hash in lower-case hex, empty if no body was kept.
	SHA256 string `json:"sha256"`
	// Bytes is the body's size.
	Bytes int64 `json:"bytes"`
	// Error says why there is no body; it is empty if there is one.
	Error string `json:"error,omitempty"`
}

// Kept tells whether the answer's body is part of the snapshot.
func (a Answer) Kept() bool { return a.SHA256 != "" && a.Error == "" }

// Find returns the answer whose body belongs at path.
func (s Snapshot) Find(path string) (Answer, bool) {
	for _, a := range s.Answers {
		if a.Path == path {
			return a, true
		}
	}
	return Answer{}, false
}

// Unanswered lists what was asked and is not there, in the order of paths.
func (s Snapshot) Unanswered() []Answer {
	var out []Answer
	for _, a := range s.sorted() {
		if !a.Kept() {
			out = append(out, a)
		}
	}
	return out
}

// Encode gives the bytes of snapshot.json. Equal snapshots give equal bytes,
// whatever the order in which the answers came.
func (s Snapshot) Encode() ([]byte, error) {
	s.Version = Version
	s.TakenAt = s.TakenAt.UTC().Truncate(time.Second)
	s.Answers = s.sorted()
	if s.Answers == nil {
		s.Answers = []Answer{}
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(s); err != nil {
		return nil, fmt.Errorf("encode %s: %w", FileName, err)
	}
	return b.Bytes(), nil
}

// Parse reads the bytes of snapshot.json. Unknown keys are passed over, so that
// a list written by a later program of the same version is still read. A single
// odd answer does not spoil the list: Verify names it.
func Parse(data []byte) (Snapshot, error) {
	var s Snapshot
	if err := json.Unmarshal(data, &s); err != nil {
		return Snapshot{}, fmt.Errorf("read %s: %w", FileName, err)
	}
	switch {
	case s.Version < 1:
		return Snapshot{}, fmt.Errorf("read %s: no version: it was not written by capture", FileName)
	case s.Version > Version:
		return Snapshot{}, fmt.Errorf("read %s: version %d is newer than this program, which reads up to %d",
			FileName, s.Version, Version)
	}
	s.TakenAt = s.TakenAt.UTC()
	return s, nil
}

// Read reads the list of a folder without looking at the answers; see Verify.
// It returns an error that is fs.ErrNotExist for a folder that has no list,
// such as one of exported files; DigestFS serves those.
func Read(fsys fs.FS) (Snapshot, error) {
	f, err := fsys.Open(FileName)
	if err != nil {
		return Snapshot{}, fmt.Errorf("open %s: %w", FileName, err)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxListBytes+1))
	if err := errors.Join(err, f.Close()); err != nil {
		return Snapshot{}, fmt.Errorf("read %s: %w", FileName, err)
	}
	if len(data) > maxListBytes {
		return Snapshot{}, fmt.Errorf("read %s: larger than %d bytes: it is no list of answers", FileName, maxListBytes)
	}
	return Parse(data)
}

// sorted returns the answers by path, leaving s as it is.
func (s Snapshot) sorted() []Answer {
	out := slices.Clone(s.Answers)
	slices.SortStableFunc(out, func(a, b Answer) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Source, b.Source),
			cmp.Compare(a.URL, b.URL), cmp.Compare(a.SHA256, b.SHA256),
			cmp.Compare(a.Error, b.Error), cmp.Compare(a.Status, b.Status), cmp.Compare(a.Bytes, b.Bytes))
	})
	return out
}
