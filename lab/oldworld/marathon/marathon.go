package marathon

import (
	"context"
	"encoding/json"
	"path/filepath"
	"slices"
	"sort"
	"sync"
	"time"

	"github.com/tranship/tranship/lab/oldworld/definition"
	"github.com/tranship/tranship/lab/oldworld/keep"
	"github.com/tranship/tranship/lab/oldworld/mesos"
)

// Options are the parts that have defaults.
type Options struct {
	Address string // host:port that it tells of itself
	// Faults says how the old world is to be ill now; nil is never.
	Faults func() Faults
	Log    func(format string, args ...any)
}

// Faults are the ills that concern Marathon.
type Faults struct {
	NoRestart bool          // a task that failed is not started again
	Slow      time.Duration // every start waits for this long
}

// Group is what is known of a group beside its apps.
type Group struct {
	ID           string   `json:"id"`
	Dependencies []string `json:"dependencies,omitempty"`
	EnforceRole  *bool    `json:"enforceRole,omitempty"`
	Version      string   `json:"version"`
}

// Marathon is the scheduler. All methods may be called from anywhere.
type Marathon struct {
	cluster *mesos.Cluster
	frame   *mesos.Framework
	file    string
	opts    Options
	events  hub
	wake    chan struct{}

	mu        sync.Mutex
	s         state
	dirty     bool
	changed   map[chan struct{}]bool // who wants to know that routes have changed
	checkers  map[string]context.CancelFunc
	health    map[string]map[int]*Health // by instance and index of the check
	ready     map[string]map[string]Readiness
	began     map[string]*progress // of the current step's restarts, by deployment and app
	declined  map[string]*Declined
	ctx       context.Context // of Run; what begins in it ends with it
	going     sync.WaitGroup
	lastStamp time.Time
}

// state is what is on disk.
type state struct {
	Version     string                       `json:"version"`
	Apps        map[string]*definition.App   `json:"apps"`
	Groups      map[string]*Group            `json:"groups"`
	Versions    map[string][]*definition.App `json:"versions"`
	Instances   map[string]*Instance         `json:"instances"`
	Reserved    map[string][]Reserved        `json:"reserved"`
	Deployments []*Deployment                `json:"deployments"`
	Delays      map[string]*Delay            `json:"delays"`
	Failures    map[string]*TaskFailure      `json:"failures"`
	GroupLog    []snapshot                   `json:"groupLog"`
}

// snapshot is the tree at a version, for /versions and for going back to one.
type snapshot struct {
	Version string                     `json:"version"`
	Apps    map[string]*definition.App `json:"apps"`
	Groups  map[string]*Group          `json:"groups"`
}

// TaskFailure is an app's last one.
type TaskFailure struct {
	AppID     string `json:"appId"`
	Host      string `json:"host"`
	Message   string `json:"message"`
	State     string `json:"state"`
	TaskID    string `json:"taskId"`
	Timestamp string `json:"timestamp"`
	Version   string `json:"version"`
	SlaveID   string `json:"slaveId,omitempty"`
}

// keptVersions is how many versions of an app or of the tree are remembered.
const keptVersions = 25

// pass is how often the loop looks when nothing wakes it.
const pass = 100 * time.Millisecond

// New reads what an earlier life left in the folder, and registers with the cluster. It starts nothing.
func New(dir string, cluster *mesos.Cluster, opts Options) (*Marathon, error) {
	if opts.Faults == nil {
		opts.Faults = func() Faults { return Faults{} }
	}
	if opts.Log == nil {
		opts.Log = func(string, ...any) {}
	}
	m := &Marathon{
		cluster: cluster, file: filepath.Join(dir, "marathon.json"), opts: opts, wake: make(chan struct{}, 1),
		changed: map[chan struct{}]bool{}, checkers: map[string]context.CancelFunc{}, health: map[string]map[int]*Health{},
		ready: map[string]map[string]Readiness{}, began: map[string]*progress{}, declined: map[string]*Declined{},
	}
	if _, err := keep.Load(m.file, &m.s); err != nil {
		return nil, err
	}
	m.s.fill()
	if m.s.Version == "" {
		m.s.Version = Stamp(time.Now())
	}
	for _, i := range m.s.Instances {
		if i.Well && i.Condition == "Running" {
			// What was well is taken for well until the next check, so that nobody stops sending requests there.
			m.health[i.ID] = map[int]*Health{}
			for n := range i.Spec.HealthChecks {
				m.health[i.ID][n] = &Health{Alive: true, FirstSuccess: Stamp(i.StartedAt), LastSuccess: Stamp(i.StartedAt), InstanceID: i.ID}
			}
		}
	}
	m.frame = cluster.Register("marathon", hostOf(opts.Address), "http://"+opts.Address, m.update)
	return m, nil
}

