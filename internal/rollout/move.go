package rollout

import (
	"fmt"
	"slices"
)

// A Move is all units with their progress.
type Move struct {
	Units []Unit
	// Parallel is how many units are in flight at a time.
	Parallel int
	// GoOn has later waves begin although a unit went back.
	GoOn bool
	// Only, if set, are the units that are worked on.
	Only     []UnitID
	progress []Progress // by unit
	index    map[UnitID]int
}

// NewMove gives a move of which nothing was done.
func NewMove(units []Unit, parallel int) *Move {
	m := &Move{Units: slices.Clone(units), Parallel: max(parallel, 1), progress: make([]Progress, len(units)), index: map[UnitID]int{}}
	for i := range m.Units {
		m.Units[i].script, m.Units[i].place = Script(&m.Units[i]), i+1
		m.index[m.Units[i].ID] = i
	}
	return m
}

// Unit gives a unit by its ID, nil if there is none.
func (m *Move) Unit(id UnitID) *Unit {
	i, ok := m.index[id]
	if !ok {
		return nil
	}
	return &m.Units[i]
}

// Progress gives how far a unit is.
func (m *Move) Progress(id UnitID) Progress {
	i, ok := m.index[id]
	if !ok {
		return Progress{}
	}
	return m.progress[i]
}

// of gives the progress of one of the units.
func (m *Move) of(u *Unit) *Progress {
	if u.place == 0 {
		return &m.progress[m.index[u.ID]]
	}
	return &m.progress[u.place-1]
}

// State gives a unit's state.
func (m *Move) State(u *Unit) State {
	return m.of(u).State(u)
}

// Take folds an event in.
func (m *Move) Take(id UnitID, e Event) error {
	u := m.Unit(id)
	if u == nil {
		return fmt.Errorf("unit %s is not in the plan", id)
	}
	p, err := m.of(u).After(u, e)
	if err != nil {
		return err
	}
	*m.of(u) = p
	return nil
}

// InFlight are the units that have begun and not ended, those on their way back
// first: nobody waits longer than they do.
func (m *Move) InFlight() []*Unit {
	var back, forth []*Unit
	for i := range m.Units {
		u := &m.Units[i]
		switch s := m.State(u); {
		case s.Ended() || s == Waiting || !m.chosen(u):
		case s == RollingBack:
			back = append(back, u)
		default:
			forth = append(forth, u)
		}
	}
	return append(back, forth...)
}

// Begin gives the units that may begin now: of the earliest wave in which a
// unit has not got as far as its source being drained, as many as Parallel allows.
func (m *Move) Begin() []*Unit {
	room := m.Parallel
	for _, u := range m.InFlight() {
		if m.busy(u) {
			room--
		}
	}
	var out []*Unit
	for _, wave := range m.waves() {
		open, stop := false, false
		for i := range m.Units {
			u := &m.Units[i]
			if u.Wave != wave {
				continue
			}
			switch {
			case m.State(u) == Waiting && m.mayBegin(u):
				open = true
				if len(out) < room {
					out = append(out, u)
				}
			case m.busy(u):
				open = true
			case m.stops(u):
				stop = true // its wave is finished, no later one begins
			}
		}
		if open || stop {
			return out
		}
	}
	return out
}

// busy reports whether a unit takes one of the places in flight: one whose
// source is drained only waits for its rollback window to end.
func (m *Move) busy(u *Unit) bool {
	s := m.State(u)
	if s == Soaking || s == Drained {
		p := m.of(u)
		for _, step := range Script(u)[:min(p.At, len(Script(u)))] {
			if step.State == Soaking && step.Do == Watch {
				return false
			}
		}
		return true
	}
	return !s.Ended() && s != Waiting
}

func (m *Move) stops(u *Unit) bool {
	s := m.State(u)
	return !m.GoOn && (s == RolledBack || s == Halted || u.Blocked != "" && m.chosen(u))
}

func (m *Move) mayBegin(u *Unit) bool { return u.Blocked == "" && m.chosen(u) }

func (m *Move) chosen(u *Unit) bool { return len(m.Only) == 0 || slices.Contains(m.Only, u.ID) }

func (m *Move) waves() []int {
	var out []int
	for _, u := range m.Units {
		out = append(out, u.Wave)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// WaveEnded reports whether all units of a wave are retired: what the plan says
// is free then is.
func (m *Move) WaveEnded(wave int) bool {
	for i := range m.Units {
		if u := &m.Units[i]; u.Wave <= wave && m.State(u) != Retired {
			return false
		}
	}
	return true
}

// Outcome is the worst that a unit has come to.
type Outcome string

// The outcomes, the best first.
const (
	AllMoved   Outcome = "moved"       // every chosen unit is retired
	UnderWay   Outcome = "under-way"   // some are not there yet
	SomeBack   Outcome = "rolled-back" // a gate failed and its unit went back
	NeedPerson Outcome = "needs-a-person"
)

// Outcome gives the worst of all chosen units.
func (m *Move) Outcome() Outcome {
	worst := AllMoved
	for i := range m.Units {
		u := &m.Units[i]
		if !m.chosen(u) {
			continue
		}
		p := m.of(u)
		_, asks := p.Asks(u)
		switch s := m.State(u); {
		case s == Halted || asks || u.Blocked != "":
			return NeedPerson
		case s == RolledBack:
			worst = SomeBack
		case s != Retired && worst == AllMoved:
			worst = UnderWay
		}
	}
	return worst
}
