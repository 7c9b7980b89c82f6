package runnertest

import (
	"errors"
	"net/netip"
	"slices"
	"testing"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/rollout/runner"
)

// ExposerWorld is what the suite does around an exposer.
type ExposerWorld struct {
	// Place puts a workload whose copies listen on ports 8080 and 9090 into the
	// target, and waits until it is ready.
	Place func(w estate.Name)
	// Exposed reports whether something that Expose made is there.
	Exposed func(w estate.Name) bool
	// Makes tells that Expose makes something, so that there is something to hide.
	Makes bool
}

// Exposer holds an exposer against what runner.Exposer promises.
func Exposer(t *testing.T, open func(*testing.T) (runner.Exposer, ExposerWorld)) {
	expose := func(t *testing.T, e runner.Exposer, w estate.Name, port int) []string {
		t.Helper()
		got, err := e.Expose(t.Context(), w, port)
		if err != nil {
			t.Fatalf("Expose(%s, %d) = %v", w, port, err)
		}
		if len(got) == 0 {
			t.Fatalf("Expose(%s, %d) gave no address", w, port)
		}
		for _, a := range got {
			if _, err := netip.ParseAddrPort(a); err != nil {
				t.Errorf("Expose(%s, %d) gave %q: %v", w, port, a, err)
			}
		}
		return got
	}
	for name, test := range map[string]func(*testing.T, runner.Exposer, ExposerWorld){
		"The same addresses come in the same order": func(t *testing.T, e runner.Exposer, w ExposerWorld) {
			w.Place(cart)
			first := expose(t, e, cart, 8080)
			if second := expose(t, e, cart, 8080); !slices.Equal(first, second) {
				t.Errorf("Expose = %v, then %v", first, second)
			}
		},
		"Two ports of a workload are reached apart": func(t *testing.T, e runner.Exposer, w ExposerWorld) {
			w.Place(cart)
			first, second := expose(t, e, cart, 8080), expose(t, e, cart, 9090)
			for _, a := range second {
				if slices.Contains(first, a) {
					t.Errorf("%s is the address of both ports", a)
				}
			}
			if again := expose(t, e, cart, 8080); !slices.Equal(first, again) {
				t.Errorf("the first port moved from %v to %v when the second was exposed", first, again)
			}
		},
		"Two workloads are reached apart": func(t *testing.T, e runner.Exposer, w ExposerWorld) {
			w.Place(cart)
			w.Place(pay)
			first, second := expose(t, e, cart, 8080), expose(t, e, pay, 8080)
			for _, a := range second {
				if slices.Contains(first, a) {
					t.Errorf("%s is the address of both workloads", a)
				}
			}
		},
		"Hide takes back what Expose made, and only that": func(t *testing.T, e runner.Exposer, w ExposerWorld) {
			w.Place(cart)
			w.Place(pay)
			expose(t, e, cart, 8080)
			expose(t, e, cart, 9090)
			kept := expose(t, e, pay, 8080)
			if w.Makes && !w.Exposed(cart) {
				t.Error("nothing is there after Expose")
			}
			for range 2 {
				if err := e.Hide(t.Context(), cart); err != nil {
					t.Fatalf("Hide = %v", err)
				}
			}
			if w.Exposed(cart) {
				t.Error("it can be reached after Hide")
			}
			if again := expose(t, e, pay, 8080); !slices.Equal(kept, again) {
				t.Errorf("another workload moved from %v to %v", kept, again)
			}
			expose(t, e, cart, 8080)
		},
		"What the target does not have is absent": func(t *testing.T, e runner.Exposer, _ ExposerWorld) {
			if _, err := e.Expose(t.Context(), "/nowhere", 8080); !errors.Is(err, runner.ErrAbsent) {
				t.Errorf("Expose(/nowhere) = %v, want absent", err)
			}
			if err := e.Hide(t.Context(), "/nowhere"); err != nil {
				t.Errorf("Hide(/nowhere) = %v", err)
			}
		},
		"What is no port is refused": func(t *testing.T, e runner.Exposer, w ExposerWorld) {
			w.Place(cart)
			for _, port := range []int{0, -1, 65536} {
				if _, err := e.Expose(t.Context(), cart, port); !errors.Is(err, runner.ErrRefused) {
					t.Errorf("Expose(port %d) = %v, want a refusal", port, err)
				}
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			e, w := open(t)
			test(t, e, w)
		})
	}
}
