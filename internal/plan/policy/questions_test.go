package policy_test

import (
	"strings"
	"testing"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/plan/policy"
)

// TestInitAsksWhatTheEstateAsksAndIsValid: the file is valid as written, and
// still valid when every question's example is taken as the answer.
func TestInitAsksWhatTheEstateAsksAndIsValid(t *testing.T) {
	var entries []ledger.Entry
	for _, q := range policy.Questions() {
		for _, c := range q.Codes {
			entries = append(entries, ledger.Entry{Verdict: ledger.Decision, Code: c, Reason: "why"})
		}
	}
	entries = append(entries, ledger.Entry{Verdict: ledger.Decision, Code: "Z999", Reason: "no field settles it"})
	data := policy.Write(policy.Raise(entries))
	if _, list := policy.Parse("tranship.yaml", data); len(list) > 0 {
		t.Errorf("as written: %v\n%s", list, data)
	}
	var answered strings.Builder
	for line := range strings.Lines(string(data)) {
		text, comment := strings.CutPrefix(line, "  # ")
		if comment && (strings.HasPrefix(text, "  ") || strings.Contains(text, ": ") == strings.HasPrefix(text, "cpuLimits") || strings.HasSuffix(text, ":\n") || strings.HasPrefix(text, "users: ")) {
			if !strings.Contains(text, "asked by") && !strings.HasSuffix(text, "?\n") && !strings.HasPrefix(text, "Answers for") {
				answered.WriteString("  " + text)
				continue
			}
		}
		answered.WriteString(line)
	}
	p, list := policy.Parse("tranship.yaml", []byte(answered.String()))
	if len(list) > 0 {
		t.Fatalf("answered: %v\n%s", list, answered.String())
	}
	for _, q := range policy.Questions() {
		if a, ok := policy.AnswerTo(&p, q.Codes[0], "/a"); !ok || a == "" {
			t.Errorf("%s is not answered by its example %s", q.Field, q.Example)
		}
	}
}

// TestNoCodeIsSettledByTwoFields: an answer has one place.
func TestNoCodeIsSettledByTwoFields(t *testing.T) {
	have := map[diag.Code]string{}
	for _, q := range policy.Questions() {
		for _, c := range q.Codes {
			if have[c] != "" {
				t.Errorf("%s is settled by %s and by %s", c, have[c], q.Field)
			}
			have[c] = q.Field
		}
		if _, err := policy.Explain(q.Field); err != nil {
			t.Errorf("%s cannot be explained: %v", q.Field, err)
		}
	}
}
