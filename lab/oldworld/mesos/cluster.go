package mesos

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/tranship/tranship/lab/oldworld/keep"
	"github.com/tranship/tranship/lab/oldworld/proc"
)

// Options are the parts that have defaults.
type Options struct {
	Name     string        // of the cluster
	Executor []string      // how an executor is started, before the task's folder
	Env      []string      // what every process gets beside its own environment
	StopIn   time.Duration // how long tasks have when the whole world ends; 6 s if zero
	// Drain is called before a task is asked to end, unless the whole world ends, and returns when no request is with it
	// any more, or too late. Mesos has no such thing: it stands for what zdd.py does in front of it.
	Drain func(taskID string)
	Log   func(format string, args ...any)
}

// Framework is a scheduler that takes offers.
type Framework struct {
	ID         string
	Name       string
	Hostname   string
	WebUI      string
	Registered time.Time
	told       func(Update)
}

// Cluster is the master with its agents. Its methods may be called from anywhere, also from within a told update.
type Cluster struct {
	dir    string
	images Images
	opts   Options

	mu         sync.Mutex
	id         string
	started    time.Time
	agents     map[string]*agent
	order      []string
	tasks      map[string]*run
	frameworks []*Framework
	schedule   []Window
	down       []Machine
	queue      []Update
	wake       chan struct{}
	stopped    bool
	stopping   chan struct{} // closed with it
	watchers   sync.WaitGroup
}

type agent struct {
	Agent
	registered  time.Time
	deactivated bool
	gone        bool
	drain       *Drain
	next        int // in the search for ports
}

// run is a task with its process.
type run struct {
	Task
	dir      string
	executor proc.ID
	process  proc.ID
	ended    chan struct{}
	over     bool // it took more memory than it has
}

// kept is master.json.
type kept struct {
	ID       string               `json:"id"`
	Agents   map[string]keptAgent `json:"agents"`
	Schedule []Window             `json:"schedule"`
	Down     []Machine            `json:"down"`
}

type keptAgent struct {
	Registered  time.Time `json:"registered"`
	Deactivated bool      `json:"deactivated,omitempty"`
	Gone        bool      `json:"gone,omitempty"`
	Drain       *Drain    `json:"drain,omitempty"`
}

// historyLimit is how many ended tasks the master tells of; their sandboxes go with them.
const historyLimit = 200

// New reads what an earlier life left in the folder. It starts nothing.
func New(dir string, agents []Agent, images Images, opts Options) (*Cluster, error) {
	if opts.StopIn == 0 {
		opts.StopIn = 6 * time.Second
	}
	if opts.Log == nil {
		opts.Log = func(string, ...any) {}
	}
	if opts.Drain == nil {
		opts.Drain = func(string) {}
	}
	if len(opts.Executor) == 0 {
		return nil, errors.New("no executor: tasks could not be started")
	}
	c := &Cluster{
		dir: dir, images: images, opts: opts, started: time.Now(),
		agents: map[string]*agent{}, tasks: map[string]*run{}, wake: make(chan struct{}, 1), stopping: make(chan struct{}),
	}
	var k kept
	if _, err := keep.Load(filepath.Join(dir, "master.json"), &k); err != nil {
		return nil, err
	}
	c.id = k.ID
	if c.id == "" {
		c.id = UUID()
	}
	for n, a := range agents {
		if a.ID == "" {
			a.ID = fmt.Sprintf("%s-S%d", c.id, n)
		}
		x := &agent{Agent: a, registered: time.Now()}
		if had, ok := k.Agents[a.ID]; ok {
			x.registered, x.deactivated, x.gone, x.drain = had.Registered, had.Deactivated, had.Gone, had.Drain
		}
		c.agents[a.ID] = x
		c.order = append(c.order, a.ID)
	}
	c.schedule, c.down = k.Schedule, k.Down
	if err := c.load(); err != nil {
		return nil, err
	}
	return c, c.save()
}

// Register makes a framework known, and tells it of its tasks' updates, one after another. All have to be registered
// before Run.
func (c *Cluster) Register(name, hostname, web string, told func(Update)) *Framework {
	c.mu.Lock()
	defer c.mu.Unlock()
	f := &Framework{
		ID: fmt.Sprintf("%s-%04d", c.id, len(c.frameworks)), Name: name, Hostname: hostname, WebUI: web, Registered: time.Now(), told: told,
	}
	c.frameworks = append(c.frameworks, f)
	return f
}

