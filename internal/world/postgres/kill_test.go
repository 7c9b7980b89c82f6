//go:build integration

package postgres_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/world/postgres"
)

// childEnv has the test's own program do one cutover, to be killed.
const childEnv = "TRANSHIP_POSTGRES_CHILD"

const pauseTarget = 2 * time.Second

type order struct {
	Connections map[string]string
	Database    policy.MoveDatabase
	Back        bool
	Orders      string // address
}

func side(back bool) string {
	if back {
		return "source"
	}
	return "target"
}

func child() int {
	var o order
	if err := json.Unmarshal([]byte(os.Getenv(childEnv)), &o); err != nil {
		fmt.Println(err)
		return 2
	}
	d := postgres.New(o.Connections, postgres.Options{})
	took, err := d.Over(context.Background(), o.Database, o.Back, pauseTarget, func(context.Context) error {
		c, err := net.Dial("tcp", o.Orders)
		if err != nil {
			return err
		}
		defer c.Close()
		fmt.Fprintln(c, side(o.Back))
		_, err = bufio.NewReader(c).ReadString('\n')
		return err
	})
	fmt.Println(took, err)
	if err != nil {
		return 1
	}
	return 0
}

// loaded is a database that is written to without a break, and that the target follows.
func loaded(t *testing.T) (*world, *frontDoor, *crowd, *postgres.Database) {
	t.Helper()
	w := newWorld(t, 5000)
	w.exec("source", "SET ROLE "+w.name+"; "+crowdTable+"; RESET ROLE")
	door := newFrontDoor(t, w.s)
	c := newCrowd(w, door, 8)
	t.Cleanup(c.stop)
	d := postgres.New(w.connections(), postgres.Options{})
	if err := d.Replicate(t.Context(), w.database()); err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		l, err := d.Lag(t.Context(), w.database())
		if err != nil {
			t.Fatal(err)
		}
		if l.Copied {
			return w, door, c, d
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("the first copy does not end")
	return nil, nil, nil, nil
}

func (f *frontDoor) over(t *testing.T, d *postgres.Database, w *world, back bool) time.Duration {
	t.Helper()
	var err error
	// A cutover that could not hold writes in time is made again, as the runner does.
	for range 5 {
		var took time.Duration
		took, err = d.Over(t.Context(), w.database(), back, pauseTarget, func(context.Context) error {
			f.send(side(back))
			return nil
		})
		if err == nil {
			return took
		}
		t.Logf("again, since: %v", err)
		time.Sleep(200 * time.Millisecond)
	}
	t.Fatalf("Over(back %t) = %v", back, err)
	return 0
}

func TestThereAndBackUnderLoadLosesNothing(t *testing.T) {
	w, door, c, d := loaded(t)
	for i := range 6 {
		back := i%2 == 1
		time.Sleep(300 * time.Millisecond)
		c.lastGap()
		took := door.over(t, d, w, back)
		time.Sleep(300 * time.Millisecond)
		t.Logf("to the %s: writes stood still for %s, no client was acknowledged for %s (target: at most %s)",
			side(back), took.Round(time.Millisecond), c.lastGap().Round(time.Millisecond), pauseTarget)
		c.holds(t, side(back))
	}
	c.end(t, "source", "target")
	got, err := d.Compare(t.Context(), w.database())
	if err != nil || !got.Same {
		t.Errorf("Compare = %+v, %v", got, err)
	}
}

func TestKilledMoversLoseNothing(t *testing.T) {
	w, door, c, d := loaded(t)
	// What one cutover takes, with the start of the process, bounds when it is killed.
	start := time.Now()
	run(t, w, door, false, func(cmd *exec.Cmd) { _ = cmd.Wait() })
	whole := time.Since(start)
	const wanted = 24
	leader := "target"
	kills, early := 0, 0
	r := rand.New(rand.NewPCG(1, uint64(os.Getpid())))
	for try := 0; kills < wanted && try < 4*wanted; try++ {
		back := leader == "target"
		after := time.Duration(r.Int64N(int64(whole)))
		killed := false
		run(t, w, door, back, func(cmd *exec.Cmd) {
			time.Sleep(after)
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
			killed = ok && status.Signaled()
		})
		if killed {
			kills++
		} else {
			early++
		}
		// The next mover goes on, or back.
		if killed && r.IntN(3) == 0 {
			back = !back
		}
		door.over(t, d, w, back)
		leader = side(back)
		c.holds(t, leader)
	}
	if kills < 20 {
		t.Errorf("only %d movers were killed at work, want 20", kills)
	}
	t.Logf("%d movers killed at random instants of %s, %d had ended before", kills, whole.Round(time.Millisecond), early)
	follower := "source"
	if leader == follower {
		follower = "target"
	}
	c.end(t, leader, follower)
	got, err := d.Compare(t.Context(), w.database())
	if err != nil || !got.Same {
		t.Errorf("Compare = %+v, %v", got, err)
	}
}

// A mover that was only asleep, and wakes up after another has gone on, does
// nothing more.
func TestSleepingMoversDoNothingMore(t *testing.T) {
	w, door, c, d := loaded(t)
	start := time.Now()
	run(t, w, door, false, func(cmd *exec.Cmd) { _ = cmd.Wait() })
	whole := time.Since(start)
	leader := "target"
	r := rand.New(rand.NewPCG(2, uint64(os.Getpid())))
	for range 8 {
		back := leader == "target"
		after := time.Duration(r.Int64N(int64(whole)))
		run(t, w, door, back, func(cmd *exec.Cmd) {
			time.Sleep(after)
			_ = cmd.Process.Signal(syscall.SIGSTOP)
			// Another goes to the side that leads, or led: nobody is sent anywhere by
			// the one that sleeps.
			door.over(t, d, w, !back)
			_ = cmd.Process.Signal(syscall.SIGCONT)
			_ = cmd.Wait()
			// Unless it had asked the front door before it fell asleep, clients are
			// where the second one has sent them.
			door.over(t, d, w, !back)
			door.send(side(!back))
		})
		leader = side(!back)
		c.holds(t, leader)
		if w.write(side(back), 1) == nil {
			t.Fatalf("both sides take writes after a mover slept for a while")
		}
	}
	follower := "source"
	if leader == follower {
		follower = "target"
	}
	c.end(t, leader, follower)
}

func run(t *testing.T, w *world, door *frontDoor, back bool, with func(*exec.Cmd)) {
	t.Helper()
	text, err := json.Marshal(order{Connections: w.connections(), Database: w.database(), Back: back, Orders: door.orders.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+string(text))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	with(cmd)
	if strings.Contains(out.String(), "panic") {
		t.Error(out.String())
	}
}