func (s *state) fill() {
	if s.Apps == nil {
		s.Apps = map[string]*definition.App{}
	}
	if s.Groups == nil {
		s.Groups = map[string]*Group{}
	}
	if s.Versions == nil {
		s.Versions = map[string][]*definition.App{}
	}
	if s.Instances == nil {
		s.Instances = map[string]*Instance{}
	}
	if s.Reserved == nil {
		s.Reserved = map[string][]Reserved{}
	}
	if s.Delays == nil {
		s.Delays = map[string]*Delay{}
	}
	if s.Failures == nil {
		s.Failures = map[string]*TaskFailure{}
	}
}

func hostOf(address string) string {
	for i := len(address) - 1; i > 0; i-- {
		if address[i] == ':' {
			return address[:i]
		}
	}
	return address
}

// Run acts until ctx ends, and returns when what it began has ended. Tasks go on: to end them is the cluster's part.
func (m *Marathon) Run(ctx context.Context) error {
	m.mu.Lock()
	m.ctx = ctx
	m.reconcile()
	m.mu.Unlock()
	tick := time.NewTicker(pass)
	defer tick.Stop()
	for {
		m.mu.Lock()
		m.act()
		err := m.flush()
		m.mu.Unlock()
		if err != nil {
			m.opts.Log("%v", err)
		}
		select {
		case <-ctx.Done():
			m.going.Wait()
			m.mu.Lock()
			defer m.mu.Unlock()
			return m.flush()
		case <-tick.C:
		case <-m.wake:
		}
	}
}

// flush writes the state if it has changed. The lock is held.
func (m *Marathon) flush() error {
	if !m.dirty {
		return nil
	}
	m.dirty = false
	return keep.Save(m.file, m.s)
}

// touch notes that state has changed, and has the loop look. The lock is held.
func (m *Marathon) touch() {
	m.dirty = true
	select {
	case m.wake <- struct{}{}:
	default: // it is awake
	}
	for c := range m.changed {
		select {
		case c <- struct{}{}:
		default: // told already
		}
	}
}

// Changes gives a channel on which something comes whenever routes may have changed.
func (m *Marathon) Changes() <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := make(chan struct{}, 1)
	m.changed[c] = true
	return c
}

// Listen gives events of the types, or of all, until Unlisten.
func (m *Marathon) Listen(remote string, types []string) *Listener {
	l := m.events.listen(types)
	m.events.publish("event_stream_attached", map[string]any{"remoteAddress": remote})
	return l
}

// Unlisten ends Listen.
func (m *Marathon) Unlisten(l *Listener, remote string) {
	m.events.drop(l)
	m.events.publish("event_stream_detached", map[string]any{"remoteAddress": remote})
}

// Posted tells by an event that an app was changed over the API.
func (m *Marathon) Posted(client, uri, app string) {
	m.mu.Lock()
	a := m.s.Apps[app]
	m.mu.Unlock()
	if a != nil {
		m.events.publish("api_post_event", map[string]any{"clientIp": client, "uri": uri, "appDefinition": a})
	}
}

// stamp gives a time that none before had: versions are told apart by it. The lock is held.
func (m *Marathon) stamp() string {
	now := time.Now().UTC().Truncate(time.Millisecond)
	if !now.After(m.lastStamp) {
		now = m.lastStamp.Add(time.Millisecond)
	}
	m.lastStamp = now
	return Stamp(now)
}

// instances gives an app's instances, the oldest first. The lock is held.
func (m *Marathon) instances(app string) []*Instance {
	var out []*Instance
	for _, i := range m.s.Instances {
		if i.App == app {
			out = append(out, i)
		}
	}
	sort.Slice(out, func(a, b int) bool {
		if out[a].Since.Equal(out[b].Since) {
			return out[a].ID < out[b].ID
		}
		return out[a].Since.Before(out[b].Since)
	})
	return out
}

// reconcile compares what is on disk with what runs, after a restart. The lock is held.
func (m *Marathon) reconcile() {
	known := map[string]*Instance{}
	for _, i := range m.s.Instances {
		if i.TaskID != "" {
			known[i.TaskID] = i
		}
	}
	for _, t := range m.cluster.Tasks() {
		if t.Framework != m.frame.ID || t.Now().State.Terminal() {
			continue
		}
		i := known[t.ID]
		if i == nil {
			m.opts.Log("task %s is nobody's: it is ended", t.ID)
			_ = m.cluster.Kill(t.ID) // it may have ended meanwhile
			continue
		}
		delete(known, t.ID)
		i.Condition = condition(t.Now().State)
		if i.Goal != goalRunning {
			m.end(i)
		} else if t.Now().State == mesos.Running {
			m.watch(i)
		}
	}
	for _, i := range known { // their tasks ended while nobody listened
		m.over(i, mesos.Task{}, mesos.Status{State: mesos.Killed, Message: "ended while Marathon was not there", At: time.Now()}, false)
	}
	m.touch()
}

// Info is what /v2/info tells.
func (m *Marathon) Info() (framework, address string) { return m.frame.ID, m.opts.Address }

// raw makes JSON of plain values.
func raw(v any) json.RawMessage {
	text, _ := json.Marshal(v) // plain values only
	return text
}

func keepLast[T any](list []T) []T {
	return slices.Clone(list[max(0, len(list)-keptVersions):])
}
