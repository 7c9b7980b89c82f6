package mix

import (
	"cmp"
	"math"
	"slices"
)

// maxListed bounds the mixes that are listed before they are sorted.
const maxListed = 200_000

// enumerate tries all mixes of few nodes of one or two types, the cheapest first.
func (s *search) enumerate() {
	type listed struct {
		a, b, n, m int
		cost       int64
	}
	var all []listed
	add := func(a, b, n, m int) {
		counts := make([]int, len(s.p.Types))
		counts[a] += n
		counts[b] += m
		cost := s.cost(counts)
		if len(all) < maxListed && (s.best == nil || cost < s.best.Cost) && (s.o.Below == 0 || cost < s.o.Below) && s.enough(counts, 0) {
			all = append(all, listed{a, b, n, m, cost})
		}
	}
	for a := range s.p.Types {
		for n := s.least; n <= maxSmall; n++ {
			add(a, a, n, 0)
		}
	}
	for a := range s.p.Types {
		for b := a + 1; b < len(s.p.Types); b++ {
			for n := 1; n < maxSmall; n++ {
				for m := max(1, s.least-n); n+m <= maxSmall; m++ {
					add(a, b, n, m)
				}
			}
		}
	}
	slices.SortStableFunc(all, func(x, y listed) int {
		// Of mixes that cost the same, that of fewer nodes is the easier to keep.
		return cmp.Or(cmp.Compare(x.cost, y.cost), cmp.Compare(x.n+x.m, y.n+y.m))
	})
	const batch = 8
	for at := 0; at < len(all) && s.left > 0; at += batch {
		some := all[at:min(at+batch, len(all))]
		counts := make([][]int, len(some))
		answers := make([]*Answer, len(some))
		for i, x := range some {
			counts[i] = make([]int, len(s.p.Types))
			counts[i][x.a] += x.n
			counts[i][x.b] += x.m
		}
		s.each(len(some), func(i int) { answers[i] = s.play(counts[i], false) })
		for i := range some {
			s.spend(counts[i], answers[i])
		}
		if slices.ContainsFunc(answers, s.keep) {
			return
		}
	}
}

func (s *search) each(n int, do func(int)) {
	if s.o.Each != nil {
		s.o.Each(n, do)
		return
	}
	for i := range n {
		do(i)
	}
}

// maxSets is how many sets of types are climbed.
const maxSets = 5

// climb takes sets of one or two types that cover the sum of all pods at
// little cost, and finds for each how much slack the scheduler needs.
func (s *search) climb() {
	type set struct {
		types []int
		cost  int64
	}
	const usual = 0.06
	var sets []set
	for a := range s.p.Types {
		for b := a; b < len(s.p.Types); b++ {
			types := []int{a, b}[:1+min(b-a, 1)]
			if counts := s.cover(types, usual); counts != nil {
				sets = append(sets, set{types, s.cost(counts)})
			}
		}
	}
	slices.SortStableFunc(sets, func(x, y set) int {
		return cmp.Or(cmp.Compare(x.cost, y.cost), cmp.Compare(len(x.types), len(y.types)))
	})
	used := make([]int, len(s.p.Types))
	climbed := 0
	for _, x := range sets {
		fresh := false
		for _, t := range x.types {
			fresh = fresh || used[t] < 2
		}
		if !fresh || s.left <= 0 && (s.best != nil || s.loose != nil) {
			continue // near to what was climbed already
		}
		for _, t := range x.types {
			used[t]++
		}
		s.slacken(x.types)
		if climbed++; climbed >= maxSets {
			return
		}
	}
}

// slacken finds the least slack at which a set of types will do.
func (s *search) slacken(types []int) {
	low, high := 0.0, 0.0
	for _, high = range []float64{0.04, 0.12, 0.3, 0.8, 2, 5, 20} {
		counts := s.cover(types, high)
		if counts == nil || s.best != nil && s.cost(counts) >= s.best.Cost {
			break
		}
		a := s.play(counts, true)
		if s.spend(counts, nil); a != nil && (a.Accepted || s.best == nil && s.loose == nil && high > 1) {
			break
		}
		low = high
	}
	var tried []int
	for range 7 {
		middle := (low + high) / 2
		counts := s.cover(types, middle)
		if counts == nil || slices.Equal(counts, tried) {
			break
		}
		tried = counts
		if s.best != nil && s.cost(counts) >= s.best.Cost {
			high = middle
			continue
		}
		a := s.play(counts, true)
		if s.spend(counts, nil); a != nil && a.Accepted {
			high = middle
		} else {
			low = middle
		}
	}
	for range 12 {
		counts := s.cover(types, high)
		if counts == nil || s.best != nil && s.cost(counts) >= s.best.Cost || s.try(counts) {
			return
		}
		high += max(high*0.08, 0.005)
	}
}

