package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tranship/tranship/internal/app"
	"github.com/tranship/tranship/internal/app/mover"
)

func (s *session) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Args: cobra.NoArgs, Example: "  tranship version -o json",
		RunE: func(*cobra.Command, []string) error {
			v := version{Version: "devel", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
			if b, ok := debug.ReadBuildInfo(); ok {
				if b.Main.Version != "" && b.Main.Version != "(devel)" {
					v.Version = b.Main.Version
				}
				for _, x := range b.Settings {
					if x.Key == "vcs.revision" {
						v.Revision = x.Value
					}
				}
			}
			return s.show(v)
		},
	}
}

type version struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func (v version) table(w io.Writer) error {
	_, err := fmt.Fprintln(w, "tranship", v.Version, v.Revision, v.Go, v.Platform)
	return err
}

func (s *session) configCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "config", Short: "Show the settings in force"}
	cmd.AddCommand(&cobra.Command{
		Use: "view", Short: "Show every setting and where it comes from", Args: cobra.NoArgs, Example: "  tranship config view",
		Long: `Each setting comes from its flag, else from its environment variable, else from
its default. Answers about the migration come from the policy file.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var v settings
			cmd.Root().PersistentFlags().VisitAll(func(f *pflag.Flag) {
				from := "default"
				if _, ok := os.LookupEnv(variable(f.Name)); ok {
					from = "environment " + variable(f.Name)
				} else if f.Changed {
					from = "flag --" + f.Name
				}
				v = append(v, setting{Name: f.Name, Value: f.Value.String(), From: from})
			})
			_, found, diags, err := app.Policy(s.config)
			if err2 := s.report(diags); err2 != nil {
				return err2
			}
			switch {
			case err != nil:
				v = append(v, setting{Name: "policy", Value: found, From: "not usable: " + err.Error()})
			case found == "":
				v = append(v, setting{Name: "policy", Value: "defaults", From: "no " + app.PolicyFile + " in this folder"})
			default:
				v = append(v, setting{Name: "policy", Value: found, From: "file"})
			}
			return s.show(v)
		},
	})
	return cmd
}

type setting struct {
	Name  string `json:"name"`
	Value string `json:"value"`
	From  string `json:"from"`
}

type settings []setting

func (v settings) table(w io.Writer) error {
	rows := [][]string{{"SETTING", "VALUE", "FROM"}}
	for _, x := range v {
		rows = append(rows, []string{x.Name, x.Value, x.From})
	}
	return columns(w, rows...)
}

func (s *session) doctorCommand() *cobra.Command {
	var role bool
	cmd := &cobra.Command{
		Use: "doctor", Short: "Check that this machine has what the commands need", Args: cobra.NoArgs,
		Example: "  tranship doctor\n  tranship doctor --role | kubectl apply -f -",
		Long: `Doctor looks, without changing anything, at what the commands use: the policy
file, room for output, and the tools that apply what is rendered. tranship itself
needs none of these tools: capture, discover, plan and render work alone.`,
		RunE: func(*cobra.Command, []string) error {
			if role {
				p, _, diags, err := app.Policy(s.config)
				if err2 := s.report(diags); err != nil || err2 != nil {
					return errors.Join(err, err2)
				}
				_, err = io.WriteString(s.out, mover.Role(p))
				return err
			}
			v := s.examine()
			if err := s.show(v); err != nil {
				return err
			}
			for _, x := range v {
				if x.State == "wrong" {
					return fmt.Errorf("%s: %s", x.Name, x.Finding)
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&role, "role", false, "print the least that a cluster has to allow who moves, as YAML to apply")
	return cmd
}

func (s *session) examine() examination {
	var v examination
	_, found, diags, err := app.Policy(s.config)
	switch {
	case err != nil:
		v = append(v, finding{"policy", "wrong", strings.TrimSpace(err.Error() + " " + fmt.Sprint(diags)), "tranship validate " + found})
	case found == "":
		v = append(v, finding{"policy", "absent", "no " + app.PolicyFile + ": every default holds", "tranship init --estate estate.json"})
	default:
		v = append(v, finding{"policy", "ok", found, ""})
	}
	if f, err := os.CreateTemp(".", ".tranship-*"); err != nil {
		v = append(v, finding{"output", "wrong", "this folder cannot be written: " + err.Error(), "name another with --out"})
	} else {
		_, _ = f.Close(), os.Remove(f.Name())
		v = append(v, finding{"output", "ok", "this folder can be written", ""})
	}
	for tool, use := range map[string]string{"kubectl": "applies what render wrote: kubectl apply -k out/kubernetes/overlays/production"} {
		if at, err := exec.LookPath(tool); err == nil {
			v = append(v, finding{tool, "ok", at, ""})
		} else {
			v = append(v, finding{tool, "absent", "not on the PATH", use})
		}
	}
	return v
}

type finding struct {
	Name    string `json:"name"`
	State   string `json:"state"` // ok, absent, wrong
	Finding string `json:"finding"`
	Next    string `json:"next,omitempty"`
}

type examination []finding

func (v examination) table(w io.Writer) error {
	rows := [][]string{{"CHECK", "STATE", "FINDING", "NEXT"}}
	for _, x := range v {
		rows = append(rows, []string{x.Name, x.State, x.Finding, x.Next})
	}
	return columns(w, rows...)
}

// Reference gives the text of docs/cli.md: every command's help.
func Reference() string {
	var b strings.Builder
	b.WriteString("<!-- Generated from the commands' help by make update. -->\n# Commands\n")
	s := &session{out: io.Discard, err: io.Discard}
	reference(&b, s.root())
	b.WriteString(`
# Exit status

| status | means |
|---|---|
| 0 | done |
| 1 | failed, or the input has errors: what could be done was done |
| 2 | the command line is wrong |
| 3 | a gate failed and the move was rolled back |
| 4 | a person is needed |
| 130 | interrupted |

# Environment

Every flag can be set by a variable: TRANSHIP_OUTPUT for --output. A flag wins over
its variable, the variable over the default. NO_COLOR is honoured.
`)
	return b.String()
}

func reference(b *strings.Builder, c *cobra.Command) {
	if c.Hidden || c.Name() == "help" {
		return
	}
	c.InitDefaultHelpFlag()
	fmt.Fprintf(b, "\n## %s\n\n%s\n", c.CommandPath(), c.Short)
	if c.Long != "" && c.Name() != "bash" && c.Parent() != nil && c.Parent().Name() != "completion" {
		fmt.Fprintf(b, "\n%s\n", strings.TrimSpace(c.Long))
	}
	if c.Runnable() {
		fmt.Fprintf(b, "\n```\n%s\n```\n", c.UseLine())
	}
	if c.Example != "" {
		fmt.Fprintf(b, "\n```sh\n%s\n```\n", strings.TrimRight(c.Example, "\n"))
	}
	if flags := c.NonInheritedFlags(); flags.HasAvailableFlags() {
		var u bytes.Buffer
		u.WriteString(flags.FlagUsages())
		fmt.Fprintf(b, "\n```\n%s```\n", u.String())
	}
	for _, sub := range c.Commands() {
		reference(b, sub)
	}
}
