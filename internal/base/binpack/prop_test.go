package binpack_test

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tranship/tranship/internal/base/binpack"
)

// draw is a small problem with everything that a problem can have.
func draw(t *rapid.T, items, most, types int) binpack.Problem {
	number := func(label string, low, high int) int { return rapid.IntRange(low, high).Draw(t, label) }
	p := binpack.Problem{Dimensions: number("dimensions", 1, 4)}
	for range number("groups", 0, 2) {
		p.Groups = append(p.Groups, binpack.Group{MaxPerBin: number("group", 1, 2)})
	}
	for range number("types", 1, types) {
		ty := binpack.Type{Price: binpack.Price(number("price", 1, 30))}
		for range p.Dimensions {
			ty.Capacity = append(ty.Capacity, int64(number("room", 0, 20)))
		}
		p.Types = append(p.Types, ty)
	}
	for range number("items", 1, items) {
		it := binpack.Item{Count: number("count", 0, most)}
		for range p.Dimensions {
			it.Size = append(it.Size, int64(number("size", 0, 12)))
		}
		if number("bound", 0, 3) == 0 {
			it.MaxPerBin = number("most", 1, 2)
		}
		for g := range p.Groups {
			if number("in", 0, 3) == 0 {
				it.Groups = append(it.Groups, g)
			}
		}
		if number("choosy", 0, 3) == 0 {
			for ty := range p.Types {
				if number("may", 0, 1) == 0 {
					it.Types = append(it.Types, ty)
				}
			}
			if it.Types == nil {
				it.Types = []int{}
			}
		}
		p.Items = append(p.Items, it)
	}
	return p
}

func pack(t interface {
	Helper()
	Fatalf(string, ...any)
}, p binpack.Problem, iterations int,
) binpack.Result {
	t.Helper()
	r, err := binpack.Pack(p, binpack.Options{Seed: 1, Iterations: iterations})
	if err != nil {
		t.Fatalf("Pack: %v", err)
	}
	if err := binpack.Check(&p, r.Bins, r.Left); err != nil {
		t.Fatalf("%v\n%+v\n%+v", err, p, r)
	}
	return r
}

// cheapest is the least cost of all packings, by trying them; what fits nowhere
// is left out.
func cheapest(p *binpack.Problem, left []binpack.Load) binpack.Price {
	var pieces []int
	for i, it := range p.Items {
		n := it.Count
		for _, l := range left {
			if l.Item == i {
				n -= l.Count
			}
		}
		for range n {
			pieces = append(pieces, i)
		}
	}
	best := binpack.Price(math.MaxInt64)
	var bins [][]int
	price := func(bin []int) binpack.Price {
		low := binpack.Price(math.MaxInt64)
		var load []binpack.Load
		for i := range p.Items {
			if n := len(slices.DeleteFunc(slices.Clone(bin), func(k int) bool { return k != i })); n > 0 {
				load = append(load, binpack.Load{Item: i, Count: n})
			}
		}
		q := *p
		q.Items = slices.Clone(p.Items)
		for i := range q.Items {
			q.Items[i].Count = 0
		}
		for _, l := range load {
			q.Items[l.Item].Count = l.Count
		}
		for ty := range p.Types {
			if p.Types[ty].Price < low && binpack.Check(&q, []binpack.Bin{{Type: ty, Load: load}}, nil) == nil {
				low = p.Types[ty].Price
			}
		}
		return low
	}
	var place func(at int)
	place = func(at int) {
		if at == len(pieces) {
			var sum binpack.Price
			for _, b := range bins {
				one := price(b)
				if one == math.MaxInt64 {
					return
				}
				sum += one
			}
			best = min(best, sum)
			return
		}
		for b := range bins {
			bins[b] = append(bins[b], pieces[at])
			place(at + 1)
			bins[b] = bins[b][:len(bins[b])-1]
		}
		bins = append(bins, []int{pieces[at]})
		place(at + 1)
		bins = bins[:len(bins)-1]
	}
	place(0)
	return best
}

func TestBoundIsNeverAboveTheBestOfAllPackings(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := draw(t, 3, 2, 3)
		r := pack(t, p, 20)
		best := cheapest(&p, r.Left)
		if r.Bound > best {
			t.Fatalf("bound %d, but %d will do: %+v", r.Bound, best, p)
		}
		if r.Cost < best {
			t.Fatalf("cost %d below the least %d: %+v", r.Cost, best, p)
		}
		b, err := binpack.Bound(p)
		if err != nil || b > best {
			t.Fatalf("Bound(p) = %d, %v, but %d will do: %+v", b, err, best, p)
		}
	})
}

