package main

import (
	"bytes"
	"errors"
	"os/exec"
	"strings"
	"testing"

	"github.com/tranship/tranship/lab/judge"
)

// The last line is what CI and people read, to the letter.
func TestSummaryIsTheLastLine(t *testing.T) {
	r := gather("v1.35.4", []estate{
		{File: "a.json", Verdict: judge.Verdict{Submitted: 5}},
		{File: "b.json", Code: "D102"},
		{File: "c.json", Code: "D101"},
		{File: "d.json", Code: "D102"},
	})
	var out bytes.Buffer
	if err := r.table(&out); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	want := "submitted 5, refused 0, definitions without objects 3, by code: D101=1 D102=2"
	if got := lines[len(lines)-1]; got != want {
		t.Errorf("last line = %q, want %q", got, want)
	}
	if !r.ok() {
		t.Error("run is not ok, want ok: five submitted and none refused")
	}
}

// Nothing submitted proves nothing, and a crash is a refusal.
func TestEmptyOrCrashedRunIsNotOK(t *testing.T) {
	if gather("v1.35.4", nil).ok() {
		t.Error("a run that submitted nothing is ok, want it not ok")
	}
	r := gather("v1.35.4", []estate{
		{File: "a.json", Verdict: judge.Verdict{Submitted: 5}},
		{File: "b.json", Fault: "tranship ended with exit status 2", Code: "NONE"},
	})
	if r.ok() || r.Refused != 1 {
		t.Errorf("a run with a crash: ok %v, refused %d; want not ok, 1", r.ok(), r.Refused)
	}
}

// A definition without objects counts once, under its first error.
func TestReasonIsTheFirstAndWorstDiagnostic(t *testing.T) {
	for _, c := range []struct{ name, stderr, want string }{
		{"error before warning", "a.json:1:1: warning: app /a: is odd [D200]\n\thint: look\na.json:2:1: error: app /a: has no id [D101]\na.json:3:1: error: app /b: has no id [D102]\n", "D101"},
		{"warning alone", "a.json:1:1: warning: file: is no definition [D900]\n", "D900"},
		{"path with a colon and a word in it", "error: a.json:1:1: note: mesos state: was read [D7-1]\ntranship: done\n", "D7-1"},
		{"nothing said", "tranship: input has errors\n", "NONE"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got, _ := reason(c.stderr); got != c.want {
				t.Errorf("reason = %s, want %s", got, c.want)
			}
		})
	}
}

// Exit status 1 says that the input has errors; every other one, and a stack, is the program's fault.
func TestOnlyBadInputMayFailARender(t *testing.T) {
	status := func(code string) error { return exec.Command("sh", "-c", "exit "+code).Run() }
	for _, c := range []struct {
		name   string
		err    error
		stderr string
		fault  bool
	}{
		{"done", nil, "", false},
		{"input has errors", status("1"), "tranship: input has errors\n", false},
		{"usage", status("2"), "unknown flag\n", true},
		{"panic", status("1"), "panic: x\n\ngoroutine 1 [running]:\n", true},
		{"not started", errors.New("no such file"), "", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := fault(c.err, c.stderr); (got != "") != c.fault {
				t.Errorf("fault = %q, want one: %v", got, c.fault)
			}
		})
	}
}
