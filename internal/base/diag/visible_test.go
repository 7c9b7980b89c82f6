package diag_test

import (
	"strings"
	"testing"

	"github.com/tranship/tranship/internal/base/diag"
)

func TestNamesDoNotSteerATerminal(t *testing.T) {
	var b strings.Builder
	l := diag.List{{Code: "X001", Severity: diag.Error, Subject: "pod \x1b[2J\nerror: forged", Problem: "is\rbad", Hint: "a\tb"}}
	if err := l.Print(&b); err != nil {
		t.Fatal(err)
	}
	if got := b.String(); strings.ContainsAny(got, "\x1b\r") || strings.Count(got, "\n") != 2 {
		t.Errorf("printed %q", got)
	}
}
