// Package process starts programs that outlive their starter, and ends them by their own ids.
//
// Input: what to run, in which namespaces, and a folder. Output: a process in a session of its own, a log, and a record
// of id and start time. A record without its process is seen by the start time, so that an id used anew by the system
// is never signalled; a process without its record, which a starter that was killed between the two has left behind, is
// found by a mark in its environment. It never ends a process by name.
package process

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/tranship/tranship/lab/cgroup"
)

// Mark is the environment variable by which everything that a table has started, and all that this started in turn, is found.
const Mark = "TRANSHIP_LAB_STATE"

// named holds, beside Mark, the name of the entry.
const named = "TRANSHIP_LAB_PROCESS"

// Table is a folder of records and logs.
type Table struct {
	Dir    string
	Cgroup string // below which hosts have theirs; empty: none has
}

// Spec says what to run.
type Spec struct {
	Name      string
	Args      []string // the program first
	Env       []string // added to the starter's
	Dir       string   // the table's by default
	Namespace string   // of the network, by name; the starter's by default
	Mounts    int      // id of a process whose mount namespace to enter; the starter's by default
	Stop      syscall.Signal
	// Host is where it would run in earnest, with processors of its own: here each has a share of the machine's.
	Host string
	// Yields: that host serves no requests of the estate, and has the smaller share.
	Yields bool
}

// Record is what a table knows of a process.
type Record struct {
	Name      string         `json:"name"`
	PID       int            `json:"pid"`
	Start     uint64         `json:"start"` // in clock ticks since boot
	Boot      string         `json:"boot"`
	Namespace string         `json:"namespace,omitempty"`
	Args      []string       `json:"args"`
	Log       string         `json:"log"`
	Stop      syscall.Signal `json:"stop"` // asks it to end
}

// Start runs a program unless the table's entry of that name is alive, in which case it gives that one.
func (t Table) Start(s Spec) (Record, error) {
	if have, ok, err := t.Find(s.Name); err != nil || ok && have.Alive() {
		return have, err
	}
	if lost, ok := t.unrecorded(s.Name); ok {
		return lost, t.keep(lost)
	}
	for _, dir := range []string{t.pids(), t.logs()} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return Record{}, fmt.Errorf("start %s: %w", s.Name, err)
		}
	}
	log, err := os.OpenFile(t.Log(s.Name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return Record{}, fmt.Errorf("start %s: %w", s.Name, err)
	}
	defer log.Close()

	args := s.enter()
	c := exec.Command(args[0], args[1:]...)
	c.Dir = s.Dir
	if c.Dir == "" {
		c.Dir = t.Dir
	}
	c.Env = append(append(os.Environ(), s.Env...), Mark+"="+t.Dir, named+"="+s.Name)
	c.Stdout, c.Stderr = log, log
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := c.Start(); err != nil {
		return Record{}, fmt.Errorf("start %s: %w", s.Name, err)
	}
	r := Record{Name: s.Name, PID: c.Process.Pid, Namespace: s.Namespace, Args: args, Log: t.Log(s.Name), Stop: s.Stop}
	if r.Stop == 0 {
		r.Stop = syscall.SIGTERM
	}
	r.Start, _, err = stat(r.PID) // it is our child: even if it has ended it is still there
	if err == nil {
		r.Boot, err = boot()
	}
	if err == nil && s.Host != "" && t.Cgroup != "" {
		err = cgroup.Host(path.Join(t.Cgroup, s.Host), r.PID, s.Yields)
	}
	go func() { _ = c.Wait() }() // a child that ends while we live is to be gone, not a zombie
	if err != nil {
		return r, fmt.Errorf("start %s: %w", s.Name, err)
	}
	return r, t.keep(r)
}

