package runner_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tranship/tranship/internal/base/journal"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/rollout/runner"
	"github.com/tranship/tranship/internal/rollout/runner/fake"
)

// worlds are both worlds, played.
type worlds struct {
	source   *fake.Source
	cluster  *fake.Cluster
	traffic  *fake.Traffic
	fences   *fake.Fences
	database *fake.Database
	volumes  *fake.Volumes
	objects  objects
	log      *memory
}

// objects of a workload are one Deployment with as many copies as planned.
type objects map[estate.Name]int

func (o objects) Of(w estate.Name) ([][]byte, error) {
	return [][]byte{fmt.Appendf(nil, "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: %s, namespace: shop}\nspec: {replicas: %d}\n",
		strings.Trim(string(w), "/"), o[w])}, nil
}

// memory is a journal that keeps its records, and can be cut off.
type memory struct {
	mu      sync.Mutex
	records []journal.Record
	left    int // records until the mover is "killed"; below zero never
}

var errKilled = errors.New("killed")

func (m *memory) Append(at time.Time, kind, subject string, body any) (journal.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.left == 0 {
		return journal.Record{}, errKilled
	}
	m.left--
	raw, err := marshal(body)
	r := journal.Record{Number: int64(len(m.records) + 1), At: at, Kind: kind, Subject: subject, Body: raw}
	m.records = append(m.records, r)
	return r, err
}

func shifted(name estate.Name, wave int) rollout.Unit {
	return rollout.Unit{
		ID: rollout.UnitID(name), Wave: wave, Mode: plan.Shifted, Steps: []int{1, 25, 100},
		Bake: time.Minute, Soak: 5 * time.Minute, Window: time.Hour, Ready: 2 * time.Minute, Patience: 30 * time.Second,
		Workloads: []rollout.Workload{{
			Name: name, Kind: estate.Service, Replicas: 2, SourceReplicas: 3, Version: "v1",
			Routes: []rollout.Route{{Backend: strings.Trim(string(name), "/"), Workload: name, Port: 8080}},
		}},
	}
}

func in(mode plan.Mode, u rollout.Unit) rollout.Unit {
	u.Mode = mode
	u.Workloads[0].Routes = nil
	if mode == plan.Stateful {
		u.Workloads[0].Volumes = []string{"data"}
	}
	return u
}

func newWorlds(units ...rollout.Unit) *worlds {
	w := &worlds{objects: objects{}, log: &memory{left: -1}}
	now := fake.Clock(time.Now)
	w.source = fake.NewSource(now, fake.SourceOptions{Start: 2 * time.Second, Stop: time.Second})
	w.cluster = fake.NewCluster(now, fake.ClusterOptions{Start: 5 * time.Second, Stop: time.Second})
	w.traffic = fake.NewTraffic(now, fake.TrafficOptions{Rate: 300})
	w.fences, w.database, w.volumes = fake.NewFences(now), fake.NewDatabase(now, fake.DatabaseOptions{}), fake.NewVolumes(now)
	for _, u := range units {
		for _, l := range u.Workloads {
			w.objects[l.Name] = l.Replicas
			w.source.Add(l.Name, l.Version, l.SourceReplicas)
		}
	}
	return w
}

func (w *worlds) world() runner.World {
	return runner.World{
		Objects: w.objects, Cluster: w.cluster, Exposer: fake.NewExposer(time.Now, fake.ExposerOptions{}), Source: w.source,
		Traffic: w.traffic, Cutter: w.traffic, Database: w.database, Cutover: w.database, Volumes: w.volumes, Fences: w.fences,
		Lease: fake.NewLease(time.Now),
	}
}

// run drives a move of the units as far as the journal allows.
func (w *worlds) run(t *testing.T, m *rollout.Move, o runner.Options) error {
	t.Helper()
	o.Holder = "test"
	o.Began, o.Bases = runner.Remember(w.log.records)
	return runner.New(m, w.world(), w.log, o).Run(t.Context())
}

