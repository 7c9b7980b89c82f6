package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/tranship/tranship/lab/cgroup"
	"github.com/tranship/tranship/lab/lab"
	"github.com/tranship/tranship/lab/netns"
	"github.com/tranship/tranship/lab/tool"
)

// A stage is a lab that is up, with the programs that play on it.
type stage struct {
	facts    lab.Facts
	tranship string // the product's program
	load     string // the load driver's
	migrate  string
	dir      string // of this run's files
	old, lan *http.Client
	glass    *glass // through which the witness reads in the part faults, nil elsewhere
	log      io.Writer
}

// newStage reads the lab's facts and checks that both worlds answer.
func newStage(ctx context.Context, facts, tranship, load, migrate, dir string, log io.Writer) (*stage, error) {
	f, err := lab.Read(facts)
	if err != nil {
		return nil, fmt.Errorf("%w; is the lab up? make lab", err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the run's folder: %w", err)
	}
	s := &stage{
		facts: f, tranship: tranship, load: load, migrate: migrate, dir: dir, log: log,
		old: netns.Client(f.Namespaces.Old), lan: netns.Client(f.Namespaces.LAN),
	}
	// The mover and all commands of this run have a host of their own, too.
	if err := cgroup.Host(path.Join(f.Cgroup, "mover"), os.Getpid(), true); err != nil {
		return nil, err
	}
	if err := s.get(ctx, s.old, f.OldWorld.Marathon+"/v2/info", nil); err != nil {
		return nil, fmt.Errorf("the old world does not answer: %w", err)
	}
	if _, err := s.kubectl(ctx, "get", "nodes", "-o", "name"); err != nil {
		return nil, fmt.Errorf("the cluster does not answer: %w", err)
	}
	return s, nil
}

func (s *stage) say(format string, args ...any) {
	fmt.Fprintf(s.log, time.Now().UTC().Format(time.TimeOnly)+"  "+format+"\n", args...)
}

// inside gives a command that runs in the front door's namespace, in a process
// group of its own, so that it can be ended whole.
func (s *stage) inside(ctx context.Context, name string, args ...string) *exec.Cmd {
	line := tool.Inside(s.facts.Namespaces.LAN, append([]string{name}, args...)...)
	c := exec.CommandContext(ctx, line[0], line[1:]...)
	c.Env = append(os.Environ(),
		"KUBECONFIG="+s.facts.Kubernetes.Kubeconfig, "E2E_SOURCE="+s.facts.Postgres.Source.MoverDSN, "E2E_TARGET="+s.facts.Postgres.Target.MoverDSN)
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return syscall.Kill(-c.Process.Pid, syscall.SIGTERM) }
	c.WaitDelay = 20 * time.Second
	return c
}

// run runs a command to its end and gives what it printed.
func (s *stage) run(ctx context.Context, name string, args ...string) (string, error) {
	var out, bad bytes.Buffer
	c := s.inside(ctx, name, args...)
	c.Stdout, c.Stderr = &out, &bad
	if err := c.Run(); err != nil {
		return out.String(), fmt.Errorf("%s %s: %w\n%s", filepath.Base(name), strings.Join(args, " "), err, tail(bad.String(), 20))
	}
	return out.String(), nil
}

func (s *stage) kubectl(ctx context.Context, args ...string) (string, error) {
	return s.run(ctx, s.facts.Kubernetes.Kubectl, args...)
}

// apply hands a manifest to the cluster.
func (s *stage) apply(ctx context.Context, manifest string) error {
	var out bytes.Buffer
	c := s.inside(ctx, s.facts.Kubernetes.Kubectl, "apply", "--server-side", "--field-manager=e2e", "-f", "-")
	c.Stdin, c.Stdout, c.Stderr = strings.NewReader(manifest), &out, &out
	if err := c.Run(); err != nil {
		return fmt.Errorf("kubectl apply: %w\n%s", err, tail(out.String(), 10))
	}
	return nil
}

func (s *stage) get(ctx context.Context, c *http.Client, url string, into any) error {
	return s.ask(ctx, c, http.MethodGet, url, nil, into)
}

// ask sends a request and reads the JSON that comes back.
func (s *stage) ask(ctx context.Context, c *http.Client, method, url string, body, into any) error {
	var in io.Reader
	if body != nil {
		data, ok := body.([]byte)
		if !ok {
			var err error
			if data, err = json.Marshal(body); err != nil {
				return err
			}
		}
		in = bytes.NewReader(data)
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, url, in)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := c.Do(req)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, url, err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", method, url, err)
	}
	if resp.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s: %s", method, url, resp.Status, tail(string(data), 5))
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("%s %s: %w", method, url, err)
	}
	return nil
}

// errNever is of what need not be waited for any more.
var errNever = errors.New("and stays so")

// until asks each quarter of a second until it is so, or the limit has passed.
func until(ctx context.Context, what string, limit time.Duration, so func(context.Context) (bool, error)) error {
	deadline := time.Now().Add(limit)
	last := errors.New("not so yet")
	for {
		ok, err := so(ctx)
		if ok {
			return nil
		}
		if err != nil {
			last = err
		}
		if errors.Is(err, errNever) {
			return fmt.Errorf("%s: %w", what, err)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s: not within %s: %w", what, limit, last)
		}
		time.Sleep(250 * time.Millisecond)
	}
}

func tail(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
