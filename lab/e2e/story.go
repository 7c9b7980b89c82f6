package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/tranship/tranship/lab/load/tally"
)

// A voyage is one way of the estate: its files, from capture to render.
type voyage struct {
	*stage
	dir string
}

// prepare goes the way of the data up to what move takes: capture, discover,
// plan, render; and gives the cluster what is the user's to give: the nodes'
// labels and the secrets' values.
func (s *stage) prepare(ctx context.Context, name string, p Pace, database bool) (*voyage, error) {
	v := &voyage{stage: s, dir: filepath.Join(s.dir, name)}
	if err := os.RemoveAll(v.dir); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(v.dir, 0o755); err != nil {
		return nil, err
	}
	if err := os.WriteFile(v.file("tranship.yaml"), []byte(policy(s.facts, p, database, s.reads())), 0o644); err != nil { //nolint:gosec // no secret stands in it
		return nil, err
	}
	m := s.facts.OldWorld
	for _, args := range [][]string{
		{"capture", "--marathon", m.Marathon, "--metronome", m.Metronome, "--mesos", m.Mesos, "--out", v.file("snapshot")},
		{"discover", v.file("snapshot"), "--out", v.file("estate.json")},
		{"plan", v.file("estate.json"), "--out", v.file("plan.json")},
		{"render", v.file("plan.json"), "--out", v.file("out")},
	} {
		out, err := s.run(ctx, s.tranship, append([]string{"--config", v.file("tranship.yaml")}, args...)...)
		if err != nil {
			return nil, fmt.Errorf("%w\n%s", err, tail(out, 10))
		}
	}
	if err := v.labels(ctx); err != nil {
		return nil, err
	}
	return v, v.secrets(ctx)
}

// reads is where the witness reads.
func (s *stage) reads() string {
	if s.glass != nil {
		return blindAddress
	}
	return door(s.facts, "query")
}

func (v *voyage) file(name string) string { return filepath.Join(v.dir, name) }

// labels gives the lab's nodes the names of the plan's pools, in turn.
func (v *voyage) labels(ctx context.Context) error {
	var plan struct {
		Pools []struct {
			Name string `json:"name"`
		} `json:"pools"`
	}
	text, err := os.ReadFile(v.file("plan.json"))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &plan); err != nil || len(plan.Pools) == 0 {
		return fmt.Errorf("read the plan's pools: %d of them: %w", len(plan.Pools), err)
	}
	for i, n := range v.facts.Kubernetes.Nodes {
		pool := plan.Pools[i%len(plan.Pools)].Name
		if _, err := v.kubectl(ctx, "label", "--overwrite", "node", n.Name, "tranship.dev/pool="+pool); err != nil {
			return err
		}
	}
	return nil
}

// secrets gives the rendered stubs their values, as whoever keeps them would.
func (v *voyage) secrets(ctx context.Context) error {
	var b strings.Builder
	b.WriteString("apiVersion: v1\nkind: Namespace\nmetadata: {name: telemetry}\n")
	url := v.application(door(v.facts, "database"))
	for _, name := range []string{"ingest", "query", "notifier", "rollup"} {
		fmt.Fprintf(&b, "---\napiVersion: v1\nkind: Secret\nmetadata: {name: %s-env, namespace: telemetry}\nstringData: {DATABASE_URL: %q}\n", name, url)
	}
	return v.apply(ctx, b.String())
}

// mover gives tranship move as a command that has not begun.
func (v *voyage) mover(ctx context.Context, args ...string) *exec.Cmd {
	return v.inside(ctx, v.tranship, append([]string{"--config", v.file("tranship.yaml"), "move", v.file("plan.json")}, args...)...)
}

// move runs tranship move to its end and gives its exit status and what it said.
func (v *voyage) move(ctx context.Context, args ...string) (status int, said string, err error) {
	var out bytes.Buffer
	c := v.mover(ctx, args...)
	c.Stdout, c.Stderr = &out, &out
	err = c.Run()
	if c.ProcessState == nil {
		return 0, out.String(), err
	}
	if err := os.WriteFile(v.file(fmt.Sprintf("move-%d.log", time.Now().Unix())), out.Bytes(), 0o644); err != nil { //nolint:gosec // a log
		return 0, out.String(), err
	}
	return c.ProcessState.ExitCode(), out.String(), nil
}

// A moving is tranship move while it runs.
type moving struct {
	done   chan struct{} // closed when it has ended; what follows is good from then on
	status int
	said   string
	err    error
}

// begin starts tranship move.
func (v *voyage) begin(ctx context.Context, args ...string) *moving {
	m := &moving{done: make(chan struct{})}
	go func() {
		defer close(m.done)
		m.status, m.said, m.err = v.move(ctx, args...)
	}()
	return m
}

// over reports whether it has ended.
func (m *moving) over() bool {
	select {
	case <-m.done:
		return true
	default:
		return false
	}
}

// end waits until it has.
func (m *moving) end() error {
	<-m.done
	return m.err
}

// A unit as tranship status tells of it.
type unit struct {
	ID     string `json:"id"`
	State  string `json:"state"`
	Weight int    `json:"weight"`
	Why    string `json:"why"`
}

// status reads the move's journal through the product.
func (v *voyage) status(ctx context.Context) ([]unit, error) {
	out, err := v.run(ctx, v.tranship, "status", "--plan", v.file("plan.json"), "-o", "json")
	if err != nil {
		return nil, err
	}
	var st struct {
		Units []unit `json:"units"`
	}
	return st.Units, json.Unmarshal([]byte(out), &st)
}

