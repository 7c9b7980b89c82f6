// Package runner carries a move out: journal first, then act, then verify. It
// takes units, both worlds behind small interfaces, and a journal, and drives
// each unit by what package rollout says is next. It never decides what that
// is, and never sends traffic where too few copies are ready.
package runner

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/tranship/tranship/internal/base/journal"
	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/rollout/gate"
)

// A World is what the runner acts on. A part that the plan's units do not need
// may be nil.
type World struct {
	Objects  Objects
	Cluster  Cluster
	Exposer  Exposer
	Source   Source
	Hosts    Hosts
	Traffic  Traffic
	Cutter   Cutter
	Database Database
	Cutover  Cutover
	Volumes  Volumes
	Prober   Prober
	Marker   Marker
	Fences   Fences
	Lease    Lease
}

// Journal keeps what was decided and done. Package base/journal has one.
type Journal interface {
	Append(at time.Time, kind, subject string, body any) (journal.Record, error)
}

// Clock is the time, which may be virtual.
type Clock interface {
	Now() time.Time
	// Sleep waits, or returns early with the context's cause.
	Sleep(ctx context.Context, d time.Duration) error
	// Go runs f on its own, and may wait for it to end.
	Go(f func())
}

// Options of a run. The zero value works for tests; Policy is the plan's.
type Options struct {
	Policy policy.Policy
	// Holder names this mover in the lease.
	Holder string
	// Poll is the time between two looks at the worlds, a second by default.
	Poll time.Duration
	// Coarse makes looks at long watches rarer, for virtual time: For / Coarse.
	Coarse int
	Clock  Clock
	// Tell hears what happens, for people who watch. It must not block.
	Tell func(Note)
	// Orders gives what people have asked for since the last call: stop, roll a
	// unit back, agree.
	Orders func() ([]Order, error)
	// Began is when the step that a unit is at was begun, and Bases the last
	// windows in which its source had traffic, as an earlier run's journal has them.
	Began map[rollout.UnitID]Begun
	Bases map[rollout.UnitID]map[string]*gate.Window
	// Agree, if set, gives a person's word for a unit that asks for it, ahead of time.
	Agree func(rollout.UnitID) bool
	// Free are source hosts that the plan calls free once a wave has ended.
	Free map[int][]string
}

// A Note is something that a person who watches wants to hear.
type Note struct {
	At   time.Time
	Unit rollout.UnitID
	// State and Weight of the unit.
	State  rollout.State
	Weight int
	Text   string
}

// An Order of a person to a mover at work.
type Order struct {
	Kind OrderKind      `json:"kind"`
	Unit rollout.UnitID `json:"unit,omitempty"`
	By   string         `json:"by,omitempty"`
}

// OrderKind is what a person wants.
type OrderKind string

// The orders.
const (
	OrderStop     OrderKind = "stop"      // end safe steps, then end
	OrderRollBack OrderKind = "roll-back" // of one unit
	OrderAgree    OrderKind = "agree"     // to what one unit asks
)

// ErrStopped is the cause when a person ordered a stop.
var ErrStopped = errors.New("stopped by order")

// A Runner drives the units of a move.
type Runner struct {
	world   World
	journal Journal
	opts    Options

	mu      sync.Mutex
	move    *rollout.Move
	running map[rollout.UnitID]*run
	ended   int // waves whose free hosts were drained
	broken  error
	cancel  context.CancelCauseFunc
	wait    sync.WaitGroup
}

// run is one unit at work.
type run struct {
	unit    *rollout.Unit
	turn    context.CancelCauseFunc // ends what it waits for, to go back
	witness *witnesses
}

// New makes a runner of a move that Replay gave. It starts nothing.
func New(m *rollout.Move, w World, j Journal, opts Options) *Runner {
	if opts.Poll == 0 {
		opts.Poll = time.Second
	}
	if opts.Clock == nil {
		opts.Clock = wall{}
	}
	if opts.Tell == nil {
		opts.Tell = func(Note) {}
	}
	return &Runner{world: w, journal: j, opts: opts, move: m, running: map[rollout.UnitID]*run{}, cancel: func(error) {}}
}

