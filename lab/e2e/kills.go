package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// kills moves the estate again and again, and kills the mover meanwhile: kill -9
// at random instants, then the same command again.
func (s *stage) kills(ctx context.Context, r *report, p Pace, o options) error {
	moves, each := 1, 10
	if o.full {
		moves = 20
	}
	if o.moves > 0 {
		moves = o.moves
	}
	r.section(fmt.Sprintf("kill -9 of the mover: %d moves, %d kills each", moves, each))
	chance := rand.New(rand.NewPCG(o.seed, 1))
	p.Steps, p.Bake, p.Soak, p.Window = []int{25, 100}, 2*time.Second, 3*time.Second, time.Second
	var killed, ended int
	var failed, missing, double, journals int64
	for n := range moves {
		if err := s.reset(ctx); err != nil {
			return err
		}
		if err := s.settle(ctx, o.estate, nil); err != nil {
			return err
		}
		load, err := s.drive(ctx, fmt.Sprintf("kills-%d", n), 500, loadRates{write: 150, last: 30, page: 5, long: 0.2}.args()...)
		if err != nil {
			return err
		}
		v, err := s.prepare(ctx, fmt.Sprintf("kills-%d", n), p, false)
		if err == nil {
			var k int
			k, err = v.killed(ctx, each, apart(n), chance)
			killed += k
		}
		if err != nil {
			_ = load.cmd.Cancel()
			return err
		}
		units, err := v.status(ctx)
		if err != nil {
			return err
		}
		done := true
		for _, u := range units {
			switch u.State {
			case "retired":
			case "rolled-back":
				r.note("move %d: %s went back: %s", n+1, u.ID, u.Why)
			default:
				done = false
				r.note("move %d: %s is %s: %s", n+1, u.ID, u.State, u.Why)
			}
		}
		if done {
			ended++
		}
		stats, failures, err := load.end()
		if err != nil {
			return err
		}
		for i, f := range failures {
			if i < 3 {
				r.note("move %d: failure: %s %s %s: %s", n+1, f.At.Format(time.TimeOnly), f.Class, f.Outcome, f.Error)
			}
		}
		got, err := load.verify(ctx)
		if err != nil {
			return err
		}
		failed += int64(stats.Failed)
		missing += got.Readings.Missing + got.Readings.Duplicates
		double += got.Rollup.Double + got.Rollup.Overlapping + got.Notifier.Together + got.Notifier.Duplicates + got.Notifier.Gaps
		if _, err := v.run(ctx, s.tranship, "journal", "--plan", v.file("plan.json")); err != nil {
			journals++
		}
		s.say("move %d of %d: %d units, all ended %t, %d requests failed so far, %d kills so far", n+1, moves, len(units), done, failed, killed)
	}
	r.note("%d kills in %d moves", killed, moves)
	r.all("moves that ended moved or rolled back", ended, moves)
	r.zero("failed requests", failed)
	r.zero("acknowledged records missing or double", missing)
	r.zero("double runs of the job, consumers together, gaps", double)
	r.zero("journals that do not verify", journals)
	return nil
}

// apart is the most that a mover of the nth move has between two kills. A move takes a minute: ten kills fall on its
// beginning or all over it, one after the other or far from each other.
func apart(n int) time.Duration { return []time.Duration{8, 2, 5, 3}[n%4] * time.Second }

// killed runs the move, kills it up to n times at random instants, and then lets
// it end. It gives how often it did.
func (v *voyage) killed(ctx context.Context, n int, apart time.Duration, chance *rand.Rand) (int, error) {
	log, err := os.Create(v.file("move.log"))
	if err != nil {
		return 0, err
	}
	defer log.Close()
	kills := 0
	for {
		c := v.mover(ctx, "--approve", "all")
		c.Stdout, c.Stderr = log, log
		if err := c.Start(); err != nil {
			return kills, fmt.Errorf("start the mover: %w", err)
		}
		ended := make(chan error, 1)
		go func() { ended <- c.Wait() }()
		var kill <-chan time.Time
		if kills < n {
			kill = time.After(time.Duration(chance.Int64N(int64(apart))))
		}
		select {
		case err := <-ended:
			if _, exit := errors.AsType[*exec.ExitError](err); err != nil && !exit {
				return kills, err
			}
			return kills, nil
		case <-kill:
			_ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL)
			<-ended
			kills++
		case <-time.After(10 * time.Minute):
			_ = syscall.Kill(-c.Process.Pid, syscall.SIGKILL)
			<-ended
			return kills, errors.New("the move did not end within 10 minutes")
		}
	}
}
