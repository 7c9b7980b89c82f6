package rollup

import (
	"testing"
	"time"
)

func TestAWindowIsTheLastFullMinuteOrTheOneThatIsNamed(t *testing.T) {
	at := func(text string) time.Time {
		v, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	want := Window{at("2026-01-01T09:58:00Z"), at("2026-01-01T09:59:00Z")}
	if got := LastMinute(at("2026-01-01T10:59:59+01:00")); got != want {
		t.Errorf("last minute = %v, want %v", got, want)
	}
	if got, err := ParseWindow("2026-01-01T09:58:00Z/2026-01-01T10:59:00+01:00"); err != nil || got != want {
		t.Errorf("window = %v, %v; want %v", got, err, want)
	}
	for _, bad := range []string{"", "x", "2026-01-01T09:58:00Z", "2026-01-01T09:58:00Z/", "2026-01-01T09:59:00Z/2026-01-01T09:58:00Z"} {
		if got, err := ParseWindow(bad); err == nil {
			t.Errorf("%q was read as %v", bad, got)
		}
	}
}
