package rollout_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"pgregory.net/rapid"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/rollout"
)

func unitOf(name, mode string, routes bool) rollout.Unit {
	u := rollout.Unit{
		ID: rollout.UnitID(name), Wave: 1, Mode: plan.Mode(mode), Steps: []int{1, 25, 100},
		Bake: time.Minute, Soak: time.Hour, Window: 24 * time.Hour, Ready: 10 * time.Minute, Patience: 2 * time.Minute,
		Workloads: []rollout.Workload{{Name: estate.Name(name), Kind: estate.Service, Replicas: 2, SourceReplicas: 2}},
	}
	if mode == "database" {
		u.Mode, u.Database, u.Workloads = plan.Stateful, &policy.MoveDatabase{Name: name}, nil
	}
	if routes {
		u.Workloads[0].Routes = []rollout.Route{{Backend: name, Workload: estate.Name(name), Port: 8080}}
	}
	return u
}

// TestTranscripts plays what happens to units and shows what is next, as
// testdata/*.txt tell.
func TestTranscripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		m := rollout.NewMove(nil, 1)
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			var out strings.Builder
			switch d.Cmd {
			case "move": // parallel=N, then units, one a line: NAME wave mode [routes]
				parallel := 1
				d.MaybeScanArgs(t, "parallel", &parallel)
				var units []rollout.Unit
				for line := range strings.Lines(d.Input) {
					f := strings.Fields(line)
					u := unitOf(f[0], f[2], len(f) > 3 && f[3] == "routes")
					_, _ = fmt.Sscan(f[1], &u.Wave)
					units = append(units, u)
				}
				m = rollout.NewMove(units, parallel)
			case "do": // lines: UNIT done|failed|intent|roll-back|agree|again [N times] [why...]
				for line := range strings.Lines(d.Input) {
					f := strings.Fields(line)
					times := 1
					if len(f) > 2 {
						if _, err := fmt.Sscanf(f[2], "x%d", &times); err == nil {
							f = append(f[:2], f[3:]...)
						}
					}
					for range times {
						out.WriteString(play(m, rollout.UnitID(f[0]), rollout.EventKind(f[1]), strings.Join(f[2:], " ")))
					}
				}
			case "begin":
				for _, u := range m.Begin() {
					fmt.Fprintln(&out, u.ID)
				}
			default:
				t.Fatalf("unknown command %s", d.Cmd)
			}
			for i := range m.Units {
				u := &m.Units[i]
				p := m.Progress(u.ID)
				fmt.Fprintf(&out, "%s: %s", u.ID, m.State(u))
				if a, ok := p.Next(u); ok {
					fmt.Fprintf(&out, ", next %s", a.Act)
					if a.Act == rollout.Shift {
						fmt.Fprintf(&out, " %d", a.Weight)
					}
				}
				if what, asks := p.Asks(u); asks {
					fmt.Fprintf(&out, ", asks: %s", what)
				}
				fmt.Fprintln(&out)
			}
			fmt.Fprintln(&out, "outcome:", m.Outcome())
			return out.String()
		})
	})
}

func play(m *rollout.Move, id rollout.UnitID, kind rollout.EventKind, why string) string {
	u := m.Unit(id)
	p := m.Progress(id)
	e := rollout.Event{Kind: kind, Why: why}
	if kind == rollout.Intent || kind == rollout.Done || kind == rollout.Failed {
		a, ok := p.Next(u)
		if !ok {
			return fmt.Sprintf("%s has nothing to do\n", id)
		}
		if kind != rollout.Intent && !p.Begun {
			if err := m.Take(id, a.Event(rollout.Intent, "")); err != nil {
				return err.Error() + "\n"
			}
		}
		e = a.Event(kind, why)
	}
	if err := m.Take(id, e); err != nil {
		return err.Error() + "\n"
	}
	return ""
}

// TestEveryStepHasItsInverseOrIsHarmless: what changes a world is undone by
// what its inverse is, or is a named point of no return.
func TestEveryStepHasItsInverseOrIsHarmless(t *testing.T) {
	inverse := map[rollout.Act]rollout.Act{
		rollout.Apply: rollout.Remove, rollout.ApplyStopped: rollout.Remove, rollout.Connect: rollout.Disconnect,
		rollout.SuspendSource: rollout.ResumeSource, rollout.StartTarget: rollout.StopTarget, rollout.DrainSource: rollout.UndrainSrc,
		rollout.Replicate: rollout.StopReplica, rollout.CutOver: rollout.CutBack, rollout.Copy: rollout.CopyBack,
	}
	asks := map[rollout.Act]bool{
		rollout.CheckDrift: true, rollout.AwaitReady: true, rollout.Watch: true, rollout.ProveSourceOff: true, rollout.ProveTargetOn: true,
		rollout.AwaitCaughtUp: true, rollout.Compare: true, rollout.Approve: true, rollout.CopyWarm: true,
	}
	for _, u := range everyUnit() {
		final, shifted := false, false
		for i, s := range rollout.Script(&u) {
			switch {
			case final || s.Final != "":
				final = true
			case s.Do == rollout.Shift:
				shifted = shifted || s.Undo == rollout.Shift
				if !shifted {
					t.Errorf("%s %s: step %d shifts and no step up to it sends traffic home", u.ID, u.Mode, i)
				}
			case inverse[s.Do] != "":
				if s.Undo != inverse[s.Do] {
					t.Errorf("%s %s: step %d %s is undone by %q, want %s", u.ID, u.Mode, i, s.Do, s.Undo, inverse[s.Do])
				}
			case !asks[s.Do]:
				t.Errorf("%s %s: step %d %s changes a world and has no inverse", u.ID, u.Mode, i, s.Do)
			}
		}
		if !final {
			t.Errorf("%s %s: no point of no return is named", u.ID, u.Mode)
		}
	}
}

