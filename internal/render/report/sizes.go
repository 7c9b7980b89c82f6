package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
)

// mostSizes bounds the containers in the picture and its table: the largest.
const mostSizes = 600

// The scatter's measures.
const (
	dotsLeft   px = 66
	dotsRight  px = 526
	dotsTop    px = 14
	dotsBottom px = 366
)

// A sizing is the requests beside what was declared.
type sizing struct {
	None     bool // nothing was measured
	Pictures []scatter
	Rows     []sizeRow
	More     int // containers that are left out
	Sources  []sourceRow
	Sums     []note
}

type sourceRow struct{ ID, File, Format, From, To, Series, Points, Why string }

// A scatter shows one dimension: declared across, sized up.
type scatter struct {
	Name                     string
	X, Y                     []tick
	Dots                     []dot
	Left, Right, Top, Bottom px
}

// A dot is the containers at one place.
type dot struct {
	X, Y       px
	R          px
	Shape, Tip string
	To         string
}

type sizeRow struct {
	ID, Workload, Container, Copies string
	WasCPU, CPU, WasMemory, Memory  string
	High, Peak, Kills               string
	Reason                          plan.Reason
	Why                             string
	was, is                         plan.Amount
	shape                           string
}

func newSizing(p *plan.Plan, at *places) sizing {
	out := sizing{None: len(p.Usage) == 0}
	for i, u := range p.Usage {
		out.Sources = append(out.Sources, sourceRow{
			ID: id("usage", i+1), File: u.File, Format: u.Format, From: u.From, To: u.To,
			Series: fmt.Sprint(u.Series), Points: fmt.Sprint(u.Points), Why: "read by plan --usage",
		})
	}
	var rows []sizeRow
	var weights []float64
	var was, is plan.Amount
	for _, s := range p.Sizes {
		for _, c := range s.Containers {
			if c.Used != nil || c.Declared != nil {
				out.None = false
			}
			r := newSizeRow(&s, &c)
			n := unit.CPU(s.Replicas)
			was.CPU, is.CPU = was.CPU+r.was.CPU*n, is.CPU+r.is.CPU*n
			was.Memory, is.Memory = was.Memory+r.was.Memory*unit.Bytes(n), is.Memory+r.is.Memory*unit.Bytes(n)
			rows = append(rows, r)
			// A core weighs as much as four gigabytes, as on usual machines.
			weights = append(weights, float64(s.Replicas)*(float64(max(r.was.CPU, r.is.CPU))/1000+float64(max(r.was.Memory, r.is.Memory))/float64(4*unit.GiB)))
		}
	}
	if out.None {
		return out
	}
	out.Sums = sums(was, is)
	rows, out.More = largest(rows, weights, mostSizes)
	for i := range rows {
		rows[i].ID = id("size", i+1)
		name := estate.Name(rows[i].Workload)
		if at.sizes[name] == "" {
			at.sizes[name] = rows[i].ID
		}
	}
	out.Rows = rows
	out.Pictures = []scatter{
		newScatter("CPU", rows, 10, "10m 100m 1 10 100", 10, func(a plan.Amount) float64 { return float64(a.CPU) }),
		newScatter("memory", rows, float64(16*unit.MiB), "16Mi 64Mi 256Mi 1Gi 4Gi 16Gi 64Gi 256Gi", 4, func(a plan.Amount) float64 { return float64(a.Memory) }),
	}
	return out
}

// largest keeps the most that weigh most, in their order.
func largest[T any](in []T, weight []float64, most int) (kept []T, more int) {
	if len(in) <= most {
		return in, 0
	}
	order := make([]int, len(in))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(weight[b], weight[a]) })
	order = order[:most]
	slices.Sort(order)
	for _, i := range order {
		kept = append(kept, in[i])
	}
	return kept, len(in) - most
}

