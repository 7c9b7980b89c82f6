package runnertest

import (
	"context"
	"sync"

	"github.com/tranship/tranship/internal/rollout/runner"
)

func newTargets(d doorTest) {
	d.connect(d.Targets...)
	if f := d.observe(); f.Target.Servers != len(d.Targets) || f.Target.Up != len(d.Targets) || f.Source.Servers == 0 || f.Source.Up != f.Source.Servers {
		d.Errorf("observed %+v, want %d target servers, all up", f, len(d.Targets))
	}
	d.weight(0)
	d.shared(100, 0)
}

func connectAgain(d doorTest) {
	d.connect(d.Targets...)
	d.connect(d.Targets...)
	d.weight(0)
	d.shift(25)
	d.connect(d.Targets...)
	if f := d.observe(); f.Target.Servers != len(d.Targets) {
		d.Errorf("%d target servers after connecting again, want %d", f.Target.Servers, len(d.Targets))
	}
	d.weight(25)
	d.shared(200, 25)
}

func connectFollows(d doorTest) {
	d.connect(d.Targets[0])
	d.shift(50)
	d.connect(d.Targets...)
	d.weight(50)
	d.shared(200, 50)
	d.connect(d.Targets[1])
	if f := d.observe(); f.Target.Servers != 1 {
		d.Errorf("%d target servers, want 1", f.Target.Servers)
	}
	if _, _, failed := d.Send(100); failed != 0 {
		d.Errorf("%d requests failed after an address went away", failed)
	}
	d.shift(50)
	d.shared(200, 50)
}

func disconnect(d doorTest) {
	d.connect()
	d.connect(d.Targets...)
	d.shift(50)
	d.connect()
	if f := d.observe(); f.Target.Servers != 0 {
		d.Errorf("%d target servers after they were taken away", f.Target.Servers)
	}
	d.weight(0)
	d.shared(100, 0)
	d.connect()
	unknown := d.Route
	unknown.Backend += "-none"
	if err := d.Traffic.Connect(d.ctx, unknown, nil); err != nil {
		d.Errorf("take the target away from a backend that is not there: %v", err)
	}
}

func interrupted(d doorTest) {
	cut := 0
	for steps := range 24 {
		ctx := stopAfter(d.ctx, steps)
		if d.Traffic.Connect(ctx, d.Route, d.Targets) != nil {
			cut++
		}
		if _, _, failed := d.Send(10); failed != 0 {
			d.Errorf("%d requests failed after a connect that was interrupted", failed)
		}
		d.connect(d.Targets...)
		_ = d.Traffic.Shift(stopAfter(d.ctx, steps), d.Route, 100)
		if _, _, failed := d.Send(10); failed != 0 {
			d.Errorf("%d requests failed after a shift that was interrupted", failed)
		}
		d.shift(50)
		_ = d.Traffic.Connect(stopAfter(d.ctx, steps), d.Route, nil)
		if _, _, failed := d.Send(10); failed != 0 {
			d.Errorf("%d requests failed after a target was half taken away", failed)
		}
		d.connect()
		d.weight(0)
		d.shared(20, 0)
	}
	if cut == 0 {
		d.Error("no connect was interrupted")
	}
}

// stopping is a context that ends once it was looked at so often.
type stopping struct {
	context.Context
	mu   sync.Mutex
	left int
	done chan struct{}
}

func stopAfter(ctx context.Context, looks int) *stopping {
	return &stopping{Context: ctx, left: looks + 1, done: make(chan struct{})}
}

func (s *stopping) look() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.left--; s.left == 0 {
		close(s.done)
	}
	return s.left <= 0
}

// Done ends the context when it is its turn.
func (s *stopping) Done() <-chan struct{} {
	s.look()
	return s.done
}

// Err tells whether the context has ended.
func (s *stopping) Err() error {
	if s.look() {
		return context.Canceled
	}
	return nil
}

func noAddress(d doorTest) {
	for _, a := range []string{"", "10.0.0.1", "10.0.0.1:80; disable server x", "10.0.0.1:99999"} {
		d.refused("connect "+a, d.Traffic.Connect(d.ctx, d.Route, []string{a}), runner.ErrRefused)
	}
	if f := d.observe(); f.Target.Servers != 0 {
		d.Errorf("%d target servers, want none", f.Target.Servers)
	}
}

func shares(d doorTest) {
	d.connect(d.Targets...)
	for _, percent := range []int{1, 5, 25, 50, 100, 0, 100, 99, 0} {
		d.shift(percent)
		d.weight(percent)
		d.shared(400, percent)
	}
}

func shiftAgain(d doorTest) {
	d.shift(0)
	d.connect(d.Targets...)
	for _, percent := range []int{0, 25, 25, 100, 100, 0, 0} {
		d.shift(percent)
		d.weight(percent)
	}
}

func noShare(d doorTest) {
	d.connect(d.Targets...)
	d.shift(25)
	for _, percent := range []int{-1, 101} {
		d.refused("shift to a share that there is not", d.Traffic.Shift(d.ctx, d.Route, percent), runner.ErrRefused)
	}
	d.weight(25)
}

func downIsRefused(d doorTest) {
	d.refused("shift to a target without servers", d.Traffic.Shift(d.ctx, d.Route, 1), runner.ErrRefused)
	d.connect(d.Targets...)
	d.Answer("target", false)
	d.refused("shift to a target that is down", d.Traffic.Shift(d.ctx, d.Route, 1), runner.ErrRefused)
	d.shift(0)
	d.shared(50, 0)
	d.Answer("target", true)
	d.shift(100)
	d.Answer("source", false)
	d.refused("shift to a source that is down", d.Traffic.Shift(d.ctx, d.Route, 50), runner.ErrRefused)
	d.shift(100)
	d.shared(50, 100)
	d.Answer("source", true)
	d.shift(0)
	d.shared(50, 0)
}

