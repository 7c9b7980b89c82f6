// Package search builds packings and makes them cheaper. It takes a model and
// the value of a piece of each class, and gives bins that hold everything. It
// never proves anything, and never does more work than its meter allows.
package search

import (
	"math"
	"math/rand/v2"

	"github.com/tranship/tranship/internal/base/binpack/shape"
)

// A filler fills one bin at a time from a pool of pieces.
type filler struct {
	m     *shape.Model
	value []float64 // of a piece, with noise
	power []float64 // value to the power that favours large pieces
	size  []float64 // as the model's, for quick products
	rng   *rand.Rand
	work  *shape.Meter

	pool   []int32 // by class
	active []int32 // classes with pool, in no lasting order
	place  []int32 // of a class in active, -1 outside

	room  []int64
	group []int32
	take  []int32 // by class
	taken []int32 // classes with take
	worth float64
	now   int // the type
	scale []float64
}

func newFiller(m *shape.Model, rng *rand.Rand, work *shape.Meter) *filler {
	f := &filler{m: m, rng: rng, work: work}
	f.value = make([]float64, m.Classes)
	f.power = make([]float64, m.Classes)
	f.size = make([]float64, len(m.Size))
	for i, s := range m.Size {
		f.size[i] = float64(s)
	}
	f.pool = make([]int32, m.Classes)
	f.place = make([]int32, m.Classes)
	for c := range f.place {
		f.place[c] = -1
	}
	f.room = make([]int64, m.Dim)
	f.scale = make([]float64, m.Dim)
	f.group = make([]int32, len(m.Group))
	f.take = make([]int32, m.Classes)
	return f
}

// put adds pieces to the pool, or takes them off.
func (f *filler) put(c, n int32) {
	f.pool[c] += n
	switch at := f.place[c]; {
	case f.pool[c] > 0 && at < 0:
		f.place[c] = int32(len(f.active))
		f.active = append(f.active, c)
	case f.pool[c] == 0 && at >= 0:
		last := f.active[len(f.active)-1]
		f.active[at] = last
		f.place[last] = at
		f.active = f.active[:len(f.active)-1]
		f.place[c] = -1
	}
}

func (f *filler) clear() {
	for len(f.active) > 0 {
		c := f.active[len(f.active)-1]
		f.put(c, -f.pool[c])
	}
}

// weigh sets the values of the pool's classes, with noise, and how much more
// than their value large pieces count.
func (f *filler) weigh(value []float64, noise, power float64) {
	f.work.Spend(2 * len(f.active))
	for _, c := range f.active {
		v := value[c]
		if noise > 0 {
			v *= 1 + noise*(2*f.rng.Float64()-1)
		}
		f.value[c] = v
		switch power {
		case 1:
			f.power[c] = v
		case 1.5:
			f.power[c] = v * math.Sqrt(v)
		case 2:
			f.power[c] = v * v
		case 3:
			f.power[c] = v * v * v
		default:
			f.power[c] = math.Pow(v, power)
		}
	}
}

// begin empties the bin and makes it one of type t.
func (f *filler) begin(t int) {
	for _, c := range f.taken {
		f.take[c] = 0
	}
	f.taken = f.taken[:0]
	clear(f.group)
	copy(f.room, f.m.RoomOf(t))
	f.worth, f.now = 0, t
}

// can is how many pieces of class c still go in, at most n.
func (f *filler) can(c, n int32) int32 {
	m := f.m
	size := m.SizeOf(int(c))
	for d, s := range size {
		if s > f.room[d] {
			return 0
		}
	}
	n = min(n, int32(m.Most[c])-f.take[c])
	for _, g := range m.In[c] {
		n = min(n, int32(m.Group[g])-f.group[g])
	}
	if n <= 1 {
		return max(n, 0)
	}
	for d, s := range size {
		if s > 0 && int64(n)*s > f.room[d] {
			n = int32(f.room[d] / s)
		}
	}
	return n
}

// add puts n pieces of class c in, or takes them out; the pool is the caller's.
func (f *filler) add(c, n int32) {
	if f.take[c] == 0 && n > 0 {
		f.taken = append(f.taken, c)
	}
	f.take[c] += n
	for d, s := range f.m.SizeOf(int(c)) {
		f.room[d] -= s * int64(n)
	}
	for _, g := range f.m.In[c] {
		f.group[g] += n
	}
	f.worth += f.value[c] * float64(n)
	if f.take[c] == 0 {
		for i, o := range f.taken {
			if o == c {
				f.taken[i] = f.taken[len(f.taken)-1]
				f.taken = f.taken[:len(f.taken)-1]
				break
			}
		}
	}
}

