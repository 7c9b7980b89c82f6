package fake_test

import (
	"errors"
	"testing"
	"time"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/rollout/runner"
	"github.com/tranship/tranship/internal/rollout/runner/fake"
	"github.com/tranship/tranship/internal/rollout/runner/runnertest"
)

var errLost = errors.New("the answer was lost")

// hands is a clock that a test moves.
type hands struct{ at time.Time }

func newHands() *hands { return &hands{time.Date(2026, 11, 24, 9, 0, 0, 0, time.UTC)} }

func (h *hands) now() time.Time { return h.at }

func (h *hands) await(done func() bool) bool {
	for range 100 {
		if done() {
			return true
		}
		h.at = h.at.Add(time.Second)
	}
	return false
}

func TestClusterKeepsItsPromises(t *testing.T) {
	runnertest.Cluster(t, func(*testing.T) (runner.Cluster, runnertest.ClusterWorld) {
		h := newHands()
		c := fake.NewCluster(h.now, fake.ClusterOptions{Start: 3 * time.Second, Stop: 2 * time.Second})
		return c, runnertest.ClusterWorld{
			Namespace: "shop", Image: "cart:1", Await: h.await, Has: c.Has,
			Grab: func(namespace, name, manager string) {
				c.Grab("Deployment", namespace, name, manager, ".spec.replicas")
			},
			Fill: c.Fill,
			Tear: func(n int) {
				if n == 1 { // a call of the stand-in is one change
					c.TearNext(1, errLost)
				}
			},
			Cut: func() func() {
				c.Unreachable(h.at.Add(time.Hour))
				return func() { c.Unreachable(h.at) }
			},
			Deny:  func() { c.FailNext(2, runner.ErrRefused) },
			Break: func(w estate.Name) { c.Ail(w, fake.Ailment{Why: "ErrImagePull: not found", Doomed: true}) },
		}
	})
}

func TestExposerKeepsItsPromises(t *testing.T) {
	runnertest.Exposer(t, func(t *testing.T) (runner.Exposer, runnertest.ExposerWorld) {
		h := newHands()
		c := fake.NewCluster(h.now, fake.ClusterOptions{})
		e := fake.NewExposer(h.now, fake.ExposerOptions{Cluster: c})
		return e, runnertest.ExposerWorld{
			Place: func(w estate.Name) {
				if err := c.Apply(t.Context(), w, nil, -1); err != nil {
					t.Fatal(err)
				}
			},
			Exposed: e.Exposed, Makes: true,
		}
	})
}

func TestLeaseKeepsItsPromises(t *testing.T) {
	runnertest.Lease(t, func(*testing.T) runnertest.LeaseWorld {
		h := newHands()
		l := fake.NewLease(h.now)
		return runnertest.LeaseWorld{
			Open: func() runner.Lease { return l },
			Pass: func(d time.Duration) { h.at = h.at.Add(d) },
		}
	})
}

func TestFencesKeepTheirPromises(t *testing.T) {
	runnertest.Fences(t, func(*testing.T) runnertest.FencesWorld {
		f := fake.NewFences(newHands().now)
		return runnertest.FencesWorld{
			Open: func() runner.Fences { return f },
			Tear: func() { f.TearNext(1, errLost) },
		}
	})
}
