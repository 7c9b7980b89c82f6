package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/tranship/tranship/lab/load/tally"
)

// A fault is what goes wrong in the middle of a shift, and what should come of it.
type fault struct {
	name string
	unit string
	// back: the unit has to go back; else it has to go on to the end.
	back bool
	// begin makes it go wrong, and gives what mends it.
	begin func(ctx context.Context, v *voyage) (mend func() error, err error)
	// own: the target itself fails requests until the gate sees it; otherwise none may fail.
	own bool
}

// faults breaks something during the shift, each several times. One voyage serves all: a unit that went back, by a gate or
// by an order, is moved again.
func (s *stage) faults(ctx context.Context, r *report, p Pace, o options) error {
	rounds := 1
	if o.full {
		rounds = 5
	}
	r.section(fmt.Sprintf("faults during the shift, %d each", rounds))
	p.Steps = []int{50, 100}
	p.Bake, p.Soak, p.Window, p.Floor = 5*time.Second, 10*time.Second, 5*time.Minute, 500*time.Millisecond
	g, err := s.look(ctx)
	if err != nil {
		return err
	}
	s.glass = g
	defer func() { s.glass = nil; _ = g.server.Close() }()
	if err := s.reset(ctx); err != nil {
		return err
	}
	if err := s.settle(ctx, o.estate, nil); err != nil {
		return err
	}
	v, err := s.prepare(ctx, "faults", p, false)
	if err != nil {
		return err
	}
	for _, f := range s.listed() {
		if !strings.Contains(f.name, o.fault) {
			continue
		}
		if err := v.rounds(ctx, r, f, rounds); err != nil {
			return fmt.Errorf("%s: %w", f.name, err)
		}
	}
	return v.checkJournal(ctx, r)
}

// rounds has one fault happen so often under one load, and reports.
func (v *voyage) rounds(ctx context.Context, r *report, f fault, rounds int) error {
	r.section("fault: " + f.name)
	load, err := v.drive(ctx, strings.ReplaceAll(f.name, " ", "-"), 500, loadRates{write: 80, last: 100, page: 10, long: 0.1}.args()...)
	if err != nil {
		return err
	}
	defer func() { _ = load.cmd.Cancel() }()
	var sum score
	for n := range rounds {
		if err := v.round(ctx, r, load, f, n, &sum); err != nil {
			return fmt.Errorf("round %d: %w", n+1, err)
		}
	}
	stats, failures, err := load.end()
	if err != nil {
		return err
	}
	got, err := load.verify(ctx)
	if err != nil {
		return err
	}
	r.all("right verdict", sum.right, rounds)
	r.zero("acknowledged records missing or double", got.Readings.Missing+got.Readings.Duplicates)
	r.zero("requests that failed and are not the faulty target's own", int64(stats.Failed)-sum.own)
	if f.own {
		r.note("  %d requests failed at the target itself; weight x window bounds them by %d", sum.own, sum.bound)
		r.zero("requests failed beyond weight x window", max(sum.own-sum.bound, 0))
	}
	if int64(stats.Failed) > sum.own {
		for i, x := range failures {
			if i < 3 {
				r.note("failure: %s %s %s %s: %s", x.At.Format(time.TimeOnly), x.Class, x.World, x.Outcome, x.Error)
			}
		}
	}
	if f.back {
		r.most("traffic home after the failing verdict, the slowest", sum.home.Seconds(), "s", 3)
		r.note("  from fault to verdict %s at the slowest", sum.seen.Round(100*time.Millisecond))
	}
	return nil
}

// score sums the rounds of one fault.
type score struct {
	right      int
	own, bound int64
	home, seen time.Duration
}

// round shifts half of a unit's traffic, breaks something, and has the unit come home: by itself, or by an order if it
// rightly went on.
func (v *voyage) round(ctx context.Context, r *report, load *driver, f fault, n int, sum *score) error {
	m := v.begin(ctx, "--unit", f.unit, "--again")
	if err := v.reaches(ctx, f.unit, 50, m); err != nil {
		return err
	}
	time.Sleep(2 * time.Second)
	began := time.Now()
	mend, err := f.begin(ctx, v)
	if err != nil {
		return err
	}
	if !f.back {
		// It has to get past the fault to all of its traffic, and stay.
		err = v.reaches(ctx, f.unit, 100, m)
		if mendErr := mend(); err == nil {
			err = mendErr
		}
		if err == nil {
			sum.right++
		} else {
			r.note("round %d of %s: %v", n+1, f.name, err)
		}
		if _, err := v.run(ctx, v.tranship, "rollback", f.unit, "--plan", v.file("plan.json")); err != nil {
			r.note("round %d of %s: %v", n+1, f.name, err)
		}
		return m.end()
	}
	err = m.end()
	turn, turnErr := v.turned(ctx, f.unit, began)
	if err == nil {
		err = turnErr
	}
	if err == nil && f.own {
		// At most the unit's share of all requests of the time until traffic was home.
		var window tally.Stats
		window, err = load.window(ctx, began.Add(-time.Second), time.Now())
		sum.own += int64(window.Worlds["kubernetes"].Failed + window.Worlds[tally.Nobody.String()].Failed)
		if !turn.home.IsZero() {
			sum.bound += int64(window.PerSec*float64(turn.weight)/100*turn.home.Sub(began).Seconds()) + 1
		}
	}
	if mendErr := mend(); err == nil {
		err = mendErr
	}
	if err != nil {
		return err
	}
	u, err := v.unit(ctx, f.unit)
	if err != nil {
		return err
	}
	if u.State == "rolled-back" {
		sum.right++
		sum.home = max(sum.home, turn.home.Sub(turn.verdict))
		sum.seen = max(sum.seen, turn.verdict.Sub(began))
	} else {
		r.note("round %d of %s: it is %s, want rolled-back: %s", n+1, f.name, u.State, u.Why)
	}
	v.say("%s, round %d: %s, %s after the fault, %s: %s", f.name, n+1, u.State, turn.verdict.Sub(began).Round(100*time.Millisecond),
		turn.home.Sub(turn.verdict).Round(time.Millisecond), u.Why)
	return nil
}

