package haproxy

import "github.com/tranship/tranship/internal/rollout"

// counters only grow, although HAProxy's begin anew with each process and each
// server.
type counters struct {
	pid    int
	seen   map[string]server
	unmade int64
	// settled is the process whose servers were last held against the file.
	settled int
	source  tally
	target  tally
}

type tally struct{ requests, errors int64 }

// take adds what was counted since the last look. Where a counter went back, its
// server or the process began anew, and all of it is new.
func (c *counters) take(s *state) {
	if c.seen == nil {
		c.seen = map[string]server{}
	}
	anew := c.pid != s.pid
	if anew {
		c.unmade = 0
	}
	lost := s.unmade - c.unmade
	for _, v := range s.servers {
		t := &c.source
		if v.ours {
			t = &c.target
		}
		last := c.seen[v.name]
		if anew || v.assigned < last.assigned || v.errors < last.errors {
			last = server{}
		}
		done := v.ends
		if s.tcp {
			done, last.ends = v.assigned, last.assigned // connections last: they count as they are made
		}
		lost -= v.unmade - last.unmade
		c.seen[v.name] = v
		if v.backup {
			continue
		}
		t.requests += max(done-last.ends, 0)
		t.errors += v.errors - last.errors
	}
	for name := range c.seen {
		if s.find(name) == nil {
			delete(c.seen, name)
		}
	}
	// Requests without a server are those of the side that had the greater share.
	if lost > 0 {
		t := &c.source
		if _, _, percent := share(s); percent > 50 {
			t = &c.target
		}
		t.requests, t.errors = t.requests+lost, t.errors+lost
	}
	c.pid, c.unmade = s.pid, s.unmade
}

// share gives the weights of both sides and the target's percentage: of the
// servers that are up, or of all on a side that has none.
func share(s *state) (source, target, percent int) {
	src, tgt := s.sides()
	source, target = weighted(src), weighted(tgt)
	return source, target, percentOf(source, target)
}

func weighted(servers []server) int {
	up, all := 0, 0
	for _, v := range servers {
		all += v.weight
		if v.up {
			up += v.weight
		}
	}
	if up > 0 {
		return up
	}
	return all
}

// side gives a side of a flow, its weight and latency apart.
func side(servers []server, t tally) rollout.Side {
	out := rollout.Side{Servers: len(servers), Requests: t.requests, Errors: t.errors}
	for _, v := range servers {
		out.Sessions += v.sessions
		if v.up {
			out.Up++
		}
	}
	return out
}
