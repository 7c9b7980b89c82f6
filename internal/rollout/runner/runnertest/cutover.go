package runnertest

import (
	"context"
	"errors"
	"time"
)

var errFrontDoor = errors.New("the front door does not answer")

func goesOver(b *dbBench) {
	b.follow()
	b.write(sourceSide, 10)
	if sent := b.over(false); sent != 1 {
		b.Errorf("clients were sent over %d times, want once", sent)
	}
	b.arrive(targetSide)
	b.closed(sourceSide)
	b.write(targetSide, 7)
	b.arrive(sourceSide)
	l, err := b.Lag(b.Context(), b.w.Database)
	if err != nil || !l.Copied {
		b.Errorf("Lag of the source, which follows now = %+v, %v", l, err)
	}
}

func heldMeanwhile(b *dbBench) {
	b.follow()
	for _, back := range []bool{false, true} {
		old, fresh := sourceSide, targetSide
		if back {
			old, fresh = fresh, old
		}
		b.write(old, 3)
		_, err := b.Over(b.Context(), b.w.Database, back, pauseLimit, func(context.Context) error {
			b.closed(old)
			if got := b.w.Rows(fresh); got != b.wrote {
				b.Errorf("the %s has %d rows as clients are sent there, want %d", fresh, got, b.wrote)
			}
			b.write(fresh, 2)
			return nil
		})
		if err != nil {
			b.Fatalf("Over(back %t) = %v", back, err)
		}
		b.closed(old)
		b.arrive(old)
	}
}

func overTwice(b *dbBench) {
	b.follow()
	if sent := b.over(true); sent != 0 {
		b.Errorf("going back from where nobody went sent clients %d times", sent)
	}
	for _, back := range []bool{false, true} {
		b.over(back)
		for range 2 {
			if sent := b.over(back); sent != 0 {
				b.Errorf("Over(back %t) done again sent clients %d times", back, sent)
			}
		}
	}
	b.write(sourceSide, 1)
	b.arrive(targetSide)
}

func thereAndBack(b *dbBench) {
	b.follow()
	last := b.w.Next(sourceSide)
	for range 3 {
		for _, side := range []string{targetSide, sourceSide} {
			b.over(side == sourceSide)
			n := b.w.Next(side)
			if n <= last {
				b.Errorf("the %s gives number %d, and %d was given before", side, n, last)
			}
			last = n
			b.write(side, 4)
			last += 4
			b.arrive(targetSide)
			b.arrive(sourceSide)
		}
	}
	if c := b.compare(); !c.Same {
		b.Errorf("Compare after there and back = %+v", c)
	}
}

// asItWas has a cutover fail before clients were sent over.
func (b *dbBench) asItWas(limit time.Duration, end func()) {
	b.Helper()
	_, err := b.Over(b.Context(), b.w.Database, false, limit, func(context.Context) error {
		b.Error("clients were sent over all the same")
		return nil
	})
	if err == nil {
		b.Fatal("Over = nil, want an error")
	}
	b.closed(targetSide)
	end()
	b.write(sourceSide, 3)
	b.arrive(targetSide)
	if c := b.compare(); !c.Same {
		b.Errorf("Compare = %+v, want the same on both sides", c)
	}
	b.over(false)
	b.write(targetSide, 1)
	b.arrive(sourceSide)
}

func busyAborts(b *dbBench) {
	b.follow()
	b.asItWas(pauseLimit, b.w.Busy())
}

func stallAborts(b *dbBench) {
	b.follow()
	b.arrive(targetSide)
	end := b.w.Stall()
	b.write(sourceSide, 5)
	b.asItWas(500*time.Millisecond, end)
}

func (b *dbBench) overWithoutFrontDoor() {
	b.Helper()
	_, err := b.Over(b.Context(), b.w.Database, false, pauseLimit, func(context.Context) error { return errFrontDoor })
	if !errors.Is(err, errFrontDoor) {
		b.Fatalf("Over whose redirect fails = %v, want its error", err)
	}
}

func redirectFails(b *dbBench) {
	b.follow()
	b.overWithoutFrontDoor()
	b.closed(sourceSide)
	if sent := b.over(false); sent != 1 {
		b.Errorf("the next Over sent clients %d times, want once", sent)
	}
	b.write(targetSide, 2)
	b.arrive(sourceSide)
}

func redirectFailsBack(b *dbBench) {
	b.follow()
	b.overWithoutFrontDoor()
	if sent := b.over(true); sent != 1 {
		b.Errorf("going back sent clients %d times, want once: some may be at the target", sent)
	}
	b.closed(targetSide)
	b.write(sourceSide, 2)
	b.arrive(targetSide)
}

// killed cuts over with a mover that is killed at the nth instant, and reports
// whether it was. Then a client writes to whichever side takes it.
func (b *dbBench) killed(n int, back bool) (killed bool) {
	b.Helper()
	revive := b.w.Kill(n)
	_, err := b.Over(b.Context(), b.w.Database, back, pauseLimit, func(context.Context) error { return nil })
	if killed = revive(); !killed && err != nil {
		b.Fatalf("Over, whose mover was not killed = %v", err)
	}
	killed = killed && err != nil // it may have had its end before
	for _, side := range []string{sourceSide, targetSide} {
		if b.w.Write(side, 1) == nil {
			b.wrote++
		}
	}
	return killed
}

func (b *dbBench) settle(leader, follower string) {
	b.Helper()
	b.closed(follower)
	b.write(leader, 2)
	b.arrive(leader)
	b.arrive(follower)
	if c := b.compare(); !c.Same {
		b.Fatalf("Compare = %+v, want the same on both sides", c)
	}
}

func killedThenOver(b *dbBench) {
	b.follow()
	for n := 1; ; n += b.w.Every {
		killed := b.killed(n, false)
		b.over(false)
		b.settle(targetSide, sourceSide)
		b.over(true)
		b.settle(sourceSide, targetSide)
		if !killed {
			b.Logf("%d instants", n/b.w.Every)
			return
		}
	}
}

func killedThenBack(b *dbBench) {
	b.follow()
	for n := 1; ; n += b.w.Every {
		killed := b.killed(n, false)
		b.over(true)
		b.settle(sourceSide, targetSide)
		if !killed {
			return
		}
	}
}

func killedOnTheWayBack(b *dbBench) {
	b.follow()
	for n := 1; ; n += b.w.Every {
		b.over(false)
		killed := b.killed(n, true)
		b.over(true)
		b.settle(sourceSide, targetSide)
		if !killed {
			return
		}
	}
}

func stopsAfterOver(b *dbBench) {
	b.follow()
	b.over(false)
	b.write(targetSide, 3)
	b.arrive(sourceSide)
	for range 2 {
		if err := b.Stop(b.Context(), b.w.Database); err != nil {
			b.Fatalf("Stop = %v", err)
		}
	}
	if left := b.w.Left(); len(left) > 0 {
		b.Errorf("Stop left %v behind", left)
	}
	b.write(targetSide, 3)
	b.closed(sourceSide)
	if err := b.Replicate(b.Context(), b.w.Database); err == nil {
		b.Error("Replicate from a source that was given up = nil, want an error")
	}
}
