package names

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/estate"
)

// patterns fills in the values that LIKE and UNLIKE stand for: those of the
// hosts that were seen.
func (s *search) patterns() {
	e := s.b.Estate()
	values := map[string][]string{}
	type key struct{ attribute, pattern string }
	known := map[key]matched{}
	for _, w := range s.b.Workloads() {
		for i := range w.Constraints {
			c := &w.Constraints[i]
			if c.Pattern == "" {
				continue
			}
			if _, ok := values[c.Attribute]; !ok {
				values[c.Attribute] = valuesOf(e.Hosts, c.Attribute)
			}
			k := key{c.Attribute, c.Pattern}
			m, ok := known[k]
			if !ok {
				m = match(c.Pattern, values[c.Attribute])
				known[k] = m
			}
			s.settle(w, c, m, len(e.Hosts))
		}
	}
}

type matched struct {
	values []string
	err    error
}

func match(pattern string, values []string) matched {
	re, err := javaPattern(pattern)
	if err != nil {
		return matched{err: err}
	}
	var m matched
	for _, v := range values {
		if re.MatchString(v) {
			m.values = append(m.values, v)
		}
	}
	return m
}

// valuesOf gives the values of an attribute, each once and in order.
func valuesOf(hosts []estate.Host, attribute string) []string {
	var out []string
	for i := range hosts {
		h := &hosts[i]
		v, ok := h.Attributes[attribute]
		switch attribute {
		case "hostname":
			v, ok = h.Name, true
		case "@zone":
			v, ok = h.Zone, h.Zone != ""
		case "@region":
			v, ok = h.Region, h.Region != ""
		}
		if ok {
			out = append(out, v)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (s *search) settle(w *estate.Workload, c *estate.Constraint, m matched, hosts int) {
	c.Values = slices.Clone(m.values)
	switch {
	case hosts == 0:
		s.ruleConstraint(w, c, NoHostsForPattern, "no hosts were seen to compare the pattern with: no hard rule is proposed")
	case m.err != nil:
		s.ruleConstraint(w, c, UnsupportedPattern, "the pattern cannot be compared here: no hard rule is proposed")
		s.warnConstraint(w, c, UnsupportedPattern, "has a pattern that cannot be compared: "+m.err.Error(),
			"list the values in an overlay")
	case len(m.values) == 0 && c.Rule == estate.In:
		s.ruleConstraint(w, c, PatternMatchesNothing, "no host that was seen fits: no hard rule is proposed")
		s.warnConstraint(w, c, PatternMatchesNothing, "fits none of the hosts that were seen; Marathon would not have started it",
			"see whether the snapshot has all agents")
	}
}

func (s *search) ruleConstraint(w *estate.Workload, c *estate.Constraint, code diag.Code, reason string) {
	for _, t := range s.constraints[constraintKey{w.ID, c.Source}] {
		s.rule(t.At, ledger.Decision, code, reason)
	}
}

func (s *search) warnConstraint(w *estate.Workload, c *estate.Constraint, code diag.Code, problem, hint string) {
	pos := diag.Pos{File: w.Origin.File}
	if ts := s.constraints[constraintKey{w.ID, c.Source}]; len(ts) > 0 {
		pos = ts[0].At.Pos(ts[0].File)
	}
	s.b.Report(diag.Diagnostic{
		Code: code, Severity: diag.Warning, Pos: pos, Subject: discover.Subject("workload", w.ID),
		Problem: "constraint " + c.Source + " " + problem, Hint: hint,
	})
}

// javaPattern compiles a regular expression of Java so that it must match the
// whole value. What Go has not, or reads otherwise, is an error.
func javaPattern(pattern string) (*regexp.Regexp, error) {
	if why := javaOnly(pattern); why != "" {
		return nil, fmt.Errorf("%s", why)
	}
	p := strings.NewReplacer(
		`\p{Lower}`, `[[:lower:]]`, `\p{Upper}`, `[[:upper:]]`, `\p{Alpha}`, `[[:alpha:]]`, `\p{Digit}`, `[[:digit:]]`,
		`\p{Alnum}`, `[[:alnum:]]`, `\p{Punct}`, `[[:punct:]]`, `\p{Space}`, `[[:space:]]`, `\Z`, `\z`,
	).Replace(pattern)
	re, err := regexp.Compile(`\A(?:` + p + `)\z`)
	if err != nil {
		return nil, fmt.Errorf("it is no regular expression that tranship can run")
	}
	return re, nil
}

// javaOnly names the construct that Go refuses or, worse, takes for another.
func javaOnly(p string) string {
	class := 0
	for i := 0; i < len(p); i++ {
		switch c := p[i]; {
		case c == '\\' && i+1 < len(p):
			i++
			if p[i] == 'Q' {
				end := strings.Index(p[i:], `\E`)
				if end < 0 {
					return ""
				}
				i += end + 1
			}
			if class == 0 && p[i] >= '1' && p[i] <= '9' || p[i] == 'k' {
				return "a reference back to a group"
			}
		case class > 0 && c == '[' && !strings.HasPrefix(p[i:], "[:"):
			return "a class inside a class"
		case class > 0 && strings.HasPrefix(p[i:], "&&"):
			return "an intersection of classes"
		case c == '[' && class == 0:
			class = i + 1
			if strings.HasPrefix(p[i+1:], "^") {
				i++
			}
		case c == ']' && class > 0:
			class = 0
		case class == 0 && strings.HasPrefix(p[i:], "(?") && i+2 < len(p) && strings.IndexByte("=!>", p[i+2]) >= 0,
			class == 0 && (strings.HasPrefix(p[i:], "(?<=") || strings.HasPrefix(p[i:], "(?<!")):
			return "a look around or an atomic group"
		case class == 0 && c == '+' && i > 0 && strings.IndexByte("*+?}", p[i-1]) >= 0 && (i < 2 || p[i-2] != '\\'):
			return "a possessive quantifier"
		}
	}
	return ""
}
