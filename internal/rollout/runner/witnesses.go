package runner

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/rollout/gate"
	"github.com/tranship/tranship/internal/rollout/witness"
)

const (
	witnessRate    = 5 // marks a second
	witnessDevices = 4
	witnessSettle  = 5 * time.Second
	witnessLook    = 250 * time.Millisecond
	// witnessCall bounds one write or read.
	witnessCall = 15 * time.Second
)

// witnesses write and read a unit's marks, from its first act to its last.
type witnesses struct {
	runner *Runner
	unit   *rollout.Unit
	write  context.CancelFunc
	read   context.CancelFunc
	ended  sync.WaitGroup

	mu     sync.Mutex
	tally  *witness.Tally
	settle time.Duration
	// blind is for how long no read may be answered: two marks' turn to be read.
	blind time.Duration
}

// testify starts the witness of a unit, nil if policy names none.
func (r *Runner) testify(ctx context.Context, u *rollout.Unit) *witnesses {
	if r.world.Marker == nil {
		return nil
	}
	for _, l := range u.Workloads {
		w := r.opts.Policy.MoveOf(string(l.Name)).Witness
		if w == nil {
			continue
		}
		rate, devices, settle := w.Rate, w.Devices, witnessSettle
		if rate == 0 {
			rate = witnessRate
		}
		if devices == 0 {
			devices = witnessDevices
		}
		if w.Settle != nil {
			settle = w.Settle.Duration()
		}
		// Names are new at each start: what an earlier witness wrote is not ours to count.
		prefix := fmt.Sprintf("witness-%s-%x-", strings.Trim(strings.ReplaceAll(string(l.Name), "/", "-"), "-"), r.opts.Clock.Now().UnixMilli())
		pause := time.Duration(float64(time.Second) / rate)
		out := &witnesses{runner: r, unit: u, settle: settle, blind: settle + 2*pause, tally: witness.New(prefix, devices, settle)}
		writing, stopWriting := context.WithCancel(ctx)
		reading, stopReading := context.WithCancel(ctx)
		out.write, out.read = stopWriting, stopReading
		// A slow answer must not hold up the next mark: as many writers as marks can be under way.
		for range 4 {
			out.ended.Add(2)
			r.opts.Clock.Go(func() { defer out.ended.Done(); out.send(writing, *w, 4*pause) })
			r.opts.Clock.Go(func() { defer out.ended.Done(); out.ask(reading, *w, pause) })
		}
		return out
	}
	return nil
}

func (w *witnesses) send(ctx context.Context, say policy.MoveWitness, pause time.Duration) {
	clock := w.runner.opts.Clock
	for clock.Sleep(ctx, pause) == nil {
		w.mu.Lock()
		m := w.tally.Next(clock.Now())
		w.mu.Unlock()
		call, cancel := context.WithTimeout(context.WithoutCancel(ctx), witnessCall)
		kept, err := w.runner.world.Marker.Write(call, say, m)
		cancel()
		outcome := witness.Refused
		switch {
		case err != nil:
			outcome = witness.Unsure
		case kept:
			outcome = witness.Acknowledged
		}
		w.mu.Lock()
		w.tally.Answered(m, outcome, clock.Now())
		w.mu.Unlock()
	}
}

func (w *witnesses) ask(ctx context.Context, say policy.MoveWitness, pause time.Duration) {
	clock := w.runner.opts.Clock
	for {
		w.mu.Lock()
		m, due := w.tally.Due(clock.Now())
		w.mu.Unlock()
		if !due {
			if clock.Sleep(ctx, pause) != nil {
				return
			}
			continue
		}
		call, cancel := context.WithTimeout(context.WithoutCancel(ctx), witnessCall)
		n, err := w.runner.world.Marker.Read(call, say, m)
		cancel()
		w.mu.Lock()
		w.tally.Read(m, n, err == nil, clock.Now())
		w.mu.Unlock()
		if ctx.Err() != nil {
			return
		}
	}
}

// verdict judges what was found so far. A witness that reads nothing now says
// nothing, however much it read before.
func (w *witnesses) verdict() gate.Result {
	now := w.runner.opts.Clock.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	sum, _ := w.tally.Sum()
	marks := gate.Marks{
		Sent: sum.Sent, Acknowledged: sum.Acknowledged, Stored: w.tally.Recent(now, 2*w.blind),
		Missing: sum.Missing, Duplicated: sum.Duplicated, First: w.tally.First(),
	}
	if blind := w.tally.Blind(now); blind > w.blind {
		marks.Blind = blind
	}
	return gate.Witness(marks)
}

// stop ends the witness and keeps what it found in the journal.
func (w *witnesses) stop(ctx context.Context) {
	if w == nil {
		return
	}
	r := w.runner
	w.write()
	// What was acknowledged last is read back too, unless the mover is told to end.
	for end := r.opts.Clock.Now().Add(w.settle + witnessCall); r.opts.Clock.Now().Before(end); {
		w.mu.Lock()
		_, open := w.tally.Sum()
		w.mu.Unlock()
		if open == 0 || r.opts.Clock.Sleep(ctx, witnessLook) != nil {
			break
		}
	}
	w.read()
	w.ended.Wait()
	proof := w.tally.Proof(string(w.unit.ID), "", r.opts.Clock.Now())
	s := proof.Sum
	text := fmt.Sprintf("witness: %d sent, %d acknowledged, %d stored, %d missing, %d duplicated", s.Sent, s.Acknowledged, s.Stored, s.Missing, s.Duplicated)
	if err := r.record(KindWitness, w.unit, proof, text); err != nil && !errors.Is(err, context.Canceled) {
		return // the run ends for the journal's sake
	}
}
