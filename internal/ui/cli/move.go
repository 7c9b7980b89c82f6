package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tranship/tranship/internal/app/mover"
	"github.com/tranship/tranship/internal/base/journal"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/rollout/runner"
)

// moveFlags are what the commands that read a move share.
type moveFlags struct{ plan, journal string }

func (m *moveFlags) declare(cmd *cobra.Command, withPlan bool) {
	cmd.Flags().StringVar(&m.journal, "journal", "", "the move's journal (default: the plan's name with .journal)")
	if withPlan {
		cmd.Flags().StringVar(&m.plan, "plan", "plan.json", "the plan that is moved by")
	}
}

func (s *session) moveCommand() *cobra.Command {
	var f moveFlags
	var o mover.Options
	var wave int
	var unit string
	var dry, rehearse bool
	cmd := &cobra.Command{
		Use:   "move PLAN",
		Short: "Move services by a plan: journal, act, verify, and back if a gate fails",
		Long: `Move carries a sealed plan out, wave by wave: it puts each unit's objects into the
cluster, tells the front door, sends traffic over by steps while gates compare both
worlds, and keeps the source warm until the rollback window ends. A gate that
fails sends traffic home at once.

Every decision is in the journal before it is done. Kill it at any instant and
give the same command again: it goes on. Ctrl-C ends the step that is under way
and leaves the rest as it is. tranship status, rollback, stop and journal work
beside it.

--dry-run shows every step and changes nothing. --rehearse runs the whole plan
in virtual time against worlds in memory and shows its calendar, how many copies
run in both worlds at most, and what each gate will need.`,
		Example: `  tranship move plan.json --rehearse
  tranship move plan.json --dry-run --wave 1
  tranship move plan.json --wave 1
  tranship move plan.json --unit /shop/cart --manifests out/kubernetes/overlays/production
  tranship move plan.json --approve database/core`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := readPlan(args[0])
			if err != nil {
				return err
			}
			o.Only, err = chosen(&p, wave, unit)
			if err != nil {
				return err
			}
			files := mover.FilesOf(args[0], f.journal)
			switch {
			case dry && rehearse:
				return errUsage{fmt.Errorf("--dry-run and --rehearse are two ways; see %s --help", cmd.CommandPath())}
			case dry:
				return s.show(dryRun(mover.DryRun(&p, o.Only)))
			case rehearse:
				r, err := mover.Rehearse(cmd.Context(), &p, o.Only)
				if err != nil {
					return err
				}
				return s.show(rehearsal(r))
			}
			return s.carryOut(cmd.Context(), &p, files, o)
		},
	}
	f.declare(cmd, false)
	fl := cmd.Flags()
	fl.IntVar(&wave, "wave", 0, "move this wave alone")
	fl.StringVar(&unit, "unit", "", "move this unit alone, by its name or that of one of its workloads")
	fl.BoolVar(&dry, "dry-run", false, "show what would be done")
	fl.BoolVar(&rehearse, "rehearse", false, "run the whole plan in virtual time")
	fl.StringSliceVar(&o.Approve, "approve", nil, "agree to the point of no return of this unit, or of all")
	fl.BoolVar(&o.Again, "again", false, "have halted units go on, and units that went back start anew")
	fl.StringVar(&o.Manifests, "manifests", "", "a folder of rendered manifests with your overlays (default: as the plan renders)")
	return cmd
}

// chosen gives the units of --wave and --unit; none is all.
func chosen(p *plan.Plan, wave int, unit string) ([]rollout.UnitID, error) {
	units := rollout.Units(p)
	if unit != "" {
		u, err := rollout.Find(units, unit)
		if err != nil {
			return nil, errUsage{err}
		}
		return []rollout.UnitID{u.ID}, nil
	}
	if wave == 0 {
		return nil, nil
	}
	var out []rollout.UnitID
	for _, u := range units {
		if u.Wave == wave {
			out = append(out, u.ID)
		}
	}
	if len(out) == 0 {
		return nil, errUsage{fmt.Errorf("--wave %d: the plan has no such wave", wave)}
	}
	return out, nil
}

// carryOut moves in earnest.
func (s *session) carryOut(ctx context.Context, p *plan.Plan, files mover.Files, o mover.Options) error {
	o.Tell = s.tell
	o.About = func(line string) { s.say("%s", line) }
	o.Getenv = lookup
	m, err := mover.Run(ctx, p, files, o)
	return s.moved(m, files, p, err)
}

// tell prints what happens, one line an event.
func (s *session) tell(n runner.Note) {
	unit := string(n.Unit)
	if unit == "" {
		unit = "-"
	}
	s.say("%s  %-28s %-12s %3d %%  %s", n.At.Format(time.TimeOnly), unit, n.State, n.Weight, n.Text)
}

// moved prints where the move stands and turns it into an exit status.
func (s *session) moved(m *rollout.Move, files mover.Files, p *plan.Plan, err error) error {
	switch {
	case errors.Is(err, journal.ErrBusy):
		return fmt.Errorf("%w; tranship status --plan %s tells how far it is", err, files.Plan)
	case errors.Is(err, runner.ErrOtherPlan):
		return errStatus{fmt.Errorf("%w; move by the plan that it is of, or name another with --journal", err), exitPerson}
	case errors.Is(err, journal.ErrDamaged):
		return errStatus{fmt.Errorf("%w; nothing was done: find out what changed it, compare with tranship status, then go on with a copy of its good lines", err), exitPerson}
	case m == nil:
		return err
	}
	_, records, err2 := mover.Look(files, p)
	if err2 != nil {
		return errors.Join(err, err2)
	}
	st := mover.StatusOf(m, p.Seal, records, false)
	if err := s.show(moveStatus(st)); err != nil {
		return err
	}
	switch {
	case errors.Is(err, runner.ErrStopped):
		s.say("stopped as ordered; go on with: tranship move %s", files.Plan)
		return nil
	case err != nil:
		return err
	}
	return outcome(m, files)
}

// outcome gives the error, with its status, of a move that has come to rest.
func outcome(m *rollout.Move, files mover.Files) error {
	switch m.Outcome() {
	case rollout.SomeBack:
		return errStatus{fmt.Errorf("a gate failed and its unit was rolled back; mend what it says, then: tranship move %s --again", files.Plan), exitRolledBack}
	case rollout.NeedPerson:
		var say []string
		for i := range m.Units {
			u := &m.Units[i]
			p := m.Progress(u.ID)
			what, asks := p.Asks(u)
			switch {
			case asks:
				say = append(say, fmt.Sprintf("%s waits for your word: %s; tranship move %s --approve %s", u.ID, what, files.Plan, u.ID))
			case p.Halted:
				say = append(say, fmt.Sprintf("%s has halted: %s; mend it, then: tranship move %s --again", u.ID, p.Why, files.Plan))
			case u.Blocked != "":
				say = append(say, fmt.Sprintf("%s cannot move: %s; then make the plan anew", u.ID, u.Blocked))
			}
		}
		return errStatus{errors.New(strings.Join(say, "\n")), exitPerson}
	}
	return nil
}

// rehearsal is what move --rehearse prints.
type rehearsal mover.Rehearsal

func (r rehearsal) table(w io.Writer) error { return mover.Rehearsal(r).Print(w) }

// dryRun is what move --dry-run prints.
type dryRun mover.Dry

func (d dryRun) table(w io.Writer) error { return mover.Dry(d).Print(w) }
