package fake

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/tranship/tranship/internal/base/hist"
	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/rollout/runner"
)

// Sides of a route.
const (
	SourceSide = "source"
	TargetSide = "target"
)

// Serving is how one side of a route answers.
type Serving struct {
	// Errors is the part of requests that fail, 0 to 1.
	Errors float64
	// Latency that one request in two keeps below, 20 ms if zero; one in a hundred
	// takes four times as long.
	Latency time.Duration
}

// TrafficOptions say how the front door is at the start. The zero value is one
// that knows every backend, each with three source servers and 50 requests a second.
type TrafficOptions struct {
	Servers int     // of each route's source
	Rate    float64 // requests a second through each route
	// Backends that there are; nil is any.
	Backends []string
	// Up tells how many of a side's servers answer: of use to tie the front door
	// to a cluster that is also played. Nil is all that SetUp left.
	Up func(r rollout.Route, side string, servers int) int
	// NoLatency leaves latencies out, as a front door that cannot tell them.
	NoLatency bool
}

// Traffic is a front door that is played: requests arrive at an even rate and
// are shared out by weight among the sides that are up.
type Traffic struct {
	mu     sync.Mutex
	now    Clock
	o      TrafficOptions
	routes map[string]*way
	faults
}

type way struct {
	route     rollout.Route
	rate      float64
	weight    int // of the target, in percent
	addresses []string
	source    lane
	target    lane
	lasting   int // connections that stay where they are until they are cut
	at        time.Time
}

type lane struct {
	servers  int
	down     int
	serving  Serving
	requests float64
	errors   float64
	held     int // of the lasting connections
	counted  int64
	latency  hist.Hist
}

// NewTraffic gives a front door without any target.
func NewTraffic(now Clock, o TrafficOptions) *Traffic {
	if o.Servers == 0 {
		o.Servers = 3
	}
	if o.Rate == 0 {
		o.Rate = 50
	}
	return &Traffic{now: now, o: o, routes: map[string]*way{}}
}

// Connect is as runner.Traffic says.
func (t *Traffic) Connect(ctx context.Context, r rollout.Route, addresses []string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	w, err := t.enter(ctx, r)
	if errors.Is(err, runner.ErrAbsent) && len(addresses) == 0 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("connect backend %s: %w", r.Backend, err)
	}
	for _, a := range addresses {
		if _, err := netip.ParseAddrPort(a); err != nil {
			return fmt.Errorf("connect backend %s: %q is no address with a port: %w", r.Backend, a, runner.ErrRefused)
		}
	}
	kept := slices.DeleteFunc(slices.Clone(w.addresses), func(a string) bool { return !slices.Contains(addresses, a) })
	if len(kept) == 0 {
		w.weight = 0 // whoever is new has no share
	}
	w.addresses = slices.Clone(addresses)
	w.target.servers = len(addresses)
	w.target.down = min(w.target.down, len(addresses))
	if len(addresses) == 0 {
		w.target.held, w.source.held = 0, w.lasting
	}
	return nil
}

// Shift is as runner.Traffic says. A side with no server up is refused a share
// that it does not have already.
func (t *Traffic) Shift(ctx context.Context, r rollout.Route, percent int) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	w, err := t.enter(ctx, r)
	if err != nil {
		return fmt.Errorf("shift backend %s: %w", r.Backend, err)
	}
	switch {
	case percent < 0 || percent > 100:
		return fmt.Errorf("shift backend %s to %d percent: %w", r.Backend, percent, runner.ErrRefused)
	case percent > w.weight && t.up(w, TargetSide) == 0:
		return fmt.Errorf("shift backend %s to %d percent: no target server is up: %w", r.Backend, percent, runner.ErrRefused)
	case percent < w.weight && t.up(w, SourceSide) == 0:
		return fmt.Errorf("shift backend %s to %d percent: no source server is up: %w", r.Backend, percent, runner.ErrRefused)
	}
	w.weight = percent
	return nil
}

// Observe is as runner.Traffic says.
func (t *Traffic) Observe(ctx context.Context, r rollout.Route) (rollout.Flow, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	w, err := t.enter(ctx, r)
	if err != nil {
		return rollout.Flow{}, fmt.Errorf("observe backend %s: %w", r.Backend, err)
	}
	f := rollout.Flow{At: w.at, Source: t.side(w, SourceSide), Target: t.side(w, TargetSide)}
	f.Source.Weight, f.Target.Weight = 100-w.weight, w.weight
	return f, nil
}

