package mesos

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"syscall"
	"time"

	"github.com/tranship/tranship/lab/oldworld/keep"
)

// Who asked a task to end.
const (
	byFramework = "framework"
	byDrain     = "drain"
	byRemoval   = "removal" // of its agent
	byStop      = "stop"    // of the whole world
)

// Drained tells whether a task ended because its agent, or the world, was emptied: no failure of its own.
func (t Task) Drained() bool {
	return t.Asked == byDrain || t.Asked == byRemoval || t.Asked == byStop
}

// reason is that of mesos.proto; a kill that a framework asked for has none.
func reason(asked string) string {
	switch asked {
	case byDrain:
		return "REASON_AGENT_DRAINING"
	case byRemoval:
		return "REASON_AGENT_REMOVED_BY_OPERATOR"
	}
	return ""
}

// Kill asks a task to end, and ends it after its own grace. A task that is not known is TASK_LOST to who asks for it.
func (c *Cluster) Kill(id string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.tasks[id]
	if r == nil {
		return fmt.Errorf("kill %s: no such task", id)
	}
	c.kill(r, byFramework, r.Grace)
	return nil
}

// kill begins the end of a task, once. The lock is held.
func (c *Cluster) kill(r *run, asked string, grace time.Duration) {
	if r.Asked != "" || r.Now().State.Terminal() {
		return
	}
	r.Asked = asked
	c.status(r, Status{State: Killing, Source: "SOURCE_EXECUTOR", Reason: reason(asked)})
	go func() {
		drained := make(chan struct{})
		go func() {
			defer close(drained)
			if asked != byStop {
				c.opts.Drain(r.ID)
			}
		}()
		select {
		case <-drained:
		case <-c.stopping: // nobody is to be spared any more
		}
		c.end(r, grace)
	}()
}

// end signals the process: docker asks the first of a container only, Mesos' own executor all of them.
func (c *Cluster) end(r *run, grace time.Duration) {
	limit := time.NewTimer(grace + poll)
	defer limit.Stop()
	stopping := c.stopping
	asked := false
	tick := time.NewTicker(poll)
	defer tick.Stop()
	for {
		c.mu.Lock()
		process := r.process
		c.mu.Unlock()
		if process.PID != 0 && !asked {
			asked = true
			process.Signal(syscall.SIGTERM, !r.Docker)
		}
		select {
		case <-r.ended:
			return
		case <-stopping:
			// The end of the world shortens every grace.
			stopping = nil
			limit.Reset(min(grace, c.opts.StopIn) + poll)
		case <-limit.C:
			process.Signal(syscall.SIGKILL, true)
			if process.PID != 0 {
				return
			}
			limit.Reset(poll) // it is just being started
		case <-tick.C:
		}
	}
}

// Lose makes tasks TASK_LOST at once, while their processes are ended: an agent that was lost from one moment to the next.
func (c *Cluster) Lose(id string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.tasks[id]
	if r == nil || r.Now().State.Terminal() {
		return fmt.Errorf("lose %s: no such task runs", id)
	}
	r.process.Signal(syscall.SIGKILL, true)
	c.status(r, Status{State: Lost, Message: "Agent lost", Reason: "REASON_AGENT_REMOVED", Source: "SOURCE_MASTER"})
	return nil
}

// SetHealthy enters the outcome of a check that Mesos itself does: a new status of a running task.
func (c *Cluster) SetHealthy(id string, healthy bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.tasks[id]
	if r == nil || r.Now().State != Running || r.Now().Healthy != nil && *r.Now().Healthy == healthy {
		return
	}
	c.status(r, Status{State: Running, Healthy: &healthy, Reason: "REASON_TASK_HEALTH_CHECK_STATUS_UPDATED", Source: "SOURCE_EXECUTOR"})
}

// Environment is what the task's process was started with, and where: for checks that run beside it.
func (c *Cluster) Environment(id string) (env []string, dir string, err error) {
	c.mu.Lock()
	r := c.tasks[id]
	c.mu.Unlock()
	if r == nil {
		return nil, "", fmt.Errorf("environment of %s: no such task", id)
	}
	var l launch
	if _, err := keep.Load(filepath.Join(r.dir, launchFile), &l); err != nil {
		return nil, "", err
	}
	return l.Env, l.Dir, nil
}

// load reads the tasks of an earlier life.
func (c *Cluster) load() error {
	for _, id := range c.order {
		entries, err := os.ReadDir(c.runs(id))
		if err != nil {
			continue // it has never run anything
		}
		for _, e := range entries {
			r := &run{dir: filepath.Join(c.runs(id), e.Name()), ended: make(chan struct{})}
			found, err := keep.Load(filepath.Join(r.dir, taskFile), &r.Task)
			if err != nil {
				return err
			}
			if !found || len(r.Statuses) == 0 {
				continue
			}
			if r.Now().State.Terminal() {
				close(r.ended)
			}
			c.tasks[r.ID] = r
		}
	}
	return nil
}

// recover takes up the tasks that had not ended: those that run go on, of the others the end is read.
func (c *Cluster) recover() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range c.tasks {
		if r.Now().State.Terminal() {
			continue
		}
		found, err := keep.Load(filepath.Join(r.dir, executorFile), &r.executor)
		if err != nil {
			c.opts.Log("%v", err)
		}
		if !found {
			// The last life ended between its decision and the executor's first act. What it still does is given up.
			if err := keep.Save(filepath.Join(r.dir, exitFile), exit{Code: -1, Error: "the agent was restarted"}); err != nil {
				c.opts.Log("%v", err)
			}
		}
		if asked := r.Asked; asked != "" {
			r.Asked = ""
			c.kill(r, asked, r.Grace)
		}
		c.watch(r)
	}
}

// stop ends all tasks at once, and waits for them.
func (c *Cluster) stop() {
	c.mu.Lock()
	c.stopped = true
	close(c.stopping)
	for _, r := range c.tasks {
		c.kill(r, byStop, min(r.Grace, c.opts.StopIn))
	}
	c.mu.Unlock()
	c.watchers.Wait()
}

// forgetOld drops the oldest ended tasks beyond the limit, with their sandboxes. The lock is held.
func (c *Cluster) forgetOld() {
	var ended []*run
	for _, r := range c.tasks {
		if r.Now().State.Terminal() {
			ended = append(ended, r)
		}
	}
	if len(ended) <= historyLimit {
		return
	}
	sort.Slice(ended, func(i, j int) bool { return ended[i].Now().At.Before(ended[j].Now().At) })
	for _, r := range ended[:len(ended)-historyLimit] {
		delete(c.tasks, r.ID)
		if err := os.RemoveAll(r.dir); err != nil {
			c.opts.Log("remove sandbox of %s: %v", r.ID, err)
		}
	}
}

// Crash ends a task's process by SIGKILL, as if it had failed by itself.
func (c *Cluster) Crash(id string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.tasks[id]
	if r == nil || r.Now().State.Terminal() || r.process.PID == 0 {
		return fmt.Errorf("crash %s: no such task runs", id)
	}
	r.process.Signal(syscall.SIGKILL, true)
	return nil
}
