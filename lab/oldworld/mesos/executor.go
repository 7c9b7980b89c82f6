package mesos

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/tranship/tranship/lab/oldworld/keep"
	"github.com/tranship/tranship/lab/oldworld/proc"
)

// launch is what an executor is to start.
type launch struct {
	Args []string `json:"args"`
	Env  []string `json:"env"`
	Dir  string   `json:"dir"`
}

// exit is how a task ended.
type exit struct {
	Code   int    `json:"code"`
	Signal int    `json:"signal,omitempty"`
	Error  string `json:"error,omitempty"` // why it never started
}

const (
	taskFile     = "task.json"
	launchFile   = "launch.json"
	executorFile = "executor.json"
	processFile  = "process.json"
	exitFile     = "exit.json"
	sandbox      = "sandbox"
)

// Execute is the executor of the task whose folder is given, and the whole life of its process. It gives an exit status.
func Execute(dir string) int {
	if err := execute(dir); err != nil {
		fmt.Fprintln(os.Stderr, "executor:", err)
		return 1
	}
	return 0
}

func execute(dir string) error {
	// The kernel ends the task together with the thread that started it.
	runtime.LockOSThread()
	// Caught and left unread, not ignored: what is ignored would be ignored by the task too.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	if exists(filepath.Join(dir, exitFile)) {
		return nil // given up in the meantime
	}
	self, err := proc.Identify(os.Getpid())
	if err != nil {
		return err
	}
	if err := keep.Save(filepath.Join(dir, executorFile), self); err != nil {
		return err
	}
	var l launch
	if found, err := keep.Load(filepath.Join(dir, launchFile), &l); err != nil || !found {
		return errors.Join(err, errors.New("nothing to launch"))
	}
	how, err := runTask(dir, l)
	if err != nil {
		how = exit{Code: -1, Error: err.Error()}
	}
	return keep.Save(filepath.Join(dir, exitFile), how)
}

func runTask(dir string, l launch) (exit, error) {
	var files [2]*os.File
	for i, name := range []string{"stdout", "stderr"} {
		f, err := os.OpenFile(filepath.Join(dir, sandbox, name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			return exit{}, fmt.Errorf("open %s: %w", name, err)
		}
		defer f.Close()
		files[i] = f
	}
	c := exec.Command(l.Args[0], l.Args[1:]...)
	c.Dir, c.Env, c.Stdout, c.Stderr = l.Dir, l.Env, files[0], files[1]
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	if err := c.Start(); err != nil {
		return exit{}, fmt.Errorf("start: %w", err)
	}
	id, err := proc.Identify(c.Process.Pid)
	if err == nil {
		err = keep.Save(filepath.Join(dir, processFile), id)
	}
	if err != nil {
		_ = c.Process.Kill()
		_ = c.Wait()
		return exit{}, err
	}
	// Looked at before it is waited for: until then its number cannot be another's, and the rest of its group can be
	// ended by it.
	for {
		err = unix.Waitid(unix.P_PID, id.PID, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	_ = syscall.Kill(-id.PID, syscall.SIGKILL)
	_ = c.Wait() // how it ended stands in ProcessState
	how := exit{Code: c.ProcessState.ExitCode()}
	if s, ok := c.ProcessState.Sys().(syscall.WaitStatus); ok && s.Signaled() {
		how.Signal = int(s.Signal())
	}
	return how, nil
}
