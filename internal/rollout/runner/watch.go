package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/rollout/gate"
)

// A Verdict is what the gates said of a unit.
type Verdict struct {
	At      int           `json:"at"` // the step
	Verdict gate.Verdict  `json:"verdict"`
	Why     string        `json:"why"`
	Results []gate.Result `json:"results"`
}

const (
	// recent is the span of the second, shorter comparison, which sees what a long
	// one would have to sum up for a while.
	recent = 15 * time.Second
	// asking is how often checks, identity and PromQL are asked.
	asking = 5 * time.Second
	// answering is how long one look waits for one world: a connection that has
	// died says nothing for much longer, and the others are to be looked at.
	answering = 5 * time.Second
)

// watch has the gates hold for as long as the step says. One that fails ends it
// at once. At the end all have to pass; what is unknown then has the unit's
// patience to become known.
func (r *Runner) watch(ctx context.Context, w *run, a rollout.Action) error {
	u, start := w.unit, r.opts.Clock.Now()
	if b, ok := r.opts.Began[u.ID]; ok && b.Step == a.At && a.Step.State == rollout.Drained {
		// The rollback window is a span of the clock: it goes on while nobody looks.
		start = b.At
	}
	poll := r.opts.Poll
	if r.opts.Coarse > 0 {
		poll = max(poll, a.Step.For/time.Duration(r.opts.Coarse))
	}
	v := viewer{Runner: r, unit: u, limits: gate.LimitsOf(r.opts.Policy.Spec.Move.Gates), weight: r.weight(u), witness: w.witness, bases: r.bases(u), known: map[string][]string{}}
	var said gate.Verdict
	slow := false
	for {
		l := v.look(ctx)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		results := v.judge(l)
		slow = again(results, slow)
		verdict := gate.Judge(results)
		elapsed := l.at.Sub(start)
		ends := elapsed >= a.Step.For
		if verdict != said || ends && verdict == gate.Pass {
			said = verdict
			if err := r.record(KindGates, u, Verdict{At: a.At, Verdict: verdict, Why: reasons(results), Results: results}, ""); err != nil {
				return err
			}
		}
		switch {
		case verdict == gate.Fail:
			return fmt.Errorf("gate %s", reasons(gate.Failed(results)))
		case v.silent(l) >= u.Patience:
			return fmt.Errorf("no answer for %s: %s", u.Patience, reasons(gate.Open(results)))
		case ends && verdict == gate.Pass:
			return r.keepBases(u, &v)
		case ends && elapsed >= a.Step.For+u.Patience:
			return fmt.Errorf("still unknown after %s: %s", elapsed.Round(time.Second), reasons(gate.Open(results)))
		}
		if err := r.opts.Clock.Sleep(ctx, poll); err != nil {
			return err
		}
	}
}

// again has a latency that fails for the first time be unknown, until it is
// looked at again, and reports whether it fails. Requests are counted when they
// end: what holds both worlds up may end in one of them a moment earlier.
func again(results []gate.Result, before bool) bool {
	fails := false
	for i := range results {
		if x := &results[i]; x.Gate == gate.LatencyGate && x.Verdict == gate.Fail {
			if fails = true; !before {
				x.Verdict = gate.Unknown
				x.Why += ": looked at once more"
			}
		}
	}
	return fails
}

func (r *Runner) weight(u *rollout.Unit) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.move.Progress(u.ID).Weight
}

// reasons says results in one line, those that matter first.
func reasons(results []gate.Result) string {
	var bad, good []string
	for _, x := range results {
		line := fmt.Sprintf("%s: %s", x.Gate, x.Why)
		if x.Verdict == gate.Pass {
			good = append(good, line)
		} else {
			bad = append(bad, line)
		}
	}
	if len(bad) > 0 {
		return strings.Join(bad, "; ")
	}
	return strings.Join(good, "; ")
}

// A look is what was seen of both worlds at one instant.
type look struct {
	at             time.Time
	source, target []rollout.Copies // by workload; nil: unseen
	flows          []rollout.Flow   // by route; nil: unseen
	lag            *rollout.Lag     // nil: unseen, or no database
	// unseen are results in the place of what could not be seen.
	unseen []gate.Result
	asked  []gate.Result
}

// viewer looks at a unit again and again.
type viewer struct {
	*Runner
	unit    *rollout.Unit
	limits  gate.Limits
	weight  int
	witness *witnesses
	bases   map[string]*gate.Window
	first   *look  // of both worlds' copies, and of the lag
	looks   []look // of all flows: the first, and those of the recent span
	asked   []gate.Result
	askedAt time.Time
	seen    time.Time // when all was last seen
	windows map[string]gate.Window
	known   map[string][]string // the target's addresses, where they are pods'
}

