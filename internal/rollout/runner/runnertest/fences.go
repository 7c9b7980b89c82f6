package runnertest

import (
	"errors"
	"sync"
	"testing"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/rollout/runner"
)

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