// cover gives the cheapest counts of one or two types that hold the sum of all
// pods and a share more.
func (s *search) cover(types []int, slack float64) []int {
	counts := make([]int, len(s.p.Types))
	a, b := types[0], types[len(types)-1]
	limit := s.needed(a, b, 0, slack)
	if a == b {
		if limit < 0 {
			return nil
		}
		counts[a] = limit
		return counts
	}
	bestN, bestM, best := 0, 0, int64(math.MaxInt64)
	other := s.needed(b, a, 0, slack)
	for n := 1; n <= max(limit, other)+1 && n < 100_000; n++ {
		m := s.needed(b, a, n, slack)
		if m < 0 {
			continue
		}
		if cost := s.p.Types[a].Price*int64(n) + s.p.Types[b].Price*int64(m); cost < best {
			bestN, bestM, best = n, m, cost
		}
		if m == 0 {
			break
		}
	}
	if best == math.MaxInt64 {
		return nil
	}
	counts[a], counts[b] = bestN, bestM
	return counts
}

// needed is how many nodes of type b must stand beside n of type a; -1 if none
// suffice.
func (s *search) needed(b, a, n int, slack float64) int {
	m := 0
	for d, want := range s.demand {
		if want <= 0 {
			continue
		}
		roomA, roomB := s.room(a, d), s.room(b, d)
		need := float64(want) * (1 + slack)
		spare := 0.0
		if s.p.Level == Node {
			spare = float64(max(roomB, roomA*int64(min(n, 1))))
		}
		scale := 1.0
		if s.p.Level == Zone && s.p.Zones > 1 {
			scale = float64(s.p.Zones) / float64(s.p.Zones-1)
		}
		rest := need*scale + spare - float64(roomA)*float64(n)
		if rest <= 0 {
			continue
		}
		if roomB <= 0 {
			return -1
		}
		m = max(m, int(math.Ceil(rest/float64(roomB)-1e-9)))
	}
	return max(m, s.least-n, 0)
}

func (s *search) room(t, d int) int64 { return s.p.Types[t].Room[d] - s.p.Types[t].System[d] }

// descend takes nodes away, or puts a cheaper one in a node's place, while
// everything still finds a place.
func (s *search) descend() {
	s.left = max(s.left, cmp.Or(s.o.Work, DefaultWork)/4)
	for better := true; better && s.left > 0; {
		better = false
		for t := len(s.p.Types) - 1; t >= 0 && s.left > 0; t-- {
			if s.best.Counts[t] == 0 {
				continue
			}
			counts := slices.Clone(s.best.Counts)
			counts[t]--
			if s.lower(counts) {
				better = true
				continue
			}
			for u := 0; u < t && s.left > 0; u++ {
				if s.p.Types[u].Price >= s.p.Types[t].Price {
					continue
				}
				counts[u]++
				if s.lower(counts) {
					better = true
					break
				}
				counts[u]--
			}
		}
	}
}

// lower tries a mix lightly at first, and in full if it may do.
func (s *search) lower(counts []int) bool {
	if s.cost(counts) >= s.best.Cost || !s.enough(counts, 0) {
		return false
	}
	if a := s.play(counts, true); a == nil || s.best.Accepted && !a.Accepted {
		s.spend(counts, nil)
		return false
	}
	a := s.play(counts, false)
	s.spend(counts, a)
	if a == nil || s.best.Accepted && !a.Accepted {
		return false
	}
	s.best = a
	return true
}

// next gives the cheapest mix of one type that the best mix does without.
func (s *search) next() []int {
	type single struct {
		t, n int
		cost int64
	}
	slack := 0.0
	for s.best != nil && slack < 1 && s.enough(s.best.Counts, slack+0.02) {
		slack += 0.02
	}
	var all []single
	for t := range s.p.Types {
		if s.best.Counts[t] > 0 {
			continue
		}
		if counts := s.cover([]int{t}, 0); counts != nil {
			for n := counts[t]; n <= counts[t]+2; n++ {
				all = append(all, single{t, n, s.p.Types[t].Price * int64(n)})
			}
		}
		if counts := s.cover([]int{t}, slack); counts != nil {
			all = append(all, single{t, counts[t], s.cost(counts)})
		}
	}
	slices.SortStableFunc(all, func(x, y single) int { return cmp.Compare(x.cost, y.cost) })
	for i, x := range all {
		counts := make([]int, len(s.p.Types))
		counts[x.t] = x.n
		if x.cost < s.best.Cost || i > 12 {
			continue
		}
		if a := s.play(counts, true); a != nil {
			return counts
		}
	}
	return nil
}