func (v *viewer) look(ctx context.Context) look {
	l := look{at: v.opts.Clock.Now()}
	var err error
	unseen := func(name gate.Name) {
		if err != nil {
			l.unseen = append(l.unseen, gate.Result{Gate: name, Verdict: gate.Unknown, Why: "no answer: " + err.Error()})
		}
	}
	l.source, err = observe(ctx, v.unit.Workloads, func(ctx context.Context, w rollout.Workload) (rollout.Copies, error) {
		c, err := v.world.Source.Observe(ctx, w.Name)
		if errors.Is(err, ErrAbsent) {
			return rollout.Copies{Absent: true}, nil
		}
		return c, err
	})
	unseen("source")
	if d := v.unit.Database; d != nil {
		own, end := brief(ctx)
		var lag rollout.Lag
		if lag, err = v.world.Database.Lag(own, *d); err == nil {
			l.lag = &lag
		}
		end()
		unseen(gate.LagGate)
	} else {
		l.target, err = observe(ctx, v.unit.Workloads, func(ctx context.Context, w rollout.Workload) (rollout.Copies, error) {
			return v.world.Cluster.Observe(ctx, w.Name)
		})
		unseen(gate.ReadyGate)
		_, err = observe(ctx, v.unit.Routes(), func(ctx context.Context, r rollout.Route) (struct{}, error) {
			return struct{}{}, v.follow(ctx, r)
		})
		unseen(gate.CapacityGate)
	}
	l.flows, err = observe(ctx, v.unit.Routes(), v.world.Traffic.Observe)
	unseen(gate.ErrorsGate)
	if v.askedAt.IsZero() || l.at.Sub(v.askedAt) >= asking {
		v.asked, v.askedAt = v.ask(ctx), l.at
	}
	l.asked = v.asked
	if len(l.unseen) == 0 {
		v.seen = l.at
	}
	return l
}

// brief is the time that a look has for one world.
func brief(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, answering)
}

