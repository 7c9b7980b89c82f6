package estate

import (
	"iter"
	"strings"
)

// A Token is a run of text in which a host can stand: letters, digits, dots,
// dashes and underscores, with the port behind it.
type Token struct {
	Host string // without a dot at its end
	Port int    // 0 if none is written
	// Start and End are where it stands, the port included: text[Start:End] is
	// what Dependency.Match holds.
	Start, End int
	// Glued tokens are only a part of a name: a variable or a wildcard touches
	// them ("${ENV}.marathon.mesos").
	Glued bool
}

// Tokens gives the tokens of text from left to right. The search for names and
// the putting in of new ones both go by it, so that a Match is one whole token.
func Tokens(text string) iter.Seq[Token] {
	return func(yield func(Token) bool) {
		for i := 0; i < len(text); {
			if !hostByte(text[i]) {
				i++
				continue
			}
			t := token(text, i)
			i = max(t.End, i+1)
			if t.Host != "" && !yield(t) {
				return
			}
		}
	}
}

func hostByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '-' || c == '_'
}

// token reads the token that begins at i.
func token(text string, i int) Token {
	end := i
	for end < len(text) && hostByte(text[end]) {
		end++
	}
	t := Token{Start: i, End: end}
	if i > 0 {
		t.Glued = strings.IndexByte("$})%*", text[i-1]) >= 0
	}
	for t.Start < end && (text[t.Start] == '-' || text[t.Start] == '.') {
		t.Glued = t.Glued || text[t.Start] == '.'
		t.Start++
	}
	t.Host = strings.TrimRight(text[t.Start:end], ".-_")
	rest := text[t.Start+len(t.Host) : end]
	if strings.Trim(rest, ".") != "" {
		t.Glued = true
		return t
	}
	if n, port := portAt(text, end); n > end && len(rest) < 2 {
		t.End, t.Port = n, port
	} else if rest != "" {
		t.End = end - len(rest)
	}
	return t
}

// portAt reads ":8080" at i and gives where it ends.
func portAt(text string, i int) (end, port int) {
	if i >= len(text) || text[i] != ':' {
		return i, 0
	}
	j := i + 1
	for ; j < len(text) && j < i+7 && text[j] >= '0' && text[j] <= '9'; j++ {
		port = port*10 + int(text[j]-'0')
	}
	if port < 1 || port > 65535 || j < len(text) && text[j] != '.' && text[j] != '-' && hostByte(text[j]) {
		return i, 0
	}
	return j, port
}

// Substitute puts new names in the place of old ones: every token whose text is
// a key of names. What is only a part of a token stays as it is.
func Substitute(text string, names map[string]string) string {
	var b strings.Builder
	done := 0
	for t := range Tokens(text) {
		if t.Glued {
			continue
		}
		if name, ok := names[text[t.Start:t.End]]; ok {
			b.WriteString(text[done:t.Start])
			b.WriteString(name)
			done = t.End
		}
	}
	if done == 0 {
		return text
	}
	b.WriteString(text[done:])
	return b.String()
}
