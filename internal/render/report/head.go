package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
)

// places are where on the page the reasons of things stand.
type places struct {
	rows     map[estate.Name]string // of the workloads' table
	sizes    map[estate.Name]string
	pools    map[plan.PoolName]string
	nodes    map[string]string
	hosts    map[string]string
	failures map[string]string
}

func newPlaces(p *plan.Plan) *places {
	at := &places{
		rows: map[estate.Name]string{}, sizes: map[estate.Name]string{}, pools: map[plan.PoolName]string{},
		nodes: map[string]string{}, hosts: map[string]string{}, failures: map[string]string{},
	}
	moved := 0
	for i := range p.Estate.Workloads {
		w := &p.Estate.Workloads[i]
		if plan.Moves(w, &p.Policy) {
			if moved++; moved > mostRows {
				continue
			}
		}
		at.rows[w.ID] = id("w", i+1)
	}
	return at
}

// of gives where a workload's size is explained.
func (at *places) of(w estate.Name) string {
	return cmp.Or(at.sizes[w], at.rows[w], "workloads")
}

// A headline is a figure at the top of the page.
type headline struct {
	Figures []figure // one, or before and after
	Label   string
	Note    figure
	Mark    string // "estimate"
}

// A reason says how a figure came about that has no row of its own.
type reason struct{ ID, Title, Why string }

// A head is the top of the page with the reasons of its figures.
type head struct {
	Plan, Moves []headline
	Reasons     []reason
	// NoPrices, NoUsage say what is missing.
	NoPrices, NoUsage bool
}

func (h *head) why(name, title, format string, args ...any) string {
	place := "why-" + name
	h.Reasons = append(h.Reasons, reason{place, title, fmt.Sprintf(format, args...)})
	return place
}

func newHead(p *plan.Plan, v *view) head {
	h := head{NoPrices: p.Prices.Date == "" && len(p.Nodes) == 0, NoUsage: v.Sizing.None}
	h.nodes(p)
	h.bill(&p.Bill)
	h.survival(p)
	h.sources(p, v)
	h.moves(p, v)
	return h
}

// machines counts today's: what the bill is for, else what was seen.
func machines(p *plan.Plan) (n int, why string) {
	for _, h := range p.Policy.Spec.Costs.Hosts {
		n += h.Count
	}
	if n > 0 {
		return n, "from spec.costs.hosts in tranship.yaml"
	}
	return len(p.Estate.Hosts), "as the snapshot has them"
}

func (h *head) nodes(p *plan.Plan) {
	before, from := machines(p)
	after := len(p.Nodes)
	var parts []string
	for _, x := range p.Pools {
		if x.Nodes > 0 {
			parts = append(parts, fmt.Sprintf("%d × %s (%s)", x.Nodes, x.Type, cmp.Or(x.Why, x.Reason.Meaning())))
		}
	}
	if after == 0 {
		return
	}
	place := h.why("nodes", "nodes", "Today %s, %s. Tomorrow %s: %s.", plural(before, "machine"), from, plural(after, "node"), strings.Join(parts, "; "))
	h.Plan = append(h.Plan, headline{Figures: []figure{{place, fmt.Sprint(before)}, {place, fmt.Sprint(after)}}, Label: "machines, then nodes"})
}

