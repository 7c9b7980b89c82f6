package policy

import (
	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/estate"
)

// A Question is one field of tranship.yaml that settles decisions.
type Question struct {
	Field string // "spec.network.host"
	Ask   string
	// Default is what holds while nobody answers.
	Default string
	// Codes of the ledger's decisions that it settles.
	Codes []diag.Code
	// answer reads the field, for one workload; empty is unanswered.
	answer func(p *Policy, id estate.Name) string
}

// AnswerTo gives the policy's answer to a decision of that code about that
// workload, and whether there is one. An answer by code wins over a field.
func AnswerTo(p *Policy, code diag.Code, id estate.Name) (string, bool) {
	if a, ok := p.Said(code, id); ok {
		return a, true
	}
	for _, q := range questions {
		for _, c := range q.Codes {
			if c == code {
				a := q.answer(p, id)
				return a, a != ""
			}
		}
	}
	return "", false
}

// Questions gives all questions, in the order of the file.
func Questions() []Question { return questions }

var questions = []Question{}