// replayed gives the move as the journal has it.
func (w *worlds) replayed(t *testing.T, units []rollout.Unit) *rollout.Move {
	t.Helper()
	m := rollout.NewMove(units, 2)
	open := journal.Record{Kind: runner.KindOpen, Body: []byte(`{"plan":"seal"}`)}
	if err := runner.Replay(m, "seal", append([]journal.Record{open}, w.log.records...)); err != nil {
		t.Fatal(err)
	}
	return m
}

func TestAMoveWithoutFaultsEndsAtTheTarget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		units := []rollout.Unit{shifted("/cart", 1), in(plan.Plain, shifted("/mail", 1)), in(plan.Exclusive, shifted("/leader", 2)), in(plan.Stateful, shifted("/store", 2))}
		w := newWorlds(units...)
		for i := range 3 {
			w.volumes.Put("source", "/store", i, "data/file", fmt.Sprint("of instance ", i))
		}
		m := rollout.NewMove(units, 2)
		if err := w.run(t, m, runner.Options{}); err != nil {
			t.Fatal(err)
		}
		if got := m.State(m.Unit("/store")); got != rollout.Soaking {
			t.Fatalf("/store is %s, want it to wait for a person", got)
		}
		if err := m.Take("/store", rollout.Event{Kind: rollout.Agree}); err != nil {
			t.Fatal(err)
		}
		if err := w.run(t, m, runner.Options{}); err != nil {
			t.Fatal(err)
		}
		if m.Outcome() != rollout.AllMoved {
			t.Fatalf("outcome %s: %s", m.Outcome(), w.why(m))
		}
		for _, u := range units {
			l := u.Workloads[0]
			s, _ := w.source.Observe(t.Context(), l.Name)
			c, _ := w.cluster.Observe(t.Context(), l.Name)
			if s.Running != 0 || c.Ready != l.Replicas {
				t.Errorf("%s: %d copies at the source, %d at the target, want 0 and %d", l.Name, s.Running, c.Ready, l.Replicas)
			}
		}
		for i := range 3 {
			if got := w.volumes.Files("target", "/store", i)["data/file"]; got != fmt.Sprint("of instance ", i) {
				t.Errorf("instance %d of /store has %q", i, got)
			}
		}
	})
}

// why says how each unit stands.
func (w *worlds) why(m *rollout.Move) string {
	var b strings.Builder
	for _, u := range m.Units {
		p := m.Progress(u.ID)
		fmt.Fprintf(&b, "%s %s %s; ", u.ID, m.State(&u), p.Why)
	}
	return b.String()
}