// listed are the faults.
func (s *stage) listed() []fault {
	query := "/telemetry/query"
	return []fault{
		{name: "target pods crash again and again", unit: query, back: true, own: true, begin: s.pods("query", `{"exit":"500ms"}`)},
		{name: "target ten times slower", unit: query, back: true, begin: s.pods("query", `{"factor":10,"latency":"1s"}`)},
		{name: "target answers 200 with wrong content", unit: query, back: true, own: true, begin: s.pods("query", `{"wrong":true}`)},
		{name: "a node is lost", unit: query, back: true, own: true, begin: s.nodeLost},
		{name: "API server down for 30 s", unit: query, begin: s.stopped("kube-apiserver", 30*time.Second)},
		{name: "front door reloads", unit: query, begin: func(context.Context, *voyage) (func() error, error) { return nothing, s.reload() }},
		{name: "database stands still for 5 s", unit: query, begin: s.stopped("postgres-source", 5*time.Second)},
		{name: "the witness cannot read", unit: query, back: true, begin: s.blind},
	}
}

func nothing() error { return nil }

// pods switches a fault on in all pods of a service at the target, and again in those that start anew.
func (s *stage) pods(service, what string) func(context.Context, *voyage) (func() error, error) {
	return func(ctx context.Context, v *voyage) (func() error, error) {
		out, err := v.kubectl(ctx, "-n", "telemetry", "get", "pods", "-l", "app.kubernetes.io/name="+service, "-o", "jsonpath={range .items[*]}{.status.podIP} {end}")
		if err != nil {
			return nil, err
		}
		addresses := strings.Fields(out)
		if len(addresses) == 0 {
			return nil, fmt.Errorf("%s has no pods at the target", service)
		}
		// One that ends, has ended or starts just now does not answer.
		set := func(what string) (reached int) {
			for _, a := range addresses {
				if s.ask(ctx, s.lan, http.MethodPut, fmt.Sprintf("http://%s:%d/lab/fault", a, faultPort[service]), []byte(what), nil) == nil {
					reached++
				}
			}
			return reached
		}
		if n := set(what); n < len(addresses) {
			return nil, fmt.Errorf("%d of %d pods of %s can be told to fail", n, len(addresses), service)
		}
		mended, ended := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(ended)
			for {
				select {
				case <-mended:
					return
				case <-time.After(time.Second):
					set(what)
				}
			}
		}()
		return func() error {
			close(mended)
			<-ended
			set("{}")
			return nil
		}, nil
	}
}

// faultPort is the service's second port.
var faultPort = map[string]int{"gateway": 10101, "ingest": 10102, "query": 10103}

// nodeLost cuts the cable of a node that runs a pod of the unit.
func (s *stage) nodeLost(ctx context.Context, v *voyage) (func() error, error) {
	out, err := v.kubectl(ctx, "-n", "telemetry", "get", "pods", "-l", "app.kubernetes.io/name=query", "-o", "jsonpath={.items[0].spec.nodeName}")
	if err != nil {
		return nil, err
	}
	for _, n := range s.facts.Kubernetes.Nodes {
		if n.Name == out {
			set := func(ctx context.Context, state string) error {
				_, err := s.run(ctx, "ip", "link", "set", n.Port, state)
				return err
			}
			mend := func() error {
				if err := set(context.WithoutCancel(ctx), "up"); err != nil {
					return err
				}
				return until(ctx, n.Name+" is ready again", 2*time.Minute, func(ctx context.Context) (bool, error) {
					out, err := s.kubectl(ctx, "get", "node", n.Name, "-o", `jsonpath={.status.conditions[?(@.type=="Ready")].status}`)
					return out == "True", err
				})
			}
			return mend, set(ctx, "down")
		}
	}
	return nil, fmt.Errorf("no node of the lab is called %q", out)
}
