package haproxy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/tranship/tranship/internal/rollout/runner"
)

// Check says what the front door lacks for the given backends, in sentences; none
// if it has all. docs/frontdoor.md has the whole. What it reads it does not change.
func (t *Traffic) Check(ctx context.Context, backends []string) []string {
	var out []string
	text, err := os.ReadFile(t.config)
	if err != nil {
		out = append(out, fmt.Sprintf("the configuration cannot be read: %v", err))
	} else {
		out = append(out, lacks(string(text), t.o.Ring, backends)...)
	}
	answer, err := t.socket.ask(ctx, "show info")
	if err != nil {
		return append(out, fmt.Sprintf("the stats socket does not answer: %v", err))
	}
	if v := version(answer); v != "" && !recent(v) {
		out = append(out, fmt.Sprintf("HAProxy is %s, and servers cannot be added to it before 2.6", v))
	}
	for _, b := range backends {
		switch _, err := t.socket.look(ctx, b); {
		case errors.Is(err, runner.ErrAbsent):
			out = append(out, fmt.Sprintf("the running HAProxy has no backend %s: it was not reloaded, or reads another file", b))
		case err != nil:
			out = append(out, err.Error())
		}
	}
	return out
}

func version(info string) string {
	for line := range strings.Lines(info) {
		if v, ok := strings.CutPrefix(line, "Version: "); ok {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// recent reports whether a version is 2.6 or later.
func recent(v string) bool {
	major, rest, _ := strings.Cut(v, ".")
	minor, _, _ := strings.Cut(rest, ".")
	minor, _, _ = strings.Cut(minor, "-")
	a, errA := strconv.Atoi(major)
	b, errB := strconv.Atoi(minor)
	return errA == nil && errB == nil && (a > 2 || a == 2 && b >= 6)
}

// A part is a section of the configuration with the words of its lines.
type part struct {
	kind, name string
	lines      [][]string
	defaults   *part // whose settings it takes over
}

// parts splits a configuration.
func parts(text string) []*part {
	var out []*part
	var defaults *part
	for line := range strings.Lines(text) {
		words := strings.Fields(code(line))
		switch {
		case len(words) == 0:
		case heading.MatchString(words[0]):
			p := &part{kind: words[0], defaults: defaults}
			if len(words) > 1 {
				p.name = words[1]
			}
			if i := slices.Index(words, "from"); i > 0 && i+1 < len(words) {
				for _, d := range out {
					if d.kind == "defaults" && d.name == words[i+1] {
						p.defaults = d
					}
				}
			}
			if p.kind == "defaults" {
				defaults = p
			}
			out = append(out, p)
		case len(out) > 0:
			out[len(out)-1].lines = append(out[len(out)-1].lines, words)
		}
	}
	return out
}

// says gives the last line of a part, or of its defaults, that begins with words.
func (p *part) says(words ...string) []string {
	for _, q := range []*part{p, p.defaults} {
		if q == nil {
			continue
		}
		for _, l := range slices.Backward(q.lines) {
			if len(l) >= len(words) && slices.Equal(l[:len(words)], words) {
				return l
			}
		}
	}
	return nil
}

// fixed are the algorithms whose weights do not change at run time, unless
// hashing is consistent.
var fixed = []string{"static-rr", "first", "source", "uri", "url_param", "hdr", "rdp-cookie", "hash"}

// lacks says what a configuration lacks.
func lacks(text, ring string, backends []string) []string {
	var out []string
	all := parts(text)
	admin, hasRing, logged := false, false, false
	for _, p := range all {
		hasRing = hasRing || p.kind == "ring" && p.name == ring
		for _, l := range p.lines {
			line := strings.Join(l, " ")
			admin = admin || strings.HasPrefix(line, "stats socket ") && strings.Contains(line, "level admin")
			logged = logged || strings.HasPrefix(line, "option httplog") || strings.HasPrefix(line, "log-format ") && strings.Contains(line, "%b/%s %TR/%Tw/%Tc/%Tr/%Ta")
		}
	}
	if !admin {
		out = append(out, `global has no "stats socket ... level admin"`)
	}
	if !hasRing || !strings.Contains(text, "ring@"+ring) {
		out = append(out, fmt.Sprintf(`latencies cannot be read: a section "ring %s" and a line "log ring@%s local0 info" are needed`, ring, ring))
	}
	if !logged {
		out = append(out, `latencies cannot be read: neither "option httplog" nor a log-format with %b/%s %TR/%Tw/%Tc/%Tr/%Ta is there`)
	}
	for _, b := range backends {
		if _, err := find(text, b); err != nil {
			out = append(out, err.Error())
		}
		for _, p := range all {
			if p.name == b && (p.kind == "backend" || p.kind == "listen") {
				out = append(out, p.lacks()...)
			}
		}
	}
	return out
}

// lacks says what keeps shares of a backend from being exact.
func (p *part) lacks() []string {
	var out []string
	say := func(format string, args ...any) {
		out = append(out, "backend "+p.name+": "+fmt.Sprintf(format, args...))
	}
	if l := p.says("balance"); len(l) > 1 {
		algorithm, _, _ := strings.Cut(l[1], "(")
		consistent := slices.Contains(p.says("hash-type"), "consistent")
		switch {
		case slices.Contains(fixed[:2], algorithm), slices.Contains(fixed, algorithm) && !consistent:
			say("weights do not change at run time with balance %s; roundrobin is what is needed", algorithm)
		case slices.Contains(fixed, algorithm):
			say("with balance %s shares are of clients, not of requests", algorithm)
		case algorithm == "leastconn":
			say("with balance leastconn shares are of open connections, not of requests")
		}
	}
	for _, words := range [][]string{{"cookie"}, {"stick", "on"}, {"stick", "match"}, {"appsession"}, {"option", "prefer-last-server"}} {
		if p.says(words...) != nil {
			say("%q keeps clients at their server at weight 0, so 0 and 100 percent are not exact", strings.Join(words, " "))
		}
	}
	return out
}