func (h *head) bill(b *plan.Bill) {
	if len(b.Levers) == 0 {
		return // no saving is claimed: a side is not known
	}
	before, after := total(b.Today), total(b.Tomorrow)
	h.Plan = append(h.Plan, headline{
		Figures: []figure{{"sum-today", dollars(before)}, {"sum-tomorrow", dollars(after)}}, Label: "a month",
	})
	why := fmt.Sprintf("Today's bill of %s less tomorrow's of %s is %s a month, %s of today's.", dollars(before), dollars(after), dollars(before-after), percent(b.Saving))
	if b.Saving < 0 {
		why = fmt.Sprintf("Tomorrow's bill of %s less today's of %s is %s a month, %s of today's.", dollars(after), dollars(before), dollars(after-before), percent(-b.Saving))
	}
	if b.Wished > 0 {
		why += fmt.Sprintf(" Wished were %s.", percent(b.Wished))
	}
	why += fmt.Sprintf(" The most that can be saved is %s, with the nodes at their proven bound.", percent(b.Reachable))
	if len(b.Short) > 0 {
		why += " What would have to give: " + strings.Join(b.Short, "; ") + "."
	}
	place := h.why("saving", "saving", "%s", why)
	x := headline{Figures: []figure{{place, percent(b.Saving)}}, Label: "saved"}
	if b.Saving < 0 {
		x = headline{Figures: []figure{{place, percent(-b.Saving)}}, Label: "dearer"}
	}
	if b.Wished > 0 {
		x.Note = figure{place, "wished " + percent(b.Wished)}
	}
	h.Plan = append(h.Plan, x)
	if b.BreakEven == "" && (after < before || b.Dual == 0) {
		return
	}
	place = h.why("break-even", "break-even", "Running both worlds for %s months costs %s; the saving of %s a month has paid for it %s.",
		number(b.DualMonths), dollars(b.Dual), dollars(before-after), cmp.Or(on(b.BreakEven), "never"))
	h.Plan = append(h.Plan, headline{
		Figures: []figure{{place, cmp.Or(b.BreakEven, "never")}}, Label: "break-even",
		Note: figure{place, dollars(b.Dual) + " for both worlds"},
	})
}

func on(day string) string {
	if day == "" {
		return ""
	}
	return "on " + day
}

// lossOf says a level of survival in words.
func lossOf(l plan.SurvivalLevel) string {
	switch l {
	case plan.SurviveNode:
		return "any one node"
	case plan.SurviveZone:
		return "any one zone"
	}
	return "no loss"
}

func (h *head) survival(p *plan.Plan) {
	s := &p.Survival
	if s.Cost == 0 && s.Level == "" {
		return
	}
	copies, stranded := 0, 0
	for _, f := range s.Failures {
		for _, m := range f.Moves {
			copies += m.Count
		}
		for _, c := range f.Stranded {
			stranded += c.Count
		}
	}
	why := "Nothing was failed: the policy asks for none."
	if len(s.Failures) > 0 {
		why = fmt.Sprintf("Proven by failing each of %d: %s were placed anew on the rest, %s found no room. It costs %s an hour, %s a month, over the same plan without it.",
			len(s.Failures), plural(copies, "copy"), cmp.Or(strings.Replace(fmt.Sprint(stranded), "0", "none", 1), "none"), s.Price.Exact(), dollars(s.Price.Month()))
		if stranded > 0 {
			why = strings.Replace(why, "none found", fmt.Sprint(stranded)+" found", 1)
		}
	}
	if s.Preempted > 0 {
		why += fmt.Sprintf(" So that large copies find room, a loss makes at most %s start again elsewhere (spec.target.priorities).", plural(s.Preempted, "small copy"))
	}
	if s.Restored {
		why += " Once the node is back, what the loss has moved is to be started anew, so that the next loss finds the room again."
	}
	if s.Reached != s.Level {
		why += fmt.Sprintf(" The policy asks for %s; what was reached is %s.", lossOf(s.Level), lossOf(s.Reached))
	}
	if s.Replay > 0 {
		why += fmt.Sprintf(" That the cluster's own scheduler places the pods costs %s an hour over the pure packing.", s.Replay.Exact())
	}
	place := h.why("survival", "survival", "%s", why)
	h.Plan = append(h.Plan, headline{
		Figures: []figure{{place, lossOf(s.Reached)}}, Label: "may be lost", Note: figure{place, signed(s.Price.Month()) + " a month"},
	})
	if s.Bound == 0 {
		return
	}
	why = fmt.Sprintf("The nodes cost %s an hour. No choice of the allowed types that holds all requests with this survival costs less than %s: proven, whatever the search. The distance is %s. Without survival the bound is %s.",
		s.Cost.Exact(), s.Bound.Exact(), percent(s.Gap), s.BoundWithout.Exact())
	if s.CutShort {
		why += " The search was cut short by the clock: the same input may give another plan on another machine."
	}
	place = h.why("bound", "lower bound", "%s", why)
	h.Plan = append(h.Plan, headline{
		Figures: []figure{{place, percent(s.Gap)}}, Label: "above the lower bound", Note: figure{place, s.Cost.Exact() + " an hour, bound " + s.Bound.Exact()},
	})
}

