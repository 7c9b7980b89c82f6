package report

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/tranship/tranship/internal/base/unit"
)

// px is a place or a length in a drawing.
type px float64

// String gives one decimal at most: finer is not to be seen, and costs bytes.
func (p px) String() string {
	s := strconv.FormatFloat(float64(p), 'f', 1, 64)
	return strings.TrimSuffix(s, ".0")
}

// A tick marks a value on an axis.
type tick struct {
	At   px
	Text string
}

// A figure is a number on the page with the place of its reason.
type figure struct{ To, Text string }

// fig gives a figure, for templates.
func fig(to string, text any) figure { return figure{To: to, Text: fmt.Sprint(text)} }

// id names a place of the page: "pool-3".
func id(what string, n int) string { return what + "-" + strconv.Itoa(n) }

// dollars gives cents with separators between thousands: "$12,345.67".
func dollars(m unit.Money) string {
	s := m.String()
	dot := strings.IndexByte(s, '.')
	first := strings.IndexByte(s, '$') + 1
	for i := dot - 3; i > first; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// signed gives "+$1.00" or "-$1.00".
func signed(m unit.Money) string {
	if m > 0 {
		return "+" + dollars(m)
	}
	return dollars(m)
}

// percent gives a share with one decimal: "40.7 %".
func percent(share float64) string { return fmt.Sprintf("%.1f %%", 100*share) }

// number gives a count without needless decimals.
func number(n float64) string {
	return strconv.FormatFloat(math.Round(n*100)/100, 'f', -1, 64)
}

// cores gives CPU for a reader: "1.25", "0.1".
func cores(c unit.CPU) string { return strconv.FormatFloat(float64(c)/1000, 'f', -1, 64) }

// size gives memory for a reader in a unit that keeps three digits: "1.5 GiB".
func size(b unit.Bytes) string {
	v, name := float64(b), "B"
	for _, u := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if math.Abs(v) < 1000 {
			break
		}
		v, name = v/1024, u
	}
	digits := 0
	if name != "B" {
		digits = max(0, 2-int(math.Floor(math.Log10(math.Max(math.Abs(v), 1)))))
	}
	s := strconv.FormatFloat(v, 'f', digits, 64)
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s + " " + name
}

// step gives a round distance that parts span into about n.
func step(span float64, n int) float64 {
	if span <= 0 {
		return 1
	}
	raw := span / float64(n)
	base := math.Pow(10, math.Floor(math.Log10(raw)))
	for _, m := range []float64{1, 2, 5} {
		if raw <= m*base {
			return m * base
		}
	}
	return 10 * base
}

// fits shortens text to what a width holds, at the width of a character; empty
// where nothing worth reading fits.
func fits(text string, width px, each float64) string {
	n := int(float64(width) / each)
	r := []rune(text)
	switch {
	case len(r) <= n:
		return text
	case n < 4:
		return ""
	}
	return string(r[:n-1]) + "…"
}

// cut shortens text to so many letters.
func cut(text string, most int) string {
	r := []rune(text)
	if len(r) <= most {
		return text
	}
	return string(r[:most-1]) + "…"
}

// plural gives "1 node", "2 nodes".
func plural(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	if base, ok := strings.CutSuffix(what, "y"); ok && !strings.HasSuffix(what, "ay") {
		return fmt.Sprintf("%d %sies", n, base)
	}
	return fmt.Sprintf("%d %ss", n, what)
}
