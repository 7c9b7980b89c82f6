package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
)

// What is drawn of a large plan at most.
const (
	mostMachines = 40 // on each side
	mostFailures = 60 // in the table and to select
	mostMoves    = 40 // of one failure, in the table
	groupFills   = 7  // groups with a fill of their own
)

// The packing's measures.
const (
	packLeft  px = 128
	packRight px = 540
	packStep  px = 32
	packBar   px = 24
)

// A packing is today's machines beside tomorrow's nodes.
type packing struct {
	None     bool // no nodes were chosen
	NoToday  bool // no machines were seen
	Pictures []picture
	Legend   []legend
	Pools    []poolRow
	StandIns bool // some pool has further types
	Nodes    []nodeRow
	Hosts    []hostRow
	Failures []failure
	Cap      []string // what is left out, and where it is to be had
	Replay   replay
}

// A picture is one dimension: "cpu" or "memory".
type picture struct {
	ID, Name      string
	Before, After []machine
	HeightBefore  px
	HeightAfter   px
	WidthBefore   px
	WidthAfter    px
}

// A machine is a row of blocks.
type machine struct {
	ID, To    string
	Name, Sub string
	Tip       string
	Y, Text   px
	SubText   px
	Left      px
	Width     px // of all that it has
	End       px // of the blocks
	Blocks    []block
}

type block struct {
	X, Width px
	Fill     string // of the group
	Label    string
	Tip, To  string
}

type legend struct{ Fill, Name string }

// A dimension gives what a picture shows of an amount.
type dimension struct {
	id, name string
	of       func(plan.Amount) float64
	text     func(plan.Amount) string
}

func dimensions() []dimension {
	return []dimension{
		{"cpu", "CPU", func(a plan.Amount) float64 { return float64(a.CPU) }, func(a plan.Amount) string { return a.CPU.String() + " CPU" }},
		{"memory", "memory", func(a plan.Amount) float64 { return float64(a.Memory) }, func(a plan.Amount) string { return size(a.Memory) }},
	}
}

// A box is a machine before it is drawn.
type box struct {
	id, to, name, sub string
	has               plan.Amount
	loads             []load
	rest              plan.Amount // promised to what is not shown by name
	restName          string
}

// A load is copies of one workload on a machine.
type load struct {
	workload estate.Name
	count    int
	each     plan.Amount
}

func newPacking(p *plan.Plan, at *places) packing {
	out := packing{None: len(p.Nodes) == 0, NoToday: len(p.Estate.Hosts) == 0}
	out.Pools = poolRows(p, at)
	out.StandIns = slices.ContainsFunc(out.Pools, func(r poolRow) bool { return len(r.Alternatives) > 0 })
	if out.None {
		return out
	}
	after, more := nodeBoxes(p, at)
	if more > 0 {
		out.Cap = append(out.Cap, fmt.Sprintf("%d more nodes are not drawn: tranship explain pool NAME --plan plan.json lists all of a pool.", more))
	}
	before, more, unknown := hostBoxes(p, at)
	if more > 0 {
		out.Cap = append(out.Cap, fmt.Sprintf("%d more machines of today are not drawn: the estate has them all.", more))
	}
	if unknown > 0 {
		out.Cap = append(out.Cap, fmt.Sprintf("Of %s the snapshot did not say on which machine they run: they are drawn as promised to others.", plural(unknown, "running copy")))
	}
	fills := newFills(p, after, before)
	out.Legend = fills.legend
	scales := make([]float64, 2)
	for i, d := range dimensions() {
		most := 0.0
		for _, b := range append(slices.Clone(after), before...) {
			most = max(most, d.of(b.has), b.used(d))
		}
		if most > 0 {
			scales[i] = float64(packRight-packLeft) / most
		}
		pic := picture{ID: d.id, Name: d.name, WidthBefore: packRight + 8, WidthAfter: packRight + 8}
		pic.Before, pic.HeightBefore = draw(before, d, scales[i], fills, at)
		pic.After, pic.HeightAfter = draw(after, d, scales[i], fills, at)
		out.Pictures = append(out.Pictures, pic)
	}
	out.Nodes = nodeRows(p, after, at)
	out.Hosts = hostRows(p, before, at)
	out.failures(p, after, scales, fills, at)
	return out
}

// used sums what its blocks ask for: machines of today can be promised twice.
func (b *box) used(d dimension) float64 {
	sum := d.of(b.rest)
	for _, l := range b.loads {
		sum += d.of(l.each) * float64(l.count)
	}
	return sum
}

