package tally

import (
	"testing"
	"time"
)

func TestAWindowCountsWhatEndedInItsWholeSeconds(t *testing.T) {
	start := time.Unix(1_700_000_000, 0)
	c := New(20 * time.Millisecond)
	at := func(s float64) time.Time { return start.Add(time.Duration(s * float64(time.Second))) }
	c.Add(at(0.5), Result{Class: Write, World: Mesos, Latency: time.Second})
	for i := range 100 {
		c.Add(at(1+float64(i)/100), Result{Class: Write, World: Mesos, Latency: time.Duration(i+1) * time.Millisecond})
	}
	c.Add(at(1.5), Result{Class: Last, World: Kubernetes, Outcome: Stale, Latency: 5 * time.Millisecond, Resent: 1})
	c.Add(at(2.1), Result{Class: Write, World: Nobody, Outcome: Timeout, Latency: time.Minute})
	// One that comes late to a second which is closed.
	c.Add(at(1.99), Result{Class: Write, World: Mesos, Latency: 40 * time.Millisecond})

	s := c.Window(at(0.7), at(2.05))
	if s.Requests != 102 || s.Failed != 1 {
		t.Errorf("window has %d requests, %d failed; want 102, 1", s.Requests, s.Failed)
	}
	w := s.Classes["write"]["mesos"]
	if w.Requests != 101 || w.P99 < 99 || w.P99 > 103 || w.Max != 100 {
		t.Errorf("writes of mesos: %+v, want 101 with a p99 of about 99 ms and a maximum of 100", w)
	}
	if got := s.Worlds["kubernetes"].Outcomes["stale"]; got != 1 || s.Driver.Resent != 1 {
		t.Errorf("stale = %d, resent = %d; want 1, 1", got, s.Driver.Resent)
	}
	if all := c.All(); all.Requests != 104 || all.Failed != 2 {
		t.Errorf("all: %d requests, %d failed; want 104, 2", all.Requests, all.Failed)
	}
	if line := c.Timeline(at(0), at(3)); len(line) != 3 || line[2].Failed != 1 {
		t.Errorf("timeline = %+v, want 3 seconds, the last with a failure", line)
	}
}

func TestADriverThatIsLateSaysSo(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	for name, test := range map[string]struct {
		late, onTime, dropped int
		want                  bool
	}{
		"in time":           {late: 1, onTime: 99},
		"late":              {late: 2, onTime: 98, want: true},
		"requests not sent": {onTime: 1000, dropped: 1, want: true},
	} {
		c := New(10 * time.Millisecond)
		for range test.late {
			c.Due(now, 11*time.Millisecond)
		}
		for range test.onTime {
			c.Due(now, time.Millisecond)
		}
		for range test.dropped {
			c.Dropped(now)
		}
		if got := c.All().Driver.Bottleneck; got != test.want {
			t.Errorf("%s: bottleneck = %v, want %v", name, got, test.want)
		}
	}
}
