package witness

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/tranship/tranship/internal/base/jsonfile"
)

// Verdict is what the witness says.
type Verdict string

// The verdicts.
const (
	Pass    Verdict = "pass"
	Fail    Verdict = "fail"
	Unknown Verdict = "unknown" // too little is known to say either
)

// A Statement is what the witness says of a whole move: the file beside the
// journal.
type Statement struct {
	Version int       `json:"version"`
	Move    string    `json:"move,omitempty"`
	At      time.Time `json:"at"`
	// Plan is the seal of the plan, Journal the hash of the last record of the
	// move's journal when the statement was made: whoever has both can tell that
	// neither was changed since.
	Plan    string  `json:"plan,omitempty"`
	Journal string  `json:"journal,omitempty"`
	Verdict Verdict `json:"verdict"`
	Sum     Count   `json:"sum"`
	Unread  int     `json:"unread"`
	// Proofs in the order of time; a unit has one for each run of the mover.
	Proofs []Proof `json:"proofs"`
	// SHA256 of the canonical JSON of all above, in hex.
	SHA256 string `json:"sha256"`
	// SignedOff is what a person says to it, under the same hash.
	SignedOff *SignOff `json:"signedOff,omitempty"`
}

// A SignOff is a person's word that a statement was read and accepted.
type SignOff struct {
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	Note   string    `json:"note,omitempty"`
	SHA256 string    `json:"sha256"` // of the statement
}

// ErrChanged is returned for a statement that is not what was sealed.
var ErrChanged = errors.New("the statement was changed after it was sealed")

// State gives the sealed statement of a move's proofs. Its verdict fails on a
// single record that is missing or there twice, passes if any was found and none
// is unread, and is unknown otherwise.
func State(move, plan, journal string, proofs []Proof, at time.Time) (Statement, error) {
	s := Statement{Version: ProofVersion, Move: move, At: at.UTC().Round(0), Plan: plan, Journal: journal, Proofs: slices.Clone(proofs)}
	if s.Proofs == nil {
		s.Proofs = []Proof{}
	}
	slices.SortStableFunc(s.Proofs, func(a, b Proof) int { return a.From.Compare(b.From) })
	for _, p := range s.Proofs {
		s.Sum.add(p.Sum)
		s.Unread += p.Unread
	}
	s.Verdict = Unknown
	switch {
	case s.Sum.Missing > 0 || s.Sum.Duplicated > 0:
		s.Verdict = Fail
	case s.Sum.Stored > 0 && s.Unread == 0:
		s.Verdict = Pass
	}
	var err error
	s.SHA256, err = s.sum()
	return s, err
}

// sum gives the hash that the statement should have.
func (s Statement) sum() (string, error) {
	s.SHA256, s.SignedOff = "", nil
	h := sha256.New()
	if err := jsonfile.Canonical(h, s, nil); err != nil {
		return "", fmt.Errorf("hash of the witness' statement: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// Verify reports ErrChanged for a statement, or a sign-off, that is not of this
// hash.
func (s Statement) Verify() error {
	want, err := s.sum()
	if err != nil {
		return err
	}
	switch {
	case s.SHA256 != want:
		return fmt.Errorf("%w: its hash is %.12s, it says %.12s", ErrChanged, want, s.SHA256)
	case s.SignedOff != nil && s.SignedOff.SHA256 != want:
		return fmt.Errorf("%w: %s signed %.12s off", ErrChanged, s.SignedOff.By, s.SignedOff.SHA256)
	}
	return nil
}

// SignOff adds a person's word. A statement that was changed is refused.
func (s *Statement) SignOff(by, note string, at time.Time) error {
	if strings.TrimSpace(by) == "" {
		return errors.New("sign off the witness' statement: nobody's name is given")
	}
	if err := s.Verify(); err != nil {
		return fmt.Errorf("sign off the witness' statement: %w", err)
	}
	s.SignedOff = &SignOff{By: by, At: at.UTC().Round(0), Note: note, SHA256: s.SHA256}
	return nil
}

// Write writes the statement so that people and diff can read it.
func (s Statement) Write(w io.Writer) error { return jsonfile.Write(w, s, nil) }

// Read reads and verifies a statement. ErrChanged.
func Read(data []byte) (Statement, error) {
	var s Statement
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&s); err != nil {
		return s, fmt.Errorf("read the witness' statement: %w", err)
	}
	if s.Version != ProofVersion {
		return s, fmt.Errorf("read the witness' statement: it has version %d, this program reads %d", s.Version, ProofVersion)
	}
	return s, s.Verify()
}
