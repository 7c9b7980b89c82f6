package haproxy

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/tranship/tranship/internal/rollout/runner"
)

// pollEvery is how often a state that is waited for is asked for.
const (
	pollEvery  = 50 * time.Millisecond
	drainEvery = 200 * time.Millisecond
)

// errMoved: HAProxy was reloaded while it was told something.
var errMoved = errors.New("haproxy was reloaded meanwhile")

// settle brings the running servers of a backend to what is wanted. Where it
// meets a reload it begins anew, since the old process took what was said.
func (t *Traffic) settle(ctx context.Context, backend string, want block, weights map[string]int) error {
	for tries := 0; ; tries++ {
		err := t.once(ctx, backend, want, weights)
		if tries == 2 || !errors.Is(err, errMoved) {
			return err
		}
	}
}

// once adds what is missing without weight, sets weights, and takes away what is
// not wanted, in this order: at no time has a request nowhere to go. All the rest
// is done where it gives a busyError.
func (t *Traffic) once(ctx context.Context, backend string, want block, weights map[string]int) error {
	before, err := t.look(ctx, backend)
	if err != nil {
		return err
	}
	var gone []string
	for _, v := range before.servers {
		if v.ours && !slices.ContainsFunc(want.servers, func(w target) bool { return w.name == v.name && w.address == v.address }) {
			gone = append(gone, v.name)
		}
	}
	added := false
	for _, w := range want.servers {
		have := before.find(w.name)
		if have != nil && slices.Contains(gone, w.name) {
			continue // it has another address: it is added once it is gone
		}
		if err := t.add(ctx, backend, w, have, t.options(before)); err != nil {
			return err
		}
		added = added || have == nil
	}
	now, err := t.look(ctx, backend)
	if err != nil {
		return err
	}
	all := maps.Clone(weights)
	for _, name := range gone {
		all[name] = 0
	}
	if err := t.weigh(ctx, backend, now, all); err != nil {
		return err
	}
	var busy error
	for _, name := range gone {
		err := t.remove(ctx, backend, name)
		if _, is := errors.AsType[busyError](err); is {
			busy = err
			continue
		}
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(want.servers, func(w target) bool { return w.name == name }); i >= 0 {
			if err := t.add(ctx, backend, want.servers[i], nil, t.options(before)); err != nil {
				return err
			}
			added = true
		}
	}
	if added {
		if err := t.judged(ctx, backend); err != nil {
			return err
		}
	}
	after, err := t.look(ctx, backend)
	if err != nil {
		return err
	}
	if err := verify(before, after, want, weights); err != nil {
		return err
	}
	return busy
}

// verify reports whether HAProxy is as it was told to be.
func verify(before, after *state, want block, weights map[string]int) error {
	if before.pid != after.pid {
		return errMoved
	}
	for _, w := range want.servers {
		if after.find(w.name) == nil {
			return fmt.Errorf("server %s was added and is not there", w.name)
		}
	}
	for name, n := range weights {
		if v := after.find(name); v != nil && v.weight != n {
			return fmt.Errorf("server %s has weight %d, and was given %d", name, v.weight, n)
		}
	}
	return nil
}

// add makes a server that is checked and ready, without weight; of one that is
// there it makes sure that it is checked and ready.
func (t *Traffic) add(ctx context.Context, backend string, w target, have *server, options string) error {
	name := backend + "/" + w.name
	if have == nil {
		line := "add server " + name + " " + w.address + " weight 0 " + options
		if err := t.socket.act(ctx, []string{line}, "New server registered"); err != nil {
			return err
		}
	} else if !have.maintenance {
		return nil
	}
	return t.socket.act(ctx, []string{"enable health " + name, "set server " + name + " state ready"})
}

// options are what a target's server is given. Clients of a database have to come
// again at once when it goes down.
func (t *Traffic) options(st *state) string {
	if st.tcp {
		return t.o.Server + " on-marked-down shutdown-sessions"
	}
	return t.o.Server
}

// weigh sets weights, those that grow first, so that there is always somewhere
// to go to.
func (t *Traffic) weigh(ctx context.Context, backend string, st *state, weights map[string]int) error {
	var grow, shrink []string
	for _, v := range st.servers {
		n, ok := weights[v.name]
		if !ok || n == v.weight {
			continue
		}
		command := "set server " + backend + "/" + v.name + " weight " + strconv.Itoa(n)
		if n > v.weight {
			grow = append(grow, command)
		} else {
			shrink = append(shrink, command)
		}
	}
	return t.socket.act(ctx, append(grow, shrink...))
}

// deadFor is how long checks have to find a server down before its requests are
// given up.
const deadFor = 2 * time.Second

// busyError is of a server that cannot be taken away yet.
type busyError struct {
	server   string
	requests int
}

func (e busyError) Error() string {
	if e.requests == 0 {
		return fmt.Sprintf("server %s still has connections", e.server)
	}
	return fmt.Sprintf("server %s still has %d requests", e.server, e.requests)
}

// remove takes a server away if it has no request any more, and is a busyError
// otherwise. Requests are ended only where the server is down, since a host that
// is gone answers them never, or where they have had Options.Cut.
func (t *Traffic) remove(ctx context.Context, backend, name string) error {
	server := backend + "/" + name
	st, err := t.look(ctx, backend)
	if err != nil {
		return err
	}
	v := st.find(name)
	switch {
	case v == nil:
		delete(t.waits, server)
		return nil
	case v.weight != 0:
		return errMoved
	case v.sessions > 0:
		return t.await(ctx, server, v)
	}
	if err := t.socket.act(ctx, []string{"set server " + server + " state maint", "disable health " + server}); err != nil {
		return err
	}
	// Idle connections to it are closed first; until then it cannot be deleted.
	err = t.socket.act(ctx, []string{"del server " + server}, "Server deleted")
	if errors.Is(err, runner.ErrRefused) {
		return busyError{server: server}
	}
	delete(t.waits, server)
	return err
}

// wait is since when a server's requests are waited for, and since when it is down.
type wait struct{ since, down time.Time }

func (t *Traffic) await(ctx context.Context, server string, v *server) error {
	now := t.now()
	w, known := t.waits[server]
	if !known {
		w = wait{since: now}
	}
	switch {
	case v.up || !v.judged:
		w.down = time.Time{}
	case w.down.IsZero():
		w.down = now
	}
	t.waits[server] = w
	if !w.down.IsZero() && now.Sub(w.down) >= deadFor || now.Sub(w.since) >= t.o.Cut {
		if err := t.socket.act(ctx, []string{"shutdown sessions server " + server}); err != nil {
			return err
		}
	}
	return busyError{server, v.sessions}
}

// judged waits until each new server's first check has ended, or as long as that
// may take. What it found is not asked here.
func (t *Traffic) judged(ctx context.Context, backend string) error {
	for left := t.o.Settle; left > 0; left -= pollEvery {
		st, err := t.look(ctx, backend)
		if err != nil {
			return err
		}
		_, target := st.sides()
		if !slices.ContainsFunc(target, func(v server) bool { return !v.judged }) {
			return nil
		}
		if err := pause(ctx, pollEvery); err != nil {
			return err
		}
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}
