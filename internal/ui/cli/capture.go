package cli

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/tranship/tranship/internal/app"
	"github.com/tranship/tranship/internal/capture"
)

func (s *session) captureCommand() *cobra.Command {
	var r app.CaptureRequest
	var marathon, metronome, mesos []string
	cmd := &cobra.Command{
		Use:   "capture --out FOLDER [--marathon URL] [--metronome URL] [--mesos URL]",
		Short: "Take a read-only snapshot of the source's APIs",
		Long: `Capture asks Marathon, Metronome and the Mesos master for everything that the
next stages read, and keeps the raw answers in a folder that only you can open:
it alone holds secrets' values. It only reads: GET, and those of Mesos' POST
calls that are named GET_.

What a source does not answer is kept as an error, and the rest goes on. The same
command again asks only for what is missing.

A credential is named, never given: the variable or file that holds it. It is
not stored, and not sent to any host but the sources.`,
		Example: `  tranship capture --marathon http://master:8080 --mesos http://master:5050 --out snapshot
  tranship capture --marathon https://dcos.example.com/service/marathon \
    --metronome https://dcos.example.com/service/metronome --mesos https://dcos.example.com/mesos \
    --token-env DCOS_TOKEN --ca-file dcos-ca.crt --out snapshot`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, x := range []struct {
				kind capture.Kind
				urls []string
			}{{capture.Marathon, marathon}, {capture.Metronome, metronome}, {capture.Mesos, mesos}} {
				for i, u := range x.urls {
					name := string(x.kind)
					if i > 0 {
						name += strconv.Itoa(i + 1)
					}
					r.Sources = append(r.Sources, capture.Source{Kind: x.kind, Name: name, URL: u})
				}
			}
			if len(r.Sources) == 0 || r.Out == "" {
				return errUsage{errors.New("name --out and at least one of --marathon, --metronome, --mesos; see tranship capture --help")}
			}
			report, err := app.Capture(cmd.Context(), r, &captureProgress{s: s})
			if err != nil && len(report.Outcomes) == 0 {
				return err
			}
			for _, o := range report.Of(capture.Failed) {
				s.say("%s: error: %s [S001]\n\thint: %s", o.Path, o.Problem, o.Hint)
			}
			if err2 := s.show(newCaptured(report, r.Out)); err2 != nil {
				return err2
			}
			if errors.Is(err, app.ErrPartial) {
				return fmt.Errorf("%w; run the same command again: it asks only for what is missing", err)
			}
			if err != nil {
				return err
			}
			s.say("next: tranship discover %s --out estate.json --fields fields.jsonl", r.Out)
			return nil
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&marathon, "marathon", nil, "Marathon's URL (again for a second Marathon)")
	f.StringArrayVar(&metronome, "metronome", nil, "Metronome's URL")
	f.StringArrayVar(&mesos, "mesos", nil, "the Mesos master's URL")
	f.StringVar(&r.Out, "out", "", "the folder for the snapshot")
	f.StringVar(&r.CAFile, "ca-file", "", "certificate authorities to trust, in PEM")
	f.StringVar(&r.TokenEnv, "token-env", "", "the environment variable that holds a bearer or DC/OS token")
	f.StringVar(&r.TokenFile, "token-file", "", "the file that holds the token")
	f.StringVar(&r.BasicEnv, "basic-env", "", "the environment variable that holds user:password")
	f.Float64Var(&r.Rate, "rate", 5, "questions a second to one source at most")
	f.BoolVar(&r.Fresh, "fresh", false, "ask everything again, also what the folder has")
	return cmd
}

// captureProgress shows a line a source: on a terminal it is overwritten,
// elsewhere a source says when it is done.
type captureProgress struct{ s *session }

// Progress shows one event.
func (p *captureProgress) Progress(e capture.Event) {
	p.s.progress("%s %d/%d %s %s %d bytes", e.Source, e.Done, e.Total, e.State, e.Path, e.Bytes)
	if !p.s.terminal && e.Done == e.Total && e.Total > 0 {
		p.s.say("%s: %d of %d answers settled", e.Source, e.Done, e.Total)
	}
}

type captured struct {
	Out      string            `json:"out"`
	Complete bool              `json:"complete"`
	Answers  []capturedOutcome `json:"answers"`
}

type capturedOutcome struct {
	Source  string        `json:"source"`
	Path    string        `json:"path"`
	State   capture.State `json:"state"`
	Bytes   int64         `json:"bytes"`
	Problem string        `json:"problem,omitempty"`
}

func newCaptured(r capture.Report, out string) captured {
	c := captured{Out: out, Complete: r.Complete(), Answers: []capturedOutcome{}}
	for _, o := range r.Outcomes {
		c.Answers = append(c.Answers, capturedOutcome{Source: o.Source, Path: o.Path, State: o.State, Bytes: o.Bytes, Problem: o.Problem})
	}
	return c
}

func (c captured) table(w io.Writer) error {
	rows := [][]string{{"SOURCE", "ANSWER", "STATE", "BYTES", ""}}
	for _, a := range c.Answers {
		rows = append(rows, []string{a.Source, a.Path, string(a.State), fmt.Sprint(a.Bytes), a.Problem})
	}
	return columns(w, rows...)
}
