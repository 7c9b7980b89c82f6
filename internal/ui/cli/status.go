package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"time"

	"github.com/spf13/cobra"

	"github.com/tranship/tranship/internal/app/mover"
	"github.com/tranship/tranship/internal/base/journal"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/rollout/runner"
	"github.com/tranship/tranship/internal/rollout/witness"
)

func (s *session) statusCommand() *cobra.Command {
	var f moveFlags
	var watch bool
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show how far a move is: each unit's state, traffic, gates and last event",
		Long: `Status reads the move's journal, which a mover at work may be writing. With -w it
shows it again each second until the move has come to rest.`,
		Example: `  tranship status
  tranship status --plan plan.json -w
  tranship status -o json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := readPlan(f.plan)
			if err != nil {
				return err
			}
			files := mover.FilesOf(f.plan, f.journal)
			for {
				st, err := statusNow(&p, files)
				if err != nil {
					return err
				}
				if watch && s.terminal && s.output == "table" {
					fmt.Fprint(s.out, "\x1b[H\x1b[2J") // home, and clear what is below
				}
				if err := s.show(moveStatus(st)); err != nil || !watch || !st.Mover {
					return err
				}
				if err := pause(cmd.Context(), time.Second); err != nil {
					return err
				}
			}
		},
	}
	f.declare(cmd, true)
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "show it again each second while a mover is at work")
	return cmd
}

func statusNow(p *plan.Plan, files mover.Files) (mover.Status, error) {
	m, records, err := mover.Look(files, p)
	if err != nil {
		return mover.Status{}, err
	}
	busy, err := mover.Busy(files)
	if err != nil {
		return mover.Status{}, err
	}
	return mover.StatusOf(m, p.Seal, records, busy), nil
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

type moveStatus mover.Status

func (v moveStatus) table(w io.Writer) error {
	rows := [][]string{{"WAVE", "UNIT", "MODE", "STATE", "STEP", "TARGET", "GATES", "LAST"}}
	for _, u := range v.Units {
		last := u.Last
		switch {
		case u.Asks != "":
			last = "waits for a person: " + u.Asks
		case u.Blocked != "":
			last = "blocked: " + u.Blocked
		}
		if !u.At.IsZero() {
			last = u.At.UTC().Format(time.TimeOnly) + " " + last
		}
		rows = append(rows, []string{
			fmt.Sprint(u.Wave), string(u.ID), string(u.Mode), string(u.State), fmt.Sprintf("%d/%d", u.Step, u.Steps),
			fmt.Sprintf("%d %%", u.Weight), u.Gates, last,
		})
	}
	if err := columns(w, rows...); err != nil {
		return err
	}
	if len(v.Free) > 0 {
		if _, err := fmt.Fprintln(w, "\nfree to terminate:", v.Free); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "\n%s; plan %.12s, %s in the journal\n", v.Outcome, v.Plan, counted(v.Records, "record"))
	return err
}

func (s *session) rollbackCommand() *cobra.Command {
	var f moveFlags
	var manifests string
	cmd := &cobra.Command{
		Use:   "rollback UNIT",
		Short: "Send one unit's traffic home and take away what stands at the target",
		Long: `Rollback undoes what was done of one unit, the last first: traffic goes home, then
the target's copies go. A mover at work is told; without one, this command does it.
Past its point of no return a unit has no way back, and this says so.`,
		Example: `  tranship rollback /shop/cart --plan plan.json`,
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, files, busy, err := f.atWork()
			if err != nil {
				return err
			}
			u, err := rollout.Find(rollout.Units(&p), args[0])
			if err != nil {
				return errUsage{err}
			}
			if busy {
				return s.order(cmd.Context(), &p, files, runner.Order{Kind: runner.OrderRollBack, Unit: u.ID, By: person()}, func(st mover.Status) bool {
					return state(st, u.ID).Ended()
				})
			}
			o := mover.Options{
				Only: []rollout.UnitID{u.ID}, Back: person(), Manifests: manifests, Tell: s.tell, Getenv: lookup,
				About: func(line string) { s.say("%s", line) },
			}
			m, err := mover.Run(cmd.Context(), &p, files, o)
			if errors.Is(err, rollout.ErrNoReturn) {
				return errStatus{err, exitPerson}
			}
			if err == nil && m.State(m.Unit(u.ID)) == rollout.RolledBack {
				s.say("%s is back at the source", u.ID)
				return nil
			}
			return s.moved(m, files, &p, err)
		},
	}
	f.declare(cmd, true)
	cmd.Flags().StringVar(&manifests, "manifests", "", "a folder of rendered manifests with your overlays")
	return cmd
}

// atWork reads the plan and tells whether a mover is at work on its journal.
func (m *moveFlags) atWork() (p plan.Plan, files mover.Files, busy bool, err error) {
	files = mover.FilesOf(m.plan, m.journal)
	if p, err = readPlan(m.plan); err == nil {
		busy, err = mover.Busy(files)
	}
	return p, files, busy, err
}

func state(st mover.Status, id rollout.UnitID) rollout.State {
	for _, u := range st.Units {
		if u.ID == id {
			return u.State
		}
	}
	return ""
}

func (s *session) stopCommand() *cobra.Command {
	var f moveFlags
	cmd := &cobra.Command{
		Use:   "stop",
		Short: "Have the mover at work end: every unit stays in a known state",
		Long: `Stop orders the mover at work to end the acts that are under way and then itself.
Traffic keeps the weights that it has. tranship move goes on from there.`,
		Example: `  tranship stop --plan plan.json`,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, files, busy, err := f.atWork()
			if err != nil {
				return err
			}
			if !busy {
				s.say("no mover is at work on %s", files.Journal)
				return nil
			}
			return s.order(cmd.Context(), &p, files, runner.Order{Kind: runner.OrderStop, By: person()}, func(st mover.Status) bool { return !st.Mover })
		},
	}
	f.declare(cmd, true)
	return cmd
}

// order leaves an order for the mover at work and waits until it has been obeyed.
func (s *session) order(ctx context.Context, p *plan.Plan, files mover.Files, o runner.Order, obeyed func(mover.Status) bool) error {
	if err := mover.Order(files, o, time.Now()); err != nil { //nolint:forbidigo // names the order's file
		return err
	}
	s.say("ordered; waiting for the mover at work")
	for {
		st, err := statusNow(p, files)
		if err != nil {
			return err
		}
		if obeyed(st) || !st.Mover {
			return s.show(moveStatus(st))
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
}

func (s *session) journalCommand() *cobra.Command {
	var f moveFlags
	var unit, note string
	cmd := &cobra.Command{
		Use:   "journal",
		Short: "Print a move's journal, verified line by line",
		Long: `Journal prints what was decided and done, in order. Each record holds the hash of
the one before: a line that was changed, added or taken away is found, and named.

--sign-off adds your word to what the witness says of the move, in the file
beside the journal: that you read it and accept it. A statement that was changed,
or is of another journal, is refused.`,
		Example: `  tranship journal --plan plan.json
  tranship journal --unit /shop/cart -o json
  tranship journal --plan plan.json --sign-off "counted with the finance team"`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			files := mover.FilesOf(f.plan, f.journal)
			if cmd.Flags().Changed("sign-off") {
				return s.signOff(files, note)
			}
			records, err := mover.Records(files)
			if errors.Is(err, journal.ErrDamaged) {
				return errStatus{fmt.Errorf("%s: %w", files.Journal, err), exitPerson}
			}
			if err != nil {
				return fmt.Errorf("read journal: %w; tranship move writes it", err)
			}
			head := ""
			if n := len(records); n > 0 {
				head = records[n-1].Hash
			}
			v := journalView{Head: head, Records: []journal.Record{}}
			for _, r := range records {
				if unit == "" || r.Subject == unit {
					v.Records = append(v.Records, r)
				}
			}
			return s.show(v)
		},
	}
	f.declare(cmd, true)
	cmd.Flags().StringVar(&unit, "unit", "", "only what is of this unit")
	cmd.Flags().StringVar(&note, "sign-off", "", "accept what the witness says, with this note")
	return cmd
}

// signOff adds a person's word to the witness' statement.
func (s *session) signOff(files mover.Files, note string) error {
	st, err := mover.SignOff(files, person(), note, time.Now()) //nolint:forbidigo // dates the person's word
	switch {
	case errors.Is(err, mover.ErrNoStatement):
		return fmt.Errorf("%w; spec.move.workloads.NAME.witness names what it writes and reads", err)
	case errors.Is(err, journal.ErrDamaged), errors.Is(err, witness.ErrChanged):
		return errStatus{fmt.Errorf("%s: %w", files.Proof+".json", err), exitPerson}
	case err != nil:
		return err
	}
	s.say("%s: %s, %d of %d acknowledged records stored, %d missing, %d double; signed off by %s", files.Proof+".json",
		st.Verdict, st.Sum.Stored, st.Sum.Acknowledged, st.Sum.Missing, st.Sum.Duplicated, st.SignedOff.By)
	return nil
}

type journalView struct {
	Head    string           `json:"head"`
	Records []journal.Record `json:"records"`
}

func (v journalView) table(w io.Writer) error {
	rows := [][]string{{"N", "AT", "KIND", "UNIT", "WHAT"}}
	for _, r := range v.Records {
		rows = append(rows, []string{fmt.Sprint(r.Number), r.At.UTC().Format("01-02 15:04:05.000"), r.Kind, r.Subject, mover.Words(r)})
	}
	if err := columns(w, rows...); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "\n%s, verified; head %.12s\n", counted(len(v.Records), "record"), v.Head)
	return err
}

// person names who gave the command, for the journal.
func person() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return fmt.Sprint("user ", os.Getuid())
}

func lookup(name string) (string, bool) { return os.LookupEnv(name) }
