package pod

import (
	"strconv"
	"strings"

	"github.com/tranship/tranship/internal/render/manifest/cluster"
)

func itoa(n int) string { return strconv.Itoa(n) }

// Escape keeps Kubernetes from expanding $(NAME) in a command, an argument or
// a variable's value, and from making one $ of two: the program gets text as
// it is.
func Escape(text string) string {
	if !strings.Contains(text, "$$") && !strings.Contains(text, "$(") {
		return text
	}
	var b strings.Builder
	for i := range len(text) {
		b.WriteByte(text[i])
		if text[i] == '$' && i+1 < len(text) && (text[i+1] == '$' || text[i+1] == '(') {
			b.WriteByte('$')
		}
	}
	return b.String()
}

// Quote makes text one word of a shell.
func Quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

// Reserved reports whether a label's key is one that Kubernetes or tranship
// gives a meaning to: a label of the source must not take it.
func Reserved(key string) bool {
	prefix, _, found := strings.Cut(key, "/")
	if !found {
		return false
	}
	for _, own := range []string{"kubernetes.io", "k8s.io", strings.TrimSuffix(cluster.Prefix, "/")} {
		if prefix == own || strings.HasSuffix(prefix, "."+own) {
			return true
		}
	}
	return false
}
