package process_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/tranship/tranship/lab/process"
)

func table(t *testing.T) process.Table {
	t.Helper()
	x := process.Table{Dir: t.TempDir()}
	t.Cleanup(func() { _ = process.Kill(t.Context(), x.Marked()) })
	return x
}

func start(t *testing.T, x process.Table, name string, args ...string) process.Record {
	t.Helper()
	r, err := x.Start(process.Spec{Name: name, Args: args})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A second start of the same name is the process that runs.
func TestStartJoinsWhatRuns(t *testing.T) {
	x := table(t)
	first := start(t, x, "a", "sleep", "60")
	if again := start(t, x, "a", "sleep", "60"); again.PID != first.PID {
		t.Errorf("second Start = process %d, want %d", again.PID, first.PID)
	}
	if err := x.Stop(t.Context(), "a", time.Second); err != nil {
		t.Fatal(err)
	}
	if first.Alive() {
		t.Errorf("process %d is alive after Stop", first.PID)
	}
	if later := start(t, x, "a", "sleep", "60"); later.PID == first.PID {
		t.Errorf("Start after Stop = process %d, want another", later.PID)
	}
}

// An id that the system has given to another process is never signalled: the record's start time is not that one's.
func TestReusedIDIsNotKilled(t *testing.T) {
	x := table(t)
	r := start(t, x, "a", "sleep", "60")
	file := filepath.Join(x.Dir, "pids", "a.json")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	other := strings.Replace(string(text), `"start": `+strconv.FormatUint(r.Start, 10), `"start": `+strconv.FormatUint(r.Start-1, 10), 1)
	if other == string(text) {
		t.Fatalf("the record holds no start time: %s", text)
	}
	if err := os.WriteFile(file, []byte(other), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := x.Stop(t.Context(), "a", time.Second); err != nil {
		t.Fatal(err)
	}
	if !r.Alive() {
		t.Error("Stop killed a process that is not the record's")
	}
}

// A process that its starter had no time to record is found by its mark and taken over, not started twice; what it
// started itself is not mistaken for it.
func TestUnrecordedProcessIsTakenOver(t *testing.T) {
	x := table(t)
	r := start(t, x, "a", "sh", "-c", "sleep 60 & wait")
	waitFor(t, func() bool { return len(x.Marked()) == 2 })
	if err := os.Remove(filepath.Join(x.Dir, "pids", "a.json")); err != nil {
		t.Fatal(err)
	}
	if again := start(t, x, "a", "sh", "-c", "sleep 60 & wait"); again.PID != r.PID {
		t.Errorf("Start = process %d, want %d, which runs", again.PID, r.PID)
	}
	if _, ok, err := x.Find("a"); !ok || err != nil {
		t.Errorf("Find = %v, %v; want the record back", ok, err)
	}
}

// Who does not end when asked is ended, and its children with it.
func TestStopEndsTheDeafWithTheirChildren(t *testing.T) {
	x := table(t)
	start(t, x, "a", "sh", "-c", `trap "" TERM; sleep 60 & while :; do wait; sleep 1; done`)
	waitFor(t, func() bool { return len(x.Marked()) >= 2 })
	if err := x.Stop(t.Context(), "a", 100*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	waitFor(t, func() bool { return len(x.Marked()) == 0 })
}

// A process that ended is told from one that runs, even before anybody has asked how it ended.
func TestEndedProcessIsNotAlive(t *testing.T) {
	x := table(t)
	r := start(t, x, "a", "sh", "-c", "echo so it goes")
	waitFor(t, func() bool { return !r.Alive() })
	if got := x.Tail("a"); got != "so it goes" {
		t.Errorf("Tail = %q, want what it said", got)
	}
}

// What a starter that was killed left running, and never meant to last, is told from processes that are to last.
func TestStraysAreNobodysProcess(t *testing.T) {
	x := table(t)
	kept := start(t, x, "a", "sh", "-c", "sleep 60 & wait")
	waitFor(t, func() bool { return len(x.Marked()) == 2 })
	t.Setenv(process.Mark, x.Dir)
	c := exec.Command("sleep", "60")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	var strays []process.Record
	waitFor(t, func() bool { strays = x.Strays(); return len(strays) > 0 })
	if len(strays) != 1 || strays[0].PID != c.Process.Pid {
		t.Errorf("Strays = %+v, want process %d alone", strays, c.Process.Pid)
	}
	if err := process.Kill(t.Context(), strays); err != nil {
		t.Error(err)
	}
	_ = c.Wait() // it was killed
	if !kept.Alive() {
		t.Error("the process that is to last has ended")
	}
}

// A sweep by mark never returns the process that sweeps, nor those that started it.
func TestSweepSparesItself(t *testing.T) {
	x := table(t)
	start(t, x, "a", "sleep", "60")
	for _, r := range x.Marked() {
		if r.PID == os.Getpid() || r.PID == os.Getppid() {
			t.Errorf("Marked holds process %d, which is asking", r.PID)
		}
	}
}

// waitFor asks until it is so, no longer than ten seconds.
func waitFor(t *testing.T, so func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !so(); {
		if time.Now().After(end) {
			t.Fatal("it did not become so within 10 s")
		}
		<-time.After(10 * time.Millisecond)
	}
}
