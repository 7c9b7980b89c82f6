package rollout

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestAnExchangeFitsBetweenTwoDueTimes: where Between says yes, nothing was due
// in the seconds before, and nothing is for a while; where it says no, the end
// of its wait is a yes, or another wait that ends.
func TestAnExchangeFitsBetweenTwoDueTimes(t *testing.T) {
	lines := []string{"* * * * *", "*/5 * * * *", "0 * * * *", "30 2 * * *", "0 0 1 * *"}
	rapid.Check(t, func(t *rapid.T) {
		times := []Times{{Cron: rapid.SampledFrom(lines).Draw(t, "cron"), Zone: rapid.SampledFrom([]string{"", "Europe/Berlin"}).Draw(t, "zone")}}
		at := time.Unix(1_790_000_000+rapid.Int64Range(0, 40_000_000).Draw(t, "second"), rapid.Int64Range(0, 999_999_999).Draw(t, "nanosecond"))
		for n := 0; ; n++ {
			ok, wait, err := Between(times, at)
			if err != nil || n > 5 {
				t.Fatalf("%d waits, %v", n, err)
			}
			if !ok {
				if wait <= 0 || wait > 2*time.Minute {
					t.Fatalf("waits %s", wait)
				}
				at = at.Add(wait)
				continue
			}
			line, _ := parse(times[0])
			if due := line.Next(at.Add(-sinceDue)); !due.After(at) {
				t.Fatalf("%s was due at %s, just before %s", times[0].Cron, due, at)
			}
			if next := line.Next(at).Sub(at); next < 30*time.Second {
				t.Fatalf("%s is due %s after %s", times[0].Cron, next, at)
			}
			return
		}
	})
}

func TestABadScheduleIsNamed(t *testing.T) {
	if _, _, err := Between([]Times{{Cron: "61 * * * *"}}, time.Unix(0, 0)); err == nil {
		t.Error("minute 61 is taken")
	}
}
