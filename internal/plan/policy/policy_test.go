package policy_test

import (
	"strings"
	"testing"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan/policy"
)

// TestMistakesAreReportedAtTheirPlaces holds one file with three mistakes
// against the three findings.
func TestMistakesAreReportedAtTheirPlaces(t *testing.T) {
	const text = `apiVersion: tranship.dev/v1
kind: Migration
spec:
  namespaces: {by: tops}
  netwrk:
    host: pod
  users:
    nobody: many
`
	_, list := policy.Parse("tranship.yaml", []byte(text))
	var got []string
	for _, d := range list {
		got = append(got, d.String())
	}
	want := []string{
		`tranship.yaml:4:20: error: field spec.namespaces.by: is "tops" [Y003]`,
		`tranship.yaml:6:5: error: field spec.netwrk: is no field of tranship.yaml [Y002]`,
		`tranship.yaml:8:13: error: field spec.users.nobody: is string, not integer [Y003]`,
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestAnswersAreRead(t *testing.T) {
	p, list := policy.Parse("tranship.yaml", []byte(`
apiVersion: tranship.dev/v1
kind: Migration
spec:
  answers:
    - {code: M101, workload: /shop/..., answer: keep}
    - {code: M101, answer: drop}
`))
	if len(list) > 0 {
		t.Fatal(list)
	}
	for id, want := range map[string]string{"/shop/a/b": "keep", "/shop": "keep", "/shopper": "drop"} {
		if got, ok := p.Said("M101", estate.Name(id)); !ok || got != want {
			t.Errorf("Said(M101, %s) = %q, %v, want %q", id, got, ok, want)
		}
	}
	if _, ok := p.Said("M102", "/shop"); ok {
		t.Error("a code that nobody answered has an answer")
	}
}

func TestExplainFindsEveryFieldByItsPath(t *testing.T) {
	f, err := policy.Explain("spec.namespaces.by")
	if err != nil || len(f.Values) != 3 {
		t.Errorf("Explain = %+v, %v", f, err)
	}
	if f, err = policy.Explain("spec.workloads./shop/cart.image"); err != nil || f.Type != "string" {
		t.Errorf("Explain below a map = %+v, %v", f, err)
	}
	if _, err = policy.Explain("spec.namespaces.byy"); err == nil || !strings.Contains(err.Error(), "default") {
		t.Errorf("a wrong path names what there is: %v", err)
	}
}
