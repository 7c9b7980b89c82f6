package failure

import (
	"slices"

	"github.com/tranship/tranship/internal/base/binpack"
)

// A model is a problem with what the search asks for again and again.
type model struct {
	p     *binpack.Problem
	dims  int
	zones int
	level Level
	items []class
	// buy are the types worth buying, ascending: no other holds as much for no more.
	buy []int
	// worth is what a unit of each dimension costs: the duals of the fluid problem.
	worth []float64
	// order is the items by weight, heaviest first: what is hard is placed early.
	order []int
	rank  []int
	// nothing is a type of no capacity and no price: the place of a box that is gone.
	nothing int
}

// A class is an item with its bounds.
type class struct {
	size []int64
	// perBin and perZone hold always, spread and spreadZone while nothing has
	// failed: the replicas of one item should not be lost together.
	perBin, perZone    int
	spread, spreadZone int
	zone               int
	groups             []int
	fits               []bool // by type
	weight             float64
	// exposed pieces may be lost in a failure.
	exposed int
}

const unbounded = 1 << 40

// newModel looks at a problem; loose items, if told, need no spread.
func newModel(p *binpack.Problem, level Level, loose []bool) *model {
	m := &model{p: p, dims: p.Dimensions, zones: max(p.Zones, 0), level: level, nothing: len(p.Types)}
	own := *p
	own.Types = append(slices.Clone(p.Types), binpack.Type{Capacity: make([]int64, p.Dimensions)})
	m.p = &own
	p = &own
	if level == AnyZone && m.zones < 2 {
		m.level = AnyNode // the one zone there is cannot be outlived
	}
	m.buy = m.undominated()
	for i, it := range p.Items {
		c := class{size: it.Size, perBin: unbounded, perZone: unbounded, zone: it.Zone, groups: it.Groups}
		if it.MaxPerBin > 0 {
			c.perBin = it.MaxPerBin
		}
		if it.MaxPerZone > 0 && m.zones > 0 {
			c.perZone = it.MaxPerZone
		}
		c.spread, c.spreadZone = c.perBin, c.perZone
		if it.Count > 1 && m.level != None && (loose == nil || !loose[i]) {
			c.spread = min(c.spread, (it.Count+1)/2)
			if m.level == AnyZone && it.Zone == 0 && m.zones > 2 {
				c.spreadZone = min(c.spreadZone, (it.Count+1)/2)
			}
		}
		c.fits = make([]bool, len(p.Types))
		for t := range p.Types {
			c.fits[t] = t != m.nothing && holds(p.Types[t].Capacity, it.Size) && (it.Types == nil || slices.Contains(it.Types, t)) && groupsAllow(p, it)
		}
		m.items = append(m.items, c)
	}
	m.exposures()
	m.weigh()
	return m
}

func groupsAllow(p *binpack.Problem, it binpack.Item) bool {
	for _, g := range it.Groups {
		if p.Groups[g].MaxPerBin < 1 {
			return false
		}
	}
	return true
}

// undominated are the types that no other replaces: as large in each dimension,
// for no more, unbounded in number, and allowed wherever they are.
func (m *model) undominated() []int {
	allowed := make([][]bool, len(m.p.Types)) // by type, the items that name types
	for _, it := range m.p.Items {
		if it.Types == nil {
			continue
		}
		for t := range m.p.Types {
			allowed[t] = append(allowed[t], slices.Contains(it.Types, t))
		}
	}
	replaces := func(a, b int) bool {
		s, t := m.p.Types[a], m.p.Types[b]
		if s.Most > 0 || s.Price > t.Price || !holds(s.Capacity, t.Capacity) {
			return false
		}
		for i := range allowed[b] {
			if allowed[b][i] && !allowed[a][i] {
				return false
			}
		}
		return true
	}
	var out []int
	for b := range m.p.Types {
		if !slices.ContainsFunc(m.p.Types[b].Capacity, func(c int64) bool { return c > 0 }) {
			continue
		}
		dominated := false
		for a := range m.p.Types {
			// Of two that replace each other the first stays.
			if a != b && replaces(a, b) && (a < b || !replaces(b, a)) {
				dominated = true
				break
			}
		}
		if !dominated {
			out = append(out, b)
		}
	}
	return out
}

// exposures counts the pieces of each item that no purchase could save.
func (m *model) exposures() {
	for i := range m.items {
		c, n := &m.items[i], m.p.Items[i].Count
		if m.level == None {
			continue
		}
		bins, endless := 0, false
		for _, t := range m.buy {
			if c.fits[t] {
				bins += m.p.Types[t].Most
				endless = endless || m.p.Types[t].Most == 0
			}
		}
		if !endless && c.perBin < unbounded {
			c.exposed = max(c.exposed, n-max(bins-1, 0)*c.perBin)
		} else if !endless && bins <= 1 {
			c.exposed = n
		}
		if m.level == AnyZone {
			if c.zone > 0 {
				c.exposed = n
			} else if c.perZone < unbounded {
				c.exposed = max(c.exposed, n-(m.zones-1)*c.perZone)
			}
		}
		c.exposed = min(max(c.exposed, 0), n)
	}
}

// weigh prices the dimensions by the fluid problem's duals, and the items by those.
func (m *model) weigh() {
	m.worth = make([]float64, m.dims)
	need := make([]float64, m.dims)
	for i, it := range m.p.Items {
		if slices.Contains(m.items[i].fits, true) {
			for d, s := range it.Size {
				need[d] += float64(s) * float64(it.Count)
			}
		}
	}
	_, dual := m.fluid(m.buy, need)
	copy(m.worth, dual)
	// What the duals give away is still counted a little, so that order and
	// fit do not overlook it.
	for d := range m.worth {
		if need[d] > 0 {
			total := 0.0
			for e := range need {
				total += m.worth[e] * need[e]
			}
			m.worth[d] = max(m.worth[d], 0.02*total/need[d])
		}
	}
	m.order = make([]int, len(m.items))
	for i := range m.items {
		m.order[i] = i
		for d, s := range m.items[i].size {
			m.items[i].weight += m.worth[d] * float64(s)
		}
		// What takes nothing must still be placed.
		m.items[i].weight = max(m.items[i].weight, 1e-6)
	}
	slices.SortStableFunc(m.order, func(a, b int) int {
		switch x, y := m.items[a].weight, m.items[b].weight; {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return slices.Compare(m.items[b].size, m.items[a].size)
	})
	m.rank = make([]int, len(m.items))
	for r, i := range m.order {
		m.rank[i] = r
	}
}

// fluid is the least cost of capacity for the need if bins could be bought in
// parts, and the price of a unit of each dimension.
func (m *model) fluid(types []int, need []float64) (float64, []float64) {
	var rows []row
	for d, v := range need {
		rows = append(rows, row{v, func(c []int64) float64 { return float64(c[d]) }})
	}
	return relax(m.cover(types, rows, 1, nil))
}

func holds(capacity, size []int64) bool {
	for d := range capacity {
		if size[d] > capacity[d] {
			return false
		}
	}
	return true
}
