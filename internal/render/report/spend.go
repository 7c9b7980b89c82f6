package report

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/plan"
)

// The spend curve's measures.
const (
	curveLeft   px = 70
	curveRight  px = 1000
	curveTop    px = 30
	curveBottom px = 250
)

// A spend is what both worlds cost a day, over the calendar.
type spend struct {
	None   bool
	Lines  []curve
	Ticks  []tick // of money, on the left
	Dates  []tick // below
	Marks  []mark // waves and break-even
	Spans  []span
	More   int    // days beyond those of Spans
	Later  string // break-even beyond the calendar
	Left   px
	Right  px
	Top    px
	Bottom px
}

// A curve is one line, drawn as steps.
type curve struct {
	Class, Name, Path string
	EndX, EndY        px
}

type mark struct {
	At         px
	Text, To   string
	Class, Tip string
	Y          px
}

// A span is days that cost the same.
type span struct {
	ID, From, To, Source, Target, Both, Why string
}

func newSpend(p *plan.Plan) spend {
	days := p.Bill.Spend
	out := spend{None: len(days) == 0, Left: curveLeft, Right: curveRight, Top: curveTop, Bottom: curveBottom}
	if out.None {
		return out
	}
	top := 0.0
	for _, d := range days {
		top = math.Max(top, (d.Source + d.Target).Float())
	}
	by := step(top, 4)
	top = math.Max(by, math.Ceil(top/by)*by)
	x := func(i int) px {
		return curveLeft + (curveRight-curveLeft)*px(float64(i)/float64(len(days)))
	}
	y := func(m unit.Money) px {
		return curveBottom - (curveBottom-curveTop)*px(m.Float()/top)
	}
	for v := 0.0; v <= top+by/2; v += by {
		m := unit.Money(math.Round(v * 1e6))
		text := strings.TrimSuffix(dollars(m), ".00")
		out.Ticks = append(out.Ticks, tick{At: y(m), Text: text})
	}
	every := max(1, int(math.Ceil(float64(len(days))/8)))
	for i := 0; i < len(days); i += every {
		out.Dates = append(out.Dates, tick{At: x(i), Text: days[i].Date})
	}
	out.Lines = []curve{
		newCurve("both", "both", days, x, y, func(d plan.SpendDay) unit.Money { return d.Source + d.Target }),
		newCurve("source", "source", days, x, y, func(d plan.SpendDay) unit.Money { return d.Source }),
		newCurve("target", "target", days, x, y, func(d plan.SpendDay) unit.Money { return d.Target }),
	}
	// Names at the lines' ends must not cover each other.
	for i := range out.Lines {
		for j := range i {
			if d := out.Lines[i].EndY - out.Lines[j].EndY; d > -13 && d < 13 {
				out.Lines[i].EndY = out.Lines[j].EndY + 13
			}
		}
	}
	out.spans(days)
	out.marks(p, days, x)
	return out
}

func newCurve(class, name string, days []plan.SpendDay, x func(int) px, y func(unit.Money) px, of func(plan.SpendDay) unit.Money) curve {
	var b strings.Builder
	last := px(-1)
	for i, d := range days {
		at := y(of(d))
		switch {
		case i == 0:
			fmt.Fprintf(&b, "M%s %s", x(0), at)
		case at != last:
			fmt.Fprintf(&b, "H%sV%s", x(i), at)
		}
		last = at
	}
	fmt.Fprintf(&b, "H%s", x(len(days)))
	return curve{Class: class, Name: name, Path: b.String(), EndX: curveRight + 6, EndY: last + 4}
}

// spans joins days that cost the same; what a wave takes is a span of its own.
func (s *spend) spans(days []plan.SpendDay) {
	const mostSpans = 200
	for i := 0; i < len(days); {
		if len(s.Spans) == mostSpans {
			s.More = len(days) - i
			return
		}
		j := i + 1
		for j < len(days) && days[j].Source == days[i].Source && days[j].Target == days[i].Target && days[j].Wave == days[i].Wave {
			j++
		}
		d := days[i]
		v := span{
			ID: id("span", len(s.Spans)+1), From: d.Date, To: days[j-1].Date,
			Source: dollars(d.Source), Target: dollars(d.Target), Both: dollars(d.Source + d.Target),
		}
		v.Why = reasonOf(days, i)
		s.Spans = append(s.Spans, v)
		i = j
	}
}

// reasonOf says what changed from the day before.
func reasonOf(days []plan.SpendDay, i int) string {
	d := days[i]
	var why []string
	switch {
	case d.Wave == 0:
	case i > 0 && days[i-1].Wave == d.Wave:
		why = append(why, fmt.Sprintf("wave %d goes on", d.Wave))
	default:
		why = append(why, fmt.Sprintf("wave %d begins", d.Wave))
	}
	if i == 0 {
		why = append(why, "what runs today, before the move")
	} else {
		before := days[i-1]
		switch {
		case d.Source < before.Source:
			why = append(why, "machines that nothing needs any more are off")
		case d.Source > before.Source:
			why = append(why, "the source costs more")
		}
		switch {
		case d.Target > before.Target:
			why = append(why, "the target grows for what moves")
		case d.Target < before.Target:
			why = append(why, "the target shrinks")
		}
	}
	if len(why) == 0 {
		why = append(why, "no wave: nothing changes")
	}
	return strings.Join(why, "; ")
}

func (s *spend) marks(p *plan.Plan, days []plan.SpendDay, x func(int) px) {
	last := px(-100)
	row := 0
	seen := map[int]bool{0: true}
	for i, d := range days {
		if seen[d.Wave] {
			continue
		}
		seen[d.Wave] = true
		// Waves close to each other take turns in height.
		if x(i)-last < 26 {
			row = 1 - row
		} else {
			row = 0
		}
		last = x(i)
		to := id("wave", d.Wave)
		if !slices.ContainsFunc(p.Waves[:min(len(p.Waves), mostWaves)], func(w plan.Wave) bool { return w.Number == d.Wave }) {
			to = "why-waves"
		}
		s.Marks = append(s.Marks, mark{
			At: x(i), Text: fmt.Sprintf("W%d", d.Wave), To: to, Class: "wavemark",
			Tip: fmt.Sprintf("wave %d begins on %s", d.Wave, d.Date), Y: curveTop - 6 - px(row)*11,
		})
	}
	day := p.Bill.BreakEven
	if day == "" || len(p.Bill.Levers) == 0 {
		return
	}
	for i, d := range days {
		if d.Date == day {
			s.Marks = append(s.Marks, mark{
				At: x(i), Text: "break-even", To: "why-break-even", Class: "evenmark", Tip: "break-even on " + day, Y: curveBottom - 6,
			})
			return
		}
	}
	end, err := time.Parse(time.DateOnly, days[len(days)-1].Date)
	if even, err2 := time.Parse(time.DateOnly, day); err == nil && err2 == nil && even.After(end) {
		s.Later = day
	}
}
