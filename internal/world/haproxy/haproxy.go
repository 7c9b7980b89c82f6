// Package haproxy shifts traffic by the weights of servers in a running
// HAProxy, and keeps them in its configuration file. It takes routes, addresses
// and percentages and gives what went through each side; docs/frontdoor.md
// says what the configuration has to have. It never ends a request to take a
// server away, and changes nothing of the file but its own block and the
// weights beside it.
package haproxy

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"time"

	"github.com/tranship/tranship/internal/base/hist"
	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/rollout/runner"
)

// Options of which the zero value works.
type Options struct {
	// Ring is the ring that the log goes to, "tranship" by default.
	Ring string
	// Server is what each of the target's servers is given beside its weight,
	// "check inter 1s fall 2 rise 1" by default.
	Server string
	// Program judges a configuration before it is written ("haproxy"); none if empty.
	Program string
	// Settle is how long a check may take to find a server up before a shift to its
	// side is refused, 3 s by default; Drain how long one call waits for the
	// requests of a server that is taken away, 20 s; Cut after how long, over all
	// calls, those that are left are ended, 1 minute.
	Settle, Drain, Cut time.Duration
}

// Traffic is the front door. One process moves at a time, so nobody else writes
// the blocks.
type Traffic struct {
	socket socket
	config string
	now    func() time.Time
	o      Options
	// turn is held by whoever acts: several routes share a file.
	turn   chan struct{}
	waits  map[string]wait // by server
	counts map[string]*counters
	times  latencies
}

// New gives the front door behind a stats socket (a path or host:port) that is
// configured by a file. It asks nothing yet.
func New(stats, config string, now func() time.Time, o Options) *Traffic {
	if o.Ring == "" {
		o.Ring = "tranship"
	}
	if o.Server == "" {
		o.Server = "check inter 1s fall 2 rise 1"
	}
	if o.Settle == 0 {
		o.Settle = 3 * time.Second
	}
	if o.Drain == 0 {
		o.Drain = 20 * time.Second
	}
	if o.Cut == 0 {
		o.Cut = time.Minute
	}
	return &Traffic{
		socket: socketOf(stats), config: config, now: now, o: o, turn: make(chan struct{}, 1), waits: map[string]wait{},
		counts: map[string]*counters{}, times: latencies{backends: map[string]*[2]hist.Hist{}},
	}
}

var nameable = regexp.MustCompile(`^[A-Za-z0-9_.:-]+$`)

