package mover

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tranship/tranship/internal/base/journal"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/rollout/runner"
	"github.com/tranship/tranship/internal/rollout/witness"
)

// TestAStatementIsSignedOffAsItIs: a person's word stays until the witness says
// something else, and is not given to a statement of another journal.
func TestAStatementIsSignedOffAsItIs(t *testing.T) {
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	p := &plan.Plan{Seal: "seal", Policy: policy.Policy{}}
	f := FilesOf(filepath.Join(t.TempDir(), "plan.json"), "")
	j, _, err := journal.Open(f.Journal)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	testify := func(unit string) {
		t.Helper()
		w := witness.New("w-", 1, time.Second)
		m := w.Next(noon)
		w.Answered(m, witness.Acknowledged, noon)
		w.Read(m, 1, true, noon.Add(time.Second))
		if _, err := j.Append(noon, runner.KindWitness, unit, w.Proof(unit, "", noon.Add(time.Minute))); err != nil {
			t.Fatal(err)
		}
		if err := state(f, p, j.Head()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := j.Append(noon, runner.KindOpen, "", runner.Opening{Plan: "seal"}); err != nil {
		t.Fatal(err)
	}
	if _, err := SignOff(f, "op", "", noon); !errors.Is(err, ErrNoStatement) {
		t.Errorf("signing nothing off: %v, want ErrNoStatement", err)
	}
	testify("/shop/cart")
	s, err := SignOff(f, "op", "read it", noon)
	if err != nil || s.SignedOff.By != "op" || s.Verdict != witness.Pass {
		t.Fatalf("SignOff = %+v, %v", s, err)
	}
	if page, err := os.ReadFile(f.Proof + ".html"); err != nil || !strings.Contains(string(page), "read it") {
		t.Errorf("the page does not tell of it: %v", err)
	}
	if _, err := j.Append(noon, runner.KindNote, "", map[string]string{"a": "later record"}); err != nil {
		t.Fatal(err)
	}
	if err := state(f, p, j.Head()); err != nil {
		t.Fatal(err)
	}
	if s, err = statement(f); err != nil || s.SignedOff == nil {
		t.Errorf("the word was lost: %+v, %v", s.SignedOff, err)
	}
	testify("/shop/leader")
	if s, err = statement(f); err != nil || s.SignedOff != nil || len(s.Proofs) != 2 {
		t.Errorf("another statement has the word for the first: %+v, %v", s.SignedOff, err)
	}
	other := FilesOf(filepath.Join(t.TempDir(), "plan.json"), "")
	k, _, err := journal.Open(other.Journal)
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	if _, err := k.Append(noon, runner.KindOpen, "", runner.Opening{Plan: "other"}); err != nil {
		t.Fatal(err)
	}
	other.Proof = f.Proof
	if _, err := SignOff(other, "op", "", noon); !errors.Is(err, witness.ErrChanged) {
		t.Errorf("signing another journal's statement off: %v, want ErrChanged", err)
	}
}
