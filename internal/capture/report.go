package capture

import (
	"time"

	"github.com/tranship/tranship/internal/base/snapshot"
)

// A State is what became, or is becoming, of an answer.
type State string

// The states of an answer. The first three are passing, the others final.
const (
	Asking    State = "asking"
	Receiving State = "receiving"
	Waiting   State = "waiting" // before another attempt
	Taken     State = "taken"   // asked now, and here
	Kept      State = "kept"    // here from an earlier run, not asked again
	Absent    State = "absent"  // this version of the source does not serve it
	Replaced  State = "replaced"
	Failed    State = "failed"
)

// An Event tells of one answer as it comes.
type Event struct {
	Source string
	Path   string
	State  State
	Bytes  int64         // received of this answer so far
	Done   int           // the source's answers that are settled
	Total  int           // the source's answers that are wanted; it may grow
	Wait   time.Duration // until the next attempt, of Waiting
	// Problem is why it waits or failed.
	Problem string
}

// Progress is told of events, one at a time, by the goroutines of Run; it must
// not block for long.
type Progress interface {
	Progress(Event)
}

// An Outcome is what became of one answer.
type Outcome struct {
	Source string
	URL    string
	Path   string
	State  State
	Status int
	Bytes  int64
	// Problem is one clause, Hint what to do; both are empty of Taken and Kept.
	Problem string
	Hint    string
}

// A Report tells what a run had and what it had not.
type Report struct {
	// Snapshot is what snapshot.json says at the end.
	Snapshot snapshot.Snapshot
	// Outcomes are in the order of sources, within each in that of the questions.
	Outcomes []Outcome
}

// Of returns the outcomes of a state.
func (r Report) Of(state State) []Outcome {
	var out []Outcome
	for _, o := range r.Outcomes {
		if o.State == state {
			out = append(out, o)
		}
	}
	return out
}

// Complete tells whether nothing that was wanted is missing. Absent and
// replaced answers are not missing.
func (r Report) Complete() bool { return len(r.Of(Failed)) == 0 }
