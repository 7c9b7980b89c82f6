package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tranship/tranship/internal/app"
	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/ui/cli/explain"
)

func (s *session) planCommand() *cobra.Command {
	var out string
	var o app.PlanOptions
	cmd := &cobra.Command{
		Use:   "plan ESTATE",
		Short: "Propose sizes, nodes, their cost and waves, sealed in one file",
		Long: `Plan takes the estate that discover wrote, what was used, a price list and the
policy, and proposes how many copies run with which requests, on which nodes at
what cost, and in which waves they move. Everything says why: tranship explain
placement, pool and wave tell. The file holds all that render and move need, and
a seal: a plan that was changed is refused.

Usage may be CSV, answers of Prometheus' range API, Graphite's render API,
CloudWatch's GetMetricData or Mesos agents' /monitor/statistics: each file is
recognised by what it holds. Without usage the declared requests stay.`,
		Example: `  tranship plan estate.json --usage usage.csv --as-of 2026-11-24 --out plan.json
  tranship plan estate.json --usage prometheus/ --usage graphite.json --budget 10s
  tranship prices import index.csv --out prices.csv && tranship plan estate.json --prices prices.csv`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.Budget < 0 || o.Budget > time.Hour {
				return errUsage{fmt.Errorf("--budget %s is not from 0 to 1h; see %s --help", o.Budget, cmd.CommandPath())}
			}
			e, err := app.ReadEstate(args[0])
			if err != nil {
				return fmt.Errorf("%w; make it with: tranship discover PATH --out %s", err, args[0])
			}
			pol, _, diags, err := app.Policy(s.config)
			if err := s.report(diags); err != nil {
				return err
			}
			if err != nil {
				return err
			}
			p, diags, err := app.Propose(e, pol, o)
			if err := s.report(diags); err != nil {
				return err
			}
			if err != nil {
				return err
			}
			if out != "" {
				if err := app.WriteFile(out, func(f *os.File) error { return p.Write(f) }); err != nil {
					return err
				}
			}
			if err := s.show(newProposal(&p, diags)); err != nil {
				return err
			}
			if diags.HasErrors() {
				return app.ErrInput
			}
			if out != "" {
				s.say("next: tranship render %s --out out", out)
			}
			return nil
		},
	}
	cmd.AddCommand(s.packCommand())
	cmd.Flags().StringVar(&out, "out", "", "write the plan to this file")
	cmd.Flags().StringArrayVar(&o.Usage, "usage", nil, "a file or folder of what was used; may be repeated")
	cmd.Flags().StringVar(&o.Prices, "prices", "", "a price list that prices import wrote (default: the embedded one)")
	cmd.Flags().Uint64Var(&o.Seed, "seed", 1, "seed of the search for nodes: the same seed gives the same plan")
	cmd.Flags().DurationVar(&o.Budget, "budget", time.Second, "how long to search, about: turned into a number of steps by a fixed rule")
	asOfFlag(cmd, &o.AsOf)
	return cmd
}

// asOfFlag declares --as-of. Its default is the one place where the date of a
// plan comes from the clock: the command line, never a stage.
func asOfFlag(cmd *cobra.Command, asOf *string) {
	cmd.Flags().StringVar(asOf, "as-of", time.Now().UTC().Format(time.DateOnly), //nolint:forbidigo // the user's default, shown in help
		"the date to plan for, as 2006-01-02")
	cmd.Flags().Lookup("as-of").DefValue = "today"
}

// proposal is what plan prints.
type proposal struct {
	AsOf string `json:"asOf"`
	Seal string `json:"seal"`
	explain.Plan
	Pools       []plan.Pool    `json:"pools"`
	Waves       []plan.Wave    `json:"waves"`
	Open        []ledger.Tally `json:"openDecisions"`
	Diagnostics diag.List      `json:"diagnostics"`
}

func newProposal(p *plan.Plan, diags diag.List) proposal {
	out := proposal{AsOf: p.AsOf, Seal: p.Seal, Plan: explain.OfPlan(p), Pools: p.Pools, Waves: p.Waves, Open: open(p.Ledger), Diagnostics: diags}
	if out.Open == nil {
		out.Open = []ledger.Tally{}
	}
	if out.Diagnostics == nil {
		out.Diagnostics = diag.List{}
	}
	return out
}

func (p proposal) table(w io.Writer) error {
	if err := p.Print(w); err != nil {
		return err
	}
	rows := [][]string{{}, {"WAVE", "FROM", "GROUPS", "MODE", "WORKLOADS"}}
	for _, v := range p.Waves {
		for i, g := range v.Groups {
			if i == 8 {
				rows = append(rows, []string{"", "", "", "", strings.TrimSpace(more(len(v.Groups) - 8))})
				break
			}
			n, from, of := "", "", ""
			if i == 0 {
				n, from, of = fmt.Sprint(v.Number), v.Start, fmt.Sprint(len(v.Groups))
				if v.Pilot {
					n += " pilot"
				}
			}
			var names []string
			for _, id := range g.Workloads {
				names = append(names, string(id))
			}
			line := strings.Join(names[:min(len(names), 4)], " ") + more(len(names)-4)
			rows = append(rows, []string{n, from, of, string(g.Mode), line})
		}
	}
	if err := columns(w, rows...); err != nil {
		return err
	}
	n := 0
	for _, t := range p.Open {
		n += t.Count
	}
	_, err := fmt.Fprintf(w, "\n%s open; plan for %s, seal %.12s\n", counted(n, "decision"), p.AsOf, p.Seal)
	return err
}
