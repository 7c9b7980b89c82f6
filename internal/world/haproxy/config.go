package haproxy

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A block is what stands between the marks of a backend.
type block struct {
	servers []target
	percent int
	// before are the weights that the source's servers had in the file before the
	// first shift, by name.
	before []weighed
}

// A target is one of our servers.
type target struct {
	name, address string
	weight        int
}

// A weighed server of the source. Implied: its line had no weight of its own.
type weighed struct {
	name    string
	weight  int
	implied bool
}

// A section is one backend of a configuration, as lines of the file.
type section struct {
	lines      []string // of the whole file, each with its line end
	begin, end int      // the marks
	source     []int    // lines of the source's servers
}

var (
	heading   = regexp.MustCompile(`^(global|defaults|frontend|backend|listen|ring|peers|resolvers|userlist|mailers|cache|program|http-errors|fcgi-app|log-forward)$`)
	weightIs  = regexp.MustCompile(`(\sweight\s+)(\d+)(\s|$)`)
	ourServer = regexp.MustCompile(`^tranship-\d+$`)
)

// find gives a backend of a configuration.
func find(text, backend string) (*section, error) {
	s := &section{lines: strings.SplitAfter(text, "\n"), begin: -1, end: -1}
	inside, seen := false, false
	for i, line := range s.lines {
		words := strings.Fields(code(line))
		switch {
		case len(words) > 0 && heading.MatchString(words[0]):
			inside = (words[0] == "backend" || words[0] == "listen") && len(words) > 1 && words[1] == backend
			seen = seen || inside
		case !inside:
		case mark(line, "begin", backend):
			s.begin = i
		case mark(line, "end", backend):
			s.end = i
		case s.begin >= 0 && s.end < 0:
		case len(words) > 2 && (words[0] == "server" || words[0] == "server-template") && !slices.Contains(words, "backup"):
			s.source = append(s.source, i)
		}
	}
	switch {
	case !seen:
		return nil, fmt.Errorf("no backend %s in it", backend)
	case s.begin < 0 || s.end < s.begin:
		return nil, fmt.Errorf("backend %s lacks the lines %q and %q", backend, "# tranship begin "+backend, "# tranship end "+backend)
	}
	return s, nil
}

// code is a line without its comment.
func code(line string) string {
	if i := strings.Index(line, "#"); i >= 0 && !strings.Contains(line[:i], `"`) && !strings.HasSuffix(line[:i], `\`) {
		line = line[:i]
	}
	return line
}

func mark(line, what, backend string) bool {
	return slices.Equal(strings.Fields(line), []string{"#", "tranship", what, backend})
}

const note = "# share"

// read gives what the block says.
func (s *section) read() (block, error) {
	var b block
	for _, line := range s.lines[s.begin+1 : s.end] {
		words := strings.Fields(line)
		switch {
		case len(words) >= 3 && words[0] == "server":
			t := target{name: words[1], address: words[2]}
			if m := weightIs.FindStringSubmatch(line); m != nil {
				t.weight, _ = strconv.Atoi(m[2])
			}
			b.servers = append(b.servers, t)
		case strings.HasPrefix(strings.TrimSpace(line), note):
			if err := b.note(words[2:]); err != nil {
				return b, fmt.Errorf("read %q: %w", strings.TrimSpace(line), err)
			}
		}
	}
	return b, nil
}

// note reads "25 % of old-1=100 old-2=(1)".
func (b *block) note(words []string) error {
	if len(words) < 3 {
		return fmt.Errorf("%d words, want a share and weights", len(words))
	}
	var err error
	if b.percent, err = strconv.Atoi(words[0]); err != nil {
		return err
	}
	for _, w := range words[3:] {
		name, value, _ := strings.Cut(w, "=")
		bare := strings.Trim(value, "()")
		n, err := strconv.Atoi(bare)
		if err != nil {
			return err
		}
		b.before = append(b.before, weighed{name: name, weight: n, implied: bare != value})
	}
	return nil
}

// write gives the file with the block as it should be and the source's lines
// with the weights given by name of their line. options follow each target's weight.
func (s *section) write(b block, source map[string]int, options string) string {
	lines := slices.Clone(s.lines)
	for _, i := range s.source {
		name := strings.Fields(lines[i])[1]
		at := slices.IndexFunc(b.before, func(w weighed) bool { return w.name == name })
		switch {
		case at < 0:
		case b.percent == 0 && b.before[at].implied:
			lines[i] = withoutWeight(lines[i])
		case b.percent == 0:
			lines[i] = withWeight(lines[i], b.before[at].weight)
		default:
			lines[i] = withWeight(lines[i], source[name])
		}
	}
	indent := lines[s.begin][:strings.Index(lines[s.begin], "#")]
	var inner []string
	if b.percent > 0 {
		words := []string{fmt.Sprintf("%s%s %d %% of", indent, note, b.percent)}
		for _, w := range b.before {
			value := strconv.Itoa(w.weight)
			if w.implied {
				value = "(" + value + ")"
			}
			words = append(words, w.name+"="+value)
		}
		inner = append(inner, strings.Join(words, " ")+"\n")
	}
	for _, t := range b.servers {
		inner = append(inner, fmt.Sprintf("%sserver %s %s weight %d %s\n", indent, t.name, t.address, t.weight, options))
	}
	return strings.Join(slices.Concat(lines[:s.begin+1], inner, lines[s.end:]), "")
}

// written gives the weights that the source's lines have now, by name; implied
// ones are those of the running servers.
func (s *section) written(running map[string]int) []weighed {
	var out []weighed
	for _, i := range s.source {
		w := weighed{name: strings.Fields(s.lines[i])[1]}
		if m := weightIs.FindStringSubmatch(code(s.lines[i])); m != nil {
			w.weight, _ = strconv.Atoi(m[2])
		} else {
			w.implied, w.weight = true, 1
			for name, n := range running {
				if s.lineOf(name) == w.name {
					w.weight = n
				}
			}
		}
		out = append(out, w)
	}
	return out
}

// lineOf gives the name of the line that a running server comes from: its own,
// or that of a template, which is the server's without the number; "" if none.
func (s *section) lineOf(server string) string {
	for _, i := range s.source {
		words := strings.Fields(s.lines[i])
		number, cut := strings.CutPrefix(server, words[1])
		if server == words[1] || words[0] == "server-template" && cut && digits(number) {
			return words[1]
		}
	}
	return ""
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// withWeight sets the weight of a server's line and leaves all else as it is.
func withWeight(line string, n int) string {
	body := code(line)
	rest := line[len(body):]
	if m := weightIs.FindStringSubmatchIndex(body); m != nil {
		return body[:m[4]] + strconv.Itoa(n) + body[m[5]:] + rest
	}
	trimmed := strings.TrimRight(body, " \t\r\n")
	return trimmed + " weight " + strconv.Itoa(n) + body[len(trimmed):] + rest
}

// withoutWeight takes away what withWeight put at a line's end.
func withoutWeight(line string) string {
	body := code(line)
	trimmed := strings.TrimRight(body, " \t\r\n")
	i := strings.LastIndex(trimmed, " weight ")
	if i < 0 || !digits(trimmed[i+len(" weight "):]) {
		return line
	}
	return trimmed[:i] + line[len(trimmed):]
}