func newSizeRow(s *plan.Size, c *plan.ContainerSize) sizeRow {
	r := sizeRow{
		Workload: string(s.Workload), Container: c.Name, Copies: fmt.Sprint(s.Replicas),
		is: plan.Amount{CPU: c.CPU, Memory: c.Memory}, Reason: cmp.Or(c.Reason, s.Reason),
	}
	r.Why = cmp.Or(c.Why, s.Why, r.Reason.Meaning())
	if c.Why != "" && s.Why != "" && s.Why != c.Why {
		r.Why = c.Why + "; copies: " + s.Why
	}
	if s.Scale != nil {
		r.Why += fmt.Sprintf("; scales from %d to %d copies, room for %d", s.Scale.Min, s.Scale.Max, s.Scale.Planned)
		if s.Scale.Why != "" {
			r.Why += " (" + s.Scale.Why + ")"
		}
	}
	r.was = r.is
	if c.Declared != nil {
		r.was = *c.Declared
	}
	r.WasCPU, r.CPU = r.was.CPU.String(), r.is.CPU.String()
	r.WasMemory, r.Memory = size(r.was.Memory), size(r.is.Memory)
	if u := c.Used; u != nil {
		r.High, r.Peak = u.CPUHigh.String(), size(u.MemoryPeak)
		if u.OOMKills > 0 {
			r.Kills = fmt.Sprint(u.OOMKills)
		}
	}
	switch r.Reason {
	case plan.FromUsage, plan.AtFloor:
		r.shape = "round"
	case plan.FromOOM, plan.HeapFloor:
		r.shape = "up"
	default:
		r.shape = "square"
	}
	return r
}

func sums(was, is plan.Amount) []note {
	change := func(was, is float64) string {
		if was <= 0 {
			return ""
		}
		return fmt.Sprintf(" (%+.0f %%)", 100*(is/was-1))
	}
	return []note{
		{ID: "why-sized-cpu", Name: "CPU of all copies", Text: cores(was.CPU) + " → " + cores(is.CPU) + change(float64(was.CPU), float64(is.CPU)), Why: "cores declared and requested, summed over all containers times their copies"},
		{ID: "why-sized-memory", Name: "memory of all copies", Text: size(was.Memory) + " → " + size(is.Memory) + change(float64(was.Memory), float64(is.Memory)), Why: "memory declared and requested, summed in the same way"},
	}
}

func newScatter(name string, rows []sizeRow, least float64, labels string, by float64, of func(plan.Amount) float64) scatter {
	low, high := math.Inf(1), 0.0
	for _, r := range rows {
		for _, v := range []float64{of(r.was), of(r.is)} {
			if v > 0 {
				low, high = math.Min(low, v), math.Max(high, v)
			}
		}
	}
	s := scatter{Name: name, Left: dotsLeft, Right: dotsRight, Top: dotsTop, Bottom: dotsBottom}
	if high <= 0 {
		low, high = least, least*by
	}
	// From the tick below the least to the tick above the most.
	from := least * math.Pow(by, math.Floor(math.Log(low/least)/math.Log(by)+1e-9))
	to := least * math.Pow(by, math.Ceil(math.Log(high/least)/math.Log(by)-1e-9))
	if to <= from {
		to = from * by
	}
	place := func(v float64) float64 {
		return math.Log(math.Max(v, from)/from) / math.Log(to/from)
	}
	across := func(v float64) px { return dotsLeft + (dotsRight-dotsLeft)*px(place(v)) }
	up := func(v float64) px { return dotsBottom - (dotsBottom-dotsTop)*px(place(v)) }
	for i, text := range strings.Fields(labels) {
		v := least * math.Pow(by, float64(i))
		if v >= from/1.001 && v <= to*1.001 {
			s.X = append(s.X, tick{across(v), text})
			s.Y = append(s.Y, tick{up(v), text})
		}
	}
	type spot struct {
		x, y  string
		shape string
	}
	found := map[spot]int{}
	count := []int{}
	for _, r := range rows {
		d := dot{X: across(of(r.was)), Y: up(of(r.is)), Shape: r.shape, To: r.ID}
		was, is := r.WasCPU, r.CPU
		if name != "CPU" {
			was, is = r.WasMemory, r.Memory
		}
		tip := fmt.Sprintf("%s %s: %s declared, %s asked for; %s", r.Workload, r.Container, was, is, r.Reason)
		k := spot{d.X.String(), d.Y.String(), d.Shape}
		if i, ok := found[k]; ok {
			count[i]++
			if count[i] <= 4 {
				s.Dots[i].Tip += "\n" + tip
			}
			continue
		}
		found[k] = len(s.Dots)
		d.Tip = tip
		s.Dots, count = append(s.Dots, d), append(count, 1)
	}
	for i := range s.Dots {
		s.Dots[i].R = px(4 + math.Log2(float64(count[i])))
		if count[i] > 4 {
			s.Dots[i].Tip += fmt.Sprintf("\nand %d more", count[i]-4)
		}
	}
	return s
}