// Cut is as runner.Cutter says.
func (t *Traffic) Cut(ctx context.Context, r rollout.Route, side string) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	w, err := t.enter(ctx, r)
	if err != nil {
		return fmt.Errorf("cut backend %s: %w", r.Backend, err)
	}
	if side != SourceSide && side != TargetSide {
		return fmt.Errorf("cut side %q of backend %s: %w", side, r.Backend, runner.ErrRefused)
	}
	cut := w.lane(side)
	open := cut.held
	cut.held = 0
	// Clients come again at once, to whichever side has the greater share.
	w.lane(t.serving(w)).held += open
	return nil
}

// enter brings the route up to the present, or gives the fault that is due.
func (t *Traffic) enter(ctx context.Context, r rollout.Route) (*way, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := t.due(t.now()); err != nil {
		return nil, err
	}
	if t.o.Backends != nil && !slices.Contains(t.o.Backends, r.Backend) {
		return nil, fmt.Errorf("no such backend: %w", runner.ErrAbsent)
	}
	w := t.way(r.Backend)
	w.route = r
	return w, nil
}

// way gives a route, with all that went through it until now.
func (t *Traffic) way(backend string) *way {
	w := t.routes[backend]
	if w == nil {
		w = &way{route: rollout.Route{Backend: backend}, rate: t.o.Rate, source: lane{servers: t.o.Servers}, at: t.now()}
		t.routes[backend] = w
	}
	now := t.now()
	n := w.rate * max(now.Sub(w.at), 0).Seconds()
	w.at = now
	share := float64(w.weight) / 100
	switch source, target := t.up(w, SourceSide), t.up(w, TargetSide); {
	case source == 0 && target == 0, w.weight == 100 && target == 0, w.weight == 0 && source == 0:
		w.lane(t.serving(w)).take(n, Serving{Errors: 1}, !t.o.NoLatency)
		return w
	case target == 0:
		share = 0
	case source == 0:
		share = 1
	}
	w.target.take(n*share, w.target.serving, !t.o.NoLatency)
	w.source.take(n*(1-share), w.source.serving, !t.o.NoLatency)
	return w
}

// take counts n requests as they are answered.
func (l *lane) take(n float64, s Serving, timed bool) {
	l.requests += n
	l.errors += n * s.Errors
	whole := int64(l.requests) - l.counted
	if whole <= 0 {
		return
	}
	if s.Latency == 0 {
		s.Latency = 20 * time.Millisecond
	}
	l.counted += whole
	if timed {
		// Spread evenly from half to one and a half of the middle, one in a hundred at
		// four times, by the running number of the request.
		for i := range int64(100) {
			d := s.Latency/2 + s.Latency*time.Duration(i)/100
			if i == 99 {
				d = 4 * s.Latency
			}
			if k := below(l.counted, i) - below(l.counted-whole, i); k > 0 {
				l.latency.AddN(d, k)
			}
		}
	}
}

// below counts the requests of the first n whose place in their hundred is i. The
// places are taken in steps of 37, so that fast and slow ones mix.
func below(n, i int64) int64 {
	place := i * 73 % 100 // 37·73 is 1 modulo 100
	return (n + 99 - place) / 100
}

func (t *Traffic) up(w *way, side string) int {
	l := w.lane(side)
	n := max(l.servers-l.down, 0)
	if t.o.Up != nil {
		n = min(n, t.o.Up(w.route, side, l.servers))
	}
	return max(n, 0)
}

func (t *Traffic) side(w *way, side string) rollout.Side {
	l := w.lane(side)
	out := rollout.Side{
		Servers: l.servers, Up: t.up(w, side), Sessions: l.held,
		Requests: int64(l.requests), Errors: int64(l.errors + 1e-9),
	}
	if !t.o.NoLatency {
		h := l.latency
		out.Latency = &h
	}
	return out
}

// serving is the side that has the greater share.
func (t *Traffic) serving(w *way) string {
	if w.weight > 50 {
		return TargetSide
	}
	return SourceSide
}

func (w *way) lane(side string) *lane {
	if side == TargetSide {
		return &w.target
	}
	return &w.source
}
