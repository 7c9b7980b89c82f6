package binpack

// Price is what a bin costs, in any unit of which whole numbers do: the planner
// uses millionths of a dollar an hour.
type Price int64

// A Problem is what to pack. All sizes and capacities have Dimensions numbers.
type Problem struct {
	Dimensions int
	Items      []Item
	Types      []Type
	// Groups bound what may share a bin, across items.
	Groups []Group
	// Zones is the number of failure zones, 0 or 1 for none. Only package
	// failure gives bins a zone.
	Zones int
}

// An Item is a class of equal pieces.
type Item struct {
	Size  []int64 // one piece, at least 0 in each dimension
	Count int
	// MaxPerBin bounds the pieces of this item in one bin; 0 for no bound.
	MaxPerBin int
	// Types are the indexes of the bin types that may hold it, ascending; nil for all.
	Types []int
	// Groups are the indexes of the groups that it belongs to.
	Groups []int
	// Zone pins it to one zone, from 1; 0 for any.
	Zone int
	// MaxPerZone bounds the pieces in one zone; 0 for no bound.
	MaxPerZone int
}

// A Group bounds the pieces of all its items together in one bin: 1 for items
// that use the same host port or must not meet, 0 for no bound.
type Group struct {
	MaxPerBin int
}

// A Type is a kind of bin.
type Type struct {
	Capacity []int64
	Price    Price
	// Most bounds the number of bins of this type; 0 for no bound.
	Most int
}

// Options steer the search. The zero value asks for the construction alone.
type Options struct {
	Seed uint64
	// Iterations of improvement; Budget gives their number for a time.
	Iterations int
	// Stop ends the search early when it says so: a backstop against a slow
	// machine. A result that was stopped says so, and may differ between runs. It
	// is asked from wherever Each runs, at the same time if Each does so.
	Stop func() bool
	// Each calls do(0) to do(n-1), at the same time if it likes; nil is in order.
	// The result does not depend on it.
	Each func(n int, do func(i int))
}

// A Bin is one bin with what is in it.
type Bin struct {
	Type int
	Zone int // from 1, 0 without zones
	// Load is ascending by item.
	Load []Load
}

// A Load is pieces of one item.
type Load struct {
	Item, Count int
}

// A Result is a packing.
type Result struct {
	Bins []Bin
	Cost Price
	// Bound is proven: nothing that holds all items but Left costs less.
	Bound Price
	// Left are the pieces that fit no bin, however empty.
	Left       []Load
	Iterations int  // done
	Stopped    bool // by Options.Stop
}

// Gap is how much dearer than its bound the packing is: 0.01 for a hundredth.
func (r *Result) Gap() float64 {
	if r.Bound <= 0 {
		return 0
	}
	return float64(r.Cost)/float64(r.Bound) - 1
}
