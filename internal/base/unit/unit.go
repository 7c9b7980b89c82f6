// Package unit holds quantities as types: CPU, bytes and seconds. It takes the
// numbers that definitions hold and gives the spellings that Kubernetes reads.
// It never rounds a request down.
package unit

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// CPU is processor time in thousandths of a core.
type CPU int64

// Cores gives n cores as CPU, rounded up to a thousandth. What is not a
// number, is negative or beyond a million cores is refused.
func Cores(n float64) (CPU, error) {
	if math.IsNaN(n) || n < 0 || n > 1e6 {
		return 0, fmt.Errorf("%v cores is out of range", n)
	}
	return CPU(math.Ceil(math.Round(n*1e6) / 1e3)), nil
}

// String gives the Kubernetes spelling: "500m", "2".
func (c CPU) String() string {
	if c%1000 == 0 {
		return strconv.FormatInt(int64(c/1000), 10)
	}
	return strconv.FormatInt(int64(c), 10) + "m"
}

// MarshalText writes the Kubernetes spelling.
func (c CPU) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads the Kubernetes spelling.
func (c *CPU) UnmarshalText(b []byte) error {
	s, milli := strings.CutSuffix(string(b), "m")
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n > math.MaxInt64/1000 {
		return fmt.Errorf("CPU %q is neither cores nor thousandths (500m)", b)
	}
	if !milli {
		n *= 1000
	}
	*c = CPU(n)
	return nil
}

// Bytes is an amount of memory or disk.
type Bytes int64

// Multiples of a byte.
const (
	KiB Bytes = 1 << 10
	MiB Bytes = 1 << 20
	GiB Bytes = 1 << 30
)

// Mebibytes gives n MiB as Bytes, rounded up to a byte.
func Mebibytes(n float64) (Bytes, error) {
	if math.IsNaN(n) || n < 0 || n > 1e12 {
		return 0, fmt.Errorf("%v MiB is out of range", n)
	}
	return Bytes(math.Ceil(n * float64(MiB))), nil
}

// String gives the Kubernetes spelling in the largest unit that is exact:
// "128Mi", "2Gi", "1000".
func (b Bytes) String() string {
	for _, u := range []struct {
		size Bytes
		name string
	}{{GiB << 20, "Pi"}, {GiB << 10, "Ti"}, {GiB, "Gi"}, {MiB, "Mi"}, {KiB, "Ki"}} {
		if b != 0 && b%u.size == 0 {
			return strconv.FormatInt(int64(b/u.size), 10) + u.name
		}
	}
	return strconv.FormatInt(int64(b), 10)
}

// MarshalText writes the Kubernetes spelling.
func (b Bytes) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// UnmarshalText reads the Kubernetes spelling with a binary unit or none.
func (b *Bytes) UnmarshalText(text []byte) error {
	s, size := string(text), Bytes(1)
	for i, u := range []string{"Ki", "Mi", "Gi", "Ti", "Pi"} {
		if n, ok := strings.CutSuffix(s, u); ok {
			s, size = n, 1<<(10*(i+1))
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < 0 || n > math.MaxInt64/int64(size) {
		return fmt.Errorf("size %q is not a number of bytes with Ki, Mi, Gi, Ti or Pi", text)
	}
	*b = Bytes(n) * size
	return nil
}

// Seconds is a length of time.
type Seconds float64

// Duration gives the seconds as the standard library has them.
func (s Seconds) Duration() time.Duration { return time.Duration(float64(s) * float64(time.Second)) }
