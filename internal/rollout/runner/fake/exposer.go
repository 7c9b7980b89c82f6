package fake

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/rollout/runner"
)

// Exposer stands in for the way from a front door to the target.
type Exposer struct {
	faults
	now  Clock
	opts ExposerOptions

	mu    sync.Mutex
	ports map[exposed]int
	last  int
}

// ExposerOptions say where workloads are reached.
type ExposerOptions struct {
	// Nodes are the addresses on which all are: 10.0.0.1 and 10.0.0.2 by default.
	Nodes []string
	// Cluster, if set, has to have a workload before it can be exposed.
	Cluster *Cluster
}

type exposed struct {
	workload estate.Name
	port     int
}

// NewExposer makes one that exposes nothing yet.
func NewExposer(now Clock, opts ExposerOptions) *Exposer {
	if len(opts.Nodes) == 0 {
		opts.Nodes = []string{"10.0.0.1", "10.0.0.2"}
	}
	return &Exposer{now: now, opts: opts, ports: map[exposed]int{}, last: 30999}
}

// Expose implements runner.Exposer.
func (e *Exposer) Expose(ctx context.Context, w estate.Name, port int) ([]string, error) {
	call := fmt.Sprintf("expose port %d of %s", port, w)
	torn, err := e.begin(ctx, e.now(), call)
	if err != nil {
		return nil, err
	}
	if port < 1 || port > 65535 {
		return nil, fmt.Errorf("%s: %w: it is no port", call, runner.ErrRefused)
	}
	if c := e.opts.Cluster; c != nil {
		c.mu.Lock()
		_, ok := c.work[w]
		c.mu.Unlock()
		if !ok {
			return nil, fmt.Errorf("%s: %w", call, runner.ErrAbsent)
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	k := exposed{w, port}
	if e.ports[k] == 0 {
		e.last++
		e.ports[k] = e.last
	}
	if torn != nil {
		return nil, torn
	}
	var out []string
	for _, node := range e.opts.Nodes {
		out = append(out, net.JoinHostPort(node, strconv.Itoa(e.ports[k])))
	}
	slices.Sort(out)
	return out, nil
}

// Hide implements runner.Exposer.
func (e *Exposer) Hide(ctx context.Context, w estate.Name) error {
	torn, err := e.begin(ctx, e.now(), "hide "+string(w))
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for k := range e.ports {
		if k.workload == w {
			delete(e.ports, k)
		}
	}
	return torn
}

// Exposed reports whether a workload can be reached from outside.
func (e *Exposer) Exposed(w estate.Name) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	for k := range e.ports {
		if k.workload == w {
			return true
		}
	}
	return false
}
