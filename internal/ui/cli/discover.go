package cli

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tranship/tranship/internal/app"
	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/estate"
)

func (s *session) discoverCommand() *cobra.Command {
	var out, fields string
	cmd := &cobra.Command{
		Use:   "discover PATH...",
		Short: "Read a snapshot or exported definitions into an estate",
		Long: `Discover reads a snapshot folder, or any JSON and YAML files with definitions of
Marathon, Metronome, Edge-LB, Mesos, Compose or Swarm, recognised by their shape.

It prints the workloads and, for every field, what becomes of it on Kubernetes,
summed up by verdict and code. A definition that cannot be read costs that
definition only: the rest is read, and the exit status is 1.`,
		Example: `  tranship discover snapshot --out estate.json --fields fields.jsonl
  tranship discover app.json docker-compose.yml -o json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			r, err := s.discover(args)
			if err != nil {
				return err
			}
			if out != "" {
				if err := app.WriteFile(out, func(f *os.File) error { return r.Estate.Write(f) }); err != nil {
					return err
				}
			}
			if fields != "" {
				if err := app.WriteFile(fields, func(f *os.File) error { return ledger.Write(f, r.Ledger) }); err != nil {
					return err
				}
			}
			if err := s.show(newFindings(r)); err != nil {
				return err
			}
			if r.Diags.HasErrors() {
				return app.ErrInput
			}
			if out != "" {
				s.say("next: tranship init --estate %s; tranship plan %s --as-of DATE --out plan.json", out, out)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "write the estate to this file")
	cmd.Flags().StringVar(&fields, "fields", "", "write the field ledger to this file, one JSON object a line")
	return cmd
}

// discover reads the policy and then the input, and reports what was found.
func (s *session) discover(paths []string) (discover.Result, error) {
	p, _, diags, err := app.Policy(s.config)
	if err := s.report(diags); err != nil {
		return discover.Result{}, err
	}
	if err != nil {
		return discover.Result{}, err
	}
	r, err := app.Discover(paths, p, func(file string, n, of int) { s.progress("reading %d/%d %s", n, of, file) })
	if err != nil {
		return discover.Result{}, err
	}
	return r, s.report(r.Diags)
}

// findings is what discover prints.
type findings struct {
	Workloads   []workloadLine `json:"workloads"`
	Hosts       int            `json:"hosts"`
	Endpoints   int            `json:"endpoints"`
	Fields      []ledger.Tally `json:"fields"`
	Diagnostics diag.List      `json:"diagnostics"`
}

type workloadLine struct {
	ID       estate.Name   `json:"id"`
	Kind     estate.Kind   `json:"kind"`
	Replicas int           `json:"replicas"`
	CPU      string        `json:"cpu,omitempty"`
	Memory   string        `json:"memory,omitempty"`
	Image    string        `json:"image,omitempty"`
	Origin   estate.Origin `json:"origin"`
	Operator string        `json:"operator,omitempty"`
}

func newFindings(r discover.Result) findings {
	f := findings{
		Workloads: []workloadLine{}, Hosts: len(r.Estate.Hosts), Endpoints: len(r.Estate.Endpoints),
		Fields: ledger.Count(r.Ledger), Diagnostics: r.Diags,
	}
	if f.Diagnostics == nil {
		f.Diagnostics = diag.List{}
	}
	if f.Fields == nil {
		f.Fields = []ledger.Tally{}
	}
	for _, w := range r.Estate.Workloads {
		l := workloadLine{ID: w.ID, Kind: w.Kind, Replicas: w.Replicas, Origin: w.Origin}
		if len(w.Containers) > 0 {
			c := w.Containers[0]
			for _, k := range w.Containers[1:] {
				c.CPU += k.CPU
				c.Memory += k.Memory
			}
			l.CPU, l.Memory, l.Image = c.CPU.String(), c.Memory.String(), c.Image
		}
		if w.Operator != nil {
			l.Operator = w.Operator.Name
		}
		f.Workloads = append(f.Workloads, l)
	}
	return f
}

func (f findings) table(w io.Writer) error {
	rows := [][]string{{"WORKLOAD", "KIND", "COPIES", "CPU", "MEMORY", "IMAGE"}}
	for _, l := range f.Workloads {
		image := l.Image
		if l.Operator != "" {
			image = "→ " + l.Operator
		}
		rows = append(rows, []string{string(l.ID), string(l.Kind), fmt.Sprint(l.Replicas), l.CPU, l.Memory, image})
	}
	if len(f.Workloads) == 0 {
		rows = [][]string{{"no workloads"}}
	}
	if err := columns(w, rows...); err != nil {
		return err
	}
	rows = [][]string{{}, {"VERDICT", "FIELDS", "BY CODE"}}
	for _, v := range ledger.Verdicts() {
		n, codes := 0, []string{}
		for _, t := range f.Fields {
			if t.Verdict == v {
				n += t.Count
				codes = append(codes, fmt.Sprintf("%s×%d", t.Code, t.Count))
			}
		}
		if n > 0 {
			rows = append(rows, []string{string(v), fmt.Sprint(n), strings.Join(codes[:min(len(codes), 6)], " ") + more(len(codes)-6)})
		}
	}
	return columns(w, rows...)
}

func more(n int) string {
	if n <= 0 {
		return ""
	}
	return fmt.Sprintf(" and %d more", n)
}

// open gives the decisions that nobody has answered, by code.
func open(entries []ledger.Entry) []ledger.Tally {
	var left []ledger.Entry
	for _, e := range entries {
		if e.Verdict == ledger.Decision && e.Answer == "" {
			left = append(left, e)
		}
	}
	return slices.Clip(ledger.Count(left))
}
