package runnertest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tranship/tranship/internal/estate"
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

// FencesWorld is what the suite does around fences of nothing.
type FencesWorld struct {
	// Open gives another mover's way to the same records.
	Open func() runner.Fences
	// Tear has the next change be made and its answer be lost.
	Tear func()
}

// Fences holds fencing records against what runner.Fences promises.
func Fences(t *testing.T, open func(*testing.T) FencesWorld) {
	fence := func(t *testing.T, f runner.Fences, w estate.Name, world string) int64 {
		t.Helper()
		token, err := f.Fence(t.Context(), w, world)
		if err != nil {
			t.Fatalf("Fence(%s, %s) = %v", w, world, err)
		}
		return token
	}
	fenced := func(t *testing.T, f runner.Fences, w estate.Name, world string, token int64) {
		t.Helper()
		gotWorld, gotToken, err := f.Fenced(t.Context(), w)
		if err != nil || gotWorld != world || gotToken != token {
			t.Errorf("Fenced(%s) = %q, %d, %v; want %q, %d", w, gotWorld, gotToken, err, world, token)
		}
	}
	for name, test := range map[string]func(*testing.T, FencesWorld){
		"Without a record there is no world": func(t *testing.T, w FencesWorld) {
			fenced(t, w.Open(), cart, "", 0)
		},
		"The token grows with each change and with nothing else": func(t *testing.T, w FencesWorld) {
			f := w.Open()
			first := fence(t, f, cart, "source")
			if again := fence(t, f, cart, "source"); again != first {
				t.Errorf("the same fence again has token %d, want %d", again, first)
			}
			second := fence(t, f, cart, "target")
			third := fence(t, f, cart, "source")
			if first < 1 || second <= first || third <= second {
				t.Errorf("tokens %d, %d, %d do not grow", first, second, third)
			}
			fenced(t, w.Open(), cart, "source", third)
		},
		"Workloads have records of their own": func(t *testing.T, w FencesWorld) {
			a := fence(t, w.Open(), "/shop/a-b", "source")
			b := fence(t, w.Open(), "/shop/a/b", "target")
			fenced(t, w.Open(), "/shop/a-b", "source", a)
			fenced(t, w.Open(), "/shop/a/b", "target", b)
		},
		"A fence whose answer was lost stands": func(t *testing.T, w FencesWorld) {
			f := w.Open()
			first := fence(t, f, cart, "source")
			w.Tear()
			if _, err := f.Fence(t.Context(), cart, "target"); err == nil || errors.Is(err, runner.ErrRefused) {
				t.Errorf("Fence whose answer was lost = %v, want an error that may pass", err)
			}
			second := fence(t, f, cart, "target")
			if second <= first {
				t.Errorf("token %d after %d", second, first)
			}
			fenced(t, f, cart, "target", second)
		},
		"Of changes at once none is lost": func(t *testing.T, w FencesWorld) {
			var mu sync.Mutex
			seen := map[int64]string{}
			var all sync.WaitGroup
			for i := range 6 {
				all.Go(func() {
					world := []string{"source", "target"}[i%2]
					f := w.Open()
					for {
						token, err := f.Fence(t.Context(), cart, world)
						if errors.Is(err, runner.ErrRefused) {
							t.Errorf("Fence = %v", err)
							return
						}
						if err != nil {
							continue // somebody else was faster: the runner tries again
						}
						mu.Lock()
						if was := seen[token]; was != "" && was != world {
							t.Errorf("token %d was given for %s and for %s", token, was, world)
						}
						seen[token] = world
						mu.Unlock()
						return
					}
				})
			}
			all.Wait()
			world, token, err := w.Open().Fenced(t.Context(), cart)
			if err != nil || seen[token] != world {
				t.Errorf("Fenced = %q, %d, %v; token %d was given for %q", world, token, err, token, seen[token])
			}
		},
	} {
		t.Run(name, func(t *testing.T) { test(t, open(t)) })
	}
}