// TestFailedGateSendsTrafficHome: whatever is wrong with the target, the verdict
// is to go back, traffic is at the source within three seconds of it, and the
// target is taken away.
func TestFailedGateSendsTrafficHome(t *testing.T) {
	for _, tt := range []struct {
		name string
		harm func(w *worlds)
		want string
	}{
		{"it answers with errors", func(w *worlds) { w.traffic.Serve("cart", "target", fake.Serving{Errors: 0.2}) }, "errors"},
		{"it is slow", func(w *worlds) { w.traffic.Serve("cart", "target", fake.Serving{Latency: 200 * time.Millisecond}) }, "latency"},
		{"its copies fall over", func(w *worlds) {
			w.cluster.Ail("/cart", fake.Ailment{Why: "CrashLoopBackOff", Every: 5 * time.Second})
		}, "ready"},
		{"it is killed for memory", func(w *worlds) {
			w.cluster.Ail("/cart", fake.Ailment{Why: "OOMKilled", Every: 5 * time.Second, OOM: true})
		}, "ready"},
		{"its node is lost", func(w *worlds) { w.cluster.Lose("/cart", 2, time.Now().Add(time.Hour)) }, "ready"},
		{"the source changed", func(w *worlds) { w.source.Change("/cart", "v2") }, "drift"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				units := []rollout.Unit{shifted("/cart", 1)}
				w := newWorlds(units...)
				m := rollout.NewMove(units, 1)
				var harmed, failed, home time.Time
				tell := func(n runner.Note) {
					switch {
					case n.Weight == 25 && harmed.IsZero():
						harmed = n.At
						tt.harm(w)
					case n.State == rollout.RollingBack && failed.IsZero():
						failed = n.At
					case n.State == rollout.RollingBack && n.Weight == 0 && home.IsZero():
						home = n.At
					}
				}
				if err := w.run(t, m, runner.Options{Tell: tell}); err != nil {
					t.Fatal(err)
				}
				p := m.Progress("/cart")
				if m.Outcome() != rollout.SomeBack || !strings.Contains(p.Why, tt.want) {
					t.Fatalf("%s: %s, want it back because of %s", m.Outcome(), p.Why, tt.want)
				}
				if home.Sub(failed) > 3*time.Second {
					t.Errorf("traffic was home %s after the verdict", home.Sub(failed))
				}
				if got := w.traffic.Share("cart"); got != 0 {
					t.Errorf("the target has %d %% of traffic", got)
				}
				if c, _ := w.cluster.Observe(t.Context(), "/cart"); !c.Absent {
					t.Error("the target still has it")
				}
				if s, _ := w.source.Observe(t.Context(), "/cart"); s.Ready != 3 {
					t.Errorf("%d copies at the source, want 3", s.Ready)
				}
			})
		})
	}
}

// TestAWorldThatDoesNotAnswerForAWhileStopsNothing: unknown is not a failure.
func TestAWorldThatDoesNotAnswerForAWhileStopsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		units := []rollout.Unit{shifted("/cart", 1)}
		w := newWorlds(units...)
		m := rollout.NewMove(units, 1)
		away := false
		tell := func(n runner.Note) {
			if n.Weight == 25 && !away {
				away = true
				w.cluster.Unreachable(time.Now().Add(25 * time.Second))
			}
		}
		if err := w.run(t, m, runner.Options{Tell: tell}); err != nil {
			t.Fatal(err)
		}
		if m.Outcome() != rollout.AllMoved {
			t.Fatal(w.why(m))
		}
	})
}

// absent is a cluster whose API server takes requests and answers none, as long as gone is set.
type absent struct {
	runner.Cluster
	gone *bool
}

func (a absent) Observe(ctx context.Context, w estate.Name) (rollout.Copies, error) {
	if *a.gone {
		<-ctx.Done()
		return rollout.Copies{}, ctx.Err()
	}
	return a.Cluster.Observe(ctx, w)
}

// TestATargetThatFailsWhileItsAPIServerIsSilentIsSeen by what the front door counts.
func TestATargetThatFailsWhileItsAPIServerIsSilentIsSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		units := []rollout.Unit{shifted("/cart", 1)}
		w := newWorlds(units...)
		m := rollout.NewMove(units, 1)
		gone := false
		var harmed, home time.Time
		world := w.world()
		world.Cluster = absent{world.Cluster, &gone}
		tell := func(n runner.Note) {
			switch {
			case n.Weight == 25 && harmed.IsZero():
				harmed, gone = n.At, true
				w.traffic.Serve("cart", "target", fake.Serving{Errors: 0.2})
			case !harmed.IsZero() && n.Weight == 0 && home.IsZero():
				home, gone = n.At, false
			}
		}
		if err := runner.New(m, world, w.log, runner.Options{Holder: "me", Tell: tell}).Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if why := m.Progress("/cart").Why; m.Outcome() != rollout.SomeBack || !strings.Contains(why, "errors") {
			t.Fatalf("%s, want it back because of errors", w.why(m))
		}
		if took := home.Sub(harmed); took > units[0].Patience/2 {
			t.Errorf("traffic was home after %s", took)
		}
	})
}

