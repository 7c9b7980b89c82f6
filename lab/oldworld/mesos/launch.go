package mesos

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/tranship/tranship/lab/oldworld/keep"
)

// ErrRefused is returned for a launch that the agent has no room for, or that must not be there.
var ErrRefused = errors.New("offer is not good any more")

// poll is how often files of a task are looked at; an agent of Mesos hears the same by a socket.
const poll = 25 * time.Millisecond

// Launch starts a task on an agent. A task that cannot be started is an update, as in Mesos, not an error: TASK_FAILED.
func (c *Cluster) Launch(f *Framework, agentID string, info Info) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	a := c.agents[agentID]
	if a == nil || c.stopped {
		return fmt.Errorf("launch %s: %w", info.ID, ErrRefused)
	}
	s := c.state(a)
	free := s.Free()
	const speck = 1e-9 // sums of decimal fractions
	if !s.Offered() || info.Resources.CPUs > free.CPUs+speck || info.Resources.Mem > free.Mem+speck || info.Resources.Disk > free.Disk+speck {
		return fmt.Errorf("launch %s: %w", info.ID, ErrRefused)
	}
	if c.tasks[info.ID] != nil {
		return fmt.Errorf("launch %s: there is a task of that ID", info.ID)
	}
	r := &run{
		Task: Task{Info: info, Framework: f.ID, Agent: agentID}, dir: filepath.Join(c.runs(agentID), info.ID),
		ended: make(chan struct{}),
	}
	c.tasks[info.ID] = r
	c.status(r, Status{State: Staging, Source: "SOURCE_MASTER"})
	if err := c.start(a, r); err != nil {
		c.status(r, Status{State: Failed, Message: "Failed to launch container: " + err.Error(), Reason: "REASON_CONTAINER_LAUNCH_FAILED", Source: "SOURCE_AGENT"})
		return nil
	}
	c.status(r, Status{State: Starting, Source: "SOURCE_EXECUTOR"})
	c.watch(r)
	return nil
}

func (c *Cluster) runs(agent string) string { return filepath.Join(c.dir, "agents", agent, "runs") }

// VolumeDir is where a persistent volume of an agent is.
func (c *Cluster) VolumeDir(agent, id string) string {
	return filepath.Join(c.dir, "agents", agent, "volumes", strings.ReplaceAll(id, "/", "_"))
}

// DestroyVolume removes a persistent volume with all that is in it.
func (c *Cluster) DestroyVolume(agent, id string) error {
	if err := os.RemoveAll(c.VolumeDir(agent, id)); err != nil {
		return fmt.Errorf("destroy volume %s: %w", id, err)
	}
	return nil
}

// start prepares the sandbox and starts the executor. The lock is held.
func (c *Cluster) start(a *agent, r *run) error {
	box := filepath.Join(r.dir, sandbox)
	if err := os.MkdirAll(box, 0o755); err != nil {
		return err
	}
	for _, v := range r.Volumes {
		if err := c.mount(a, box, v); err != nil {
			return err
		}
	}
	l := launch{Dir: box}
	env := map[string]string{"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
	var image Image
	if r.Image != "" {
		var err error
		if image, err = c.images.Find(r.Image); err != nil {
			return err
		}
	}
	for _, list := range [][]string{c.opts.Env, image.Env} {
		for _, e := range list {
			key, value, _ := strings.Cut(e, "=")
			env[key] = value
		}
	}
	maps.Copy(env, r.Env)
	// What the agent adds, and nobody can change.
	env["MESOS_SANDBOX"], env["MESOS_DIRECTORY"], env["MESOS_CONTAINER_NAME"] = box, box, "mesos-"+r.ID
	for k, v := range env {
		l.Env = append(l.Env, k+"="+v)
	}
	sort.Strings(l.Env)
	switch {
	case r.Shell != "":
		l.Args = []string{"/bin/sh", "-c", r.Shell}
	case r.Image != "" && len(image.Entrypoint) > 0:
		l.Args = append(append([]string{}, image.Entrypoint...), r.Args...)
		if len(r.Args) == 0 {
			l.Args = append(l.Args, image.Cmd...)
		}
	case len(r.Args) > 0:
		l.Args = r.Args
	case r.Image != "":
		l.Args = image.Cmd
	default:
		return errors.New("neither a command nor an image")
	}
	if err := keep.Save(filepath.Join(r.dir, launchFile), l); err != nil {
		return err
	}
	x := exec.Command(c.opts.Executor[0], append(append([]string{}, c.opts.Executor[1:]...), r.dir)...)
	x.Env = append(append([]string{}, c.opts.Env...), "PATH="+env["PATH"])
	x.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := x.Start(); err != nil {
		return err
	}
	go func() { _ = x.Wait() }() // how the task ended is in its folder
	return nil
}

// mount makes a volume seen at its containerPath below the sandbox.
func (c *Cluster) mount(a *agent, box string, v Volume) error {
	at := filepath.Join(box, strings.TrimLeft(filepath.Clean("/"+v.ContainerPath), "/"))
	target := v.HostPath
	switch {
	case at == box:
		return fmt.Errorf("volume %q: no path", v.ContainerPath)
	case v.ID != "":
		target = c.VolumeDir(a.ID, v.ID)
		if err := os.MkdirAll(target, 0o755); err != nil {
			return err
		}
	case target == "" || !filepath.IsAbs(target):
		return os.MkdirAll(at, 0o755) // a folder of the sandbox
	}
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		return err
	}
	return os.Symlink(target, at)
}

