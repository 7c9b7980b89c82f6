// Package oldworldtest runs the old world for tests: as its program, on 127.0.0.1, in folders of the test's own.
//
// Input: a test. Output: URLs of a running old world, which ends with the test. It never uses a port that somebody has.
package oldworldtest

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// World is one that runs.
type World struct {
	Marathon, Metronome, Mesos string // base URLs
	State                      string
	Program                    string
	args                       []string
	cmd                        *exec.Cmd
	ended                      chan struct{}
}

// Build makes the program, once for all worlds of a test.
func Build(tb testing.TB) string {
	tb.Helper()
	return Program(tb, "oldworld", "github.com/tranship/tranship/lab/oldworld/cmd/oldworld", "")
}

// Program builds a package of the module in dir, by default the test's own.
func Program(tb testing.TB, name, pkg, dir string) string {
	tb.Helper()
	out := filepath.Join(tb.TempDir(), name)
	c := exec.CommandContext(tb.Context(), "go", "build", "-o", out, pkg)
	c.Dir, c.Env = dir, append(os.Environ(), "CGO_ENABLED=0")
	if text, err := c.CombinedOutput(); err != nil {
		tb.Fatalf("build %s: %v\n%s", pkg, err, text)
	}
	return out
}

// Port gives one that is free.
func Port(tb testing.TB) int {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = l.Close() }() // it was only asked for a number
	return l.Addr().(*net.TCPAddr).Port
}

// Start runs a world with three agents, and more flags.
func Start(tb testing.TB, program string, more ...string) *World {
	tb.Helper()
	w := &World{State: tb.TempDir(), Program: program}
	url := func(flag string) string {
		p := strconv.Itoa(Port(tb))
		w.args = append(w.args, flag, p)
		return "http://127.0.0.1:" + p
	}
	w.Marathon, w.Metronome, w.Mesos = url("--marathon-port"), url("--metronome-port"), url("--mesos-port")
	agents := []string{}
	for n, zone := range []string{"a", "b", "c"} {
		// Loopback has addresses enough: every agent its own, as in the lab.
		agents = append(agents, "127.0.0."+strconv.Itoa(11+n)+"/zone="+zone+"/attr.rack=r"+strconv.Itoa(n%2)+"/port="+strconv.Itoa(Port(tb)))
	}
	w.args = append(append(w.args, "--state", w.State, "--agents", strings.Join(agents, ",")), more...)
	w.Up(tb)
	tb.Cleanup(func() {
		w.Down(tb)
		if tb.Failed() {
			tb.Logf("the old world said:\n%s", w.Log())
		}
	})
	return w
}

// Up starts the program, on the state that is there, and waits until it answers.
func (w *World) Up(tb testing.TB) {
	tb.Helper()
	log, err := os.OpenFile(filepath.Join(w.State, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = log.Close() }() // the program has its own
	w.cmd = exec.Command(w.Program, w.args...)
	w.cmd.Stdout, w.cmd.Stderr = log, log
	if err := w.cmd.Start(); err != nil {
		tb.Fatalf("start the old world: %v", err)
	}
	w.ended = make(chan struct{})
	go func() { _ = w.cmd.Wait(); close(w.ended) }() // how it ended is in its log
	Await(tb, "the old world to answer", func() bool {
		select {
		case <-w.ended:
			tb.Fatalf("the old world ended:\n%s", w.Log())
		default:
		}
		status, _ := Do(tb, "GET", w.Marathon+"/ping", "")
		return status == http.StatusOK
	})
}

// Log is what the program has said.
func (w *World) Log() string {
	text, err := os.ReadFile(filepath.Join(w.State, "log"))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// Kill ends the program by SIGKILL: its tasks go on.
func (w *World) Kill(tb testing.TB) {
	tb.Helper()
	if err := w.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		tb.Fatalf("kill the old world: %v", err)
	}
	<-w.ended
}

// Down ends it as it wants to be ended: with all that it has started.
func (w *World) Down(tb testing.TB) {
	tb.Helper()
	select {
	case <-w.ended:
		// It was killed: what it left is ended by one that takes it up.
		w.Up(tb)
	default:
	}
	if err := w.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		tb.Errorf("stop the old world: %v", err)
	}
	select {
	case <-w.ended:
	case <-time.After(30 * time.Second):
		tb.Errorf("the old world has not ended within 30s:\n%s", w.Log())
		_ = w.cmd.Process.Kill()
		<-w.ended
	}
}

// Do asks once; status 0 is no answer.
func Do(tb testing.TB, method, url, body string) (status int, text string) {
	tb.Helper()
	ctx, stop := context.WithTimeout(context.WithoutCancel(tb.Context()), 10*time.Second)
	defer stop()
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		tb.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer func() { _ = a.Body.Close() }() // it has been read by then
	raw, err := io.ReadAll(a.Body)
	if err != nil {
		return 0, err.Error()
	}
	return a.StatusCode, string(raw)
}

// Await asks every fiftieth of a second, half a minute long.
func Await(tb testing.TB, what string, ask func() bool) {
	tb.Helper()
	for end := time.Now().Add(30 * time.Second); !ask(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			tb.Fatalf("waited 30s for %s", what)
		}
	}
}
