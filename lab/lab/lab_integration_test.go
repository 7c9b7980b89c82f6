//go:build integration

package lab_test

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tranship/tranship/lab/lab"
)

// A starter that is killed at any instant leaves what `down` still removes, and what a second `up` completes.
func TestKilledStarterIsSurvived(t *testing.T) {
	x := build(t)
	for _, at := range []struct {
		line  string // the step that has just ended
		after time.Duration
	}{
		{"packages", 0}, {"images", 30 * time.Millisecond}, {"images", 90 * time.Millisecond}, // while namespaces are made
		{"network", 0}, {"network", 500 * time.Millisecond}, {"network", 3 * time.Second}, // while processes are started
		{"control plane", 0}, {"classes and rights", 700 * time.Millisecond}, {"classes and rights", 2 * time.Second}, // while nodes are
	} {
		t.Run(strings.ReplaceAll(at.line, " ", "-")+"+"+at.after.String(), func(t *testing.T) {
			x.killed(t, at.line, at.after)
			x.run(t, "down") // looks for what is left, and fails if it finds something
			x.killed(t, at.line, at.after)
			x.run(t, append([]string{"up"}, parts...)...)
			x.run(t, "status")
			x.run(t, "down")
		})
	}
}

// A second `up` leaves every process as it is.
func TestSecondUpJoinsTheFirst(t *testing.T) {
	x := build(t)
	x.run(t, append([]string{"up"}, parts...)...)
	before := x.facts(t)
	x.run(t, append([]string{"up"}, parts...)...)
	after := x.facts(t)
	for i, r := range before.Processes {
		if after.Processes[i].PID != r.PID || after.Processes[i].Start != r.Start {
			t.Errorf("%s was process %d, is %d; want it left alone", r.Name, r.PID, after.Processes[i].PID)
		}
	}
	// One that has ended is started again, the others are left.
	if err := syscall.Kill(before.Processes[0].PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	x.run(t, append([]string{"up"}, parts...)...)
	again := x.facts(t)
	for i, r := range before.Processes {
		if same := again.Processes[i].PID == r.PID; same != (i != 0) {
			t.Errorf("%s was process %d, is %d", r.Name, r.PID, again.Processes[i].PID)
		}
	}
	x.run(t, "down")
}

// parts are enough to see all kinds of things that can be left: processes, mounts, cgroups, namespaces.
var parts = []string{"--nodes", "1", "--only", "nodes,front-door,postgres"}

// program is the command, with a folder and a prefix of the test's own.
type program struct{ file, dir string }

const prefix = "labtest"

func build(t *testing.T) program {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("the lab needs root")
	}
	x := program{file: filepath.Join(t.TempDir(), "lab")}
	// Not the test's own folder: its path would be too long for sockets.
	dir, err := os.MkdirTemp("/tmp", "lab-")
	if err != nil {
		t.Fatal(err)
	}
	x.dir = filepath.Join(dir, "run")
	c := exec.Command("go", "build", "-trimpath", "-o", x.file, "../cmd/lab")
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	t.Cleanup(func() {
		if out, err := x.command("down").CombinedOutput(); err != nil {
			t.Errorf("down: %v\n%s", err, out)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return x
}

func (x program) command(args ...string) *exec.Cmd {
	return exec.Command(x.file, append([]string{args[0], "--dir", x.dir, "--prefix", prefix}, args[1:]...)...)
}

func (x program) run(t *testing.T, args ...string) {
	t.Helper()
	out, err := x.command(args...).CombinedOutput()
	t.Logf("lab %s:\n%s", args[0], out)
	if err != nil {
		t.Fatalf("lab %s: %v", args[0], err)
	}
}

func (x program) facts(t *testing.T) lab.Facts {
	t.Helper()
	f, err := lab.Read(filepath.Join(x.dir, "lab.json"))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// killed runs `up` and kills it a time after it has printed a line.
func (x program) killed(t *testing.T, line string, after time.Duration) {
	t.Helper()
	c := x.command(append([]string{"up"}, parts...)...)
	said, err := c.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(said)
	for lines.Scan() {
		if strings.HasPrefix(lines.Text(), line) {
			time.Sleep(after)
			break
		}
	}
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := c.Wait(); err == nil || c.ProcessState.Success() {
		t.Fatalf("up came to its end before it was killed after %q", line)
	}
}

// Only what the machine lacks makes it unable; whatever else goes wrong is an error as any other.
func TestAMachineWithoutCgroupsIsUnable(t *testing.T) {
	x := build(t)
	x.run(t, "able")
	c := x.command("able")
	c.Args = append([]string{"unshare", "--mount", "sh", "-ec", `mount -t tmpfs none /sys/fs/cgroup; exec "$@"`, "sh"}, c.Args...)
	c.Path, c.Err = exec.LookPath("unshare")
	out, err := c.CombinedOutput()
	if c.ProcessState == nil || c.ProcessState.ExitCode() != 3 || !strings.Contains(string(out), "cgroups") {
		t.Errorf("without cgroups: %v, want exit status 3 and their name:\n%s", err, out)
	}
	broken := x
	broken.dir = "/"
	if err := broken.command("able").Run(); err == nil || err.(*exec.ExitError).ExitCode() != 1 { //nolint:errorlint // it is one
		t.Errorf("with an impossible folder: %v, want exit status 1", err)
	}
	left, err := filepath.Glob("/var/run/netns/" + prefix + "*")
	if err != nil || len(left) > 0 {
		t.Errorf("namespaces left: %v, %v", left, err)
	}
}
