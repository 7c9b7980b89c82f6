package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/tranship/tranship/internal/app"
	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/render"
)

func (s *session) renderCommand() *cobra.Command {
	var out, fields, asOf string
	var only []string
	var opts render.Options
	var withReport bool
	cmd := &cobra.Command{
		Use:   "render PLAN|PATH...",
		Short: "Write Kubernetes manifests and a report",
		Long: `Render writes what a plan says as Kustomize files, to review, keep in Git and
apply. Hand-edits belong into kubernetes/overlays: a second render leaves those
alone and overwrites the rest.

Given definitions in place of a plan it runs the stages between: with --out into
that folder, else as YAML to stdout.`,
		Example: `  tranship render plan.json --out out
  tranship render app.json
  tranship render plan.json --out out --only /shop/cart --kube-version 1.33`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, bad, err := s.planOf(args, asOf)
			if err != nil {
				return err
			}
			for _, id := range only {
				if p.Estate.Find(estate.Name(id)) == nil {
					return errUsage{fmt.Errorf("--only %s: no such workload; tranship discover lists them", id)}
				}
				opts.Only = append(opts.Only, estate.Name(id))
			}
			if out == "" {
				return s.renderToStdout(&p, opts, bad)
			}
			return s.renderToFolder(cmd, &p, opts, out, fields, withReport, bad)
		},
	}
	f := cmd.Flags()
	f.StringVar(&out, "out", "", "the folder to write to")
	f.StringVar(&fields, "fields", "", "write the finished field ledger to this file")
	f.StringSliceVar(&only, "only", nil, "render this workload alone (may be given several times)")
	f.StringVar(&opts.KubeVersion, "kube-version", "", "the target's Kubernetes version, as 1.35 (default the newest known)")
	f.BoolVar(&withReport, "report", true, "write report.html too")
	asOfFlag(cmd, &asOf)
	return cmd
}

// planOf reads a plan, or makes one of definitions; bad says that some of
// these were left out.
func (s *session) planOf(args []string, asOf string) (p plan.Plan, bad bool, err error) {
	if len(args) == 1 {
		st, err := os.Stat(args[0])
		if err != nil {
			return p, false, fmt.Errorf("open input: %w", err)
		}
		if !st.IsDir() {
			p, err := app.ReadPlan(args[0])
			if err == nil {
				return p, false, nil
			}
			if errors.Is(err, plan.ErrSeal) {
				return p, false, fmt.Errorf("%w; make it anew with: tranship plan ESTATE --out %s", err, args[0])
			}
		}
	}
	r, err := s.discover(args)
	if err != nil {
		return p, false, err
	}
	pol, _, _, err := app.Policy(s.config)
	if err != nil {
		return p, false, err
	}
	p, diags, err := app.Plan(r.Estate, pol, asOf)
	if err2 := s.report(unsaid(diags, r.Diags)); err2 != nil {
		return p, false, err2
	}
	return p, r.Diags.HasErrors() || diags.HasErrors(), err
}

// unsaid gives what is in list and was not said before.
func unsaid(list, before diag.List) diag.List {
	said := map[diag.Diagnostic]bool{}
	for _, d := range before {
		said[d] = true
	}
	var out diag.List
	for _, d := range list {
		if !said[d] {
			out = append(out, d)
		}
	}
	return out
}

func (s *session) renderToStdout(p *plan.Plan, opts render.Options, bad bool) error {
	var objects bytes.Buffer
	r, err := app.Render(p, opts, func(f render.File) error {
		if !app.IsObject(f) {
			return nil
		}
		objects.WriteString("---\n")
		objects.Write(f.Data)
		return nil
	})
	if err != nil {
		return err
	}
	if err := s.report(r.Diags); err != nil {
		return err
	}
	if s.output == "json" {
		list, err := app.List(objects.Bytes())
		if err != nil {
			return err
		}
		_, err = s.out.Write(list)
		if err != nil {
			return err
		}
	} else if _, err := io.Copy(s.out, &objects); err != nil {
		return err
	}
	if bad || r.Diags.HasErrors() {
		return app.ErrInput
	}
	return nil
}

func (s *session) renderToFolder(cmd *cobra.Command, p *plan.Plan, opts render.Options, out, fields string, withReport, bad bool) error {
	folder, err := app.OpenFolder(out)
	if err != nil {
		return err
	}
	n := 0
	r, err := app.Render(p, opts, func(f render.File) error {
		if n++; n%50 == 0 {
			s.progress("rendered %s", counted(n, "file"))
		}
		return folder.Put(f)
	})
	if err != nil {
		return err
	}
	if withReport {
		page, err := app.Report(cmd.Context(), p, r.Ledger)
		if err != nil {
			return err
		}
		if err := folder.Put(page); err != nil {
			return err
		}
	}
	if len(opts.Only) == 0 {
		err = folder.Close()
	} else {
		err = folder.CloseAdding()
	}
	if err != nil {
		return err
	}
	if fields != "" {
		if err := app.WriteFile(fields, func(f *os.File) error { return ledger.Write(f, r.Ledger) }); err != nil {
			return err
		}
	}
	if err := s.report(r.Diags); err != nil {
		return err
	}
	for _, e := range folder.Edited {
		s.say("warning: %s was edited by hand; edits belong into kubernetes/overlays [%s]", e, app.EditedByHand)
	}
	v := rendered{
		Out: out, Files: folder.Written, Kept: folder.Kept, Removed: len(folder.Removed), Objects: r.Objects,
		Open: open(r.Ledger), Diagnostics: r.Diags,
	}
	if v.Diagnostics == nil {
		v.Diagnostics = diag.List{}
	}
	if v.Open == nil {
		v.Open = []ledger.Tally{}
	}
	if err := s.show(v); err != nil {
		return err
	}
	if bad || r.Diags.HasErrors() {
		return app.ErrInput
	}
	s.say("next: open %s/report.html, answer what is open (tranship init writes the questions), then kubectl apply -k %s/%s", out, out, app.Overlay)
	return nil
}

// rendered is what render prints.
type rendered struct {
	Out         string         `json:"out"`
	Files       int            `json:"files"`
	Kept        int            `json:"kept"`
	Removed     int            `json:"removed"`
	Objects     map[string]int `json:"objects"`
	Open        []ledger.Tally `json:"openDecisions"`
	Diagnostics diag.List      `json:"diagnostics"`
}

func (r rendered) table(w io.Writer) error {
	rows := [][]string{{"OBJECT", "COUNT"}}
	for _, kind := range app.Sorted(r.Objects) {
		rows = append(rows, []string{kind, fmt.Sprint(r.Objects[kind])})
	}
	if err := columns(w, rows...); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nwrote %s to %s", counted(r.Files, "file"), r.Out)
	if r.Kept > 0 {
		fmt.Fprintf(w, ", kept %d of yours", r.Kept)
	}
	if r.Removed > 0 {
		fmt.Fprintf(w, ", removed %d", r.Removed)
	}
	fmt.Fprintln(w)
	if len(r.Open) == 0 {
		_, err := fmt.Fprintln(w, "\nno decision is open")
		return err
	}
	rows = [][]string{{}, {"TO DECIDE", "FIELDS", "WHAT HOLDS MEANWHILE"}}
	for i, t := range r.Open {
		if i == 12 {
			rows = append(rows, []string{"", "", fmt.Sprintf("and %d more in the report", len(r.Open)-i)})
			break
		}
		rows = append(rows, []string{string(t.Code), fmt.Sprint(t.Count), t.Reason})
	}
	return columns(w, rows...)
}