// Run takes up the tasks that are there, and tells updates until ctx ends. Then it stops every task, and returns when the
// last has ended.
func (c *Cluster) Run(ctx context.Context) error {
	c.recover()
	check := time.NewTicker(memoryPoll)
	defer check.Stop()
	for {
		c.tell()
		select {
		case <-ctx.Done():
			c.stop()
			c.tell()
			return nil
		case <-c.wake:
		case <-check.C:
			c.holdMemory()
			c.settleDrains()
		}
	}
}

// tell hands on what waits. The lock is not held meanwhile.
func (c *Cluster) tell() {
	for {
		c.mu.Lock()
		if len(c.queue) == 0 {
			c.mu.Unlock()
			return
		}
		u := c.queue[0]
		c.queue = c.queue[1:]
		var told func(Update)
		for _, f := range c.frameworks {
			if f.ID == u.Task.Framework {
				told = f.told
			}
		}
		c.mu.Unlock()
		if told != nil {
			told(u)
		}
	}
}

// status enters a new status and has it told. The lock is held.
func (c *Cluster) status(r *run, s Status) {
	if r.Now().State.Terminal() {
		return
	}
	s.At = time.Now().UTC()
	r.Statuses = append(r.Statuses, s)
	if s.State.Terminal() {
		close(r.ended)
		c.forgetOld()
	}
	if err := keep.Save(filepath.Join(r.dir, taskFile), r.Task); err != nil {
		c.opts.Log("%v", err)
	}
	c.queue = append(c.queue, Update{Task: r.Task, Status: s})
	select {
	case c.wake <- struct{}{}:
	default: // it is awake
	}
}

// used is what the tasks of an agent hold. The lock is held.
func (c *Cluster) used(agent string) Resources {
	var sum Resources
	for _, r := range c.tasks {
		if r.Agent == agent && !r.Now().State.Terminal() {
			sum = sum.plus(r.Resources)
		}
	}
	return sum
}

// Agents gives all agents but those that are gone.
func (c *Cluster) Agents() []AgentState {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []AgentState
	for _, id := range c.order {
		if a := c.agents[id]; !a.gone {
			out = append(out, c.state(a))
		}
	}
	return out
}

func (c *Cluster) state(a *agent) AgentState {
	s := AgentState{
		Agent: a.Agent, Used: c.used(a.ID), Registered: a.registered, Deactivated: a.deactivated, Gone: a.gone, Drain: a.drain,
	}
	for _, m := range c.down {
		s.Down = s.Down || m.is(a.Agent)
	}
	now := time.Now().UnixNano()
	for _, w := range c.schedule {
		if now >= w.Start && (w.Duration == 0 || now < w.Start+w.Duration) {
			s.Window = s.Window || slices.ContainsFunc(w.Machines, func(m Machine) bool { return m.is(a.Agent) })
		}
	}
	return s
}

// Tasks gives all tasks that are known, the oldest first; those that ended are among them.
func (c *Cluster) Tasks() []Task {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]Task, 0, len(c.tasks))
	for _, r := range c.tasks {
		out = append(out, r.copy())
	}
	sort.Slice(out, func(i, j int) bool {
		a, b := out[i].Statuses[0].At, out[j].Statuses[0].At
		if a.Equal(b) {
			return out[i].ID < out[j].ID
		}
		return a.Before(b)
	})
	return out
}

func (r *run) copy() Task {
	t := r.Task
	t.Statuses = slices.Clone(t.Statuses)
	return t
}

// Frameworks gives who has registered.
func (c *Cluster) Frameworks() []Framework {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := make([]Framework, len(c.frameworks))
	for i, f := range c.frameworks {
		out[i] = *f
	}
	return out
}

// Identity is the master's ID, its cluster's name and when it started.
func (c *Cluster) Identity() (id, name string, started time.Time) {
	return c.id, c.opts.Name, c.started
}

func (c *Cluster) save() error {
	k := kept{ID: c.id, Agents: map[string]keptAgent{}, Schedule: c.schedule, Down: c.down}
	for id, a := range c.agents {
		k.Agents[id] = keptAgent{Registered: a.registered, Deactivated: a.deactivated, Gone: a.gone, Drain: a.drain}
	}
	return keep.Save(filepath.Join(c.dir, "master.json"), k)
}

// UUID gives a random one.
func UUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