func (h *head) sources(p *plan.Plan, v *view) {
	if p.Prices.Date != "" {
		why := fmt.Sprintf("List prices of %s on %s: %s.", p.Prices.Region, p.Prices.Date, cmp.Or(p.Prices.Source, "source not told"))
		mark := ""
		if p.Prices.Estimated {
			mark = "estimate"
			why += " They are an estimate: another region's prices times a factor. tranship prices import reads the region's own."
		}
		place := h.why("prices", "prices", "%s", why)
		h.Plan = append(h.Plan, headline{Figures: []figure{{place, p.Prices.Date}}, Label: "prices of", Note: figure{place, p.Prices.Region}, Mark: mark})
	}
	if len(p.Usage) == 0 {
		return
	}
	from, to := p.Usage[0].From, p.Usage[0].To
	points := 0
	var formats []string
	for _, u := range p.Usage {
		from, to = min(from, u.From), max(to, u.To)
		points += u.Points
		if !slices.Contains(formats, u.Format) {
			formats = append(formats, u.Format)
		}
	}
	day := func(s string) string { return s[:min(len(s), len("2006-01-02"))] }
	place := h.why("usage", "usage", "%s (%s) with %d points from %s to %s. %s", plural(len(p.Usage), "file"), strings.Join(formats, ", "), points, from, to, measured(v.Sizing.Rows))
	h.Plan = append(h.Plan, headline{
		Figures: []figure{{place, day(from) + " – " + day(to)}}, Label: "usage seen", Note: figure{place, plural(len(p.Usage), "file") + ", " + strings.Join(formats, ", ")},
	})
}

func measured(rows []sizeRow) string {
	n := 0
	for _, r := range rows {
		if r.High != "" {
			n++
		}
	}
	return fmt.Sprintf("Of %s shown, %d were measured; the rest keep what they declared.", plural(len(rows), "container"), n)
}

// moves are the figures of what moves.
func (h *head) moves(p *plan.Plan, v *view) {
	add := func(place, text, label string) {
		h.Moves = append(h.Moves, headline{Figures: []figure{{place, text}}, Label: label})
	}
	var cpu unit.CPU
	var memory unit.Bytes
	for i := range p.Sizes {
		for _, c := range p.Sizes[i].Containers {
			cpu += c.CPU * unit.CPU(p.Sizes[i].Replicas)
			memory += c.Memory * unit.Bytes(p.Sizes[i].Replicas)
		}
	}
	sum := "summed over the containers of all copies; each row of the table has its own reason"
	add(h.why("moved", "workloads that move", "All workloads of the estate but %d that an operator or the platform replaces, or that the policy leaves out.", len(v.Replaced)), fmt.Sprint(v.MovedAll), "workloads move")
	add(h.why("copies", "copies", "The copies of the workloads that move, summed; each row of the table has its own reason."), fmt.Sprint(v.Copies), "copies")
	add(h.why("cpu", "CPU requested", "CPU in cores, %s.", sum), cores(cpu), "cores requested")
	add(h.why("memory", "memory requested", "Memory, %s.", sum), size(memory), "memory requested")
	add(h.why("replaced", "replaced", "Frameworks and infrastructure of the old platform, and what spec.workloads.ID.skip names: listed with what takes their place."), fmt.Sprint(len(v.Replaced)), "are replaced")
	if n, from := machines(p); len(p.Nodes) == 0 {
		add(h.why("machines", "machines today", "%s, %s.", plural(n, "machine"), from), fmt.Sprint(n), "machines today")
	}
	add(h.why("open", "open questions", "Fields that need a decision which tranship.yaml does not answer yet, counted by kind: listed under decisions."), fmt.Sprint(len(v.Questions)), "open questions")
	add(h.why("waves", "waves", "In the order that the dependencies and the risk allow; each wave has its own reason on the board."), fmt.Sprint(len(p.Waves)), "waves")
}
