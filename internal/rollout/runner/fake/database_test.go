package fake_test

import (
	"errors"
	"testing"
	"time"

	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/rollout/runner/fake"
	"github.com/tranship/tranship/internal/rollout/runner/runnertest"
)

func TestDatabaseKeepsItsPromises(t *testing.T) {
	runnertest.Database(t, func(*testing.T) (runnertest.Moved, runnertest.DatabaseWorld) {
		h := newHands()
		const name = "readings"
		d := fake.NewDatabase(h.now, fake.DatabaseOptions{Tables: []string{"a", "b"}, Copy: 3 * time.Second, Delay: 2 * time.Second})
		instants := []fake.Instant{fake.Held, fake.Turned, fake.Opened, fake.Redirected}
		return d, runnertest.DatabaseWorld{
			Database: policy.MoveDatabase{Name: name}, Await: h.await,
			Write: func(side string, n int) error { return d.Write(name, side, n) },
			Rows:  func(side string) int64 { return d.Rows(name, side) },
			Next:  func(side string) int64 { return d.Next(name, side) },
			Left: func() []string {
				if d.Follows(name) {
					return []string{"replication"}
				}
				return nil
			},
			Spoil: func(side string) { d.Spoil(name, side, "a 17") },
			Lose:  func(side string) { d.Lose(name, side, 1) },
			Busy: func() func() {
				d.Busy(name, h.at.Add(time.Hour))
				return func() { d.Busy(name, h.at) }
			},
			Stall: func() func() {
				d.Stall(name, h.at.Add(time.Hour))
				return func() { d.Stall(name, h.at) }
			},
			Unfit: func() (func(), []string) {
				d.Refuse(name, errors.New("table a has no primary key; wal_level is replica"))
				return func() { d.Refuse(name, nil) }, []string{"table a", "wal_level"}
			},
			Cut: func() func() {
				d.Unreachable(h.at.Add(time.Hour))
				return func() { d.Unreachable(h.at) }
			},
			Kill: func(n int) func() bool {
				if n > len(instants) {
					return func() bool { return false }
				}
				d.KillAt(instants[n-1])
				return func() bool { return true }
			},
		}
	})
}
