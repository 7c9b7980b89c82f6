package page

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tranship/tranship/internal/rollout/witness"
)

// The measures of a drawing.
const (
	width   = 960
	height  = 56
	head    = 18 // above the bars, for signs
	columns = 120
	ticks   = 6 // at most, beside the first
)

// px is a place or a length in a drawing.
type px float64

// String gives one decimal at most: finer is not to be seen.
func (p px) String() string {
	return strings.TrimSuffix(strconv.FormatFloat(float64(p), 'f', 1, 64), ".0")
}

// An axis divides the time of a proof into columns of whole minutes.
type axis struct {
	from  time.Time
	step  time.Duration
	n     int
	Ticks []tick
	// Width and Height of each drawing.
	Width, Height px
	Base          px
}

type tick struct {
	X      px
	Text   string
	Anchor string
}

// axisOf covers all minutes of a proof's devices.
func axisOf(p witness.Proof) axis {
	a := axis{Width: width, Height: head + height, Base: head + height - 1}
	var last time.Time
	for _, d := range p.Devices {
		for _, m := range d.Minutes {
			if a.from.IsZero() || m.At.Before(a.from) {
				a.from = m.At
			}
			if m.At.After(last) {
				last = m.At
			}
		}
	}
	if a.from.IsZero() {
		return a
	}
	minutes := int(last.Sub(a.from)/time.Minute) + 1
	each := (minutes + columns - 1) / columns
	a.step = time.Duration(each) * time.Minute
	a.n = (minutes + each - 1) / each
	layout := "15:04"
	if time.Duration(a.n)*a.step > 24*time.Hour {
		layout = "Jan 2 15:04"
	}
	// They stand at edges of columns: of few, not at every sixth of the drawing.
	for i := 0; i <= a.n; i += (a.n + ticks - 1) / ticks {
		t := tick{X: px(width * float64(i) / float64(a.n)), Text: a.from.Add(time.Duration(i) * a.step).UTC().Format(layout), Anchor: "middle"}
		switch i {
		case 0:
			t.Anchor = "start"
		case a.n:
			t.Anchor = "end"
		}
		a.Ticks = append(a.Ticks, t)
	}
	return a
}

// A line is one device over time.
type line struct {
	Columns []column
	Most    int64 // marks sent in the highest column of the unit
}

// A column is what became of the marks that were sent in some minutes.
type column struct {
	X, Middle, W                         px
	SentY, SentH, AckY, AckH, StoY, StoH px
	Missing, Duplicated                  int64
	Title                                string
}

// sums adds up a device's minutes by column.
func (a axis) sums(d witness.DeviceProof) []witness.Count {
	out := make([]witness.Count, a.n)
	for _, m := range d.Minutes {
		c := &out[int(m.At.Sub(a.from)/a.step)]
		c.Sent += m.Sent
		c.Acknowledged += m.Acknowledged
		c.Unsure += m.Unsure
		c.Refused += m.Refused
		c.Stored += m.Stored
		c.Missing += m.Missing
		c.Duplicated += m.Duplicated
	}
	return out
}

// most is the scale that all devices of a unit share.
func (a axis) most(p witness.Proof) int64 {
	var most int64
	for _, d := range p.Devices {
		for _, c := range a.sums(d) {
			most = max(most, c.Sent)
		}
	}
	return most
}

func (a axis) line(d witness.DeviceProof, most int64) line {
	l := line{Most: most}
	if most == 0 {
		return l
	}
	w := px(float64(width) / float64(a.n))
	up := func(n int64) (y, h px) {
		h = px(float64(height-2) * float64(n) / float64(most))
		return a.Base - h, h
	}
	for i, c := range a.sums(d) {
		if c.Sent == 0 {
			continue
		}
		x := column{X: w * px(i), W: max(w*0.86, 1), Middle: w*px(i) + w*0.43, Missing: c.Missing, Duplicated: c.Duplicated}
		x.SentY, x.SentH = up(c.Sent)
		x.AckY, x.AckH = up(c.Acknowledged)
		x.StoY, x.StoH = up(c.Stored)
		at := a.from.Add(time.Duration(i) * a.step).UTC()
		x.Title = fmt.Sprintf("%s to %s: %d sent, %d acknowledged, %d stored, %d missing, %d duplicated, %d unsure, %d refused",
			at.Format("15:04"), at.Add(a.step).Format("15:04"), c.Sent, c.Acknowledged, c.Stored, c.Missing, c.Duplicated, c.Unsure, c.Refused)
		l.Columns = append(l.Columns, x)
	}
	return l
}
