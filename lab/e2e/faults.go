package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/tranship/tranship/lab/tool"
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

// faults breaks something during the shift, each several times.
func (s *stage) faults(ctx context.Context, r *report, p Pace, o options) error {
	rounds := 1
	if o.full {
		rounds = 5
	}
	r.part(fmt.Sprintf("faults during the shift, %d each", rounds))
	p.Steps = []int{10, 50, 100}
	p.Bake, p.Soak, p.Window = 12*time.Second, 8*time.Second, time.Second
	g, err := s.look(ctx)
	if err != nil {
		return err
	}
	s.glass = g
	defer func() { s.glass = nil; _ = g.server.Close() }()
	for _, f := range s.listed() {
		var sum score
		for round := range rounds {
			name := fmt.Sprintf("%s-%d", strings.ReplaceAll(f.name, " ", "-"), round)
			if err := s.one(ctx, r, p, o, f, name, &sum); err != nil {
				return fmt.Errorf("%s: %w", f.name, err)
			}
		}
		r.note("%s:", f.name)
		r.all("  right verdict", sum.right, rounds)
		r.zero("  acknowledged records missing or double", sum.missing)
		r.zero("  requests that failed and are not the faulty target's own", sum.foreign)
		if f.own {
			over := int64(0)
			if sum.own > sum.bound {
				over = sum.own - sum.bound
			}
			r.note("    %d requests failed at the target itself; weight x window bounds them by %d", sum.own, sum.bound)
			r.zero("  requests failed beyond weight x window", over)
		}
		if f.back {
			r.most("  traffic home after the failing verdict, the slowest", sum.home.Seconds(), "s", 3)
			r.note("    from fault to verdict %s at the slowest", sum.seen.Round(100*time.Millisecond))
		}
	}
	return nil
}

// score sums the rounds of one fault.
type score struct {
	right                        int
	missing, foreign, own, bound int64
	home, seen                   time.Duration
}

func (s *stage) one(ctx context.Context, r *report, p Pace, o options, f fault, name string, sum *score) error {
	if err := s.reset(ctx); err != nil {
		return err
	}
	if err := s.settle(ctx, o.estate, nil); err != nil {
		return err
	}
	load, err := s.drive(ctx, name, 500, loadRates{write: 160, last: 60, page: 20, long: 0.1}.args()...)
	if err != nil {
		return err
	}
	defer func() { _ = load.cmd.Cancel() }()
	v, err := s.prepare(ctx, name, p, false)
	if err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() {
		_, _, err := v.move(ctx, "--unit", f.unit, "--approve", "all")
		ended <- err
	}()
	if err := v.reaches(ctx, f.unit, 50); err != nil {
		return err
	}
	time.Sleep(3 * time.Second)
	began := time.Now()
	mend, err := f.begin(ctx, v)
	if err != nil {
		return err
	}
	err = <-ended
	if mendErr := mend(); err == nil {
		err = mendErr
	}
	if err != nil {
		return err
	}
	units, err := v.status(ctx)
	if err != nil {
		return err
	}
	want, got := "retired", ""
	if f.back {
		want = "rolled-back"
	}
	for _, u := range units {
		if u.ID == f.unit {
			got = u.State
			if u.State != want {
				r.note("%s: %s is %s, want %s: %s", name, u.ID, u.State, want, u.Why)
			}
		}
	}
	if got == want {
		sum.right++
	}
	turn, err := v.turned(ctx, f.unit)
	if err != nil {
		return err
	}
	window, err := load.window(ctx, began.Add(-time.Second), time.Now())
	if err != nil {
		return err
	}
	stats, failures, err := load.end()
	if err != nil {
		return err
	}
	report, err := load.verify(ctx)
	if err != nil {
		return err
	}
	sum.missing += report.Readings.Missing + report.Readings.Duplicates
	if f.own {
		own := int64(window.Worlds["kubernetes"].Failed + window.Worlds["none"].Failed + window.Worlds[""].Failed)
		sum.own += own
		sum.foreign += int64(stats.Failed) - own
		if !turn.home.IsZero() {
			// At most the unit's share of all requests of the time until traffic was home.
			sum.bound += int64(window.PerSec*float64(turn.weight)/100*turn.home.Sub(began).Seconds()) + 1
		}
	} else {
		sum.foreign += int64(stats.Failed)
	}
	for i, x := range failures {
		if i < 3 && !f.own {
			r.note("%s: failure: %s %s %s %s: %s", name, x.At.Format(time.TimeOnly), x.Class, x.World, x.Outcome, x.Error)
		}
	}
	if f.back && !turn.home.IsZero() {
		sum.home = max(sum.home, turn.home.Sub(turn.verdict))
		sum.seen = max(sum.seen, turn.verdict.Sub(began))
	}
	s.say("%s: %s (want %s), %d failed, %d missing", name, got, want, stats.Failed, report.Readings.Missing)
	return nil
}

// listed are the faults.
func (s *stage) listed() []fault {
	query := "/telemetry/query"
	return []fault{
		{name: "target pods crash", unit: query, back: true, own: true, begin: s.pods("query", `{"exit":"0s"}`)},
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

// pods switches a fault on in all pods of a service at the target.
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
		for _, a := range addresses {
			url := fmt.Sprintf("http://%s:%d/lab/fault", a, faultPort[service])
			if err := s.ask(ctx, s.lan, http.MethodPut, url, []byte(what), nil); err != nil {
				return nil, err
			}
		}
		return nothing, nil
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
				_, err := tool.Run(ctx, "nsenter", "--net=/var/run/netns/"+s.facts.Namespaces.LAN, "--", "ip", "link", "set", n.Port, state)
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
