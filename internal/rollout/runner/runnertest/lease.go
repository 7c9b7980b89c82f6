package runnertest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tranship/tranship/internal/rollout/runner"
)

// LeaseWorld is what the suite does around a lease that nobody has.
type LeaseWorld struct {
	// Open gives another mover's way to the same lease.
	Open func() runner.Lease
	// Pass lets time go by, by the clock that the lease was given.
	Pass func(time.Duration)
}

// Lease holds a lease against what runner.Lease promises.
func Lease(t *testing.T, open func(*testing.T) LeaseWorld) {
	const ttl = time.Minute
	take := func(t *testing.T, l runner.Lease, holder string, held string) {
		t.Helper()
		err := l.Take(t.Context(), holder, ttl)
		switch {
		case held == "" && err != nil:
			t.Fatalf("Take(%s) = %v, want the lease", holder, err)
		case held != "" && (!errors.Is(err, runner.ErrHeld) || !strings.Contains(err.Error(), held)):
			t.Fatalf("Take(%s) = %v, want that %s has it", holder, err, held)
		}
	}
	give := func(t *testing.T, l runner.Lease, holder string) {
		t.Helper()
		if err := l.Give(t.Context(), holder); err != nil {
			t.Fatalf("Give(%s) = %v", holder, err)
		}
	}
	for name, test := range map[string]func(*testing.T, LeaseWorld){
		"One mover has it, and another is told who": func(t *testing.T, w LeaseWorld) {
			take(t, w.Open(), "one", "")
			take(t, w.Open(), "two", "one")
		},
		"Its holder renews it, from another process too": func(t *testing.T, w LeaseWorld) {
			take(t, w.Open(), "one", "")
			for range 3 {
				w.Pass(ttl * 2 / 3)
				take(t, w.Open(), "one", "")
			}
			take(t, w.Open(), "two", "one")
		},
		"It runs out": func(t *testing.T, w LeaseWorld) {
			one, two := w.Open(), w.Open()
			take(t, one, "one", "")
			w.Pass(ttl - 2*time.Second)
			take(t, two, "two", "one")
			w.Pass(3 * time.Second)
			take(t, two, "two", "")
			take(t, one, "one", "two")
		},
		"Given back, another takes it at once": func(t *testing.T, w LeaseWorld) {
			one, two := w.Open(), w.Open()
			take(t, one, "one", "")
			give(t, one, "one")
			give(t, one, "one")
			take(t, two, "two", "")
		},
		"Only its holder gives it back": func(t *testing.T, w LeaseWorld) {
			one, two := w.Open(), w.Open()
			give(t, two, "two")
			take(t, one, "one", "")
			give(t, two, "two")
			take(t, two, "two", "one")
		},
		"Of many at once one gets it": func(t *testing.T, w LeaseWorld) {
			var mu sync.Mutex
			var got []string
			var all sync.WaitGroup
			for i := range 8 {
				all.Go(func() {
					holder := fmt.Sprintf("mover-%d", i)
					err := w.Open().Take(t.Context(), holder, ttl)
					mu.Lock()
					defer mu.Unlock()
					switch {
					case err == nil:
						got = append(got, holder)
					case !errors.Is(err, runner.ErrHeld):
						t.Errorf("Take(%s) = %v, want the lease or who has it", holder, err)
					}
				})
			}
			all.Wait()
			if len(got) != 1 {
				t.Errorf("%v have the lease, want one", got)
			}
		},
		"A context that has ended ends the call": func(t *testing.T, w LeaseWorld) {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if err := w.Open().Take(ctx, "one", ttl); err == nil {
				t.Error("Take with an ended context gave the lease")
			}
			take(t, w.Open(), "two", "")
		},
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}
