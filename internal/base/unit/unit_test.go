package unit_test

import (
	"testing"

	"pgregory.net/rapid"

	"github.com/tranship/tranship/internal/base/unit"
)

func TestCoresNeverRoundDown(t *testing.T) {
	for in, want := range map[float64]string{0: "0", 0.0001: "1m", 0.1: "100m", 0.3: "300m", 1: "1", 1.0005: "1001m", 2.5: "2500m"} {
		if got, err := unit.Cores(in); err != nil || got.String() != want {
			t.Errorf("Cores(%v) = %s, %v, want %s", in, got, err, want)
		}
	}
	if _, err := unit.Cores(-1); err == nil {
		t.Error("negative cores are accepted")
	}
}

func TestBytesAreSpelledInTheLargestExactUnit(t *testing.T) {
	for in, want := range map[float64]string{0: "0", 128: "128Mi", 1024: "1Gi", 0.5: "512Ki", 1.5: "1536Ki", 0.0001: "105"} {
		if got, err := unit.Mebibytes(in); err != nil || got.String() != want {
			t.Errorf("Mebibytes(%v) = %s, %v, want %s", in, got, err, want)
		}
	}
}

// TestTextReadsBack: what is written is read as the same quantity.
func TestTextReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, b := unit.CPU(rapid.Int64Range(0, 1e9).Draw(t, "cpu")), unit.Bytes(rapid.Int64Range(0, 1<<50).Draw(t, "bytes"))
		var c2 unit.CPU
		var b2 unit.Bytes
		ct, _ := c.MarshalText()
		bt, _ := b.MarshalText()
		if err := c2.UnmarshalText(ct); err != nil || c2 != c {
			t.Errorf("%s is read as %s, %v", ct, c2, err)
		}
		if err := b2.UnmarshalText(bt); err != nil || b2 != b {
			t.Errorf("%s is read as %s, %v", bt, b2, err)
		}
	})
}

// TestCentsThatAreShownSum: rounded together, amounts sum to the sum in cents,
// and none is off by a cent or more but where the sum asks for it.
func TestCentsThatAreShownSum(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) unit.Money {
			return unit.Money(rapid.Int64Range(-1e10, 1e10).Draw(t, "amount"))
		}), 1, 20).Draw(t, "amounts")
		var sum, shown unit.Money
		for _, m := range in {
			sum += m
		}
		for i, m := range unit.ToCents(in, sum.Cents()) {
			shown += m
			if m%unit.Cent != 0 || m-in[i] > unit.Cent || in[i]-m > unit.Cent {
				t.Errorf("%d is shown as %d", in[i], m)
			}
		}
		if shown != sum.Cents() {
			t.Errorf("shown are %s, the sum is %s", shown, sum)
		}
	})
}
