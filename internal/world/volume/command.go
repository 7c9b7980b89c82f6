package volume

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"text/template"

	"github.com/tranship/tranship/internal/rollout"
)

// place is whose volume a command is about.
type place struct {
	Workload string
	Instance int
	Volume   string
	Path     string
}

// fill gives a command with its places filled in. In a text that a shell reads
// {{quote .Path}} writes a value as one word.
func (p place) fill(c named) ([]string, error) {
	out := make([]string, len(c.argv))
	for i, text := range c.argv {
		t, err := template.New(c.name).Option("missingkey=error").Funcs(template.FuncMap{"quote": quote}).Parse(text)
		if err != nil {
			return nil, fmt.Errorf("spec.move.volumes.%s: %w", c.name, err)
		}
		var s strings.Builder
		if err := t.Execute(&s, p); err != nil {
			return nil, fmt.Errorf("spec.move.volumes.%s: %w", c.name, err)
		}
		out[i] = s.String()
	}
	return out, nil
}

func quote(v any) string { return "'" + strings.ReplaceAll(fmt.Sprint(v), "'", `'\''`) + "'" }

// fit refuses commands that cannot keep instances or volumes apart, and a copy
// that nobody could read back.
func (v *Volumes) fit(w rollout.Workload, x way) error {
	for _, c := range []named{x.read, x.write} {
		if len(c.argv) == 0 {
			return fmt.Errorf("spec.move.volumes.%s is not set", c.name)
		}
	}
	for _, end := range [][2]named{{x.fromSum, x.fromAll}, {x.toSum, x.toAll}} {
		if len(end[0].argv)+len(end[1].argv) == 0 {
			return fmt.Errorf("neither spec.move.volumes.%s nor spec.move.volumes.%s is set, so the copy could not be verified", end[0].name, end[1].name)
		}
	}
	one := place{Workload: string(w.Name), Volume: "a", Path: "/a"}
	for _, c := range []named{x.read, x.write, x.fromSum, x.fromAll, x.toSum, x.toAll} {
		if len(c.argv) == 0 {
			continue
		}
		if max(w.Replicas, w.SourceReplicas) > 1 {
			if err := tells(c, one, place{Workload: one.Workload, Instance: 1, Volume: one.Volume, Path: one.Path}); err != nil {
				return fmt.Errorf("%w: it is the same for all instances, of which there are several: name {{.Instance}} in it", err)
			}
		}
		if len(w.Volumes) > 1 {
			if err := tells(c, one, place{Workload: one.Workload, Volume: "b", Path: "/b"}); err != nil {
				return fmt.Errorf("%w: it is the same for all volumes, of which there are several: name {{.Volume}} or {{.Path}} in it", err)
			}
		}
		if _, err := one.fill(c); err != nil {
			return err
		}
	}
	return nil
}

var errSame = errors.New("it does not tell them apart")

// tells fails if a command is the same for two places.
func tells(c named, a, b place) error {
	x, err := a.fill(c)
	if err != nil {
		return err
	}
	y, err := b.fill(c)
	if err != nil {
		return err
	}
	if slices.Equal(x, y) {
		return fmt.Errorf("spec.move.volumes.%s: %w", c.name, errSame)
	}
	return nil
}

// notes is what tar says that is no failure.
type notes struct {
	skipped []string // what cannot be copied: sockets
	changed []string // files that changed, or went, while they were read
}

var (
	socketLine  = regexp.MustCompile(`^\S*tar: (.+): socket ignored$`)
	changedLine = regexp.MustCompile(`^\S*tar: (.+): (?:file changed as we read it|File removed before we read it)$`)
	calmLine    = regexp.MustCompile(`^\S*tar: (?:Removing leading .*|Record size = .*|Exiting with failure status due to previous errors)$`)
	tarLine     = regexp.MustCompile(`^\S*tar: `)
)

// understand sorts what a command said: bad is what tar says and nothing here
// knows to be harmless. Other programs, as ssh and kubectl, talk on the way.
func understand(stderr string) (n notes, bad string) {
	for line := range strings.Lines(stderr) {
		line = strings.TrimRight(line, "\r\n")
		switch {
		case socketLine.MatchString(line):
			n.skipped = append(n.skipped, clean(socketLine.FindStringSubmatch(line)[1]))
		case changedLine.MatchString(line):
			n.changed = append(n.changed, clean(changedLine.FindStringSubmatch(line)[1]))
		case tarLine.MatchString(line) && !calmLine.MatchString(line) && bad == "":
			bad = line
		}
	}
	slices.Sort(n.skipped)
	return n, bad
}

// tail is the end of what a command said, on one line.
func tail(stderr string) string {
	lines := strings.Split(strings.TrimSpace(stderr), "\n")
	s := strings.Join(lines[max(0, len(lines)-5):], "; ")
	if s == "" {
		return "it said nothing"
	}
	return s[max(0, len(s)-500):]
}
