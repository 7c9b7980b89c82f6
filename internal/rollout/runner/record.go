package runner

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/tranship/tranship/internal/base/journal"
	"github.com/tranship/tranship/internal/rollout"
)

// The kinds of record.
const (
	KindOpen    = "open"    // Opening, the first record
	KindEvent   = "event"   // rollout.Event of the subject
	KindGates   = "gates"   // Verdict of the subject
	KindOrder   = "order"   // Order of a person
	KindFence   = "fence"   // Fence of a workload
	KindCutover = "cutover" // Pause of a database's writes
	KindCopy    = "copy"    // Copied of an instance's volumes
	KindHosts   = "hosts"   // Freed hosts
	KindWitness = "witness" // a summary of the witness
	KindNote    = "note"    // a sentence
)

// ErrOtherPlan is returned for a journal that was begun with another plan.
var ErrOtherPlan = errors.New("the journal is of another plan")

// An Opening says what the journal is of.
type Opening struct {
	Plan   string `json:"plan"` // the plan's seal
	Move   string `json:"move,omitempty"`
	Source string `json:"source,omitempty"`
	Target string `json:"target,omitempty"`
}

// A Fence says which world may run a workload.
type Fence struct {
	World string `json:"world"`
	Token int64  `json:"token"`
}

// A Pause is how long a cutover held writes.
type Pause struct {
	Seconds float64 `json:"seconds"`
	Wanted  float64 `json:"wanted"`
	Back    bool    `json:"back,omitempty"`
}

// Copied is the copy of one instance's volumes.
type Copied struct {
	Workload string             `json:"workload"`
	Instance int                `json:"instance"`
	Back     bool               `json:"back,omitempty"`
	Warm     bool               `json:"warm,omitempty"`
	Result   rollout.Comparison `json:"result"`
}

// Freed are hosts that nothing needs any more.
type Freed struct {
	Wave  int            `json:"wave"`
	Hosts []string       `json:"hosts"`
	Tasks map[string]int `json:"tasks,omitempty"` // what still runs there
}

// Replay folds a journal's records into the move. ErrOtherPlan.
func Replay(m *rollout.Move, seal string, records []journal.Record) error {
	for i, rec := range records {
		if i == 0 {
			var o Opening
			if err := json.Unmarshal(rec.Body, &o); err != nil || rec.Kind != KindOpen {
				return fmt.Errorf("%w: its first record is no opening", ErrOtherPlan)
			}
			if o.Plan != seal {
				return fmt.Errorf("%w: it has plan %.12s, this is %.12s", ErrOtherPlan, o.Plan, seal)
			}
		}
		if rec.Kind != KindEvent {
			continue
		}
		var e rollout.Event
		if err := json.Unmarshal(rec.Body, &e); err != nil {
			return fmt.Errorf("record %d: %w", rec.Number, err)
		}
		if err := m.Take(rollout.UnitID(rec.Subject), e); err != nil {
			return fmt.Errorf("record %d: %w", rec.Number, err)
		}
	}
	return nil
}
