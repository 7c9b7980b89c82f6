package unit

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Money is an amount in millionths of a US dollar. A price per hour and a sum
// per month are both Money; the field that holds one says which.
type Money int64

// Dollar and Cent are amounts of Money.
const (
	Dollar Money = 1e6
	Cent   Money = 1e4
)

// HoursPerMonth is what AWS counts a month as: 365 × 24 / 12.
const HoursPerMonth = 730

// Dollars gives n dollars as Money, rounded to the nearest millionth. What is
// not a number or beyond a billion dollars is refused.
func Dollars(n float64) (Money, error) {
	if math.IsNaN(n) || math.Abs(n) > 1e9 {
		return 0, fmt.Errorf("%v dollars is out of range", n)
	}
	return Money(math.Round(n * 1e6)), nil
}

// Month gives what a price per hour comes to in a month of 730 hours.
func (m Money) Month() Money { return m * HoursPerMonth }

// Float gives dollars, for arithmetic that may round.
func (m Money) Float() float64 { return float64(m) / 1e6 }

// String gives dollars and cents, rounded half away from zero: "$1234.56".
func (m Money) String() string {
	sign := ""
	if m < 0 {
		sign, m = "-", -m
	}
	cents := (m + Cent/2) / Cent
	return fmt.Sprintf("%s$%d.%02d", sign, cents/100, cents%100)
}

// Exact gives every decimal: "$0.0864".
func (m Money) Exact() string {
	s := m.decimal()
	if rest, ok := strings.CutPrefix(s, "-"); ok {
		return "-$" + rest
	}
	return "$" + s
}

func (m Money) decimal() string {
	sign := ""
	if m < 0 {
		sign, m = "-", -m
	}
	s := fmt.Sprintf("%s%d.%06d", sign, m/Dollar, m%Dollar)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}

// MarshalJSON writes dollars as a number with up to six decimals.
func (m Money) MarshalJSON() ([]byte, error) { return []byte(m.decimal()), nil }

// UnmarshalJSON reads dollars, as a number.
func (m *Money) UnmarshalJSON(b []byte) error {
	f, err := strconv.ParseFloat(string(b), 64)
	if err != nil {
		return fmt.Errorf("amount %s is not a number of dollars", b)
	}
	*m, err = Dollars(f)
	return err
}

// ToCents rounds amounts to cents so that what is shown sums to a sum in whole
// cents: those that lose most by rounding down get the cents that are over.
func ToCents(in []Money, sum Money) []Money {
	out := make([]Money, len(in))
	order := make([]int, len(in))
	rest := make([]Money, len(in))
	for i, m := range in {
		down := m / Cent * Cent
		if m < 0 && down != m {
			down -= Cent
		}
		out[i], rest[i], order[i] = down, m-down, i
		sum -= down
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(rest[b], rest[a]) })
	for i := 0; sum >= Cent && i < len(order); i, sum = i+1, sum-Cent {
		out[order[i]] += Cent
	}
	for i := len(order) - 1; sum <= -Cent && i >= 0; i, sum = i-1, sum+Cent {
		out[order[i]] -= Cent
	}
	return out
}

// Cents rounds half away from zero, as String does.
func (m Money) Cents() Money {
	if m < 0 {
		return -(-m).Cents()
	}
	return (m + Cent/2) / Cent * Cent
}
