package runnertest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/rollout/runner"
)

// The sides of a database.
const (
	sourceSide = "source"
	targetSide = "target"
)

// DatabaseWorld is what the suite does to a database of its own, which has some
// rows at the source and which nothing follows yet.
type DatabaseWorld struct {
	Database policy.MoveDatabase
	// Await lets time go by until done, and reports whether it came to that.
	Await func(done func() bool) bool
	// Write has an application write n new rows to a side, each under a number of
	// the side's sequence. It fails if the side does not take them.
	Write func(side string, n int) error
	// Rows counts what a side has, Next takes the next number of its sequence.
	Rows func(side string) int64
	Next func(side string) int64
	// Left names what of replication there is on both sides: slots, publications,
	// subscriptions.
	Left func() []string
	// Spoil changes a row of a side behind replication's back, Lose deletes one.
	Spoil, Lose func(side string)
	// Busy has an application write and leave its transaction open at the source.
	Busy func() (end func())
	// Stall has the target's replica stand still.
	Stall func() (end func())
	// Unfit gives the database what cannot be replicated, and words that the
	// refusal has to hold.
	Unfit func() (mend func(), words []string)
	// Cut has nobody answer until restore is called.
	Cut func() (restore func())
	// Kill has the mover be killed at the nth instant from now that can be told
	// apart. Revive is called before the next mover comes, and reports whether it
	// came to that.
	Kill func(n int) (revive func() bool)
	// Every is the step between the instants that the suite tries, one by default.
	Every int
}

// Moved is both edges that move a database.
type Moved interface {
	runner.Database
	runner.Cutover
}

// Database holds both edges of databases against what they promise.
func Database(t *testing.T, open func(*testing.T) (Moved, DatabaseWorld)) {
	for _, c := range []struct {
		name string
		test func(*dbBench)
	}{
		{"Nothing follows what was not told to", notFollowed},
		{"Replicate has the target get all rows, and follow", replicates},
		{"Replicate done twice is as done once", replicatesTwice},
		{"What cannot be replicated is refused with all reasons", unfitRefused},
		{"A replica that stands still is seen to fall behind", fallsBehind},
		{"Stop leaves nothing behind, and following can begin anew", stops},
		{"Over sends writes to the target, and the source follows", goesOver},
		{"While clients are sent over only the new side takes writes", heldMeanwhile},
		{"Over done again does nothing more", overTwice},
		{"There and back nothing is lost and no number repeats", thereAndBack},
		{"If writes cannot be held, everything is as it was", busyAborts},
		{"If the replica does not catch up, everything is as it was", stallAborts},
		{"Clients that could not be sent over are sent by the next call", redirectFails},
		{"Clients that could not be sent over are brought back by going back", redirectFailsBack},
		{"A mover killed anywhere on the way over is made good by the next", killedThenOver},
		{"A mover killed anywhere on the way over is made good by going back", killedThenBack},
		{"A mover killed anywhere on the way back is made good by the next", killedOnTheWayBack},
		{"Rows that differ or lack are found", compares},
		{"Stop after the cutover leaves the target in charge and the source closed", stopsAfterOver},
		{"No answer is not a refusal", databaseNoAnswer},
		{"A context that has ended ends the call", databaseEndedContext},
	} {
		t.Run(c.name, func(t *testing.T) {
			edge, world := open(t)
			world.Every = max(world.Every, 1)
			c.test(&dbBench{T: t, Moved: edge, w: world})
		})
	}
}

// dbBench is one test at work.
type dbBench struct {
	*testing.T
	Moved
	w     DatabaseWorld
	wrote int64 // rows that were acknowledged
}

const pauseLimit = 10 * time.Second

func (b *dbBench) follow() {
	b.Helper()
	b.wrote = b.w.Rows(sourceSide)
	if err := b.Replicate(b.Context(), b.w.Database); err != nil {
		b.Fatalf("Replicate = %v", err)
	}
	var lag rollout.Lag
	if !b.w.Await(func() bool {
		var err error
		lag, err = b.Lag(b.Context(), b.w.Database)
		return err == nil && lag.Copied && len(lag.Left) == 0
	}) {
		b.Fatalf("Lag = %+v, want all tables copied", lag)
	}
}

func (b *dbBench) write(side string, n int) {
	b.Helper()
	if err := b.w.Write(side, n); err != nil {
		b.Fatalf("an application's write to the %s: %v", side, err)
	}
	b.wrote += int64(n)
}

func (b *dbBench) closed(side string) {
	b.Helper()
	if b.w.Write(side, 1) == nil {
		b.Fatalf("the %s took a write, want none", side)
	}
}

// arrive waits until a side has all that was acknowledged, and no more.
func (b *dbBench) arrive(side string) {
	b.Helper()
	if !b.w.Await(func() bool { return b.w.Rows(side) == b.wrote }) {
		b.Fatalf("the %s has %d rows, want the %d that were acknowledged", side, b.w.Rows(side), b.wrote)
	}
}

// over cuts over and gives how often clients were sent to the new side.
func (b *dbBench) over(back bool) int {
	b.Helper()
	sent := 0
	pause, err := b.Over(b.Context(), b.w.Database, back, pauseLimit, func(context.Context) error {
		sent++
		return nil
	})
	if err != nil {
		b.Fatalf("Over(back %t) = %v", back, err)
	}
	if sent > 0 && (pause <= 0 || pause > pauseLimit) {
		b.Errorf("Over(back %t) says that writes stood still for %s", back, pause)
	}
	return sent
}

