// Package failure packs items so that the rest still holds everything after any
// one bin, or any one zone, is lost. It takes a binpack.Problem and a level and
// gives bins, a proven lower bound for that level, and for each failure where
// every lost piece went. It never moves a piece that was not lost, and never
// calls a packing safe that it has not failed bin by bin.
package failure

import "github.com/tranship/tranship/internal/base/binpack"

// A Level is what may fail at once.
type Level int

// The levels.
const (
	None Level = iota
	AnyNode
	AnyZone
)

// A Move is pieces of a lost bin and where they run after it.
type Move struct {
	Item, Count int
	From, To    int // indexes of bins
}

// A Failure is bins that were lost together, and what became of their pieces.
type Failure struct {
	Lost  []int // indexes of bins: one, or all those of a zone
	Zone  int   // that was lost, 0 for one bin
	Moves []Move
	// Left are the pieces that no remaining bin could take.
	Left []binpack.Load
}

// A Result is a packing with the proof of what it survives.
type Result struct {
	binpack.Result
	// Failures are all those of the level, in the order of bins or zones; none
	// at level None.
	Failures []Failure
	// Exposed are the pieces that cannot be given the level, whatever is
	// bought: pinned to a zone, or bound to fewer bins than it takes. They run,
	// they are lost in their failure, and the rest is protected without them.
	Exposed []binpack.Load
}
