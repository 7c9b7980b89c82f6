package fake_test

import (
	"errors"
	"testing"
	"time"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/rollout/runner"
	"github.com/tranship/tranship/internal/rollout/runner/fake"
	"github.com/tranship/tranship/internal/rollout/runner/runnertest"
)

func TestSourceKeepsItsPromises(t *testing.T) {
	runnertest.Source(t, func(*testing.T) (runner.Source, runnertest.SourceWorld) {
		h := newHands()
		s := fake.NewSource(h.now, fake.SourceOptions{Start: 3 * time.Second, Stop: 2 * time.Second})
		s.Add("/shop/cart", "v1", 2)
		s.AddJob("night", "j1")
		far := h.at.Add(1000 * time.Hour)
		return s, runnertest.SourceWorld{
			App: "/shop/cart", Job: "night", Gone: "/shop/gone",
			Planned: map[estate.Name]string{"/shop/cart": "v1", "night": "j1"},
			Await:   h.await,
			Deploy:  func(w estate.Name) { s.Change(w, "v2") },
			Rescale: func(n int) { _ = s.Scale(t.Context(), "/shop/cart", n) },
			Lock: func() func() {
				s.Lock("/shop/cart", far)
				return func() { s.Lock("/shop/cart", h.at) }
			},
			Run: func() func() {
				s.Run("night", far)
				return func() { s.EndRuns("night") }
			},
			On: func() []string {
				if c, err := s.Observe(t.Context(), "night"); err == nil && c.Wanted == 1 {
					return []string{"night"}
				}
				return nil
			},
			Deny: func() { s.Refuse("/shop/cart", errors.New("403 Forbidden")) },
			Tear: func() { s.TearNext(1, errLost) },
			Cut: func() func() {
				s.Unreachable(far)
				return func() { s.Unreachable(h.at) }
			},
			Sicken: func() { s.Fail("/shop/cart", "TASK_FAILED: exited with status 1") },
		}
	})
}

func TestHostsKeepTheirPromises(t *testing.T) {
	runnertest.Hosts(t, func(*testing.T) (runner.Hosts, runnertest.HostsWorld) {
		h := newHands()
		hosts := fake.NewHosts(h.now, fake.HostsOptions{Leave: 3 * time.Second})
		hosts.Add("a", 2)
		hosts.Add("b", 1)
		hosts.Add("c", 0)
		return hosts, runnertest.HostsWorld{
			Full: "a", Other: "b", Empty: "c", Await: h.await, Launch: hosts.Start,
			Deny: func() { hosts.Refuse(errors.New("403 Forbidden")) },
			Tear: func() { hosts.TearNext(1, errLost) },
			Cut: func() func() {
				hosts.Unreachable(h.at.Add(time.Hour))
				return func() { hosts.Unreachable(h.at) }
			},
		}
	})
}

func TestMarkerKeepsItsPromises(t *testing.T) {
	runnertest.Marker(t, func(*testing.T) (runner.Marker, runnertest.MarkerWorld) {
		h := newHands()
		m := fake.NewMarker(h.now, fake.MarkerOptions{})
		return m, runnertest.MarkerWorld{
			Witness: policy.MoveWitness{Write: policy.WitnessRequest{URL: "http://door/"}},
			Lose:    func() { m.Ail(1, fake.LosesMark) },
			Double:  func() { m.Ail(1, fake.DoublesMark) },
			Refuse:  func() { m.Ail(1, fake.RefusesMark) },
			Tear:    func() { m.TearNext(1, errLost) },
			Mute: func() func() {
				m.Mute(h.at.Add(time.Hour))
				return func() { m.Mute(h.at) }
			},
		}
	})
}

func TestProberKeepsItsPromises(t *testing.T) {
	runnertest.Prober(t, func(*testing.T) (runner.Prober, runnertest.ProberWorld) {
		h := newHands()
		p := fake.NewProber(h.now)
		p.Value("up", 1)
		return p, runnertest.ProberWorld{
			Checks: []policy.MoveCheck{{Name: "front"}}, Address: "10.0.0.1:80", Home: "10.0.0.9:80",
			Identity: policy.MoveIdentity{Header: "X-World", Source: "mesos", Target: "kubernetes", VersionHeader: "X-Version", Compare: "10.0.0.9:80"},
			Wrong:    func() { p.Wrong("front", "answered 500") },
			Cut:      func() { p.Unreachable(h.at.Add(time.Hour)) },
			Another:  func() { p.Say("10.0.0.1:80", rollout.Answer{World: "kubernetes", Version: "2", OK: true}) },
			Nameless: func() { p.Say("10.0.0.1:80", rollout.Answer{OK: true}) },
			Query:    "up", Empty: "down", Value: 1,
		}
	})
}
