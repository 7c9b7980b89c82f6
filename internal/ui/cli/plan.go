package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tranship/tranship/internal/app"
	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/pods"
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
recognised by what it holds. Without usage the declared requests stay.

From --budget 5s on, fleets of few nodes that nearly do are searched again for each
5s, up to twelve times: that takes minutes where many come near, and can save a node.`,
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

func (s *session) packCommand() *cobra.Command {
	o := app.PackOptions{Types: pods.Filter{Ephemeral: 99 * unit.GiB}}
	ephemeral := bytesValue{&o.Types.Ephemeral}
	cmd := &cobra.Command{
		Use:   "pack --in PODS",
		Short: "Choose the cheapest nodes for pods, and nothing else",
		Long: `Pack chooses instance types and says which pods run on each node, so that all fit
at the least cost, by --survive also after any one node or zone is lost. It prints
the cost an hour and a proven lower bound: nothing that holds these pods can cost less.

The file holds {"pods": [{"name", "replicas", "cpuMilli", "memMiB", "ephemeralMiB",
"gpu", "maxPerNode"}], "daemonset": {"cpuMilli", "memMiB", "pods"}} (docs/schema/pack-in-v1),
the answer with -o json is docs/schema/pack-out-v1. What a node has for pods follows from its
type as EKS sets it up; what the DaemonSets take comes off every node.

The budget is turned into a number of iterations by a fixed rule: the same pods,
prices, seed and budget give the same nodes. Only a machine that takes a second more
than three times as long stops early, and the answer then says so.`,
		Example: `  tranship plan pack --in pods.json
  tranship plan pack --in pods.json --families c,m --architectures arm64 --survive none --budget 10s -o json
  tranship plan pack --in pods.json --catalog prices.csv --survive zone --zones 3`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := checkPack(&o); err != nil {
				return errUsage{fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())}
			}
			s.progress("packing for about %s", o.Budget)
			out, diags, failed := app.Pack(o)
			if err := s.report(diags); err != nil {
				return err
			}
			if failed != nil && !errors.Is(failed, app.ErrInput) && len(out.Exposed) == 0 {
				return failed
			}
			if out.Stopped {
				s.say("warning: the search was stopped after %.1f s: another run may give other nodes", out.Seconds)
			}
			if err := s.show(packing(out)); err != nil {
				return err
			}
			return failed
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.In, "in", "", "file of pods")
	f.StringVar(&o.Prices, "catalog", "", "price list (default the embedded one)")
	f.StringVar(&o.Region, "region", "", "region to estimate the embedded prices for")
	f.StringSliceVar(&o.Types.Families, "families", []string{"c", "m", "r"}, "families to choose from, by the letters before the first digit")
	f.StringSliceVar(&o.Types.Architectures, "architectures", []string{"amd64", "arm64"}, "architectures that the images run on")
	f.IntVar(&o.Types.MinGeneration, "min-generation", 5, "oldest generation")
	f.IntVar(&o.Types.MaxVCPU, "max-vcpu", 32, "largest node, 0 for any")
	f.BoolVar(&o.Types.Flex, "flex", false, "flex types may be bought: their price buys a share of a CPU")
	f.IntVar(&o.Types.Kubelet.MaxPods, "max-pods", 0, "pods per node (default what the type allows)")
	f.BoolVar(&o.Types.Kubelet.PrefixDelegation, "prefix-delegation", false, "each address slot of a node has sixteen addresses")
	f.Var(&ephemeral, "ephemeral", "ephemeral storage that a node has for pods")
	f.StringVar(&o.Survive, "survive", "node", "what may be lost at once: none, node or zone")
	f.IntVar(&o.Zones, "zones", 3, "zones, for --survive zone")
	f.Uint64Var(&o.Seed, "seed", 1, "seed of the search")
	f.DurationVar(&o.Budget, "budget", time.Second, "about how long to search")
	return cmd
}

func checkPack(o *app.PackOptions) error {
	_, ok := pods.Levels()[o.Survive]
	switch {
	case o.In == "":
		return errors.New("--in is missing")
	case !ok:
		return fmt.Errorf("--survive %q is none of none, node, zone", o.Survive)
	case o.Survive == "zone" && (o.Zones < 2 || o.Zones > 16):
		return fmt.Errorf("--zones %d is not from 2 to 16", o.Zones)
	case o.Budget < 0 || o.Budget > time.Hour:
		return fmt.Errorf("--budget %s is not from 0 to 1h", o.Budget)
	case o.Types.Kubelet.MaxPods < 0 || o.Types.MaxVCPU < 0:
		return errors.New("--max-pods and --max-vcpu are not below 0")
	}
	for _, a := range o.Types.Architectures {
		if a != "amd64" && a != "arm64" {
			return fmt.Errorf("--architectures %q is neither amd64 nor arm64", a)
		}
	}
	return nil
}

// bytesValue is a flag in the Kubernetes spelling.
type bytesValue struct{ b *unit.Bytes }

func (v *bytesValue) String() string {
	if v.b == nil {
		return ""
	}
	return v.b.String()
}
func (v *bytesValue) Set(s string) error { return v.b.UnmarshalText([]byte(s)) }
func (v *bytesValue) Type() string       { return "size" }

// packing is what plan pack prints.
type packing pods.Answer

func (v packing) table(w io.Writer) error {
	type kind struct {
		typ   string
		zone  int
		price unit.Money
		nodes int
		pods  int
	}
	var kinds []*kind
	for i := range v.Nodes {
		n := &v.Nodes[i]
		var k *kind
		for _, x := range kinds {
			if x.typ == n.Type && x.zone == n.Zone {
				k = x
			}
		}
		if k == nil {
			k = &kind{typ: n.Type, zone: n.Zone, price: n.Price}
			kinds = append(kinds, k)
		}
		k.nodes++
		for _, p := range n.Pods {
			k.pods += p.Count
		}
	}
	head := []string{"TYPE", "NODES", "PODS", "$/H EACH", "$/H"}
	if v.Survives == "zone" {
		head = append(head, "ZONE")
	}
	rows := [][]string{head}
	for _, k := range kinds {
		row := []string{k.typ, fmt.Sprint(k.nodes), fmt.Sprint(k.pods), k.price.Exact()[1:], (k.price * unit.Money(k.nodes)).Exact()[1:]}
		if v.Survives == "zone" {
			row = append(row, fmt.Sprint(k.zone))
		}
		rows = append(rows, row)
	}
	if err := columns(w, rows...); err != nil {
		return err
	}
	loss := "the loss of no node is planned for"
	if v.Survives != "none" {
		loss = fmt.Sprintf("the loss of any %s is survived", v.Survives)
	}
	_, err := fmt.Fprintf(w, "\n%s an hour for %s, %.2f %% above the bound of %s; %s\nprices: %s\n",
		v.Cost.Exact(), counted(len(v.Nodes), "node"), v.Gap*100, v.Bound.Exact(), loss, pricesLine(v.Prices))
	return err
}

// pricesLine says which prices an answer rests on.
func pricesLine(p pods.Prices) string {
	line := p.Source
	if p.Date != "" {
		line = p.Date + ", " + line
	}
	if p.Region != "" {
		line = p.Region + ", " + line
	}
	if p.Estimated {
		line = "estimate, " + line
	}
	return line
}
