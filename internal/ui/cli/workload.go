package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tranship/tranship/internal/app"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/render"
	"github.com/tranship/tranship/internal/ui/cli/explain"
)

func (s *session) explainWorkloadCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "workload ID",
		Short: "Show one workload's source and target side by side, field by field",
		Example: `  tranship explain workload /shop/cart --plan plan.json
  tranship explain workload /shop/cart --plan plan.json -o json`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			p, err := readPlan(file)
			if err != nil {
				return err
			}
			c, err := compare(&p, estate.Name(args[0]))
			if err != nil {
				return err
			}
			return s.show(c)
		},
	}
	cmd.Flags().StringVar(&file, "plan", "plan.json", "the plan that has the workload")
	return cmd
}

func readPlan(file string) (plan.Plan, error) {
	p, err := app.ReadPlan(file)
	if err != nil {
		return p, fmt.Errorf("%w; make one with: tranship plan ESTATE --out %s", err, file)
	}
	return p, nil
}

// told is an answer of package explain as a view.
type told struct{ answer explain.Answer }

func (t told) table(w io.Writer) error { return t.answer.Print(w) }

// MarshalJSON writes the answer alone.
func (t told) MarshalJSON() ([]byte, error) { return json.Marshal(t.answer) }

// explainCommandOf makes a command that explains one thing of a plan, or lists
// all of its kind when none is named.
func (s *session) explainCommandOf(cmd *cobra.Command, one func(*plan.Plan, string) (explain.Answer, error), all func(*plan.Plan) explain.Answer) *cobra.Command {
	var file string
	cmd.Args = cobra.MaximumNArgs(1)
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		p, err := readPlan(file)
		if err != nil {
			return err
		}
		if len(args) == 0 {
			return s.show(told{all(&p)})
		}
		answer, err := one(&p, args[0])
		if err != nil {
			return err
		}
		return s.show(told{answer})
	}
	cmd.Flags().StringVar(&file, "plan", "plan.json", "the plan to explain")
	return cmd
}

func (s *session) explainPlacementCommand() *cobra.Command {
	return s.explainCommandOf(&cobra.Command{
		Use:   "placement [WORKLOAD]",
		Short: "Tell why a workload asks for what it does, where it runs, and where its copies go when a node is lost",
		Example: `  tranship explain placement --plan plan.json              # all of them
  tranship explain placement /shop/cart --plan plan.json`,
	}, func(p *plan.Plan, name string) (explain.Answer, error) {
		return explain.OfPlacement(p, estate.Name(name))
	}, func(p *plan.Plan) explain.Answer { return explain.OfPlacements(p) })
}

func (s *session) explainPoolCommand() *cobra.Command {
	return s.explainCommandOf(&cobra.Command{
		Use:   "pool [NAME]",
		Short: "Tell why a node pool has its type and number, what it costs, and what is on each node",
		Example: `  tranship explain pool --plan plan.json          # all of them
  tranship explain pool m6g-large --plan plan.json`,
	}, func(p *plan.Plan, name string) (explain.Answer, error) {
		return explain.OfPool(p, plan.PoolName(name))
	}, func(p *plan.Plan) explain.Answer { return explain.OfPools(p) })
}

func (s *session) explainWaveCommand() *cobra.Command {
	return s.explainCommandOf(&cobra.Command{
		Use:   "wave [N]",
		Short: "Tell why a wave is when it is, what it waits for, its risks, and what can be stopped after it",
		Example: `  tranship explain wave --plan plan.json     # all of them
  tranship explain wave 2 --plan plan.json`,
	}, func(p *plan.Plan, name string) (explain.Answer, error) {
		return explain.OfWave(p, name)
	}, func(p *plan.Plan) explain.Answer { return explain.OfWaves(p) })
}

// comparison is one workload on both sides.
type comparison struct {
	Workload estate.Name    `json:"workload"`
	Kind     estate.Kind    `json:"kind"`
	Wave     int            `json:"wave,omitempty"`
	Mode     plan.Mode      `json:"mode,omitempty"`
	With     []estate.Name  `json:"movesWith,omitempty"`
	Operator string         `json:"operator,omitempty"`
	Fields   []ledger.Entry `json:"fields"`
	Needs    []estate.Name  `json:"needs"`
	NeededBy []estate.Name  `json:"neededBy"`
	Files    []string       `json:"files"`
	contents map[string]string
}

func compare(p *plan.Plan, id estate.Name) (comparison, error) {
	w := p.Estate.Find(id)
	if w == nil {
		var names []string
		for i := range p.Estate.Workloads {
			names = append(names, string(p.Estate.Workloads[i].ID))
		}
		return comparison{}, explain.Unknown("workload", "placement", string(id), names)
	}
	c := comparison{Workload: id, Kind: w.Kind, Needs: []estate.Name{}, NeededBy: []estate.Name{}, Files: []string{}, contents: map[string]string{}}
	if w.Operator != nil {
		c.Operator = w.Operator.Name
	}
	for _, d := range p.Estate.Dependencies {
		switch {
		case d.From == id && d.To != "" && !slices.Contains(c.Needs, d.To):
			c.Needs = append(c.Needs, d.To)
		case d.To == id && !slices.Contains(c.NeededBy, d.From):
			c.NeededBy = append(c.NeededBy, d.From)
		}
	}
	for _, v := range p.Waves {
		for _, g := range v.Groups {
			if slices.Contains(g.Workloads, id) {
				c.Wave, c.Mode, c.With = v.Number, g.Mode, slices.DeleteFunc(slices.Clone(g.Workloads), func(n estate.Name) bool { return n == id })
			}
		}
	}
	r, err := app.Render(p, render.Options{Only: []estate.Name{id}}, func(f render.File) error {
		if app.IsObject(f) {
			c.Files = append(c.Files, f.Path)
			c.contents[f.Path] = string(f.Data)
		}
		return nil
	})
	if err != nil {
		return comparison{}, err
	}
	for _, e := range r.Ledger {
		if e.Workload == string(id) {
			c.Fields = append(c.Fields, e)
		}
	}
	return c, nil
}

func (c comparison) table(w io.Writer) error {
	fmt.Fprintf(w, "%s (%s)", c.Workload, c.Kind)
	if c.Wave > 0 {
		fmt.Fprintf(w, ", moves %s in wave %d", c.Mode, c.Wave)
	}
	if c.Operator != "" {
		fmt.Fprintf(w, ", replaced by %s", c.Operator)
	}
	fmt.Fprintln(w)
	for _, x := range []struct {
		what string
		ids  []estate.Name
	}{{"moves with", c.With}, {"needs", c.Needs}, {"needed by", c.NeededBy}} {
		if len(x.ids) > 0 {
			fmt.Fprintf(w, "%s: %s\n", x.what, strings.Trim(fmt.Sprint(x.ids), "[]"))
		}
	}
	fmt.Fprintln(w)
	rows := [][]string{{"SOURCE", "LINE", "VERDICT", "TARGET", "CODE", "REASON"}}
	for _, e := range c.Fields {
		target := e.Target
		if i := strings.LastIndex(target, "/"); i >= 0 {
			target = target[i+1:]
		}
		reason := e.Reason
		if e.Answer != "" {
			reason = "answered " + e.Answer + ": " + reason
		}
		rows = append(rows, []string{e.Pointer, fmt.Sprint(e.Line), string(e.Verdict), target, string(e.Code), reason})
	}
	if err := columns(w, rows...); err != nil {
		return err
	}
	for _, f := range c.Files {
		fmt.Fprintf(w, "\n# %s\n%s", f, c.contents[f])
	}
	return nil
}
