// Package cli is the command line. Each command takes its arguments, calls one
// stage through package app and prints what comes back: data to stdout, all
// else to stderr. It never decides anything about a migration.
package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"
	"sigs.k8s.io/yaml"

	"github.com/tranship/tranship/internal/app"
	"github.com/tranship/tranship/internal/base/diag"
)

// Exit statuses.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitRolledBack  = 3
	exitPerson      = 4
	exitInterrupted = 130
)

// errUsage marks an error of the command line itself.
type errUsage struct{ error }

// errStatus is an error with the exit status that it leads to.
type errStatus struct {
	error
	status int
}

func (e errStatus) Unwrap() error { return e.error }

// Main runs the program and gives its exit status.
func Main(args []string) int {
	// Estates are large and mostly live: a smaller share of garbage costs little
	// time. GOGC still has the last word.
	if _, set := os.LookupEnv("GOGC"); !set {
		debug.SetGCPercent(60)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s := &session{out: os.Stdout, err: os.Stderr, terminal: term.IsTerminal(int(os.Stderr.Fd()))}
	return s.run(ctx, args)
}

// A session is one run of the program.
type session struct {
	out, err io.Writer
	terminal bool // stderr is one
	output   string
	config   string
	color    string
	noInput  bool
	yes      bool
	shown    bool // a progress line stands on stderr
}

func (s *session) run(ctx context.Context, args []string) int {
	root := s.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	s.clear()
	switch {
	case err == nil:
		return exitDone
	case ctx.Err() != nil:
		fmt.Fprintln(s.err, "tranship: interrupted; run the same command again to go on")
		return exitInterrupted
	}
	fmt.Fprintf(s.err, "tranship: %v\n", err)
	if errors.As(err, new(errUsage)) {
		return exitUsage
	}
	if with, ok := errors.AsType[errStatus](err); ok {
		return with.status
	}
	return exitFailed
}

func (s *session) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "tranship",
		Short: "Move services from Mesos, DC/OS or Swarm to Kubernetes, losing nothing",
		Long: `tranship takes a company's services off Apache Mesos (DC/OS, Marathon, Metronome)
or Docker Swarm and puts them on Kubernetes, in steps that each read the file
of the step before: capture, discover, plan, render, move.`,
		Example: `  tranship capture --marathon http://master/marathon --out snapshot
  tranship discover snapshot --out estate.json
  tranship plan estate.json --as-of 2026-11-24 --out plan.json
  tranship render plan.json --out out
  tranship move plan.json --rehearse
  tranship render app.json          # the short way: manifests of one file to stdout`,
		SilenceErrors: true, SilenceUsage: true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return s.settings(cmd) },
	}
	root.SetOut(s.out)
	root.SetErr(s.err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return errUsage{fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())}
	})
	f := root.PersistentFlags()
	f.StringVarP(&s.output, "output", "o", "table", "how to print the result: table, json or yaml")
	f.StringVarP(&s.config, "config", "c", "", "policy file (default "+app.PolicyFile+" if it is there)")
	f.StringVar(&s.color, "color", "auto", "colour on stderr: auto, always or never (NO_COLOR is honoured)")
	f.BoolVar(&s.noInput, "no-input", false, "never ask")
	f.BoolVarP(&s.yes, "yes", "y", false, "answer yes to every question")
	root.AddCommand(
		s.captureCommand(), s.discoverCommand(), s.planCommand(), s.pricesCommand(), s.renderCommand(),
		s.moveCommand(), s.statusCommand(), s.rollbackCommand(), s.stopCommand(), s.journalCommand(),
		s.initCommand(), s.validateCommand(), s.explainCommand(), s.configCommand(), s.doctorCommand(), s.versionCommand(), s.labCommand(),
	)
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		strict(c)
	}
	return root
}

// strict makes wrong arguments an error of usage that names the help.
func strict(c *cobra.Command) {
	for _, sub := range c.Commands() {
		strict(sub)
	}
	check := c.Args
	if check == nil {
		return
	}
	c.Args = func(cmd *cobra.Command, args []string) error {
		if err := check(cmd, args); err != nil {
			return errUsage{fmt.Errorf("%w; see %s --help", err, cmd.CommandPath())}
		}
		return nil
	}
}

// settings fills flags that were not given from the environment
// (TRANSHIP_OUTPUT for --output) and checks those of all commands.
func (s *session) settings(cmd *cobra.Command) error {
	var bad error
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if v, ok := os.LookupEnv(variable(f.Name)); ok && !f.Changed && bad == nil {
			if err := cmd.Flags().Set(f.Name, v); err != nil {
				bad = errUsage{fmt.Errorf("%s: %w", variable(f.Name), err)}
			}
		}
	})
	if bad != nil {
		return bad
	}
	for name, v := range map[string][]string{s.output: {"table", "json", "yaml"}, s.color: {"auto", "always", "never"}} {
		if !strings.Contains(" "+strings.Join(v, " ")+" ", " "+name+" ") {
			return errUsage{fmt.Errorf("%q is none of %s", name, strings.Join(v, ", "))}
		}
	}
	return nil
}

// variable gives the environment variable of a flag.
func variable(flag string) string {
	return "TRANSHIP_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}

// report prints diagnostics to stderr.
func (s *session) report(list diag.List) error {
	s.clear()
	if !s.colours() {
		return list.Print(s.err)
	}
	var b strings.Builder
	if err := list.Print(&b); err != nil {
		return err
	}
	text := strings.NewReplacer(
		": error: ", ": \x1b[31merror\x1b[0m: ", ": warning: ", ": \x1b[33mwarning\x1b[0m: ").Replace(b.String())
	_, err := io.WriteString(s.err, text)
	return err
}

func (s *session) colours() bool {
	if s.color != "auto" {
		return s.color == "always"
	}
	_, no := os.LookupEnv("NO_COLOR")
	return s.terminal && !no
}

// progress shows one line that is overwritten, on a terminal only.
func (s *session) progress(format string, args ...any) {
	if !s.terminal {
		return
	}
	line := fmt.Sprintf(format, args...)
	if len(line) > 78 {
		line = line[:75] + "..."
	}
	fmt.Fprintf(s.err, "\r\x1b[K%s", line)
	s.shown = true
}

func (s *session) clear() {
	if s.shown {
		fmt.Fprint(s.err, "\r\x1b[K")
		s.shown = false
	}
}

// say writes a line for people to stderr.
func (s *session) say(format string, args ...any) {
	s.clear()
	fmt.Fprintf(s.err, format+"\n", args...)
}

// A view prints one result for people; the same value is what -o json and
// -o yaml write.
type view interface{ table(w io.Writer) error }

// show prints v to stdout in the form that -o asks for.
func (s *session) show(v view) error {
	s.clear()
	switch s.output {
	case "json":
		enc := json.NewEncoder(s.out)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		return enc.Encode(v)
	case "yaml":
		data, err := yaml.Marshal(v)
		if err != nil {
			return err
		}
		_, err = s.out.Write(data)
		return err
	}
	return v.table(s.out)
}

// columns writes rows of cells in columns.
func columns(w io.Writer, rows ...[]string) error {
	tw := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	for _, r := range rows {
		if _, err := fmt.Fprintln(tw, strings.Join(r, "\t")); err != nil {
			return err
		}
	}
	return tw.Flush()
}

// counted gives "1 app", "2 apps".
func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	if base, ok := strings.CutSuffix(what, "y"); ok {
		return fmt.Sprintf("%d %sies", n, base)
	}
	return fmt.Sprintf("%d %ss", n, what)
}