// enter puts what changes namespaces before the program; each step replaces itself by the next, so the id stays.
func (s Spec) enter() []string {
	if s.Namespace == "" && s.Mounts == 0 {
		return s.Args
	}
	args := []string{"nsenter"}
	if s.Namespace != "" {
		args = append(args, "--net=/var/run/netns/"+s.Namespace)
	}
	if s.Mounts != 0 {
		args = append(args, fmt.Sprintf("--mount=/proc/%d/ns/mnt", s.Mounts))
	}
	return append(append(args, "--"), s.Args...)
}

// Find gives the record of a name.
func (t Table) Find(name string) (Record, bool, error) {
	text, err := os.ReadFile(filepath.Join(t.pids(), name+".json"))
	if errors.Is(err, fs.ErrNotExist) {
		return Record{}, false, nil
	}
	if err != nil {
		return Record{}, false, fmt.Errorf("read record of %s: %w", name, err)
	}
	var r Record
	if err := json.Unmarshal(text, &r); err != nil {
		return Record{}, false, fmt.Errorf("read record of %s: %w", name, err)
	}
	return r, true, nil
}

// All gives every record, by name.
func (t Table) All() ([]Record, error) {
	entries, err := os.ReadDir(t.pids())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("list records: %w", err)
	}
	var all []Record
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), ".json")
		if !ok {
			continue
		}
		r, ok, err := t.Find(name)
		if err != nil {
			return nil, err
		}
		if ok {
			all = append(all, r)
		}
	}
	return all, nil
}

// Stop asks a process to end, ends it with all of its group after grace, and forgets it. No record, no deed.
func (t Table) Stop(ctx context.Context, name string, grace time.Duration) error {
	r, ok, err := t.Find(name)
	if err != nil || !ok {
		return err
	}
	if err := r.end(ctx, grace); err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(t.pids(), name+".json")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("forget %s: %w", name, err)
	}
	return nil
}

// Tail is the end of an entry's log, for an error's text.
func (t Table) Tail(name string) string {
	text, err := os.ReadFile(t.Log(name))
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-8):], "\n")
}

// Log is where an entry's output goes.
func (t Table) Log(name string) string { return filepath.Join(t.logs(), name+".log") }

func (t Table) pids() string { return filepath.Join(t.Dir, "pids") }
func (t Table) logs() string { return filepath.Join(t.Dir, "log") }

// keep writes a record so that it is there as a whole or not at all.
func (t Table) keep(r Record) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("record %s: %w", r.Name, err)
	}
	file := filepath.Join(t.pids(), r.Name+".json")
	if err := os.MkdirAll(t.pids(), 0o755); err != nil {
		return fmt.Errorf("record %s: %w", r.Name, err)
	}
	if err := os.WriteFile(file+".new", append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("record %s: %w", r.Name, err)
	}
	if err := os.Rename(file+".new", file); err != nil {
		return fmt.Errorf("record %s: %w", r.Name, err)
	}
	return nil
}

// Strays gives what the starter ran for a moment only, such as initdb or a build, and left when it was killed: it carries
// the mark, which the starter has in its own environment, but is nobody's process.
func (t Table) Strays() []Record {
	var out []Record
	for _, r := range t.Marked() {
		if r.Log == "" {
			out = append(out, r)
		}
	}
	return out
}

// unrecorded looks for a process of that name that a starter left before it could write the record: the leader of its
// session, since what it started itself carries the mark as well.
func (t Table) unrecorded(name string) (Record, bool) {
	for _, r := range t.Marked() {
		if r.Name == name && leads(r.PID) {
			return r, true
		}
	}
	return Record{}, false
}

// Marked gives all processes that carry the table's mark, whoever started them.
func (t Table) Marked() []Record {
	return scan(func(pid int) (Record, bool) {
		env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		if err != nil {
			return Record{}, false // it has ended, or is none of ours
		}
		vars := strings.Split(string(env), "\x00")
		if !slices.Contains(vars, Mark+"="+t.Dir) {
			return Record{}, false
		}
		r := Record{Stop: syscall.SIGTERM}
		for _, v := range vars {
			if name, ok := strings.CutPrefix(v, named+"="); ok {
				r.Name, r.Log = name, t.Log(name)
			}
		}
		return r, true
	})
}
