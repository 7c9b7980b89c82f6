package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"syscall"
	"time"

	"github.com/tranship/tranship/lab/cgroup"
	"github.com/tranship/tranship/lab/load/drive"
	"github.com/tranship/tranship/lab/load/tally"
	"github.com/tranship/tranship/lab/load/verify"
)

var weight = regexp.MustCompile(` weight \d+`)

// reload has the front door's master read its file again, losing no connection.
func (s *stage) reload() error {
	c, err := net.DialTimeout("unix", s.facts.FrontDoor.Master, 5*time.Second)
	if err != nil {
		return fmt.Errorf("reload the front door: %w", err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("reload\n")); err != nil {
		return fmt.Errorf("reload the front door: %w", err)
	}
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	answer := make([]byte, 512)
	_, _ = c.Read(answer) // it answers once the new process is up, or closes
	return nil
}

// A driver is the load driver at work.
type driver struct {
	*stage
	cmd     *exec.Cmd
	out     bytes.Buffer
	acked   string
	control string
	begun   time.Time
}

const controlAddress = "10.200.0.3:9400"

// drive begins the load. Rates are requests a second.
func (s *stage) drive(ctx context.Context, name string, devices int, args ...string) (*driver, error) {
	d := &driver{stage: s, acked: filepath.Join(s.dir, name+".acked"), control: "http://" + controlAddress, begun: time.Now()}
	// What an earlier run acknowledged went with its databases.
	if err := os.RemoveAll(d.acked); err != nil {
		return nil, err
	}
	args = append([]string{
		"run", "-acked", d.acked, "-control", controlAddress, "-devices", fmt.Sprint(devices), "-prefix", name + "-",
		"-gateway", "http://" + door(s.facts, "gateway"), "-query", "http://" + door(s.facts, "query"),
	}, args...)
	d.cmd = s.inside(ctx, s.load, args...)
	log, err := os.Create(filepath.Join(s.dir, name+".load.log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	d.cmd.Stdout, d.cmd.Stderr = &d.out, log
	if err := d.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the load: %w", err)
	}
	// Devices and users have processors of their own.
	if err := cgroup.Host(path.Join(s.facts.Cgroup, "load"), d.cmd.Process.Pid, false); err != nil {
		_ = d.cmd.Cancel()
		return nil, err
	}
	return d, until(ctx, "the load answers", 10*time.Second, func(ctx context.Context) (bool, error) {
		err := s.get(ctx, s.lan, d.control+"/stats", nil)
		return err == nil, err
	})
}

// window gives what happened between two instants.
func (d *driver) window(ctx context.Context, from, to time.Time) (tally.Stats, error) {
	var out tally.Stats
	q := url.Values{"from": {from.UTC().Format(time.RFC3339Nano)}, "to": {to.UTC().Format(time.RFC3339Nano)}}
	return out, d.get(ctx, d.lan, d.control+"/stats?"+q.Encode(), &out)
}

// end stops the load and gives all that it counted.
func (d *driver) end() (stats tally.Stats, failures []drive.Failure, err error) {
	_ = d.cmd.Process.Signal(syscall.SIGTERM)
	if err := d.cmd.Wait(); err != nil {
		return stats, nil, fmt.Errorf("the load: %w", err)
	}
	var r struct {
		Stats    tally.Stats     `json:"stats"`
		Failures []drive.Failure `json:"failures"`
	}
	if err := json.Unmarshal(d.out.Bytes(), &r); err != nil {
		return stats, nil, fmt.Errorf("read the load's report: %w", err)
	}
	return r.Stats, r.Failures, nil
}

// verify holds the database behind the front door against what was acknowledged.
func (d *driver) verify(ctx context.Context) (verify.Report, error) {
	var r verify.Report
	out, err := d.run(ctx, d.load, "verify", "-dsn", d.application(door(d.facts, "database")), "-acked", d.acked,
		"-since", d.begun.UTC().Format(time.RFC3339Nano), "-settle", "20s")
	if out == "" {
		return r, errors.Join(errors.New("the load's verify printed nothing"), err)
	}
	// It exits with 1 if something is wrong, which the report says too.
	return r, json.Unmarshal([]byte(out), &r)
}
