package size

import (
	"math"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/usage"
)

// mostBins keeps what a node's sum costs small: two weeks in ten minutes each.
const mostBins = 2016

const (
	day  = 86400
	week = 7 * day
	// longest window that is looked at; what was seen before is moved up by
	// whole weeks where a workload has nothing else.
	longest = 4 * week
)

// NewTails prepares the tails of all sized workloads.
func NewTails(e *estate.Estate, set *usage.Set, sizes []plan.Size) *Tails {
	t := &Tails{of: make(map[estate.Name]*tail, len(sizes))}
	seen := observe(e, set)
	by := make(map[estate.Name]*estate.Workload, len(e.Workloads))
	for i := range e.Workloads {
		by[e.Workloads[i].ID] = &e.Workloads[i]
	}
	w := window{}
	for i := range sizes {
		if o := seen[sizes[i].Workload]; o != nil && usable(by[sizes[i].Workload], &sizes[i]) {
			w.cover(o)
		}
	}
	w.settle()
	for i := range sizes {
		s := &sizes[i]
		x := &tail{}
		if o := seen[s.Workload]; o != nil && usable(by[s.Workload], s) && w.n > 0 {
			x = w.tail(o, by[s.Workload], s)
		} else {
			for _, c := range s.Containers {
				x.fixed += float64(c.CPU)
			}
		}
		if x.bins != nil {
			t.bins = w.n
		}
		t.of[s.Workload] = x
	}
	return t
}

// usable reports whether a workload was sized by its use. A job's runs are too
// few to say when they come: it counts with its request.
func usable(w *estate.Workload, s *plan.Size) bool {
	if w == nil || w.Kind == estate.Job || w.Kind == estate.Schedule {
		return false
	}
	for _, c := range s.Containers {
		if c.Used != nil && c.Used.CPUPeak > 0 {
			return true
		}
	}
	return false
}

// A window is the time that all tails share, cut into bins.
type window struct {
	from, to int64
	step     int64
	width    int64
	n        int
}

func (w *window) cover(o *observed) {
	for _, b := range o.boxes {
		for _, s := range b.cpu {
			from, to := s.Points[0].At, s.Points[len(s.Points)-1].At
			if w.step == 0 {
				w.from, w.to, w.step = from, to, math.MaxInt64
			}
			w.from, w.to = min(w.from, from), max(w.to, to)
			if st := int64(s.Step); st > 0 {
				w.step = min(w.step, st)
			}
		}
	}
}

func (w *window) settle() {
	if w.step == 0 {
		return
	}
	w.from = max(w.from, w.to-longest)
	span := w.to - w.from + 1
	if w.step > span {
		w.step = span
	}
	w.width = max(w.step, (span+mostBins-1)/mostBins, 1)
	w.n = int((span + w.width - 1) / w.width)
}

// bin gives a time's bin.
func (w *window) bin(at int64) (int, bool) {
	if at < w.from || at > w.to {
		return 0, false
	}
	return min(int((at-w.from)/w.width), w.n-1), true
}

// A cell gathers what falls into one bin: the copies' values, of each the mean.
type cell struct {
	n             float64 // values
	sum, squares  float64
	within, times float64 // how values of one copy vary within the bin
}

// tail makes one workload's tail.
func (w *window) tail(o *observed, of *estate.Workload, s *plan.Size) *tail {
	x := &tail{copies: float64(o.replicas)}
	spread := 1.0
	if of.Replicas > 0 && s.Replicas > 0 && s.Scale == nil {
		spread = float64(of.Replicas) / float64(s.Replicas)
	}
	if b := o.boxes[""]; b != nil && len(b.cpu) > 0 {
		w.box(x, b, spread)
		return x.finish()
	}
	names := map[string]bool{}
	if len(s.Containers) == 1 {
		for name, b := range o.boxes { // one container, by whatever name
			if len(b.cpu) > 0 && (len(o.boxes) == 1 || name == s.Containers[0].Name) {
				w.box(x, b, spread)
				names[s.Containers[0].Name] = true
			}
		}
	} else {
		for _, c := range s.Containers {
			if b := o.boxes[c.Name]; b != nil && len(b.cpu) > 0 {
				w.box(x, b, spread)
				names[c.Name] = true
			}
		}
	}
	for _, c := range s.Containers {
		if !names[c.Name] {
			x.fixed += float64(c.CPU)
		}
	}
	return x.finish()
}