// draw lays the blocks of each machine out, at one scale for both sides.
func draw(boxes []box, d dimension, scale float64, f *fills, at *places) ([]machine, px) {
	var out []machine
	for i, b := range boxes {
		m := machine{
			ID: b.id, To: b.to, Name: fits(b.name, packLeft-6, 6.6), Sub: fits(b.sub, packLeft-6, 5.4), Y: packStep*px(i) + 2,
			Left: packLeft, Width: px(d.of(b.has) * scale), End: packLeft,
		}
		m.Text, m.SubText = m.Y+10, m.Y+22
		for _, l := range b.loads {
			amount := plan.Amount{CPU: l.each.CPU * unit.CPU(l.count), Memory: l.each.Memory * unit.Bytes(l.count)}
			w := px(d.of(amount) * scale)
			name := string(l.workload)
			m.Blocks = append(m.Blocks, block{
				X: m.End, Width: max(w-1, 0.5), Fill: f.of(l.workload), To: at.of(l.workload),
				Label: fits(shortName(name, l.count), w-6, 5.9), Tip: fmt.Sprintf("%s × %d: %s", name, l.count, d.text(amount)),
			})
			m.End += w
		}
		if v := d.of(b.rest); v > 0 {
			w := px(v * scale)
			m.Blocks = append(m.Blocks, block{
				X: m.End, Width: max(w-1, 0.5), Fill: "fx", To: b.to, Label: fits(b.restName, w-6, 5.9),
				Tip: b.restName + ": " + d.text(b.rest),
			})
			m.End += w
		}
		full := 0.0
		if d.of(b.has) > 0 {
			full = 100 * b.used(d) / d.of(b.has)
		}
		m.Tip = fmt.Sprintf("%s, %s: %s, %.0f %% asked for", b.name, b.sub, d.text(b.has), full)
		out = append(out, m)
	}
	return out, packStep*px(len(boxes)) + 4
}

func shortName(name string, count int) string {
	if i := strings.LastIndexByte(name, '/'); i >= 0 {
		name = name[i+1:]
	}
	if count > 1 {
		name += fmt.Sprintf(" ×%d", count)
	}
	return name
}

// fills give each group of workloads a colour with a pattern: the largest
// groups have their own.
type fills struct {
	group  map[estate.Name]string
	fill   map[string]string
	legend []legend
}

func newFills(p *plan.Plan, sides ...[]box) *fills {
	f := &fills{group: map[estate.Name]string{}, fill: map[string]string{}}
	for i := range p.Estate.Workloads {
		w := &p.Estate.Workloads[i]
		f.group[w.ID] = cmp.Or(string(w.Group), groupOf(w.ID))
	}
	names := f.names(sides)
	others := 0
	for i, g := range names {
		if i >= groupFills && len(names) > groupFills+1 {
			f.fill[g] = id("f", groupFills+1)
			others++
			continue
		}
		f.fill[g] = id("f", i+1)
		f.legend = append(f.legend, legend{Fill: f.fill[g], Name: g})
	}
	if others > 0 {
		f.legend = append(f.legend, legend{Fill: id("f", groupFills+1), Name: plural(others, "other group")})
	}
	f.legend = append(f.legend, legend{Fill: "fx", Name: "the system, and what is promised to others"})
	return f
}

// names gives the groups, the largest first, at the deepest level at which most
// of what is drawn has a fill of its own.
func (f *fills) names(sides [][]box) []string {
	const deepest, most = 6, 0.7
	full := f.group
	var best []string
	for depth := deepest; depth > 0; depth-- {
		weight := map[string]float64{}
		cut := make(map[estate.Name]string, len(full))
		for w, g := range full {
			cut[w] = upTo(g, depth)
		}
		total := 0.0
		for _, side := range sides {
			for _, b := range side {
				for _, l := range b.loads {
					x := float64(l.count) * (float64(l.each.CPU)/1000 + float64(l.each.Memory)/float64(4*unit.GiB))
					weight[cut[l.workload]] += x
					total += x
				}
			}
		}
		names := slices.SortedFunc(maps.Keys(weight), func(a, b string) int {
			return cmp.Or(cmp.Compare(weight[b], weight[a]), strings.Compare(a, b))
		})
		own := 0.0
		for _, g := range names[:min(len(names), groupFills)] {
			own += weight[g]
		}
		if best == nil || own >= most*total {
			f.group, best = cut, names
		}
		if own >= most*total {
			break
		}
	}
	return best
}

// upTo gives the first segments of a path.
func upTo(path string, depth int) string {
	for i, r := range path {
		if r == '/' && i > 0 {
			if depth--; depth == 0 {
				return path[:i]
			}
		}
	}
	return path
}

func (f *fills) of(w estate.Name) string { return cmp.Or(f.fill[f.group[w]], id("f", groupFills+1)) }
