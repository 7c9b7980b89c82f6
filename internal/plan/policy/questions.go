package policy

import (
	"bytes"
	"fmt"
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/estate"
)

// A Question is one field of tranship.yaml that settles decisions.
type Question struct {
	Field string // "spec.network.host"
	Ask   string
	// Default is what holds while nobody answers.
	Default string
	// Example is a value to begin with, as YAML.
	Example string
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
		if slices.Contains(q.Codes, code) {
			a := q.answer(p, id)
			return a, a != ""
		}
	}
	return "", false
}

// Questions gives all questions, in the order of the file.
func Questions() []Question { return questions }

var questions = []Question{}

// Raised is a question that an estate asks.
type Raised struct {
	Question
	Count  int    // how many fields ask it
	Reason string // of the first
}

// Raise gives the questions that the ledger's decisions ask, in the order of
// the file; decisions that no field settles come last, by code.
func Raise(entries []ledger.Entry) []Raised {
	byCode := map[diag.Code]int{}
	var out, rest []Raised
	for i, q := range questions {
		out = append(out, Raised{Question: q})
		for _, c := range q.Codes {
			byCode[c] = i
		}
	}
	at := map[diag.Code]int{}
	for _, e := range entries {
		if e.Verdict != ledger.Decision {
			continue
		}
		if i, ok := byCode[e.Code]; ok {
			out[i].Count++
			if out[i].Reason == "" {
				out[i].Reason = e.Reason
			}
			continue
		}
		i, ok := at[e.Code]
		if !ok {
			i = len(rest)
			at[e.Code] = i
			rest = append(rest, Raised{Question: Question{Codes: []diag.Code{e.Code}}, Reason: e.Reason})
		}
		rest[i].Count++
	}
	out = slices.DeleteFunc(out, func(r Raised) bool { return r.Count == 0 })
	slices.SortFunc(rest, func(a, b Raised) int { return strings.Compare(string(a.Codes[0]), string(b.Codes[0])) })
	return append(out, rest...)
}

// Write gives the text of a tranship.yaml that asks the questions: each field
// is there as a comment with its default, to be answered by taking the # away.
func Write(raised []Raised) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# tranship explain FIELD says what a field means; tranship validate checks this file.\n")
	fmt.Fprintf(&b, "apiVersion: %s\nkind: %s\nspec:\n", APIVersion, Kind)
	open := map[string]bool{}
	asked := false
	for _, r := range raised {
		if r.Field == "" {
			continue
		}
		asked = true
		fmt.Fprintf(&b, "\n  # %s\n  # asked by %s; while unanswered: %s\n", r.Ask, fields(r.Count), r.Default)
		path := strings.Split(strings.TrimPrefix(r.Field, "spec."), ".")
		if len(path) == 2 {
			if !open[path[0]] {
				fmt.Fprintf(&b, "  # %s:\n", path[0])
				open[path[0]] = true
			}
			fmt.Fprintf(&b, "  #   %s: %s\n", path[1], r.Example)
			continue
		}
		fmt.Fprintf(&b, "  # %s: %s\n", path[0], r.Example)
	}
	if !asked {
		fmt.Fprintf(&b, "  namespaces: {by: top}\n")
	}
	first := true
	for _, r := range raised {
		if r.Field != "" {
			continue
		}
		if first {
			fmt.Fprintf(&b, "\n  # Decisions that no field settles: an answer is kept with the plan and shown in its report.\n  # answers:\n")
			first = false
		}
		fmt.Fprintf(&b, "  #   - {code: %s, workload: \"/...\", answer: \"\"} # %s: %s\n", r.Codes[0], fields(r.Count), oneLine(r.Reason))
	}
	if asked {
		b.WriteString("\n  namespaces: {by: top}\n")
	}
	return b.Bytes()
}

func fields(n int) string {
	if n == 1 {
		return "1 field"
	}
	return fmt.Sprintf("%d fields", n)
}

func oneLine(s string) string { return strings.ReplaceAll(s, "\n", " ") }

// QuestionOf gives the question whose field settles decisions of that code.
func QuestionOf(code diag.Code) (Question, bool) {
	for _, q := range questions {
		if slices.Contains(q.Codes, code) {
			return q, true
		}
	}
	return Question{}, false
}
