package manifest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"

	"gopkg.in/yaml.v3"
)

// encode writes an object as YAML, with its keys in order and without what
// only a server fills in. Lost tells that a text had characters that the tools
// of Kubernetes refuse in YAML, and has others in their place.
func encode(comment string, object any) (text []byte, lost bool, err error) {
	m, err := generic(object)
	if err != nil {
		return nil, false, err
	}
	e := encoder{}
	e.prune(m)
	var out bytes.Buffer
	for line := range strings.SplitSeq(strings.TrimRight(comment, "\n"), "\n") {
		if comment != "" {
			out.WriteString("# " + strings.Map(printable, line) + "\n")
		}
	}
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	if err := enc.Encode(m); err != nil {
		return nil, false, fmt.Errorf("write object: %w", err)
	}
	return out.Bytes(), e.lost, enc.Close()
}

// generic gives an object as the maps and lists that its JSON is.
func generic(object any) (map[string]any, error) {
	text, err := json.Marshal(object)
	if err != nil {
		return nil, fmt.Errorf("write object: %w", err)
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var m map[string]any
	if err := dec.Decode(&m); err != nil {
		return nil, fmt.Errorf("write object: %w", err)
	}
	delete(m, "status")
	return m, nil
}

// printable keeps a comment on its line.
func printable(r rune) rune {
	if !unicode.IsPrint(r) {
		return ' '
	}
	return r
}

// An encoder writes one object.
type encoder struct{ lost bool }

// writable gives a character that every reader of YAML takes.
func writable(r rune) rune {
	if unicode.IsControl(r) && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff || r == 0xfeff {
		return unicode.ReplacementChar
	}
	return r
}

// prune takes out what the types of Kubernetes write for nothing, and makes
// numbers of numbers.
func (w *encoder) prune(v any) any {
	switch x := v.(type) {
	case map[string]any:
		for k, e := range x {
			if e == nil && k == "creationTimestamp" {
				delete(x, k)
				continue
			}
			if m, ok := e.(map[string]any); ok && len(m) == 0 && (k == "resources" || k == "strategy" || k == "updateStrategy" || k == "status") {
				delete(x, k)
				continue
			}
			x[k] = w.prune(e)
		}
	case []any:
		for i, e := range x {
			x[i] = w.prune(e)
		}
	case string:
		clean := strings.Map(writable, x)
		w.lost = w.lost || clean != x
		x = clean
		if strings.Contains(x, "\n") && !block(x) {
			return &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: x, Style: yaml.DoubleQuotedStyle}
		}
		return x
	case json.Number:
		if n, err := x.Int64(); err == nil {
			return n
		}
		if f, err := x.Float64(); err == nil {
			return f
		}
		return x.String()
	}
	return v
}

// block reports whether lines can stand one below the other: not every reader
// takes tabs and blanks at the edges then.
func block(s string) bool {
	if strings.ContainsRune(" \n", rune(s[0])) {
		return false
	}
	for line := range strings.SplitSeq(s, "\n") {
		if strings.Contains(line, "\t") || strings.HasSuffix(line, " ") {
			return false
		}
	}
	return true
}