// rates of the load, in requests a second.
type loadRates struct{ write, last, page, long float64 }

func (l loadRates) args() []string {
	return []string{"-write", fmt.Sprint(l.write), "-last", fmt.Sprint(l.last), "-page", fmt.Sprint(l.page), "-range", fmt.Sprint(l.long)}
}

// mixed divides a rate among what devices push and what users read. A reading that is pushed is four requests of the front
// doors, two at each; one that is read is two.
func mixed(rate float64) loadRates {
	return loadRates{write: rate * 0.2, last: rate * 0.75, page: rate * 0.049, long: rate * 0.001}
}

// story moves the whole estate under load, all waves, and counts.
func (s *stage) story(ctx context.Context, r *report, p Pace, o options) error {
	r.section("the story: the telemetry estate moves under load")
	if err := s.reset(ctx); err != nil {
		return err
	}
	if err := s.settle(ctx, o.estate, nil); err != nil {
		return err
	}
	load, err := s.drive(ctx, "story", o.devices, mixed(o.rate).args()...)
	if err != nil {
		return err
	}
	defer func() { _ = load.cmd.Cancel() }()
	s.say("load runs; watching the old world for %s", o.before)
	time.Sleep(o.before)
	begin := time.Now()
	v, err := s.prepare(ctx, "story", p, true)
	if err != nil {
		return err
	}
	s.say("moving")
	moving := time.Now()
	units, err := v.carried(ctx, r)
	if err != nil {
		return err
	}
	moved := time.Now()
	retired := 0
	for _, u := range units {
		if u.State == "retired" {
			retired++
		}
	}
	s.say("moved in %s; a last look at the job", moved.Sub(moving).Round(time.Second))
	time.Sleep(o.after)
	before, err := load.window(ctx, begin.Add(-o.before+2*time.Second), begin)
	if err != nil {
		return err
	}
	during, err := load.window(ctx, moving, moved)
	if err != nil {
		return err
	}
	cuts, err := v.cutovers(ctx, databaseUnit)
	if err != nil {
		return err
	}
	shifting := during // until writes have to stand still
	if len(cuts) > 0 {
		if shifting, err = load.window(ctx, moving, cuts[0].until.Add(-cuts[0].span)); err != nil {
			return err
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
	r.all("units moved", retired, len(units))
	r.zero("failed requests", int64(stats.Failed))
	r.zero("acknowledged records missing", got.Readings.Missing)
	r.zero("acknowledged records double", got.Readings.Duplicates+got.Readings.TwoEvents)
	r.zero("double or overlapping runs of the job", got.Rollup.Double+got.Rollup.Overlapping)
	r.zero("consumers alive together, gaps, duplicates", got.Notifier.Together+got.Notifier.Gaps+got.Notifier.Duplicates)
	r.least("requests a second, over the move", during.PerSec, "/s", 500)
	r.least("devices", float64(got.Readings.Devices), "", 2000)
	old, now := before.Classes["write"]["mesos"], during.Classes["write"]["kubernetes"]
	r.note("records acknowledged %d, stored %d; by world %v; runs of the job %d, by world %v", got.Readings.Acknowledged, got.Readings.Stored,
		got.Readings.Worlds, got.Rollup.Runs, got.Rollup.Worlds)
	r.note("p50/p99 of writes: before %.1f/%.1f ms, during at the target %.1f/%.1f ms", old.P50, old.P99, now.P50, now.P99)
	r.most("p99 of writes during the move, times that before", worst(during.Classes["write"])/old.P99, "x", 1.5)
	r.most("  the same until the database's cutover, whose pause has its own target", worst(shifting.Classes["write"])/old.P99, "x", 1.5)
	if during.Driver.Bottleneck {
		r.note("the load driver was itself the bottleneck: %d of %d were late", during.Driver.Late, during.Driver.Due)
	}
	for i, f := range failures {
		if i < 5 {
			r.note("failure: %s %s %s: %s", f.At.Format(time.TimeOnly), f.Class, f.Outcome, f.Error)
		}
	}
	return v.checkJournal(ctx, r)
}

// attempts is how often the story is told to move: what a gate sent back is moved again, as whoever reads the mover's last
// line would.
const attempts = 3

// carried moves all units and gives where they are then.
func (v *voyage) carried(ctx context.Context, r *report) ([]unit, error) {
	args := []string{"--approve", "all"}
	for n := 1; ; n++ {
		status, said, err := v.move(ctx, args...)
		if err != nil {
			return nil, err
		}
		units, err := v.status(ctx)
		if err != nil {
			return nil, err
		}
		for _, u := range units {
			if u.State != "retired" {
				r.note("attempt %d: %s is %s: %s", n, u.ID, u.State, u.Why)
			}
		}
		if status == 0 {
			return units, nil
		}
		if n == attempts {
			r.note("move ended with status %d: %s", status, tail(said, 12))
			return units, nil
		}
		args = []string{"--approve", "all", "--again"}
	}
}

// checkJournal has the product verify the move's journal.
func (v *voyage) checkJournal(ctx context.Context, r *report) error {
	bad := int64(0)
	if out, err := v.run(ctx, v.tranship, "journal", "--plan", v.file("plan.json")); err != nil {
		r.note("%v\n%s", err, tail(out, 3))
		bad = 1
	}
	r.zero("journals that do not verify", bad)
	return nil
}

// worst is the 99th percentile of the world that had the higher one.
func worst(lines map[string]tally.Line) float64 {
	w := 0.0
	for _, l := range lines {
		w = max(w, l.P99)
	}
	return w
}