func TestBoundHoldsForWhateverAnotherSeedFinds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := draw(t, 12, 9, 6)
		var results []binpack.Result
		for seed := range uint64(3) {
			r, err := binpack.Pack(p, binpack.Options{Seed: seed, Iterations: int(seed) * 15})
			if err != nil {
				t.Fatal(err)
			}
			results = append(results, r)
		}
		for _, a := range results {
			for _, b := range results {
				if a.Bound > b.Cost {
					t.Fatalf("%d is proven, and %d found: %+v", a.Bound, b.Cost, p)
				}
			}
		}
	})
}

func TestNothingIsLostAndNoBoundBroken(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := draw(t, 12, 9, 6)
		for ty := range p.Types {
			if rapid.IntRange(0, 3).Draw(t, "limited") == 0 {
				p.Types[ty].Most = rapid.IntRange(1, 4).Draw(t, "limit")
			}
		}
		r := pack(t, p, 10)
		if r.Bound > r.Cost || r.Gap() < 0 {
			t.Fatalf("bound %d above cost %d", r.Bound, r.Cost)
		}
	})
}

func TestOnlyWhatFitsNoTypeIsLeft(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := draw(t, 8, 5, 5)
		r := pack(t, p, 0)
		for _, l := range r.Left {
			one := p
			one.Items = []binpack.Item{p.Items[l.Item]}
			one.Items[0].Count = 1
			for ty := range p.Types {
				if binpack.Check(&one, []binpack.Bin{{Type: ty, Load: []binpack.Load{{Item: 0, Count: 1}}}}, nil) == nil {
					t.Fatalf("item %d is left, and fits type %d: %+v", l.Item, ty, p)
				}
			}
		}
	})
}

func TestNeverDearerThanTheBestSingleType(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := draw(t, 8, 6, 5)
		r := pack(t, p, 0)
		for ty := range p.Types {
			one := p
			one.Types = []binpack.Type{p.Types[ty]}
			one.Items = slices.Clone(p.Items)
			for i := range one.Items {
				if may := one.Items[i].Types; may != nil {
					one.Items[i].Types = []int{}
					if slices.Contains(may, ty) {
						one.Items[i].Types = []int{0}
					}
				}
			}
			if s := pack(t, one, 0); cmp.Equal(s.Left, r.Left) && s.Cost < r.Cost {
				t.Fatalf("cost %d, of type %d alone %d: %+v", r.Cost, ty, s.Cost, p)
			}
		}
	})
}

func TestOrderOfInputDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := draw(t, 10, 6, 6)
		q := binpack.Problem{Dimensions: p.Dimensions, Groups: p.Groups}
		items := rapid.Permutation(p.Items).Draw(t, "items")
		order := make([]int, len(p.Types))
		for i := range order {
			order[i] = i
		}
		order = rapid.Permutation(order).Draw(t, "order")
		for _, ty := range order {
			q.Types = append(q.Types, p.Types[ty])
		}
		for _, it := range items {
			if it.Types != nil {
				may := []int{}
				for at, ty := range order {
					if slices.Contains(it.Types, ty) {
						may = append(may, at)
					}
				}
				it.Types = may
			}
			q.Items = append(q.Items, it)
		}
		a, b := pack(t, p, 10), pack(t, q, 10)
		if a.Cost != b.Cost || a.Bound != b.Bound {
			t.Fatalf("cost %d bound %d, in another order %d and %d: %+v", a.Cost, a.Bound, b.Cost, b.Bound, p)
		}
	})
}

func TestMoreHeadroomIsNeverCheaper(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := draw(t, 5, 3, 4)
		more := p
		more.Items = slices.Clone(p.Items)
		for i := range more.Items {
			size := slices.Clone(more.Items[i].Size)
			for d := range size {
				size[d] += int64(rapid.IntRange(0, 2).Draw(t, "more"))
			}
			more.Items[i].Size = size
		}
		a, b := pack(t, p, 30), pack(t, more, 30)
		if len(a.Left) != len(b.Left) {
			return // what fits nowhere is not paid for
		}
		// The larger needs at least what the smaller is proven to need.
		if a.Bound > b.Cost {
			t.Fatalf("%d is proven, and with more headroom it costs %d: %+v", a.Bound, b.Cost, p)
		}
	})
}

