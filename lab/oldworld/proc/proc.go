// Package proc names processes so that none is ever taken for another.
//
// Input: a process' number. Output: its identity, whether that very process lives, what its session uses. It never
// signals a process whose start differs from the one that was recorded.
package proc

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// ID names one process of one boot: a number that the system gives out again has another start.
type ID struct {
	PID   int    `json:"pid"`
	Start uint64 `json:"start"` // in clock ticks since boot
	Boot  string `json:"boot"`
}

// Identify gives the ID of a process that runs.
func Identify(pid int) (ID, error) {
	f, err := statFields(pid)
	if err != nil {
		return ID{}, err
	}
	start, err := strconv.ParseUint(f[19], 10, 64)
	if err != nil {
		return ID{}, fmt.Errorf("read start of process %d: %w", pid, err)
	}
	boot, err := bootID()
	return ID{PID: pid, Start: start, Boot: boot}, err
}

// Alive tells whether the very process runs, and is no zombie.
func (i ID) Alive() bool {
	if i.PID <= 0 {
		return false
	}
	f, err := statFields(i.PID)
	if err != nil || f[0] == "Z" || f[0] == "X" || f[19] != strconv.FormatUint(i.Start, 10) {
		return false
	}
	boot, err := bootID()
	return err == nil && boot == i.Boot
}

// Signal reaches the process, or with group set all of its group, of which it is the leader; nobody if it has ended.
func (i ID) Signal(s syscall.Signal, group bool) {
	p, err := os.FindProcess(i.PID)
	if err != nil {
		return
	}
	// The handle is taken before the start is compared, so that the number cannot change hands in between.
	defer func() { _ = p.Release() }()
	if !i.Alive() {
		return
	}
	if group {
		_ = syscall.Kill(-i.PID, s) // it may have ended just now
		return
	}
	_ = p.Signal(s)
}

// Usage is what the processes of one session take.
type Usage struct {
	User, System float64 // seconds
	RSS          int64   // bytes
	Processes    int
}

const ticks = 100 // USER_HZ of every Linux that Go runs on

// Sessions sums up the processes of each session, by the number of its leader. A task is one.
func Sessions() map[int]Usage {
	out := map[int]Usage{}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return out
	}
	page := int64(os.Getpagesize())
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		f, err := statFields(pid)
		if err != nil || f[0] == "Z" {
			continue
		}
		session, _ := strconv.Atoi(f[3])
		user, _ := strconv.ParseFloat(f[11], 64)
		system, _ := strconv.ParseFloat(f[12], 64)
		rss, _ := strconv.ParseInt(f[21], 10, 64)
		u := out[session]
		u.User += user / ticks
		u.System += system / ticks
		u.RSS += rss * page
		u.Processes++
		out[session] = u
	}
	return out
}

// statFields are those of /proc/PID/stat after the command, which may itself hold blanks and brackets: state, parent,
// group, session and on.
func statFields(pid int) ([]string, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, fmt.Errorf("look at process %d: %w", pid, err)
	}
	f := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(f) < 22 {
		return nil, fmt.Errorf("look at process %d: %d fields, want 22", pid, len(f))
	}
	return f, nil
}

func bootID() (string, error) {
	text, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", fmt.Errorf("name this boot: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}