func everyUnit() []rollout.Unit {
	var out []rollout.Unit
	for _, mode := range []string{"shifted", "plain", "exclusive", "stateful"} {
		out = append(out, unitOf("/a", mode, true), unitOf("/a", mode, false))
	}
	out[1].Mode = plan.Plain // shifted needs a route
	return append(out, unitOf("db", "database", false))
}

// TestAnyFailureLeadsHomeOrToAPerson: from any step, whatever fails, a unit ends
// retired, rolled back or halted; one that was rolled back undid all that it
// had begun, the last first; nothing runs in both worlds on the way.
func TestAnyFailureLeadsHomeOrToAPerson(t *testing.T) {
	units := everyUnit()
	rapid.Check(t, func(t *rapid.T) {
		u := units[rapid.IntRange(0, len(units)-1).Draw(t, "unit")]
		m := rollout.NewMove([]rollout.Unit{u}, 1)
		var open []rollout.Act // done and not undone
		target, source := false, true
		exclusive := u.Mode == plan.Exclusive || u.Mode == plan.Stateful
		for n := 0; ; n++ {
			if n > 200 {
				t.Fatalf("no end after %d events", n)
			}
			p := m.Progress(u.ID)
			a, ok := p.Next(&u)
			if !ok {
				if _, asks := p.Asks(&u); asks {
					if err := m.Take(u.ID, rollout.Event{Kind: rollout.Agree}); err != nil {
						t.Fatal(err)
					}
					continue
				}
				break
			}
			if err := m.Take(u.ID, a.Event(rollout.Intent, "")); err != nil {
				t.Fatal(err)
			}
			switch a.Act {
			case rollout.StartTarget:
				target = true
			case rollout.StopTarget:
				target = false
			case rollout.SuspendSource:
				source = false
			case rollout.ResumeSource:
				source = true
			}
			if exclusive && u.Database == nil && source && target {
				t.Fatalf("%s runs in both worlds", u.Mode)
			}
			kind := rollout.Done
			if rapid.IntRange(0, 9).Draw(t, "fails") == 0 {
				kind = rollout.Failed
			}
			if !a.Back {
				open = append(open, a.Step.Undo)
			} else if kind == rollout.Done {
				for len(open) > 0 && open[len(open)-1] != a.Act {
					if last := open[len(open)-1]; last != rollout.Nothing && last != rollout.Shift {
						t.Fatalf("%s is undone before %s", a.Act, last)
					}
					open = open[:len(open)-1]
				}
				open = open[:max(len(open)-1, 0)]
			}
			if err := m.Take(u.ID, a.Event(kind, "a gate")); err != nil {
				t.Fatal(err)
			}
		}
		switch s := m.State(&u); s {
		case rollout.RolledBack:
			for _, act := range open {
				if act != rollout.Nothing && act != rollout.Shift {
					t.Fatalf("rolled back without %s", act)
				}
			}
			if p := m.Progress(u.ID); p.Weight != 0 {
				t.Fatalf("rolled back with %d percent at the target", p.Weight)
			}
		case rollout.Retired, rollout.Halted:
		default:
			t.Fatalf("ended in %s", s)
		}
	})
}

// TestThereIsNoWayBackFromAPointOfNoReturn asks for it.
func TestThereIsNoWayBackFromAPointOfNoReturn(t *testing.T) {
	for _, u := range everyUnit() {
		m := rollout.NewMove([]rollout.Unit{u}, 1)
		for {
			p := m.Progress(u.ID)
			if _, asks := p.Asks(&u); asks {
				play(m, u.ID, rollout.Agree, "")
				continue
			}
			if _, ok := p.Next(&u); !ok {
				break
			}
			play(m, u.ID, rollout.Done, "")
		}
		if err := m.Take(u.ID, rollout.Event{Kind: rollout.RollBack}); !errors.Is(err, rollout.ErrNoReturn) {
			t.Errorf("%s %s: roll-back at the end = %v, want ErrNoReturn", u.ID, u.Mode, err)
		}
	}
}

// TestAJournalOfAnotherPlanIsRefused: an event that does not fit the unit's way.
func TestAJournalOfAnotherPlanIsRefused(t *testing.T) {
	u := unitOf("/a", "shifted", true)
	m := rollout.NewMove([]rollout.Unit{u}, 1)
	for _, e := range []rollout.Event{
		{Kind: rollout.Done, At: 3, Act: rollout.Connect},
		{Kind: rollout.Intent, At: 0, Act: rollout.Apply},
		{Kind: rollout.Intent, At: 0, Act: rollout.CheckDrift, Back: true},
		{Kind: rollout.Agree},
		{Kind: "burned"},
	} {
		if err := m.Take("/a", e); err == nil {
			t.Errorf("%+v is taken", e)
		}
	}
	if err := m.Take("/b", rollout.Event{Kind: rollout.Again}); err == nil {
		t.Error("an event of a unit that the plan does not have is taken")
	}
}