// watch follows a task until it has ended. The lock is held.
func (c *Cluster) watch(r *run) {
	c.watchers.Go(func() {
		tick := time.NewTicker(poll)
		defer tick.Stop()
		for range tick.C {
			if done := c.look(r); done {
				return
			}
		}
	})
}

// look sees what the executor has written.
func (c *Cluster) look(r *run) (done bool) {
	var how exit
	ended, err := keep.Load(filepath.Join(r.dir, exitFile), &how)
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.Now().State.Terminal() {
		return true
	}
	if err != nil {
		c.opts.Log("%v", err)
	}
	if r.process.PID == 0 {
		if found, err := keep.Load(filepath.Join(r.dir, processFile), &r.process); err == nil && found && r.Now().State == Starting {
			c.status(r, Status{State: Running, Source: "SOURCE_EXECUTOR"})
		}
	}
	if ended {
		c.status(r, r.outcome(how))
		return true
	}
	if r.executor.PID == 0 {
		if found, err := keep.Load(filepath.Join(r.dir, executorFile), &r.executor); err != nil || !found {
			return false
		}
	}
	if r.executor.Alive() || exists(filepath.Join(r.dir, exitFile)) {
		return false
	}
	// Who ends the executor ends the task: the kernel sees to the process itself, this to the rest of its group.
	r.process.Signal(syscall.SIGKILL, true)
	c.status(r, Status{State: Failed, Message: "Executor terminated", Reason: "REASON_EXECUTOR_TERMINATED", Source: "SOURCE_AGENT"})
	return true
}

// outcome reads a task's end.
func (r *run) outcome(how exit) Status {
	switch {
	case how.Error != "":
		return Status{State: Failed, Message: "Failed to launch container: " + how.Error, Reason: "REASON_CONTAINER_LAUNCH_FAILED", Source: "SOURCE_AGENT"}
	case r.over:
		return Status{
			State: Failed, Reason: "REASON_CONTAINER_LIMITATION_MEMORY", Source: "SOURCE_AGENT",
			Message: "Memory limit exceeded: Requested: " + strconv.FormatFloat(r.Resources.Mem, 'f', -1, 64) + "MB",
		}
	case r.Asked == byRemoval:
		return Status{State: Gone, Message: "Agent has been marked gone", Reason: reason(r.Asked), Source: "SOURCE_MASTER"}
	case r.Asked != "":
		return Status{State: Killed, Message: "Command terminated with signal Terminated", Reason: reason(r.Asked), Source: "SOURCE_EXECUTOR"}
	case how.Signal != 0:
		return Status{State: Failed, Message: "Command terminated with signal " + syscall.Signal(how.Signal).String(), Reason: "REASON_COMMAND_EXECUTOR_FAILED", Source: "SOURCE_EXECUTOR"}
	case how.Code != 0:
		return Status{State: Failed, Message: "Command exited with status " + strconv.Itoa(how.Code), Reason: "REASON_COMMAND_EXECUTOR_FAILED", Source: "SOURCE_EXECUTOR"}
	}
	return Status{State: Finished, Message: "Command exited with status 0", Source: "SOURCE_EXECUTOR"}
}
