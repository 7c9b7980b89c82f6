package field

import (
	"strings"

	"github.com/tranship/tranship/internal/base/jsonpos"
)

// Choice gives the word among words that v spells, whatever the case. Another
// word is reported and left out, as a value of the wrong type is.
func (s Scope) Choice(v *jsonpos.Value, words ...string) (string, bool) {
	if v.IsNull() {
		s.Empty(v)
		return "", false
	}
	if v.Kind() == jsonpos.String {
		for _, w := range words {
			if strings.EqualFold(w, v.Text()) {
				return w, true
			}
		}
	}
	s.wrong(v, "one of "+strings.Join(words, ", "))
	return "", false
}

// Share gives a number from 0 to 1.
func (s Scope) Share(v *jsonpos.Value) (float64, bool) {
	f, ok := s.Number(v)
	if ok && (f < 0 || f > 1) {
		s.outOfRange(v, "a number from 0 to 1")
		return 0, false
	}
	return f, ok
}

// Positive gives a number that is not negative and at most limit.
func (s Scope) Positive(v *jsonpos.Value, limit float64) (float64, bool) {
	f, ok := s.Number(v)
	if ok && (f < 0 || f > limit) {
		s.outOfRange(v, "a number from 0 up")
		return 0, false
	}
	return f, ok
}
