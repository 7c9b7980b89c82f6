package fake

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/rollout/runner"
)

// Cluster stands in for the target.
type Cluster struct {
	faults
	now  Clock
	opts ClusterOptions

	mu      sync.Mutex
	work    map[estate.Name]*placed
	owners  map[string]estate.Name // of objects, "" for those that stay
	held    map[string]string      // objects with a field of another manager: "manager field"
	filled  map[string]bool        // Secrets that somebody has put a value into
	refused map[estate.Name]error
	ails    map[estate.Name]Ailment
	lost    map[estate.Name]loss
}

// ClusterOptions say how a cluster behaves. With the zero value copies are
// ready at once.
type ClusterOptions struct {
	// Start is how long a copy takes to be ready, Stop how long it takes to end.
	Start, Stop time.Duration
	// Nodes is how many copies a DaemonSet has, one by default.
	Nodes int
	// Copies says how many copies a workload has whose objects do not say it, one
	// by default.
	Copies func(estate.Name) int
}

// An Ailment is what is wrong with a workload's copies.
type Ailment struct {
	// Why they are not ready, and whether waiting is of no use.
	Why    string
	Doomed bool
	// Every, if set, is how often each copy falls over and starts anew; OOM has
	// the kernel be the cause.
	Every time.Duration
	OOM   bool
}

// placed is one workload that was applied.
type placed struct {
	version string
	job     bool
	wanted  int
	// ready copies at since; the others get ready Start after it.
	ready int
	since time.Time
	// stopping copies end at gone.
	stopping int
	gone     time.Time
	runs     int       // of a job
	born     time.Time // of the copies
}

type loss struct {
	copies int
	until  time.Time
}

// NewCluster makes an empty cluster.
func NewCluster(now Clock, opts ClusterOptions) *Cluster {
	if opts.Nodes == 0 {
		opts.Nodes = 1
	}
	if opts.Copies == nil {
		opts.Copies = func(estate.Name) int { return 1 }
	}
	return &Cluster{
		now: now, opts: opts, work: map[estate.Name]*placed{}, owners: map[string]estate.Name{}, held: map[string]string{}, filled: map[string]bool{},
		refused: map[estate.Name]error{}, ails: map[estate.Name]Ailment{}, lost: map[estate.Name]loss{},
	}
}

// Apply implements runner.Cluster.
func (c *Cluster) Apply(ctx context.Context, w estate.Name, objects [][]byte, n int) error {
	now := c.now()
	torn, err := c.begin(ctx, now, "apply "+string(w))
	if err != nil {
		return err
	}
	list, err := readObjects(objects)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.refused[w]; err != nil {
		return fmt.Errorf("apply %s: %w: %w", w, runner.ErrRefused, err)
	}
	for i := range list {
		if by := c.held[list[i].key()]; by != "" {
			return fmt.Errorf("apply %s: %w: %s: %s", w, runner.ErrRefused, list[i].key(), by)
		}
	}
	wanted, job := wantedCopies(list, c.opts.Nodes, c.opts.Copies(w))
	list = slices.DeleteFunc(list, func(o object) bool { return o.starts(n, c.owners) })
	c.keep(w, list)
	switch {
	case n == 0:
		wanted = 0
	case n > 0 && !job:
		wanted = n
	}
	sum := sha256.New()
	for _, text := range objects {
		sum.Write(text)
	}
	version := hex.EncodeToString(sum.Sum(nil)[:8])
	p := c.work[w]
	if p == nil {
		p = &placed{born: now}
		c.work[w] = p
	}
	if p.version != version {
		p.born = now
	}
	p.version, p.job = version, job
	c.scale(p, wanted, now)
	return torn
}

// keep notes whose objects there are, and forgets those that are not any more.
func (c *Cluster) keep(w estate.Name, list []object) {
	fresh := map[string]bool{}
	for i := range list {
		o := &list[i]
		fresh[o.key()] = true
		c.owners[o.key()] = w
		if o.stays() || c.filled[o.key()] {
			c.owners[o.key()] = ""
		}
	}
	for k, owner := range c.owners {
		if owner == w && !fresh[k] {
			delete(c.owners, k)
		}
	}
}

