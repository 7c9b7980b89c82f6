package explain

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
)

// A Wave is why a wave is when it is, and what it changes.
type Wave struct {
	Wave plan.Wave `json:"wave"`
	// Waits are needs of its workloads that earlier waves move.
	Waits []Wait `json:"waits"`
	// Before and After are what both worlds cost a day, on the day before the
	// wave begins and on that after it has ended.
	Before *plan.SpendDay `json:"before,omitempty"`
	After  *plan.SpendDay `json:"after,omitempty"`
}

// A Wait is a need that an earlier wave moves.
type Wait struct {
	Workload estate.Name `json:"workload"`
	Needs    estate.Name `json:"needs"`
	Wave     int         `json:"wave"`
}

// OfWave explains one wave, by its number.
func OfWave(p *plan.Plan, name string) (Wave, error) {
	n, err := strconv.Atoi(name)
	at := -1
	for i := range p.Waves {
		if p.Waves[i].Number == n && err == nil {
			at = i
		}
	}
	if at < 0 {
		first, last := 0, 0
		if len(p.Waves) > 0 {
			first, last = p.Waves[0].Number, p.Waves[len(p.Waves)-1].Number
		}
		return Wave{}, fmt.Errorf("no wave %s in the plan: it has %d to %d; all are listed by: tranship explain wave --plan plan.json", name, first, last)
	}
	out := Wave{Wave: p.Waves[at], Waits: []Wait{}}
	in := map[estate.Name]int{}
	for _, w := range p.Waves {
		for _, g := range w.Groups {
			for _, id := range g.Workloads {
				in[id] = w.Number
			}
		}
	}
	for _, d := range p.Estate.Dependencies {
		wait := Wait{Workload: d.From, Needs: d.To, Wave: in[d.To]}
		if in[d.From] == n && wait.Wave > 0 && wait.Wave < n && !slices.Contains(out.Waits, wait) {
			out.Waits = append(out.Waits, wait)
		}
	}
	for i := range p.Bill.Spend {
		d := &p.Bill.Spend[i]
		switch {
		case out.Wave.Start != "" && d.Date < out.Wave.Start:
			out.Before = d
		case out.Wave.End != "" && d.Date > out.Wave.End && out.After == nil:
			out.After = d
		}
	}
	return out, nil
}

// Print writes the answer for people.
func (a Wave) Print(w io.Writer) error {
	p := &printer{w: w}
	x := &a.Wave
	head := fmt.Sprintf("wave %d", x.Number)
	if x.Pilot {
		head += ", the pilot"
	}
	if x.Start != "" {
		head += fmt.Sprintf(": %s to %s", x.Start, x.End)
	}
	p.line("%s", head)
	p.line("  %s", because(x.Reason, x.Why))
	p.line("")
	rows := [][]string{{"GROUP", "BATCH", "MODE", "RISK", "WORKLOADS", "WHY"}}
	for i, g := range x.Groups {
		batch := ""
		for b, groups := range x.Batches {
			if slices.Contains(groups, i) {
				batch = fmt.Sprint(b + 1)
			}
		}
		var names []string
		for _, id := range g.Workloads {
			names = append(names, string(id))
		}
		why := because(g.Reason, g.Why)
		if len(g.Risks) > 0 {
			why += "; risk: " + strings.Join(g.Risks, ", ")
		}
		const most = 4
		line := strings.Join(names[:min(len(names), most)], " ")
		if more := len(names) - most; more > 0 {
			line += fmt.Sprintf(" and %d more", more)
		}
		rows = append(rows, []string{fmt.Sprint(i + 1), batch, string(g.Mode), fmt.Sprint(g.Risk), line, why})
	}
	p.columns(rows...)
	if len(a.Waits) > 0 {
		p.line("")
		rows = [][]string{{"WORKLOAD", "WAITS FOR", "OF WAVE"}}
		for _, n := range a.Waits {
			rows = append(rows, []string{string(n.Workload), string(n.Needs), fmt.Sprint(n.Wave)})
		}
		p.columns(rows...)
	}
	if len(x.Free) > 0 {
		p.line("")
		p.line("then %s can be drained and stopped: %s", counted(len(x.Free), "machine"), strings.Join(x.Free, " "))
	}
	if a.Before != nil && a.After != nil {
		p.line("a day costs %s before (source %s, target %s) and %s after (source %s, target %s)",
			a.Before.Source+a.Before.Target, a.Before.Source, a.Before.Target, a.After.Source+a.After.Target, a.After.Source, a.After.Target)
	}
	return p.err
}

// Waves lists the waves.
type Waves []WaveLine

// A WaveLine is one wave of the list.
type WaveLine struct {
	Number    int         `json:"number"`
	Pilot     bool        `json:"pilot,omitempty"`
	Start     string      `json:"start,omitempty"`
	End       string      `json:"end,omitempty"`
	Groups    int         `json:"groups"`
	Workloads int         `json:"workloads"`
	Risk      int         `json:"risk"` // the highest of its groups
	Free      int         `json:"free"` // machines that can be stopped then
	Reason    plan.Reason `json:"reason"`
	Why       string      `json:"why,omitempty"`
	// Day is what both worlds cost on the day after its end.
	Day *unit.Money `json:"day,omitempty"`
}

// OfWaves lists the waves.
func OfWaves(p *plan.Plan) Waves {
	out := Waves{}
	for _, w := range p.Waves {
		x := WaveLine{Number: w.Number, Pilot: w.Pilot, Start: w.Start, End: w.End, Groups: len(w.Groups), Free: len(w.Free), Reason: w.Reason, Why: w.Why}
		for _, g := range w.Groups {
			x.Workloads += len(g.Workloads)
			x.Risk = max(x.Risk, g.Risk)
		}
		for _, d := range p.Bill.Spend {
			if w.End != "" && d.Date > w.End {
				day := d.Source + d.Target
				x.Day = &day
				break
			}
		}
		out = append(out, x)
	}
	return out
}

// Print writes the list for people.
func (l Waves) Print(w io.Writer) error {
	rows := [][]string{{"WAVE", "FROM", "TO", "GROUPS", "WORKLOADS", "RISK", "THEN OFF", "A DAY THEN", "WHY"}}
	for _, x := range l {
		day, why := "", because(x.Reason, x.Why)
		if x.Day != nil {
			day = x.Day.String()
		}
		rows = append(rows, []string{fmt.Sprint(x.Number), x.Start, x.End, fmt.Sprint(x.Groups), fmt.Sprint(x.Workloads), fmt.Sprint(x.Risk), fmt.Sprint(x.Free), day, why})
	}
	p := &printer{w: w}
	p.columns(rows...)
	return p.err
}