func goesDown(d doorTest) {
	d.connect(d.Targets...)
	d.shift(25)
	d.Answer("target", false)
	if f := d.observe(); f.Target.Up != 0 || f.Target.Servers != len(d.Targets) || f.Target.Weight != 25 {
		d.Errorf("observed %+v, want no target server up, and its weight", f.Target)
	}
	if d.FailsOver {
		d.shared(50, 0)
	}
	d.shift(5) // less is given to a side that serves, although it is down
	d.Answer("target", true)
	d.shift(25)
	d.shared(200, 25)
}

func unknown(d doorTest) {
	r := d.Route
	r.Backend += "-none"
	_, err := d.Traffic.Observe(d.ctx, r)
	d.refused("observe", err, runner.ErrAbsent)
	d.refused("shift", d.Traffic.Shift(d.ctx, r, 0), runner.ErrAbsent)
	d.refused("connect", d.Traffic.Connect(d.ctx, r, d.Targets), runner.ErrAbsent)
}

func errorsBySide(d doorTest) {
	if d.Blind {
		d.Skip("it counts nothing")
	}
	d.connect(d.Targets...)
	d.shift(50)
	for _, side := range []string{"target", "source"} {
		before := d.observe()
		d.Err(side, true)
		_, _, failed := d.Send(100)
		d.Err(side, false)
		after := d.observe()
		source, target := after.Source.Errors-before.Source.Errors, after.Target.Errors-before.Target.Errors
		if side == "source" {
			source, target = target, source
		}
		if target != int64(failed) || failed == 0 || source != 0 {
			d.Errorf("%d requests failed at the %s: counted %d there and %d at the other side", failed, side, target, source)
		}
	}
}

func counters(d doorTest) {
	if d.Blind {
		d.Skip("it counts nothing")
	}
	d.connect(d.Targets...)
	d.shift(50)
	last := d.observe()
	for range 3 {
		d.Send(40)
		f := d.observe()
		if got := f.Source.Requests + f.Target.Requests - last.Source.Requests - last.Target.Requests; got != 40 {
			d.Errorf("%d requests counted of 40", got)
		}
		if f.At.Before(last.At) {
			d.Errorf("observed at %v after %v", f.At, last.At)
		}
		if f.Target.Latency != nil {
			if got := f.Source.Latency.N + f.Target.Latency.N - last.Source.Latency.N - last.Target.Latency.N; got != 40 {
				d.Errorf("%d latencies of 40 requests", got)
			}
		}
		last = f
	}
}

func reload(d doorTest) {
	if d.Reload == nil {
		d.Skip("nobody can reload it")
	}
	d.connect(d.Targets...)
	d.shift(25)
	d.Send(100)
	before := d.observe()
	d.Reload()
	after := d.observe()
	if after.Target.Servers != before.Target.Servers || after.Source.Servers != before.Source.Servers {
		d.Errorf("%d and %d servers after a reload, %d and %d before", after.Source.Servers, after.Target.Servers, before.Source.Servers, before.Target.Servers)
	}
	if after.Source.Requests < before.Source.Requests || after.Target.Requests < before.Target.Requests {
		d.Errorf("counters went back from %+v to %+v", before, after)
	}
	d.weight(25)
	d.shared(200, 25)
	d.shift(0)
	d.Reload()
	d.weight(0)
	d.shared(50, 0)
	d.connect()
	d.Reload()
	if f := d.observe(); f.Target.Servers != 0 {
		d.Errorf("%d target servers after they were taken away and a reload", f.Target.Servers)
	}
}

func reloadWhole(d doorTest) {
	if d.Reload == nil {
		d.Skip("nobody can reload it")
	}
	d.connect(d.Targets...)
	d.shift(100)
	d.Reload()
	d.shared(100, 100)
	d.weight(100)
	d.shift(0)
	d.shared(100, 0)
}

func cut(d doorTest) {
	if d.Cutter == nil || d.Hold == nil {
		d.Skip("nothing lasts here")
	}
	d.refused("cut a side that there is not", d.Cutter.Cut(d.ctx, d.Route, "both"), runner.ErrRefused)
	d.connect(d.Targets...)
	d.Hold(4)
	if f := d.observe(); f.Source.Sessions != 4 || f.Target.Sessions != 0 {
		d.Fatalf("observed %d sessions at the source and %d at the target, want 4 and none", f.Source.Sessions, f.Target.Sessions)
	}
	d.shift(100)
	if err := d.Cutter.Cut(d.ctx, d.Route, "target"); err != nil {
		d.Fatal(err)
	}
	if n := d.Held(); n != 4 {
		d.Errorf("%d of 4 connections to the source are left after a cut of the target", n)
	}
	if err := d.Cutter.Cut(d.ctx, d.Route, "source"); err != nil {
		d.Fatal(err)
	}
	if n := d.Held(); n != 0 {
		d.Errorf("%d of 4 connections to the source are left after it was cut", n)
	}
	if err := d.Cutter.Cut(d.ctx, d.Route, "source"); err != nil {
		d.Errorf("cut again: %v", err)
	}
}

func ended(d doorTest) {
	ctx, cancel := context.WithCancel(d.ctx)
	cancel()
	_, err := d.Traffic.Observe(ctx, d.Route)
	d.refused("observe", err, context.Canceled)
	d.refused("shift", d.Traffic.Shift(ctx, d.Route, 0), context.Canceled)
	d.refused("connect", d.Traffic.Connect(ctx, d.Route, d.Targets), context.Canceled)
}
