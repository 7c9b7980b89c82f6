// Package naming makes names that Kubernetes takes out of names that it may
// not. It takes any text and gives labels, port names and keys of the length
// asked for. It never gives two different texts the same name where it was
// asked to keep them apart.
package naming

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"
)

// The lengths that Kubernetes allows.
const (
	Label = 63 // of most names
	Short = 52 // of what other names are made from: CronJob, StatefulSet
	Port  = 15
)

// Hash gives eight hexadecimal digits that tell text from others.
func Hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:4])
}

// DNS gives a name of lower-case letters, digits and dashes that begins with a
// letter (as the name of a Service must) and has at most limit characters. A
// text that is too long is cut and told apart by a hash; one without any
// usable character becomes "x" and a hash.
func DNS(text string, limit int) string {
	s := strings.Trim(squeeze(strings.ToLower(text)), "-")
	switch {
	case s == "":
		s = "x-" + Hash(text)
	case s[0] >= '0' && s[0] <= '9':
		s = "x" + s
	}
	return Cut(s, text, limit)
}

// Cut shortens name to limit characters; the hash of text stands for what was
// cut off.
func Cut(name, text string, limit int) string {
	if len(name) <= limit {
		return name
	}
	h := Hash(text)
	return strings.TrimRight(name[:limit-len(h)-1], "-.") + "-" + h
}

// Join gives the parts joined by dashes, as DNS would have them.
func Join(limit int, parts ...string) string { return DNS(strings.Join(parts, "-"), limit) }

// squeeze puts one dash in the place of each run of other characters.
func squeeze(s string) string {
	var b strings.Builder
	dash := false
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			b.WriteByte(c)
			dash = false
		} else if !dash {
			b.WriteByte('-')
			dash = true
		}
	}
	return b.String()
}

// PortName gives a port's name: at most 15 letters, digits and single dashes,
// a letter among them. Empty is given where nothing usable is left.
func PortName(text string) string {
	s := strings.Trim(squeeze(strings.ToLower(text)), "-")
	if s == "" || strings.Trim(s, "0123456789-") == "" {
		if s == "" {
			return ""
		}
		s = "p" + s
	}
	if len(s) > Port {
		s = strings.TrimRight(s[:Port-5], "-") + "-" + Hash(text)[:4]
	}
	return s
}

// Key gives a key of a ConfigMap or Secret, and whether it is text unchanged.
func Key(text string) (string, bool) {
	s := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == '.' {
			return r
		}
		return '_'
	}, text)
	if s == "" || s == "." || strings.HasPrefix(s, "..") || isScalar(s) {
		s = "_" + strings.TrimLeft(s, ".")
	}
	s = Cut(s, text, 253)
	return s, s == text
}

// number finds keys that some reader of YAML takes for a number.
var number = regexp.MustCompile(`^[-+.]?[0-9][-+0-9a-fA-FxXoO_.]*$`)

// isScalar reports whether text without quotes is no string in YAML. Kustomize
// writes keys without, and reads them back as what they are then.
func isScalar(text string) bool {
	switch strings.ToLower(text) {
	case "y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan":
		return true
	}
	return number.MatchString(text)
}

// IsLabelKey reports whether text can be the key of a label or annotation.
func IsLabelKey(text string) bool {
	if isScalar(text) {
		return false
	}
	prefix, name, found := strings.Cut(text, "/")
	if !found {
		prefix, name = "", text
	}
	if found && (len(prefix) > 253 || !isSubdomain(prefix)) {
		return false
	}
	return name != "" && isLabelText(name)
}

// IsLabelValue reports whether text can be the value of a label.
func IsLabelValue(text string) bool { return text == "" || isLabelText(text) }

func isLabelText(s string) bool {
	if len(s) > 63 || !alnum(s[0]) || !alnum(s[len(s)-1]) {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !alnum(c) && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return true
}

// LabelValue gives a label's value near to text.
func LabelValue(text string) string {
	if IsLabelValue(text) {
		return text
	}
	s := strings.Trim(strings.Map(func(r rune) rune {
		if r < 128 && (alnum(byte(r)) || r == '-' || r == '_' || r == '.') {
			return r
		}
		return '-'
	}, text), "-_.")
	if s == "" {
		return "x-" + Hash(text)
	}
	return Cut(s, text, Label)
}

// IsSubdomain reports whether text is a DNS name as Kubernetes has it.
func IsSubdomain(text string) bool { return len(text) <= 253 && isSubdomain(text) }

func isSubdomain(s string) bool {
	for part := range strings.SplitSeq(s, ".") {
		if part == "" || part[0] == '-' || part[len(part)-1] == '-' ||
			strings.Trim(part, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
			return false
		}
	}
	return true
}

func alnum(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}
