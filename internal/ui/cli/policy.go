package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tranship/tranship/internal/app"
	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/plan/policy"
)

func (s *session) initCommand() *cobra.Command {
	var from, out string
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write tranship.yaml with the questions that an estate raises",
		Example: `  tranship init --estate estate.json
  tranship init --estate estate.json --out other.yaml`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			var raised []policy.Raised
			if from != "" {
				e, err := app.ReadEstate(from)
				if err != nil {
					return fmt.Errorf("%w; make it with: tranship discover PATH --out %s", err, from)
				}
				raised = policy.Raise(e.Ledger)
			}
			data := policy.Write(raised)
			if _, err := os.Stat(out); err == nil && !s.yes {
				return fmt.Errorf("%s is there already; --yes overwrites it, --out names another", out)
			} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("write %s: %w", out, err)
			}
			err := app.WriteFile(out, func(f *os.File) error {
				_, err := io.Copy(f, bytes.NewReader(data))
				return err
			})
			if err != nil {
				return err
			}
			s.say("wrote %s with %s; next: answer them, then tranship validate %s", out, counted(len(raised), "question"), out)
			return nil
		},
	}
	cmd.Flags().StringVar(&from, "estate", "", "the estate whose questions to write")
	cmd.Flags().StringVar(&out, "out", app.PolicyFile, "the file to write")
	return cmd
}

func (s *session) validateCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "validate [FILE]",
		Short:   "Check tranship.yaml and say at which line it is wrong",
		Example: `  tranship validate tranship.yaml`,
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			file := s.config
			if len(args) == 1 {
				file = args[0]
			}
			if file == "" {
				file = app.PolicyFile
			}
			_, _, diags, err := app.Policy(file)
			if err2 := s.report(diags); err2 != nil {
				return err2
			}
			if diags == nil {
				diags = diag.List{}
			}
			if err != nil && !errors.Is(err, app.ErrInput) {
				return fmt.Errorf("%w; tranship init writes one", err)
			}
			if err2 := s.show(verdict{File: file, Valid: err == nil, Diagnostics: diags}); err2 != nil {
				return err2
			}
			return err
		},
	}
}

type verdict struct {
	File        string    `json:"file"`
	Valid       bool      `json:"valid"`
	Diagnostics diag.List `json:"diagnostics"`
}

func (v verdict) table(w io.Writer) error {
	word := "is valid"
	if !v.Valid {
		word = "has " + counted(len(v.Diagnostics), "error")
	}
	_, err := fmt.Fprintln(w, v.File, word)
	return err
}

func (s *session) explainCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "explain [FIELD]",
		Short: "Explain a field of tranship.yaml, or what a plan says of a workload, pool or wave",
		Example: `  tranship explain spec.namespaces
  tranship explain workload /shop/cart --plan plan.json
  tranship explain placement /shop/cart --plan plan.json`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			f, err := policy.Explain(strings.Join(args, ""))
			if err != nil {
				return errUsage{err}
			}
			return s.show(explained(f))
		},
	}
	cmd.AddCommand(s.explainWorkloadCommand(), s.explainPlacementCommand(), s.explainPoolCommand(), s.explainWaveCommand())
	return cmd
}

type explained policy.Field

func (e explained) table(w io.Writer) error {
	if e.Path != "" {
		fmt.Fprintf(w, "%s (%s)\n", e.Path, e.Type)
	}
	if e.Description != "" {
		fmt.Fprintf(w, "%s\n", e.Description)
	}
	if len(e.Values) > 0 {
		fmt.Fprintf(w, "one of: %s\n", strings.Join(e.Values, ", "))
	}
	var rows [][]string
	for _, f := range e.Fields {
		rows = append(rows, []string{"  " + f.Path, f.Type, strings.ReplaceAll(f.Description, "\n", " ")})
	}
	return columns(w, rows...)
}