// enter waits for the turn.
func (t *Traffic) enter(ctx context.Context, r rollout.Route) error {
	if !nameable.MatchString(r.Backend) {
		return fmt.Errorf("%q is no name of a backend: %w", r.Backend, runner.ErrRefused)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	select {
	case t.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (t *Traffic) leave() { <-t.turn }

// Connect is as runner.Traffic says.
func (t *Traffic) Connect(ctx context.Context, r rollout.Route, addresses []string) error {
	for left := t.o.Drain; ; left -= drainEvery {
		err := t.connect(ctx, r, addresses)
		if _, busy := errors.AsType[busyError](err); busy && left > 0 {
			// Others have their turn meanwhile: traffic may have to go home.
			if err = pause(ctx, drainEvery); err == nil {
				continue
			}
		}
		if err != nil {
			return fmt.Errorf("connect backend %s: %w", r.Backend, err)
		}
		return nil
	}
}

func (t *Traffic) connect(ctx context.Context, r rollout.Route, addresses []string) error {
	for _, a := range addresses {
		if _, err := netip.ParseAddrPort(a); err != nil {
			return fmt.Errorf("%q is no address with a port: %w", a, runner.ErrRefused)
		}
	}
	if err := t.enter(ctx, r); err != nil {
		return err
	}
	defer t.leave()
	st, err := t.look(ctx, r.Backend)
	if errors.Is(err, runner.ErrAbsent) && len(addresses) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	f, err := t.open(r.Backend)
	if errors.Is(err, runner.ErrRefused) && len(addresses) == 0 && !st.ours() {
		return nil // no marks, and nothing of ours
	}
	if err != nil {
		return err
	}
	want := f.block
	want.servers = named(f.block.servers, addresses)
	if !slices.ContainsFunc(want.servers, func(v target) bool { return v.weight > 0 }) {
		want.percent = 0 // whoever is left is new
	}
	// The file first: what it has survives us, and servers without weight hurt nobody.
	weights := f.weights(st, want)
	if err := t.save(ctx, f, want, weights, t.options(st)); err != nil {
		return err
	}
	return t.settle(ctx, r.Backend, want, weights)
}

// named gives each address a server: the one that it has, or a new one.
func named(have []target, addresses []string) []target {
	var out []target
	taken := map[string]bool{}
	for _, a := range addresses {
		if i := slices.IndexFunc(have, func(v target) bool { return v.address == a }); i >= 0 && !taken[have[i].name] {
			out = append(out, have[i])
			taken[have[i].name] = true
		}
	}
	for _, a := range addresses {
		if slices.ContainsFunc(out, func(v target) bool { return v.address == a }) {
			continue
		}
		name := ""
		for n := 1; name == "" || taken[name] || slices.ContainsFunc(have, func(v target) bool { return v.name == name }); n++ {
			name = fmt.Sprintf("tranship-%d", n)
		}
		taken[name] = true
		out = append(out, target{name: name, address: a})
	}
	return out
}

// Shift is as runner.Traffic says.
func (t *Traffic) Shift(ctx context.Context, r rollout.Route, percent int) error {
	if err := t.shift(ctx, r, percent); err != nil {
		return fmt.Errorf("shift backend %s to %d percent: %w", r.Backend, percent, err)
	}
	return nil
}

func (t *Traffic) shift(ctx context.Context, r rollout.Route, percent int) error {
	if percent < 0 || percent > 100 {
		return fmt.Errorf("there is no such share: %w", runner.ErrRefused)
	}
	if err := t.enter(ctx, r); err != nil {
		return err
	}
	defer t.leave()
	st, err := t.able(ctx, r.Backend, percent)
	if err != nil {
		return err
	}
	f, err := t.open(r.Backend)
	if errors.Is(err, runner.ErrRefused) && percent == 0 && !st.ours() {
		return nil
	}
	if err != nil {
		return err
	}
	want := f.block
	want.servers, want.percent = slices.Clone(f.block.servers), percent
	if f.block.percent == 0 && percent > 0 {
		want.before = f.section.written(initials(st))
	}
	weights := f.weights(st, want)
	if percent == 0 {
		// Home first: nothing that may happen to the file shall keep traffic away.
		if err := t.weigh(ctx, r.Backend, st, weights); err != nil {
			return err
		}
		if err := t.save(ctx, f, want, weights, t.options(st)); err != nil {
			return err
		}
		return done(t.settle(ctx, r.Backend, want, weights))
	}
	if err := t.save(ctx, f, want, weights, t.options(st)); err != nil {
		return err
	}
	return done(t.settle(ctx, r.Backend, want, weights))
}

// done has a server that cannot be taken away yet be no matter: whoever takes it
// away comes again.
func done(err error) error {
	if _, busy := errors.AsType[busyError](err); busy {
		return nil
	}
	return err
}

// able waits until the side that is to get more has a server up, for as long as
// checks take to find one, and gives the state then.
func (t *Traffic) able(ctx context.Context, backend string, percent int) (*state, error) {
	for left := t.o.Settle; ; left -= pollEvery {
		st, err := t.look(ctx, backend)
		if err != nil {
			return nil, err
		}
		source, target := st.sides()
		_, _, now := share(st)
		ups := func(servers []server) bool { return slices.ContainsFunc(servers, func(v server) bool { return v.up }) }
		var lack string
		switch {
		case percent > now && !ups(target):
			lack = fmt.Sprintf("none of the target's %d servers is up", len(target))
		case percent < now && !ups(source):
			lack = fmt.Sprintf("none of the source's %d servers is up", len(source))
		default:
			return st, nil
		}
		if left <= 0 || percent > now && len(target) == 0 {
			return nil, fmt.Errorf("%s: %w", lack, runner.ErrRefused)
		}
		if err := pause(ctx, pollEvery); err != nil {
			return nil, err
		}
	}
}

// Observe is as runner.Traffic says. After a reload it sets right what the file
// says and the running servers do not.
func (t *Traffic) Observe(ctx context.Context, r rollout.Route) (rollout.Flow, error) {
	f, err := t.observe(ctx, r)
	if err != nil {
		return f, fmt.Errorf("observe backend %s: %w", r.Backend, err)
	}
	return f, nil
}

func (t *Traffic) observe(ctx context.Context, r rollout.Route) (rollout.Flow, error) {
	if err := t.enter(ctx, r); err != nil {
		return rollout.Flow{}, err
	}
	defer t.leave()
	st, err := t.look(ctx, r.Backend)
	if err != nil {
		return rollout.Flow{}, err
	}
	c := t.counts[r.Backend]
	if c.settled != st.pid {
		if st, err = t.restore(ctx, r.Backend, st); err != nil {
			return rollout.Flow{}, err
		}
		c.settled = st.pid
	}
	source, target := st.sides()
	_, _, percent := share(st)
	out := rollout.Flow{At: t.now(), Source: side(source, c.source), Target: side(target, c.target)}
	out.Source.Weight, out.Target.Weight = 100-percent, percent
	if !st.tcp {
		out.Source.Latency, out.Target.Latency = t.times.of(r.Backend)
	}
	return out, nil
}

// look asks for a backend's state, and counts what went through it since the
// last look.
func (t *Traffic) look(ctx context.Context, backend string) (*state, error) {
	st, err := t.socket.look(ctx, backend)
	if err != nil {
		return nil, err
	}
	c := t.counts[backend]
	if c == nil {
		c = &counters{}
		t.counts[backend] = c
	}
	c.take(st)
	t.times.drops(st)
	return st, nil
}

// restore brings the running servers to what the file says, where it has a block.
func (t *Traffic) restore(ctx context.Context, backend string, st *state) (*state, error) {
	f, err := t.open(backend)
	if errors.Is(err, runner.ErrRefused) {
		return st, nil // not ours
	}
	if err != nil {
		return nil, err
	}
	if f.agrees(st) {
		return st, nil
	}
	weights := map[string]int{}
	for _, v := range f.block.servers {
		weights[v.name] = v.weight
	}
	if f.block.percent > 0 {
		for _, w := range f.section.written(initials(st)) {
			for _, v := range st.servers {
				if !v.ours && f.section.lineOf(v.name) == w.name {
					weights[v.name] = w.weight
				}
			}
		}
	}
	if err := done(t.settle(ctx, backend, f.block, weights)); err != nil {
		return nil, err
	}
	return t.look(ctx, backend)
}

// Cut is as runner.Cutter says.
func (t *Traffic) Cut(ctx context.Context, r rollout.Route, which string) error {
	if err := t.cut(ctx, r, which); err != nil {
		return fmt.Errorf("cut the %s of backend %s: %w", which, r.Backend, err)
	}
	return nil
}

func (t *Traffic) cut(ctx context.Context, r rollout.Route, which string) error {
	if which != "source" && which != "target" {
		return fmt.Errorf("there is no such side: %w", runner.ErrRefused)
	}
	if err := t.enter(ctx, r); err != nil {
		return err
	}
	defer t.leave()
	st, err := t.look(ctx, r.Backend)
	if err != nil {
		return err
	}
	servers, target := st.sides()
	if which == "target" {
		servers = target
	}
	var commands []string
	for _, v := range servers {
		commands = append(commands, "shutdown sessions server "+r.Backend+"/"+v.name)
	}
	return t.socket.act(ctx, commands)
}

func initials(st *state) map[string]int {
	out := map[string]int{}
	for _, v := range st.servers {
		if !v.ours && !v.backup {
			out[v.name] = v.initial
		}
	}
	return out
}
