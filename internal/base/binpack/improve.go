package binpack

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/tranship/tranship/internal/base/binpack/column"
	"github.com/tranship/tranship/internal/base/binpack/search"
	"github.com/tranship/tranship/internal/base/binpack/shape"
)

// columns is the most classes that the configuration programme is solved for.
const columns = 400

// generate solves the configuration programme as far as its share of the work
// goes, while the first packing is improved beside it. It takes over the bound
// and the values, and rounds the programme's loads to packings.
func (j *job) generate(work int64) error {
	if j.m.Classes > columns || slices.Min(j.m.Price) == 0 {
		return nil
	}
	var s column.Solution
	var improved []shape.Bin
	good := j.good()
	a, b := j.meter(work), j.meter(work)
	j.each(2, func(i int) {
		if i == 0 {
			s = column.Generate(j.m, j.value, j.best, float64(j.bound), &a, search.Fill(j.m, &a))
		} else {
			improved = search.Improve(j.m, j.value, good, j.best, j.o.Seed, &b)
		}
	})
	j.offer(improved)
	j.spent(work, &a)
	j.spent(work, &b)
	j.bound = max(j.bound, int64(math.Ceil(s.Bound-1e-6)))
	j.value = s.Value
	if j.done() {
		return nil
	}
	for _, c := range s.Cuts {
		j.rows.Add(c.Value, c.Most)
	}
	if !j.limited() {
		j.uses = s.Uses
	}
	// The bound in whole bins is looked for beside the rounding.
	tries := make([][]shape.Bin, 4)
	meters := make([]shape.Meter, len(tries))
	var err error
	j.each(1+len(tries), func(i int) {
		if i == 0 {
			err = j.whole(wholeNodes)
			return
		}
		if len(j.uses) == 0 {
			return
		}
		meters[i-1] = j.meter(work / 8)
		tries[i-1] = j.round(i-1, &meters[i-1])
	})
	for i, bins := range tries {
		j.offer(bins)
		if meters[i].Left != 0 {
			j.spent(work/8, &meters[i])
		}
	}
	return err
}

// round rounds the programme's fractions down, some up by chance, and packs the
// rest.
func (j *job) round(number int, w *shape.Meter) []shape.Bin {
	rng := rand.New(rand.NewPCG(j.o.Seed, uint64(number)+100))
	left := slices.Clone(j.m.Count)
	var bins []shape.Bin
	put := func(b shape.Bin, times int) {
		for range times {
			var load []shape.Load
			for _, l := range b.Load {
				if n := min(l.Count, int32(left[l.Class])); n > 0 {
					load = append(load, shape.Load{Class: l.Class, Count: n})
					left[l.Class] -= int(n)
				}
			}
			if len(load) > 0 {
				bins = append(bins, shape.Bin{Type: b.Type, Load: load})
			}
		}
	}
	for _, u := range j.uses {
		put(u.Bin, int(u.Times+1e-6))
	}
	if number > 0 {
		for _, at := range rng.Perm(len(j.uses)) {
			u := j.uses[at]
			part := u.Times - math.Floor(u.Times+1e-6)
			full := true
			for _, l := range u.Bin.Load {
				full = full && int(l.Count) <= left[l.Class]
			}
			if full && rng.Float64() < part {
				put(u.Bin, 1)
			}
		}
	}
	return append(bins, search.Rest(j.m, j.value, j.good(), left, number, w)...)
}

// good are the types to try first: those of the programme, or of the best
// packing, and those that cost least for what the fluid values say of their room.
func (j *job) good() []int {
	seen := make([]bool, j.m.Types)
	for _, u := range j.uses {
		seen[u.Bin.Type] = true
	}
	for _, b := range j.best {
		seen[b.Type] = true
	}
	var out []int
	for t, s := range seen {
		if s {
			out = append(out, t)
		}
	}
	return out
}

// near is the gap below which thousands of pieces are not worth a second more.
const (
	near     = 0.005
	nearFrom = 5000
)

// close is whether what is proven to be left to win is too little for the work
// that it takes: near for a second's budget and many pieces, a tenth of it for
// ten seconds or for a tenth of the pieces.
func (j *job) close() bool {
	seconds := max(float64(j.o.Iterations)/perSecond, 1)
	enough := near / seconds * min(1, float64(j.m.Pieces())/nearFrom)
	return float64(j.m.Cost(j.best)) <= float64(j.bound)*(1+enough) && pieces(j.best) == j.m.Pieces()
}

// improve spends the rest of the work on ruin and recreate, in rounds, until
// what is left to win is too little. In a round the bins are dealt out to parts that run at the same time, each with
// its own; few bins are given whole to each part, and the best part goes on.
func (j *job) improve(work int64) {
	const parts = 4
	rounds := 6
	rng := rand.New(rand.NewPCG(j.o.Seed, 3))
	for round := range rounds {
		share := work / int64(rounds) / parts
		split := len(j.best) >= 12*parts && !j.limited()
		deals := make([][]shape.Bin, parts)
		if split {
			at := rng.Perm(len(j.best))
			for i, b := range at {
				deals[i%parts] = append(deals[i%parts], j.best[b])
			}
		} else {
			for i := range deals {
				deals[i] = j.best
			}
		}
		types := j.good()
		stopped := make([]bool, parts)
		seed := j.o.Seed*1000 + uint64(round)*parts
		j.each(parts, func(i int) {
			w := shape.Meter{Left: share, Stop: j.o.Stop}
			deals[i] = search.Improve(j.m, j.value, types, deals[i], seed+uint64(i), &w)
			stopped[i] = w.Stopped
		})
		if split {
			j.offer(slices.Concat(deals...))
		} else {
			for _, d := range deals {
				j.offer(d)
			}
		}
		j.stopped = j.stopped || slices.Contains(stopped, true)
		if j.stopped || j.close() {
			return
		}
	}
}
