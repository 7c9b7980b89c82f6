package fake_test

import (
	"errors"
	"testing"
	"time"

	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/rollout/runner/fake"
	"github.com/tranship/tranship/internal/rollout/runner/runnertest"
)

// hour is a clock that stands until it is set.
type hour struct{ now time.Time }

func (h *hour) Now() time.Time { return h.now }

func TestTrafficKeepsItsPromises(t *testing.T) {
	runnertest.Traffic(t, func(t *testing.T) runnertest.Door {
		clock := &hour{time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)}
		door := fake.NewTraffic(clock.Now, fake.TrafficOptions{Rate: 100, Backends: []string{"gateway"}})
		r := rollout.Route{Backend: "gateway"}
		look := func() rollout.Flow {
			f, err := door.Observe(t.Context(), r)
			if err != nil {
				t.Fatal(err)
			}
			return f
		}
		return runnertest.Door{
			Traffic: door, Cutter: door, Route: r, Targets: []string{"10.0.0.1:31000", "10.0.0.2:31000"}, Near: 1, FailsOver: true,
			Send: func(n int) (source, target, failed int) {
				before := look()
				clock.now = clock.now.Add(time.Duration(n) * 10 * time.Millisecond)
				after := look()
				failed = int(after.Source.Errors - before.Source.Errors + after.Target.Errors - before.Target.Errors)
				return int(after.Source.Requests - before.Source.Requests), int(after.Target.Requests - before.Target.Requests), failed
			},
			Answer: func(side string, yes bool) {
				down := 9
				if yes {
					down = 0
				}
				door.SetDown("gateway", side, down)
			},
			Err: func(side string, yes bool) {
				s := fake.Serving{}
				if yes {
					s.Errors = 1
				}
				door.Serve("gateway", side, s)
			},
			Reload: func() {},
			Hold:   func(n int) { door.Hold("gateway", n) },
			Held:   func() int { return look().Source.Sessions },
		}
	})
}

func TestFaultsOfTrafficAreSufferedOnce(t *testing.T) {
	clock := &hour{time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)}
	door := fake.NewTraffic(clock.Now, fake.TrafficOptions{})
	r := rollout.Route{Backend: "gateway"}
	broken := errors.New("broken")
	door.FailNext(2, broken)
	for i, want := range []error{broken, broken, nil} {
		if _, err := door.Observe(t.Context(), r); !errors.Is(err, want) {
			t.Errorf("call %d: %v, want %v", i, err, want)
		}
	}
	door.Unreachable(clock.now.Add(time.Minute))
	if _, err := door.Observe(t.Context(), r); !errors.Is(err, fake.ErrUnreachable) {
		t.Errorf("unreachable: %v", err)
	}
	clock.now = clock.now.Add(time.Minute)
	if _, err := door.Observe(t.Context(), r); err != nil {
		t.Errorf("reachable again: %v", err)
	}
}