// sample bounds how many classes one step looks at.
const sample = 40

// greedy fills what is left of the bin's room with pieces of the pool: always
// the piece with the most value for the scarce room that it takes (Toyoda 1975;
// the match of the room that remains is that of dot-product packing, Panigrahy
// et al. 2011), large pieces first.
func (f *filler) greedy(t int) {
	m := f.m
	fit := m.FitOf(t)
	alive := make([]int32, 0, len(f.active))
	for _, c := range f.active {
		if fit[c] > 0 {
			alive = append(alive, c)
		}
	}
	f.work.Spend(len(f.active))
	dim := m.Dim
	for len(alive) > 0 {
		for d, r := range f.room {
			f.scale[d] = 1 / (float64(r) + 1e-3)
		}
		look := len(alive)
		from := 0
		if look > sample {
			look = sample
			from = f.rng.IntN(len(alive))
		}
		best, score := int32(-1), -1.0
		f.work.Spend(2 * look)
		for i, at := 0, from; i < look; i++ {
			if at >= len(alive) {
				at = 0
			}
			c := alive[at]
			left := f.pool[c] - f.take[c]
			if left <= 0 || f.can(c, 1) == 0 {
				alive[at] = alive[len(alive)-1]
				alive = alive[:len(alive)-1]
				if len(alive) == 0 {
					break
				}
				continue
			}
			sum := 1e-12
			for d, s := range f.size[int(c)*dim : int(c)*dim+dim] {
				sum += s * f.scale[d]
			}
			if q := f.power[c] / sum; q > score {
				best, score = c, q
			}
			at++
		}
		if best < 0 {
			continue
		}
		n := f.can(best, f.pool[best]-f.take[best])
		if n > 4 {
			n = max(1, n/4)
		} else if n > 1 {
			n = 1
		}
		f.add(best, n)
	}
}

// polish exchanges a piece in the bin for a better one of the pool while that
// makes the load worth more, and fills the room that is left.
func (f *filler) polish(t, rounds int) {
	m := f.m
	fit := m.FitOf(t)
	dim := m.Dim
	for range rounds {
		out, in, gain := int32(-1), int32(-1), 1e-9*f.worth
		n := len(f.active)
		from, look := 0, n
		if n > 4*sample {
			look = 4 * sample
			from = f.rng.IntN(n)
		}
		done := look
		for i := range look {
			at := from + i
			if at >= n {
				at -= n
			}
			c := f.active[at]
			if fit[c] == 0 || f.pool[c] <= f.take[c] {
				continue
			}
			v := f.value[c]
			if v <= gain {
				continue
			}
			if f.can(c, 1) > 0 {
				out, in, gain = -1, c, v
				continue
			}
			if int(f.take[c]) >= m.Most[c] {
				continue
			}
			size := m.Size[int(c)*dim : int(c)*dim+dim]
			done += len(f.taken)
			for _, o := range f.taken {
				if v-f.value[o] <= gain || o == c {
					continue
				}
				other := m.Size[int(o)*dim : int(o)*dim+dim]
				ok := true
				for d, s := range size {
					if s > f.room[d]+other[d] {
						ok = false
						break
					}
				}
				if ok && f.exchange(o, c) {
					out, in, gain = o, c, v-f.value[o]
				}
			}
		}
		f.work.Spend(done)
		if in < 0 {
			return
		}
		if out >= 0 {
			f.add(out, -1)
		}
		f.add(in, 1)
	}
}

// exchange says whether the groups let c in for o.
func (f *filler) exchange(o, c int32) bool {
	for _, g := range f.m.In[c] {
		n := f.group[g]
		for _, h := range f.m.In[o] {
			if h == g {
				n--
			}
		}
		if int(n) >= f.m.Group[g] {
			return false
		}
	}
	return true
}

// load is what is in the bin, sorted.
func (f *filler) load() []shape.Load {
	f.work.Spend(4 * len(f.taken))
	out := make([]shape.Load, 0, len(f.taken))
	for _, c := range f.taken {
		out = append(out, shape.Load{Class: c, Count: f.take[c]})
	}
	return shape.Sort(out)
}