// Run drives all units that may begin or have begun until each has ended, waits
// for a person, or ctx ends. Acts that change a world are ended before it
// returns; what waits or watches is left at once and taken up by the next run.
// It returns the cause of an early end: ErrStopped, ErrHeld, or that of ctx.
// How the units fared is in the move: see Outcome.
func (r *Runner) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r.cancel = cancel
	release, err := r.lease(ctx, cancel)
	if err != nil {
		return err
	}
	done := make(chan struct{})
	orders := make(chan struct{})
	go func() {
		defer close(orders)
		r.follow(ctx, done)
	}()
	r.launch(ctx)
	r.wait.Wait()
	close(done)
	<-orders
	release()
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.broken != nil {
		return r.broken
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// launch starts every unit that has something to do and is not at work yet.
func (r *Runner) launch(ctx context.Context) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if ctx.Err() != nil || r.broken != nil {
		return
	}
	for _, u := range append(r.move.InFlight(), r.move.Begin()...) {
		p := r.move.Progress(u.ID)
		if _, ok := p.Next(u); !ok && !r.agrees(u) || r.running[u.ID] != nil {
			continue
		}
		w := &run{unit: u}
		r.running[u.ID] = w
		r.wait.Add(1)
		r.opts.Clock.Go(func() {
			defer r.wait.Done()
			r.drive(ctx, w)
			r.mu.Lock()
			delete(r.running, w.unit.ID)
			r.mu.Unlock()
			r.freeHosts(ctx)
			r.launch(ctx)
		})
	}
}

// drive takes one unit as far as it gets.
func (r *Runner) drive(ctx context.Context, w *run) {
	w.witness = r.testify(ctx, w.unit)
	defer func() { w.witness.stop(ctx) }()
	for ctx.Err() == nil {
		own, turn := context.WithCancelCause(ctx)
		r.mu.Lock()
		p := r.move.Progress(w.unit.ID)
		a, ok := p.Next(w.unit)
		begun := p.Begun
		w.turn = turn
		broken := r.broken != nil
		r.mu.Unlock()
		if !ok && !broken && r.agrees(w.unit) {
			turn(nil)
			if r.take(w.unit, rollout.Event{Kind: rollout.Agree, Why: "beforehand, by --approve"}) != nil {
				return
			}
			continue
		}
		if !ok || broken {
			turn(nil)
			return
		}
		if !begun && r.take(w.unit, a.Event(rollout.Intent, "")) != nil {
			turn(nil)
			return
		}
		err := r.do(own, w, a)
		turned := errors.Is(context.Cause(own), errTurned)
		turn(nil)
		switch {
		case turned || ctx.Err() != nil && errors.Is(err, context.Cause(ctx)):
			// The unit was told to go back, or the mover ends: what was begun stays begun.
			err = nil
		case err == nil:
			err = r.take(w.unit, a.Event(rollout.Done, ""))
		default:
			err = r.take(w.unit, a.Event(rollout.Failed, err.Error()))
		}
		if err != nil {
			return
		}
		if a.Act == rollout.Watch {
			// A unit that has soaked makes room for others.
			r.launch(ctx)
		}
	}
}

// agrees reports whether a person has agreed ahead of time to what the unit asks.
func (r *Runner) agrees(u *rollout.Unit) bool {
	p := r.move.Progress(u.ID)
	_, asks := p.Asks(u)
	return asks && r.opts.Agree != nil && r.opts.Agree(u.ID)
}

var errTurned = errors.New("the unit goes back")

// take journals an event and folds it in. Whatever cannot be journaled is not
// done: the whole run ends.
func (r *Runner) take(u *rollout.Unit, e rollout.Event) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.takeLocked(u, e)
}

func (r *Runner) takeLocked(u *rollout.Unit, e rollout.Event) error {
	if r.broken != nil {
		return r.broken
	}
	p := r.move.Progress(u.ID)
	if _, err := p.After(u, e); err != nil {
		return err
	}
	now, err := r.keep(KindEvent, u, e)
	if err != nil {
		return err
	}
	if err := r.move.Take(u.ID, e); err != nil {
		return err
	}
	p = r.move.Progress(u.ID)
	r.opts.Tell(Note{At: now, Unit: u.ID, State: p.State(u), Weight: p.Weight, Text: e.Text()})
	return nil
}

// record journals what is no event of the machine. It is told, too, if text is not empty.
func (r *Runner) record(kind string, u *rollout.Unit, body any, text string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.broken != nil {
		return r.broken
	}
	now, err := r.keep(kind, u, body)
	if err != nil || text == "" {
		return err
	}
	n := Note{At: now, Text: text}
	if u != nil {
		p := r.move.Progress(u.ID)
		n.Unit, n.State, n.Weight = u.ID, p.State(u), p.Weight
	}
	r.opts.Tell(n)
	return nil
}

// keep appends to the journal, of a unit or of the move. A journal that takes
// nothing more ends the run.
func (r *Runner) keep(kind string, u *rollout.Unit, body any) (time.Time, error) {
	subject := ""
	if u != nil {
		subject = string(u.ID)
	}
	now := r.opts.Clock.Now()
	_, err := r.journal.Append(now, kind, subject, body)
	if err != nil {
		r.broken = err
		r.cancel(err)
	}
	return now, err
}
