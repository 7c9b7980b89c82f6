package mover

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"time"

	"github.com/tranship/tranship/internal/base/journal"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/rollout/runner"
	"github.com/tranship/tranship/internal/rollout/witness"
	"github.com/tranship/tranship/internal/rollout/witness/page"
)

// state writes what the witness says of the whole move beside the journal, as
// JSON and as a page. Nothing is written where no witness was, nor in the place
// of a statement that says the same: somebody may have signed it off.
func state(f Files, p *plan.Plan, head string) error {
	records, err := Records(f)
	if err != nil {
		return err
	}
	var proofs []witness.Proof
	for _, rec := range records {
		var proof witness.Proof
		if rec.Kind == runner.KindWitness && json.Unmarshal(rec.Body, &proof) == nil {
			proofs = append(proofs, proof)
		}
	}
	if len(proofs) == 0 {
		return nil
	}
	s, err := witness.State(p.Policy.Metadata.Name, p.Seal, head, proofs, time.Now())
	if err != nil {
		return fmt.Errorf("what the witness says: %w", err)
	}
	if have, err := statement(f); err == nil && have.Plan == s.Plan && reflect.DeepEqual(have.Proofs, s.Proofs) {
		return nil
	}
	return write(f, s)
}

// statement reads what was written last.
func statement(f Files) (witness.Statement, error) {
	data, err := os.ReadFile(f.Proof + ".json")
	if err != nil {
		return witness.Statement{}, err
	}
	return witness.Read(data)
}

func write(f Files, s witness.Statement) error {
	for name, write := range map[string]func(io.Writer) error{
		f.Proof + ".json": s.Write, f.Proof + ".html": func(w io.Writer) error { return page.Write(w, s) },
	} {
		var text bytes.Buffer
		if err := write(&text); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
		if err := os.WriteFile(name, text.Bytes(), 0o600); err != nil {
			return fmt.Errorf("write what the witness says: %w", err)
		}
	}
	return nil
}

// ErrNoStatement is returned where there is nothing to sign off.
var ErrNoStatement = errors.New("no witness has said anything of this move")

// SignOff adds a person's word to what the witness says of a move, if the journal
// is the one that it was said of. ErrNoStatement, witness.ErrChanged,
// journal.ErrDamaged.
func SignOff(f Files, by, note string, at time.Time) (witness.Statement, error) {
	records, err := Records(f)
	if err != nil {
		return witness.Statement{}, err
	}
	s, err := statement(f)
	if errors.Is(err, fs.ErrNotExist) {
		return s, ErrNoStatement
	}
	if err != nil {
		return s, err
	}
	if !slices.ContainsFunc(records, func(r journal.Record) bool { return r.Hash == s.Journal }) {
		return s, fmt.Errorf("%w: the journal has no record %.12s", witness.ErrChanged, s.Journal)
	}
	if err := s.SignOff(by, note, at); err != nil {
		return s, err
	}
	return s, write(f, s)
}