// box adds one container's use, or that of the whole copy.
func (w *window) box(x *tail, b *box, spread float64) {
	cells := make([]cell, w.n)
	shift := int64(0)
	if last := lastOf(b.cpu); last < w.from {
		shift = (w.from - last + week - 1) / week * week
	}
	for _, s := range b.cpu {
		n := 1.0
		if s.Copy == "" {
			n = x.copies
		}
		w.pour(cells, s, shift, spread/n)
	}
	sums := len(b.cpu) > 0 && b.cpu[0].Copy == ""
	if x.bins == nil {
		x.bins = make([]float32, w.n)
	}
	filled := fill(cells, w.width)
	within, between, seen := 0.0, 0.0, 0.0
	for i, v := range filled {
		x.bins[i] += float32(v)
		if c := cells[i]; c.n > 0 {
			seen++
			if c.times > 0 {
				within += c.within / c.times
			}
			if c.n > 1 {
				between += max(c.squares/c.n-v*v, 0) * c.n / (c.n - 1)
			}
		}
	}
	x.level += levelDrift*levelDrift*w.spread(filled) + within/max(seen, 1)
	if sums {
		// What jumps from bin to bin in a mean of n copies jumps n times as
		// much, as a variance, in each of them.
		x.own += jumps(filled) * x.copies
	} else {
		x.own += between / max(seen, 1)
	}
}

// spread is the variance of values about those that are usual at their time of
// the day; with less than two days to compare, about their mean.
func (w *window) spread(v []float64) float64 {
	n := float64(len(v))
	mean, total := 0.0, 0.0
	for _, x := range v {
		mean += x / n
	}
	for _, x := range v {
		total += (x - mean) * (x - mean) / n
	}
	slots := int((day + w.width - 1) / w.width)
	days := n / float64(slots)
	if slots < 4 || days < 2 {
		return total
	}
	sum, count := make([]float64, slots), make([]float64, slots)
	slot := func(i int) int { return int((w.from + int64(i)*w.width) % day / w.width) }
	for i, x := range v {
		k := slot(i)
		sum[k] += x
		count[k]++
	}
	apart := 0.0
	for i, x := range v {
		k := slot(i)
		d := x - sum[k]/count[k]
		apart += d * d / n
	}
	return min(apart*days/(days-1), total)
}

// pour puts a series into the cells.
func (w *window) pour(cells []cell, s *usage.Series, shift int64, scale float64) {
	at, n, sum, squares := -1, 0.0, 0.0, 0.0
	flush := func() {
		if at < 0 {
			return
		}
		c, m := &cells[at], sum/n
		c.n++
		c.sum += m
		c.squares += m * m
		c.within += max(squares/n-m*m, 0)
		c.times++
	}
	for _, p := range s.Points {
		b, ok := w.bin(p.At + shift)
		if !ok {
			continue
		}
		if b != at {
			flush()
			at, n, sum, squares = b, 0, 0, 0
		}
		v := p.Value * scale
		n, sum, squares = n+1, sum+v, squares+v*v
	}
	flush()
}

func lastOf(all []*usage.Series) int64 {
	last := int64(0)
	for _, s := range all {
		last = max(last, s.Points[len(s.Points)-1].At)
	}
	return last
}

// fill gives each bin a value: its own, or that of the same time on the
// nearest day that has one, or the mean of all.
func fill(cells []cell, width int64) []float64 {
	out := make([]float64, len(cells))
	mean, n := 0.0, 0.0
	for i, c := range cells {
		if c.n > 0 {
			out[i] = c.sum / c.n
			mean, n = mean+out[i], n+1
		}
	}
	mean /= max(n, 1)
	for i, c := range cells {
		if c.n > 0 {
			continue
		}
		out[i] = mean
		for k := 1; k <= int(longest/day); k++ {
			by := int((int64(k)*day + width/2) / width)
			if by == 0 || i-by < 0 && i+by >= len(cells) {
				break
			}
			if j := i - by; j >= 0 && cells[j].n > 0 {
				out[i] = cells[j].sum / cells[j].n
				break
			}
			if j := i + by; j < len(cells) && cells[j].n > 0 {
				out[i] = cells[j].sum / cells[j].n
				break
			}
		}
	}
	return out
}

// jumps is the variance of what changes from one bin to the next and is gone
// in the one after.
func jumps(v []float64) float64 {
	if len(v) < 3 {
		return 0
	}
	total := 0.0
	for i := 2; i < len(v); i++ {
		d := v[i] - 2*v[i-1] + v[i-2]
		total += d * d
	}
	return total / float64(len(v)-2) / 6
}

func (x *tail) finish() *tail {
	for _, v := range x.bins {
		x.mean += float64(v) / float64(len(x.bins))
	}
	return x
}