func notFollowed(b *dbBench) {
	if _, err := b.Lag(b.Context(), b.w.Database); err == nil {
		b.Error("Lag of what nothing follows = nil, want an error")
	}
	_, err := b.Over(b.Context(), b.w.Database, false, pauseLimit, func(context.Context) error {
		b.Error("clients were sent to a side that does not follow")
		return nil
	})
	if err == nil {
		b.Error("Over to a side that does not follow = nil, want an error")
	}
	if left := b.w.Left(); len(left) > 0 {
		b.Errorf("there is %v, want nothing", left)
	}
	b.write(sourceSide, 1)
}

func replicates(b *dbBench) {
	b.write(sourceSide, 3)
	b.follow()
	b.arrive(targetSide)
	b.write(sourceSide, 5)
	b.arrive(targetSide)
	b.closed(targetSide)
	if !b.w.Await(func() bool {
		l, err := b.Lag(b.Context(), b.w.Database)
		return err == nil && l.Copied && l.Bytes < 1<<20
	}) {
		l, err := b.Lag(b.Context(), b.w.Database)
		b.Errorf("Lag once all was copied = %+v, %v", l, err)
	}
}

func replicatesTwice(b *dbBench) {
	b.follow()
	b.arrive(targetSide)
	left := b.w.Left()
	b.follow()
	b.write(sourceSide, 2)
	b.arrive(targetSide)
	if got := b.w.Left(); strings.Join(got, " ") != strings.Join(left, " ") {
		b.Errorf("a second Replicate made %v of %v", got, left)
	}
}

func unfitRefused(b *dbBench) {
	mend, words := b.w.Unfit()
	err := b.Replicate(b.Context(), b.w.Database)
	if !errors.Is(err, runner.ErrRefused) {
		b.Fatalf("Replicate of what cannot be replicated = %v, want a refusal", err)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			b.Errorf("the refusal does not name %q: %v", w, err)
		}
	}
	if left := b.w.Left(); len(left) > 0 {
		b.Errorf("a refused Replicate left %v behind", left)
	}
	mend()
	b.follow()
	b.arrive(targetSide)
}

func fallsBehind(b *dbBench) {
	b.follow()
	b.arrive(targetSide)
	end := b.w.Stall()
	before, err := b.Lag(b.Context(), b.w.Database)
	if err != nil {
		b.Fatalf("Lag = %v", err)
	}
	b.write(sourceSide, 100)
	after, err := b.Lag(b.Context(), b.w.Database)
	if err != nil || after.Bytes <= before.Bytes {
		b.Errorf("Lag went from %s to %s, %v while the replica stood still", before.Bytes, after.Bytes, err)
	}
	end()
	b.arrive(targetSide)
}

func stops(b *dbBench) {
	for range 2 {
		b.follow()
		b.write(sourceSide, 2)
		b.arrive(targetSide)
		for range 2 {
			if err := b.Stop(b.Context(), b.w.Database); err != nil {
				b.Fatalf("Stop = %v", err)
			}
		}
		if left := b.w.Left(); len(left) > 0 {
			b.Fatalf("Stop left %v behind", left)
		}
		b.write(sourceSide, 2)
	}
}

func compares(b *dbBench) {
	b.follow()
	b.write(sourceSide, 20)
	c := b.compare()
	if !c.Same || c.Rows != b.wrote || c.Missing != 0 || c.Extra != 0 || len(c.Different) != 0 {
		b.Fatalf("Compare = %+v, want %d rows that are the same", c, b.wrote)
	}
	b.w.Spoil(targetSide)
	if c := b.compare(); c.Same || len(c.Different) != 1 || c.Missing != 0 || c.Extra != 0 {
		b.Errorf("Compare with one row changed = %+v, want one place that differs", c)
	}
	b.w.Lose(targetSide)
	if c := b.compare(); c.Same || c.Missing != 1 || c.Rows != b.wrote {
		b.Errorf("Compare with one row lost = %+v, want one row missing", c)
	}
}

func (b *dbBench) compare() rollout.Comparison {
	b.Helper()
	c, err := b.Compare(b.Context(), b.w.Database)
	if err != nil {
		b.Fatalf("Compare = %v", err)
	}
	return c
}

func databaseNoAnswer(b *dbBench) {
	b.follow()
	restore := b.w.Cut()
	_, lag := b.Lag(b.Context(), b.w.Database)
	_, over := b.Over(b.Context(), b.w.Database, false, pauseLimit, func(context.Context) error { return nil })
	for what, err := range map[string]error{
		"Lag": lag, "Over": over, "Replicate": b.Replicate(b.Context(), b.w.Database), "Stop": b.Stop(b.Context(), b.w.Database),
	} {
		if err == nil || errors.Is(err, runner.ErrRefused) {
			b.Errorf("%s while nobody answers = %v, want an error that may pass", what, err)
		}
	}
	restore()
	b.write(sourceSide, 1)
	b.arrive(targetSide)
}

func databaseEndedContext(b *dbBench) {
	ctx, cancel := context.WithCancel(b.Context())
	cancel()
	if err := b.Replicate(ctx, b.w.Database); err == nil {
		b.Error("Replicate with an ended context = nil")
	}
	if left := b.w.Left(); len(left) > 0 {
		b.Errorf("it left %v behind", left)
	}
}
