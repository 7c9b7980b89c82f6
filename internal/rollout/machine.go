package rollout

import (
	"errors"
	"fmt"
)

// ErrNoReturn is returned for a rollback of a unit that has passed a point of
// no return.
var ErrNoReturn = errors.New("there is no way back any more")

// Progress is how far a unit is. Its zero value is a unit to which nothing was
// done. It is a fold over events: whoever has them has the progress.
type Progress struct {
	// At is the step that is next or, if Begun, under way: the world may have
	// seen some of it.
	At    int
	Begun bool
	// Back: steps are undone, from At downwards.
	Back   bool
	Halted bool
	// Why it goes back or has halted.
	Why string
	// Weight is the target's share of traffic, as last set.
	Weight int
	// Home: on the way back, traffic was sent to the source.
	Home bool
	// Agreed holds a person's word for the Approve step at At.
	Agreed bool
}

// EventKind says what happened to a unit.
type EventKind string

// The kinds of event.
const (
	Intent   EventKind = "intent"    // the act at At is about to be done
	Done     EventKind = "done"      // it was, and was verified
	Failed   EventKind = "failed"    // it was not, or a gate failed
	RollBack EventKind = "roll-back" // a person, or the drift of the source, asks for it
	Agree    EventKind = "agree"     // a person lets the unit pass the Approve step
	Again    EventKind = "again"     // a person has a halted unit go on, or one that went back start anew
)

// An Event of a unit. At, Act and Back repeat what Next gave, so that a journal
// can be read and held against the plan.
type Event struct {
	Kind   EventKind `json:"kind"`
	At     int       `json:"at"`
	Act    Act       `json:"act,omitempty"`
	Back   bool      `json:"back,omitempty"`
	Weight int       `json:"weight,omitempty"`
	Why    string    `json:"why,omitempty"`
}

// An Action is what a unit needs next.
type Action struct {
	Unit UnitID
	Act  Act
	Step Step
	At   int
	Back bool
	// Weight of a Shift: the step's forwards, 0 back.
	Weight int
}

// Event gives the event of that kind for the action.
func (a *Action) Event(kind EventKind, why string) Event {
	return Event{Kind: kind, At: a.At, Act: a.Act, Back: a.Back, Weight: a.Weight, Why: why}
}

// State gives the unit's state.
func (p *Progress) State(u *Unit) State {
	steps := Script(u)
	switch {
	case p.Halted:
		return Halted
	case p.Back && p.At < 0:
		return RolledBack
	case p.Back:
		return RollingBack
	case p.At >= len(steps):
		return Retired
	case p.At == 0 && !p.Begun:
		return Waiting
	}
	return steps[p.At].State
}

// Next gives the next action, or false if the unit has ended or a person has to
// agree first.
func (p *Progress) Next(u *Unit) (Action, bool) {
	steps := Script(u)
	if p.State(u).Ended() {
		return Action{}, false
	}
	s := steps[p.At]
	a := Action{Unit: u.ID, Act: s.Do, Step: s, At: p.At, Weight: s.Weight}
	if p.Back {
		a.Act, a.Back, a.Weight = s.Undo, true, 0
		return a, true
	}
	return a, s.Do != Approve || p.Agreed
}

// Asks gives what a person has to agree to before the unit goes on.
func (p *Progress) Asks(u *Unit) (string, bool) {
	steps := Script(u)
	if p.Back || p.Halted || p.At >= len(steps) || steps[p.At].Do != Approve || p.Agreed {
		return "", false
	}
	for _, s := range steps[p.At:] {
		if s.Final != "" {
			return s.Final, true
		}
	}
	return "the source is given up", true
}

// After gives the progress after an event. An event that does not fit is an
// error: the journal is not that of this plan.
func (p Progress) After(u *Unit, e Event) (Progress, error) {
	steps := Script(u)
	if e.Kind == Intent || e.Kind == Done || e.Kind == Failed {
		if e.At != p.At || e.Back != p.Back || p.State(u).Ended() {
			return p, fmt.Errorf("unit %s: %s of step %d (back %t) while it is at step %d (back %t, %s)",
				u.ID, e.Kind, e.At, e.Back, p.At, p.Back, p.State(u))
		}
		if want := actAt(steps[p.At], p.Back); e.Act != want {
			return p, fmt.Errorf("unit %s: step %d is %s in the journal and %s in the plan", u.ID, e.At, e.Act, want)
		}
	}
	switch e.Kind {
	case Intent:
		p.Begun = true
	case Done:
		if e.Act == Shift {
			p.Weight, p.Home = e.Weight, e.Back
		}
		return p.pass(steps), nil
	case Failed:
		p.Why = e.Why
		if p.Back || p.final(steps) {
			p.Halted = true
			return p, nil
		}
		return p.turn(steps), nil
	case RollBack:
		if p.State(u).Ended() && !p.Halted || p.final(steps) {
			if p.At < 0 {
				return p, nil // it is back already
			}
			return p, fmt.Errorf("unit %s: %w: %s", u.ID, ErrNoReturn, p.finality(steps))
		}
		if p.Back {
			return p, nil
		}
		p.Why, p.Halted = e.Why, false
		return p.turn(steps), nil
	case Agree:
		if _, asks := p.Asks(u); !asks {
			return p, fmt.Errorf("unit %s: nothing waits for a person's word", u.ID)
		}
		p.Agreed = true
	case Again:
		switch p.State(u) {
		case Halted:
			p.Halted = false
		case RolledBack:
			return Progress{}, nil
		}
	default:
		return p, fmt.Errorf("unit %s: %q is no event", u.ID, e.Kind)
	}
	return p, nil
}

// pass leaves a step behind: upwards, or downwards to the next that has an
// inverse which still has something to undo.
func (p Progress) pass(steps []Step) Progress {
	p.Begun, p.Agreed = false, false
	if !p.Back {
		p.At++
		return p
	}
	p.At--
	return p.skip(steps)
}

// turn begins the way back.
func (p Progress) turn(steps []Step) Progress {
	p.Back = true
	if !p.Begun {
		p.At--
	}
	p.At = min(p.At, len(steps)-1)
	p.Begun, p.Agreed, p.Home = false, false, false
	return p.skip(steps)
}

// skip goes down to the next step with an inverse. Traffic goes home in one
// step, however many it took to get there.
func (p Progress) skip(steps []Step) Progress {
	for p.At >= 0 && (steps[p.At].Undo == Nothing || steps[p.At].Undo == Shift && p.Home) {
		p.At--
	}
	return p
}

// final reports whether a point of no return was passed.
func (p *Progress) final(steps []Step) bool { return p.finality(steps) != "" }

func (p *Progress) finality(steps []Step) string {
	for i, s := range steps {
		if s.Final != "" && (i < p.At || i == p.At && p.Begun && !p.Back) {
			return s.Final
		}
	}
	return ""
}

func actAt(s Step, back bool) Act {
	if back {
		return s.Undo
	}
	return s.Do
}