// scale has another number of copies wanted.
func (c *Cluster) scale(p *placed, wanted int, now time.Time) {
	if wanted == p.wanted {
		return
	}
	ready := min(c.ready(p, now), wanted)
	if wanted < p.wanted {
		p.stopping, p.gone = c.stopping(p, now)+p.wanted-wanted, now.Add(c.opts.Stop)
	}
	p.ready, p.since, p.wanted = ready, now, wanted
	if p.job && wanted == 0 {
		p.runs = 0
	}
}

func (c *Cluster) ready(p *placed, now time.Time) int {
	if now.Sub(p.since) >= c.opts.Start {
		return p.wanted
	}
	return p.ready
}

func (c *Cluster) stopping(p *placed, now time.Time) int {
	if now.Before(p.gone) {
		return p.stopping
	}
	return 0
}

// Remove implements runner.Cluster.
func (c *Cluster) Remove(ctx context.Context, w estate.Name) error {
	torn, err := c.begin(ctx, c.now(), "remove "+string(w))
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.work, w)
	c.keep(w, nil)
	return torn
}

// Observe implements runner.Cluster.
func (c *Cluster) Observe(ctx context.Context, w estate.Name) (rollout.Copies, error) {
	now := c.now()
	torn, err := c.begin(ctx, now, "observe "+string(w))
	if err != nil || torn != nil {
		return rollout.Copies{}, cmp.Or(err, torn)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	p := c.work[w]
	if p == nil {
		return rollout.Copies{Absent: true}, nil
	}
	out := rollout.Copies{Version: p.version, Wanted: p.wanted, Running: p.wanted + c.stopping(p, now), Ready: c.ready(p, now)}
	if p.job {
		out.Running, out.Ready = p.runs, p.wanted
		return out, nil
	}
	if l, ok := c.lost[w]; ok && now.Before(l.until) {
		out.Ready, out.Running = max(out.Ready-l.copies, 0), max(out.Running-l.copies, 0)
	}
	c.ail(w, p, now, &out)
	return out, nil
}

func (c *Cluster) ail(w estate.Name, p *placed, now time.Time, out *rollout.Copies) {
	a, ill := c.ails[w]
	if !ill || p.wanted == 0 {
		return
	}
	out.Ready, out.Failing, out.Doomed = 0, a.Why, a.Doomed
	if a.Every > 0 {
		out.Restarts = p.wanted * int(now.Sub(p.born)/a.Every)
		if a.OOM {
			out.OOMKills = out.Restarts
		}
	}
	if a.Doomed {
		out.Running = 0
	}
}

// Ail makes a workload's copies ill; Heal makes them well.
func (c *Cluster) Ail(w estate.Name, a Ailment) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ails[w] = a
}

// Heal undoes Ail: the copies start as new ones do.
func (c *Cluster) Heal(w estate.Name) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.ails, w)
	if p := c.work[w]; p != nil {
		p.ready, p.since, p.born = 0, c.now(), c.now()
	}
}

// Lose takes n copies away until another time, as when a node is lost.
func (c *Cluster) Lose(w estate.Name, n int, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lost[w] = loss{n, until}
}

// Refuse has every Apply of a workload refused, for a reason such as a quota;
// nil lets it pass again.
func (c *Cluster) Refuse(w estate.Name, why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.refused[w] = why
}

// Grab gives a field of an object to another manager; an empty manager lets go.
func (c *Cluster) Grab(kind, namespace, name, manager, field string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := objectKey(kind, namespace, name)
	if manager == "" {
		delete(c.held, k)
		return
	}
	c.held[k] = fmt.Sprintf("conflict with %q over %s", manager, field)
}

// Fill has somebody put a value into a Secret, which stays from then on.
func (c *Cluster) Fill(namespace, name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := objectKey("Secret", namespace, name)
	c.filled[k], c.owners[k] = true, ""
}

// Runs has n runs of a job be active.
func (c *Cluster) Runs(w estate.Name, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p := c.work[w]; p != nil {
		p.runs = n
	}
}

// Has reports whether there is such an object.
func (c *Cluster) Has(kind, namespace, name string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, ok := c.owners[objectKey(kind, namespace, name)]
	return ok
}

// Workloads counts those that were applied and not removed.
func (c *Cluster) Workloads() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.work)
}
