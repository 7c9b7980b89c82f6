package process

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// poll is how often a process that is to end is looked at.
const poll = 20 * time.Millisecond

// Alive tells whether the very process of the record runs: the same id, started at the same tick of the same boot, and
// no zombie.
func (r Record) Alive() bool {
	if now, err := boot(); err != nil || r.Boot != now {
		return false
	}
	start, state, err := stat(r.PID)
	return err == nil && start == r.Start && state != 'Z' && state != 'X'
}

// signal reaches the very process or nobody: the handle is taken before the start time is compared, so the id cannot
// change hands in between.
func (r Record) signal(s syscall.Signal) error {
	p, err := os.FindProcess(r.PID)
	if err != nil {
		return fmt.Errorf("find %s: %w", r.Name, err)
	}
	defer func() { _ = p.Release() }()
	if !r.Alive() {
		return nil
	}
	if err := p.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("signal %s: %w", r.Name, err)
	}
	return nil
}

// end asks, waits, and then ends the process with its group.
func (r Record) end(ctx context.Context, grace time.Duration) error {
	if err := r.signal(r.Stop); err != nil {
		return err
	}
	if r.gone(ctx, grace) {
		return nil
	}
	// The group's id is the process's own, and cannot be another's while it lives.
	if r.Alive() && leads(r.PID) {
		_ = syscall.Kill(-r.PID, syscall.SIGKILL)
	}
	if err := r.signal(syscall.SIGKILL); err != nil {
		return err
	}
	if !r.gone(ctx, 5*time.Second) {
		return fmt.Errorf("end %s: process %d outlives SIGKILL", r.Name, r.PID)
	}
	return nil
}

// gone waits until the process has ended, no longer than limit.
func (r Record) gone(ctx context.Context, limit time.Duration) bool {
	for end := time.Now().Add(limit); r.Alive(); {
		if time.Now().After(end) {
			return false
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(poll):
		}
	}
	return true
}

// Kill ends processes at once and waits for them.
func Kill(ctx context.Context, list []Record) error {
	var errs []error
	for _, r := range list {
		errs = append(errs, r.signal(syscall.SIGKILL))
	}
	for _, r := range list {
		if !r.gone(ctx, 5*time.Second) {
			errs = append(errs, fmt.Errorf("end %s: process %d outlives SIGKILL", r.Name, r.PID))
		}
	}
	return errors.Join(errs...)
}

// InNetwork gives all processes in one of the named network namespaces.
func InNetwork(names ...string) []Record {
	inodes := map[string]bool{}
	for _, n := range names {
		info, err := os.Stat(filepath.Join("/var/run/netns", n))
		if err != nil {
			continue
		}
		if s, ok := info.Sys().(*syscall.Stat_t); ok {
			inodes[fmt.Sprintf("net:[%d]", s.Ino)] = true
		}
	}
	return scan(func(pid int) (Record, bool) {
		link, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", pid))
		return Record{}, err == nil && inodes[link]
	})
}

// InCgroup gives all processes in a cgroup, or below it, in any hierarchy.
func InCgroup(path string) []Record {
	return scan(func(pid int) (Record, bool) {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
		if err != nil {
			return Record{}, false
		}
		for line := range strings.Lines(string(text)) {
			part := strings.SplitN(strings.TrimSpace(line), ":", 3)
			if len(part) == 3 && (part[2] == path || strings.HasPrefix(part[2], path+"/")) {
				return Record{}, true
			}
		}
		return Record{}, false
	})
}

// scan asks about every process but this one and those that started it, and completes what it is told.
func scan(ask func(pid int) (Record, bool)) []Record {
	now, err := boot()
	if err != nil {
		return nil
	}
	ours := ancestors()
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var found []Record
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || ours[pid] {
			continue
		}
		start, state, err := stat(pid)
		if err != nil || state == 'Z' || state == 'X' {
			continue
		}
		r, ok := ask(pid)
		if !ok {
			continue
		}
		r.PID, r.Start, r.Boot = pid, start, now
		if r.Stop == 0 {
			r.Stop = syscall.SIGTERM
		}
		if name, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid)); err == nil && r.Name == "" {
			r.Name = strings.TrimSpace(string(name))
		}
		found = append(found, r)
	}
	return found
}

// ancestors are this process and those above it: a sweep must not end the shell that asked for it.
func ancestors() map[int]bool {
	all := map[int]bool{}
	for pid := os.Getpid(); pid > 0 && !all[pid]; {
		all[pid] = true
		fields, err := fields(pid)
		if err != nil || len(fields) < 2 {
			break
		}
		if pid, err = strconv.Atoi(fields[1]); err != nil {
			break
		}
	}
	return all
}

// leads tells whether a process is the leader of its session.
func leads(pid int) bool {
	f, err := fields(pid)
	return err == nil && len(f) > 3 && f[3] == strconv.Itoa(pid)
}

// stat gives a process's start, in ticks since boot, and its state.
func stat(pid int) (start uint64, state byte, err error) {
	f, err := fields(pid)
	if err != nil {
		return 0, 0, err
	}
	if len(f) < 20 {
		return 0, 0, fmt.Errorf("read /proc/%d/stat: %d fields, want 20 or more", pid, len(f))
	}
	start, err = strconv.ParseUint(f[19], 10, 64)
	if err != nil {
		return 0, 0, fmt.Errorf("read /proc/%d/stat: %w", pid, err)
	}
	return start, f[0][0], nil
}

// fields are those of /proc/PID/stat after the command, which may itself hold spaces and brackets: state, parent,
// group, session and so on.
func fields(pid int) ([]string, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, fmt.Errorf("look at process %d: %w", pid, err)
	}
	_, rest, ok := bytes.Cut(text, []byte("("))
	at := bytes.LastIndexByte(rest, ')')
	if !ok || at < 0 {
		return nil, fmt.Errorf("read /proc/%d/stat: no command in brackets", pid)
	}
	return strings.Fields(string(rest[at+1:])), nil
}

// boot names this boot of the machine: ids and ticks of another one say nothing.
func boot() (string, error) {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", fmt.Errorf("name this boot: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}