// observe looks at all things of one world; nil and why, if one cannot be seen.
func observe[T, S any](ctx context.Context, things []T, see func(context.Context, T) (S, error)) ([]S, error) {
	ctx, end := brief(ctx)
	defer end()
	out := make([]S, 0, len(things))
	for _, x := range things {
		s, err := see(ctx, x)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// follow tells the front door of pods that took the place of others. Addresses of
// nodes stay as they are, so only pods' own are followed.
func (v *viewer) follow(ctx context.Context, route rollout.Route) error {
	if v.opts.Policy.Spec.Move.Cluster.Expose != "pod" {
		return nil
	}
	addresses, err := v.world.Exposer.Expose(ctx, route.Workload, route.Port)
	if err != nil || len(addresses) == 0 || slices.Equal(addresses, v.known[route.Backend]) {
		return err
	}
	if err := v.world.Traffic.Connect(ctx, route, addresses); err != nil {
		return err
	}
	v.known[route.Backend] = addresses
	return nil
}

// silent is for how long something could not be seen.
func (v *viewer) silent(l look) time.Duration {
	if v.seen.IsZero() {
		v.seen = l.at
	}
	return l.at.Sub(v.seen)
}

// judge holds a look against the first one, and against one that is not long ago.
// What was seen is judged though other things were not: a target that fails
// while the API server is away has to be seen by what the front door counts.
func (v *viewer) judge(l look) []gate.Result {
	out := append(slices.Clone(l.unseen), l.asked...)
	if v.first == nil && len(l.unseen) == 0 {
		v.first = &l
	}
	for i := range l.source {
		if why := drifted(&v.unit.Workloads[i], l.source[i]); why != "" {
			out = append(out, gate.Result{Gate: "drift", Verdict: gate.Fail, Why: why})
		}
	}
	for i := range l.target {
		w := &v.unit.Workloads[i]
		share := 100
		if len(w.Routes) > 0 && v.unit.HasRoutes() && v.weight < 100 {
			share = v.weight
		}
		out = append(out, gate.Ready(w, l.target[i], share))
		if v.first != nil {
			out = append(out, gate.Restarts(w, v.first.target[i], l.target[i], v.limits))
		}
	}
	if l.lag != nil && v.first != nil {
		out = append(out, gate.Lag(*v.first.lag, *l.lag, v.limits))
	}
	out = append(out, v.traffic(l)...)
	if v.witness != nil {
		out = append(out, v.witness.verdict())
	}
	return out
}

func (v *viewer) traffic(l look) []gate.Result {
	if l.flows == nil || v.weight == 0 {
		return nil
	}
	v.looks = append(v.looks, l)
	for len(v.looks) > 2 && l.at.Sub(v.looks[2].at) >= recent {
		v.looks = slices.Delete(v.looks, 1, 2)
	}
	first, near := v.looks[0], v.looks[min(1, len(v.looks)-1)]
	var out []gate.Result
	v.windows = map[string]gate.Window{}
	for i, route := range v.unit.Routes() {
		long := gate.Window{Begin: first.flows[i], End: l.flows[i], Base: v.bases[route.Backend]}
		short := long
		short.Begin = near.flows[i]
		v.windows[route.Backend] = long
		for _, judge := range v.judges(l.flows[i]) {
			x := judge(long, v.limits)
			if y := judge(short, v.limits); y.Verdict == gate.Fail {
				x = y
			}
			x.Why = route.Backend + ": " + x.Why
			out = append(out, x)
		}
		for j := range v.unit.Workloads {
			if w := &v.unit.Workloads[j]; w.Name == route.Workload && l.source != nil && l.target != nil {
				out = append(out, gate.Capacity(w, l.source[j], l.target[j], l.flows[i]))
			}
		}
	}
	return out
}

// judges compare both sides of a route. A front door that counts nothing leaves
// that to Prometheus; with nobody to count, nothing is known.
func (v *viewer) judges(f rollout.Flow) []func(gate.Window, gate.Limits) gate.Result {
	if !f.Uncounted {
		return []func(gate.Window, gate.Limits) gate.Result{gate.Errors, gate.Latency}
	}
	if len(v.opts.Policy.Spec.Move.Gates.PromQL) > 0 {
		return nil
	}
	return []func(gate.Window, gate.Limits) gate.Result{func(gate.Window, gate.Limits) gate.Result {
		return gate.Result{
			Gate: gate.ErrorsGate, Verdict: gate.Unknown,
			Why: "this front door counts no requests; spec.move.gates.promql has to ask for errors and latency",
		}
	}}
}

// ask puts questions to the target and to Prometheus.
func (v *viewer) ask(ctx context.Context) []gate.Result {
	var out []gate.Result
	if v.world.Prober == nil {
		return nil
	}
	m := &v.opts.Policy.Spec.Move
	for _, w := range v.unit.Workloads {
		say := v.opts.Policy.MoveOf(string(w.Name))
		addresses, err := v.addresses(ctx, &w)
		for _, c := range say.Checks {
			out = append(out, gate.Check(c.Name, each(addresses, err, func(at string) (rollout.Answer, error) {
				return v.world.Prober.Check(ctx, c, at)
			})))
		}
		if id := say.Identity; id != nil {
			var home rollout.Answer
			if id.VersionHeader != "" && id.Compare != "" {
				home, _ = v.world.Prober.Identity(ctx, *id, id.Compare) // no answer is an empty version, which is unknown
			}
			out = append(out, gate.Identity(*id, each(addresses, err, func(at string) (rollout.Answer, error) {
				return v.world.Prober.Identity(ctx, *id, at)
			}), home))
		}
		for _, q := range m.Gates.PromQL {
			value, ok, err := v.world.Prober.Query(ctx, m.Gates.Prometheus, query(q.Query, string(w.Name)))
			out = append(out, gate.PromQL(q, value, ok, err))
		}
	}
	return out
}

func query(text, workload string) string { return strings.ReplaceAll(text, "{{.Workload}}", workload) }

func (v *viewer) addresses(ctx context.Context, w *rollout.Workload) ([]string, error) {
	if len(w.Routes) == 0 {
		return nil, nil
	}
	ctx, end := brief(ctx)
	defer end()
	return v.world.Exposer.Expose(ctx, w.Name, w.Routes[0].Port)
}

func each(addresses []string, err error, ask func(string) (rollout.Answer, error)) []gate.Asked {
	if err != nil {
		return []gate.Asked{{Name: "the target", Err: err}}
	}
	if len(addresses) == 0 {
		addresses = []string{""} // a question that names its own address
	}
	var out []gate.Asked
	for _, at := range addresses {
		a, err := ask(at)
		out = append(out, gate.Asked{Name: at, Answer: a, Err: err})
	}
	return out
}