// TestKilledAnywhereItGoesOn kills the mover before each record it would write,
// and starts it again: the unit ends where it would have, and no exclusive
// workload ever ran twice.
func TestKilledAnywhereItGoesOn(t *testing.T) {
	for _, unit := range []rollout.Unit{shifted("/cart", 1), in(plan.Plain, shifted("/cart", 1)), in(plan.Exclusive, shifted("/cart", 1)), in(plan.Stateful, shifted("/cart", 1))} {
		t.Run(string(unit.Mode), func(t *testing.T) {
			for kill, done := 0, false; !done; kill++ {
				synctest.Test(t, func(t *testing.T) {
					units := []rollout.Unit{unit}
					w := newWorlds(units...)
					w.volumes.Put("source", "/cart", 0, "f", "1")
					w.log.left = kill
					m := rollout.NewMove(units, 1)
					err := w.run(t, m, runner.Options{})
					if done = err == nil; !done && !errors.Is(err, errKilled) {
						t.Fatal(err)
					}
					for again := range 3 {
						w.log.left = -1
						m = w.replayed(t, units)
						if p := m.Progress("/cart"); again > 0 {
							if _, asks := p.Asks(&units[0]); asks {
								e := rollout.Event{Kind: rollout.Agree}
								if _, err := w.log.Append(time.Now(), runner.KindEvent, "/cart", e); err != nil || m.Take("/cart", e) != nil {
									t.Fatal("cannot agree")
								}
							}
						}
						if err := w.run(t, m, runner.Options{}); err != nil {
							t.Fatal(err)
						}
					}
					if m.Outcome() != rollout.AllMoved {
						t.Fatalf("killed before record %d: %s", kill, w.why(m))
					}
				})
			}
		})
	}
}

// TestAnOrderToGoBackIsObeyedAtOnce: while gates are watched.
func TestAnOrderToGoBackIsObeyedAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		units := []rollout.Unit{shifted("/cart", 1)}
		w := newWorlds(units...)
		m := rollout.NewMove(units, 1)
		ordered := time.Time{}
		o := runner.Options{Orders: func() ([]runner.Order, error) {
			if w.traffic.Share("cart") == 25 && ordered.IsZero() {
				ordered = time.Now()
				return []runner.Order{{Kind: runner.OrderRollBack, Unit: "/cart", By: "op"}}, nil
			}
			return nil, nil
		}}
		if err := w.run(t, m, o); err != nil {
			t.Fatal(err)
		}
		p := m.Progress("/cart")
		if m.Outcome() != rollout.SomeBack || !strings.Contains(p.Why, "ordered by op") {
			t.Fatal(w.why(m))
		}
		if took := time.Since(ordered); took > 10*time.Second {
			t.Errorf("it took %s", took)
		}
	})
}

// TestStopLeavesAKnownStateThatGoesOn: weights stay as they are.
func TestStopLeavesAKnownStateThatGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		units := []rollout.Unit{shifted("/cart", 1)}
		w := newWorlds(units...)
		m := rollout.NewMove(units, 1)
		o := runner.Options{Orders: func() ([]runner.Order, error) {
			if w.traffic.Share("cart") == 25 {
				return []runner.Order{{Kind: runner.OrderStop}}, nil
			}
			return nil, nil
		}}
		if err := w.run(t, m, o); !errors.Is(err, runner.ErrStopped) {
			t.Fatalf("Run = %v, want ErrStopped", err)
		}
		if got := w.traffic.Share("cart"); got != 25 || m.State(&units[0]) != rollout.Shifting {
			t.Fatalf("%d %% at the target, %s", got, m.State(&units[0]))
		}
		m = w.replayed(t, units)
		if err := w.run(t, m, runner.Options{}); err != nil || m.Outcome() != rollout.AllMoved {
			t.Fatal(err, w.why(m))
		}
	})
}

