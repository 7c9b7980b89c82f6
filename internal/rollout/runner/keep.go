package runner

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tranship/tranship/internal/rollout"
)

const (
	// leaseTime is how long a mover that died keeps those of other machines out;
	// the same holder takes it again at once.
	leaseTime = 90 * time.Second
	// leaseEnd is how long a mover goes on that cannot renew: it ends before
	// another can begin, and outlasts an API server that starts again.
	leaseEnd   = 75 * time.Second
	leaseRenew = 5 * time.Second
	// leaseCall is how long one renewal may take: a connection that has died
	// without a word answers nothing for much longer. The next begins soon.
	leaseCall  = 10 * time.Second
	leaseAgain = time.Second
)

// lease takes the lease and keeps it until the function that it returns is
// called. A lease that is lost ends the run.
func (r *Runner) lease(ctx context.Context, cancel context.CancelCauseFunc) (release func(), err error) {
	if r.world.Lease == nil {
		return func() {}, nil
	}
	if err := r.world.Lease.Take(ctx, r.opts.Holder, leaseTime); err != nil {
		return nil, fmt.Errorf("take the mover's lease: %w", err)
	}
	kept, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		good := r.opts.Clock.Now()
		rest := leaseRenew
		for r.opts.Clock.Sleep(kept, rest) == nil {
			left := leaseEnd - r.opts.Clock.Now().Sub(good)
			call, end := context.WithTimeout(kept, min(leaseCall, max(left, 0)))
			err := r.world.Lease.Take(call, r.opts.Holder, leaseTime)
			end()
			now := r.opts.Clock.Now()
			rest = leaseAgain
			switch {
			case err == nil:
				good, rest = now, leaseRenew
			case kept.Err() != nil:
				return
			case errors.Is(err, ErrHeld):
				cancel(fmt.Errorf("the lease was taken: %w", err))
				return
			case now.Sub(good) >= leaseEnd:
				cancel(fmt.Errorf("the lease cannot be renewed: %w", err))
				return
			}
		}
	}()
	return func() {
		stop(nil)
		<-ended
		give, end := context.WithTimeout(context.WithoutCancel(ctx), leaseRenew)
		defer end()
		_ = r.world.Lease.Give(give, r.opts.Holder) // it runs out by itself
	}, nil
}

// follow does what people order until done is closed.
func (r *Runner) follow(ctx context.Context, done <-chan struct{}) {
	if r.opts.Orders == nil {
		return
	}
	for {
		select {
		case <-done:
			return
		case <-ctx.Done():
			return
		default:
		}
		orders, err := r.opts.Orders()
		if err != nil {
			_ = r.record(KindNote, nil, map[string]string{"orders": err.Error()}, "orders cannot be read: "+err.Error())
		}
		for _, o := range orders {
			r.obey(ctx, o)
		}
		if r.opts.Clock.Sleep(ctx, r.opts.Poll/4) != nil {
			return
		}
	}
}

// obey journals an order and does it.
func (r *Runner) obey(ctx context.Context, o Order) {
	if r.record(KindOrder, nil, o, string(o.Kind)+" "+string(o.Unit)+" was ordered") != nil {
		return
	}
	if o.Kind == OrderStop {
		r.cancel(ErrStopped)
		return
	}
	e := rollout.Event{Kind: rollout.RollBack, Why: "ordered"}
	if o.Kind == OrderAgree {
		e.Kind = rollout.Agree
	}
	if o.By != "" {
		e.Why += " by " + o.By
	}
	if err := r.Order(o.Unit, e); err != nil {
		_ = r.record(KindNote, nil, map[string]string{"refused": err.Error()}, err.Error())
		return
	}
	r.launch(ctx)
}

// Order takes an event that a person caused, and has the unit leave what it
// waits for.
func (r *Runner) Order(id rollout.UnitID, e rollout.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	u := r.move.Unit(id)
	if u == nil {
		return fmt.Errorf("unit %s is not in the plan", id)
	}
	if err := r.takeLocked(u, e); err != nil {
		return err
	}
	if w := r.running[id]; w != nil && w.turn != nil && e.Kind == rollout.RollBack {
		w.turn(errTurned)
	}
	return nil
}

// freeHosts has the source drain the hosts that nothing needs any more.
func (r *Runner) freeHosts(ctx context.Context) {
	r.mu.Lock()
	var waves []int
	for wave := r.ended + 1; r.move.WaveEnded(wave) && wave <= r.last(); wave++ {
		waves = append(waves, wave)
		r.ended = wave
	}
	r.mu.Unlock()
	for _, wave := range waves {
		hosts := r.opts.Free[wave]
		if len(hosts) == 0 || r.world.Hosts == nil {
			continue
		}
		freed := Freed{Wave: wave, Hosts: hosts}
		text := fmt.Sprintf("wave %d has ended: %d source hosts are drained and may be terminated", wave, len(hosts))
		if err := r.world.Hosts.Drain(ctx, hosts); err != nil {
			text = fmt.Sprintf("wave %d has ended; its %d free hosts are not drained: %v", wave, len(hosts), err)
		} else if tasks, err := r.world.Hosts.Tasks(ctx, hosts); err == nil {
			freed.Tasks = tasks
		}
		_ = r.record(KindHosts, nil, freed, text)
	}
}

func (r *Runner) last() int {
	last := 0
	for i := range r.move.Units {
		last = max(last, r.move.Units[i].Wave)
	}
	return last
}