func TestAtTheSameTimeIsTheSameAsInTurn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := draw(t, 12, 9, 6)
		o := binpack.Options{Seed: 3, Iterations: 10}
		a, err := binpack.Pack(p, o)
		if err != nil {
			t.Fatal(err)
		}
		o.Each = two
		b, err := binpack.Pack(p, o)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(a, b); d != "" {
			t.Fatal(d)
		}
	})
}

func TestCheckFindsWhatIsWrong(t *testing.T) {
	p := binpack.Problem{
		Dimensions: 2, Groups: []binpack.Group{{MaxPerBin: 1}},
		Types: []binpack.Type{{Capacity: []int64{10, 10}, Price: 5, Most: 2}, {Capacity: []int64{4, 4}, Price: 2}},
		Items: []binpack.Item{
			{Size: []int64{3, 1}, Count: 3, MaxPerBin: 2},
			{Size: []int64{1, 1}, Count: 1, Groups: []int{0}},
			{Size: []int64{1, 1}, Count: 1, Groups: []int{0}, Types: []int{0}},
		},
	}
	bin := func(ty int, loads ...int) binpack.Bin {
		b := binpack.Bin{Type: ty}
		for i, n := range loads {
			if n > 0 {
				b.Load = append(b.Load, binpack.Load{Item: i, Count: n})
			}
		}
		return b
	}
	good := []binpack.Bin{bin(0, 2, 1, 0), bin(0, 1, 0, 1)}
	if err := binpack.Check(&p, good, nil); err != nil {
		t.Fatal(err)
	}
	for name, bins := range map[string][]binpack.Bin{
		"lost":           {bin(0, 2, 1, 0), bin(0, 1, 0, 0)},
		"twice":          {bin(0, 2, 1, 0), bin(0, 1, 0, 1), bin(1, 0, 1, 0)},
		"over capacity":  {bin(1, 2, 1, 0), bin(0, 1, 0, 1)},
		"over its bound": {bin(0, 3, 1, 0), bin(0, 0, 0, 1)},
		"over the group": {bin(0, 2, 1, 1), bin(0, 1, 0, 0)},
		"wrong type":     {bin(0, 2, 1, 0), bin(0, 1, 0, 0), bin(1, 0, 0, 1)},
		"too many bins":  {bin(0, 2, 0, 0), bin(0, 1, 1, 0), bin(0, 0, 0, 1)},
		"no such type":   {bin(2, 2, 1, 0), bin(0, 1, 0, 1)},
	} {
		if binpack.Check(&p, bins, nil) == nil {
			t.Errorf("%s is not found", name)
		}
	}
}

func FuzzPackNeverPanics(f *testing.F) {
	f.Add([]byte{3, 2, 2, 10, 10, 10, 5, 4, 4, 4, 2, 1, 1, 1, 3, 2, 0, 1, 2})
	f.Add([]byte{0})
	f.Fuzz(func(t *testing.T, b []byte) {
		next := func() int {
			if len(b) == 0 {
				return 0
			}
			n := int(b[0])
			b = b[1:]
			return n
		}
		p := binpack.Problem{Dimensions: next() % 5}
		types, items := next()%6, next()%9
		for range next() % 3 {
			p.Groups = append(p.Groups, binpack.Group{MaxPerBin: next() % 4})
		}
		vector := func() (out []int64) {
			for range p.Dimensions {
				n := int64(next())
				if n > 200 {
					n = n << (next() % 50)
				}
				out = append(out, n)
			}
			return out
		}
		for range types {
			p.Types = append(p.Types, binpack.Type{Capacity: vector(), Price: binpack.Price(next()), Most: max(0, next()-200)})
		}
		for range items {
			it := binpack.Item{Size: vector(), Count: next(), MaxPerBin: max(0, next()-200)}
			if n := next(); n > 150 {
				it.Types = []int{n % 7}
			}
			if n := next(); n > 150 {
				it.Groups = []int{n % 4, n % 4}
			}
			p.Items = append(p.Items, it)
		}
		r, err := binpack.Pack(p, binpack.Options{Iterations: 2})
		if err != nil {
			return
		}
		if err := binpack.Check(&p, r.Bins, r.Left); err != nil {
			t.Fatal(err)
		}
		if r.Bound > r.Cost {
			t.Fatalf("bound %d above cost %d", r.Bound, r.Cost)
		}
	})
}
