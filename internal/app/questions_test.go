package app_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/tranship/tranship/internal/plan/policy"
)

// TestQuestionsNameRealCodes: policy knows no reader, so its codes stand by
// value; each must be one that docs/codes.md has.
func TestQuestionsNameRealCodes(t *testing.T) {
	data, err := os.ReadFile("../../docs/codes.md")
	if err != nil {
		t.Fatal(err)
	}
	have := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^## (\S+) `).FindAllSubmatch(data, -1) {
		have[string(m[1])] = true
	}
	for _, q := range policy.Questions() {
		for _, c := range q.Codes {
			if !have[string(c)] {
				t.Errorf("%s settles %s, which is no code", q.Field, c)
			}
		}
	}
}