// TestARefusalStopsTheUnitAndOthersGoOn: what the API refuses is not tried again.
func TestARefusalStopsTheUnitAndOthersGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		units := []rollout.Unit{shifted("/cart", 1), shifted("/mail", 1)}
		w := newWorlds(units...)
		w.cluster.Refuse("/cart", errors.New("exceeded quota"))
		m := rollout.NewMove(units, 2)
		if err := w.run(t, m, runner.Options{}); err != nil {
			t.Fatal(err)
		}
		p := m.Progress("/cart")
		if m.State(&units[0]) != rollout.RolledBack || !strings.Contains(p.Why, "exceeded quota") || m.State(&units[1]) != rollout.Retired {
			t.Fatal(w.why(m))
		}
	})
}

// TestASecondMoverIsKeptOut by the lease.
func TestASecondMoverIsKeptOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		units := []rollout.Unit{shifted("/cart", 1)}
		w := newWorlds(units...)
		world := w.world()
		if err := world.Lease.Take(t.Context(), "another", time.Hour); err != nil {
			t.Fatal(err)
		}
		err := runner.New(rollout.NewMove(units, 1), world, w.log, runner.Options{Holder: "me"}).Run(context.Background())
		if !errors.Is(err, runner.ErrHeld) || len(w.log.records) != 0 {
			t.Errorf("Run = %v with %d records, want ErrHeld and none", err, len(w.log.records))
		}
	})
}

// mute is a lease whose server takes requests and answers none, from a time on and for a while.
type mute struct {
	runner.Lease
	from  time.Time
	until time.Time
}

func (m mute) Take(ctx context.Context, holder string, ttl time.Duration) error {
	if now := time.Now(); now.After(m.from) && now.Before(m.until) {
		<-ctx.Done() // as on a connection that has died: also when the server is back
		return ctx.Err()
	}
	return m.Lease.Take(ctx, holder, ttl)
}

func TestALeaseThatIsNotAnsweredEndsTheMoverBeforeAnotherCanBegin(t *testing.T) {
	for span, lost := range map[time.Duration]bool{30 * time.Second: false, time.Hour: true} {
		synctest.Test(t, func(t *testing.T) {
			units := []rollout.Unit{shifted("/cart", 1)}
			w := newWorlds(units...)
			world, from := w.world(), time.Now().Add(2*time.Minute)
			world.Lease = mute{world.Lease, from, from.Add(span)}
			err := runner.New(rollout.NewMove(units, 1), world, w.log, runner.Options{Holder: "me"}).Run(t.Context())
			if (err != nil) != lost {
				t.Errorf("a server that is mute for %s: Run = %v", span, err)
			}
			if after := time.Since(from); lost && after > 90*time.Second {
				t.Errorf("the mover went on for %s, and another can begin after 90 s", after)
			}
		})
	}
}

// TestADatabaseGoesOverAndComesBack by replication.
func TestADatabaseGoesOverAndComesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		u := in(plan.Stateful, shifted("/x", 1))
		u.ID, u.Workloads, u.Database = "database/core", nil, &policy.MoveDatabase{Name: "core", Backend: "db", TargetAddress: "10.0.0.9:5432"}
		units := []rollout.Unit{u}
		w := newWorlds()
		m := rollout.NewMove(units, 1)
		back := false
		o := runner.Options{Orders: func() ([]runner.Order, error) {
			if w.traffic.Share("db") == 100 && !back {
				back = true
				return []runner.Order{{Kind: runner.OrderRollBack, Unit: u.ID}}, nil
			}
			return nil, nil
		}}
		if err := w.run(t, m, o); err != nil {
			t.Fatal(err)
		}
		if m.State(&units[0]) != rollout.RolledBack || w.traffic.Share("db") != 0 || w.database.Leads("core") != "source" || w.database.Follows("core") {
			t.Fatalf("%s, %d %% at the target, %s leads", w.why(m), w.traffic.Share("db"), w.database.Leads("core"))
		}
	})
}
