package marathon_test

import (
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/tranship/tranship/internal/discover/discovertest"
	discovered "github.com/tranship/tranship/internal/discover/marathon"
	"github.com/tranship/tranship/internal/discover/metronome"
	"github.com/tranship/tranship/internal/discover/pod"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/rollout/runner"
	"github.com/tranship/tranship/internal/rollout/runner/runnertest"
	"github.com/tranship/tranship/internal/world/marathon"
)

// planned gives the workloads as discover finds them in what the double answers.
func (d *double) planned(t *testing.T) map[estate.Name]*estate.Workload {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	out := map[estate.Name]*estate.Workload{"/shop/gone": {ID: "/shop/gone", Kind: estate.Service, SourceVersion: "2026-01-01T00:00:00.000Z"}}
	job := maps.Clone(d.job)
	job["schedules"], job["activeRuns"], job["historySummary"] = d.schedule, []any{}, object{"successCount": 7}
	service := d.app()
	if d.pod {
		service = d.versions[d.version]
	}
	for _, v := range []any{service, []any{job}} {
		data, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range discovertest.One([]any{discovered.Reader{}, pod.Reader{}, metronome.Reader{}}, string(data)).Estate.Workloads {
			out[w.ID] = &w
		}
	}
	if out["/shop/cart"] == nil || out["shop.night"] == nil {
		t.Fatalf("discover found %v", out)
	}
	return out
}

func TestSourceKeepsItsPromises(t *testing.T) {
	for name, isPod := range map[string]bool{"app": false, "pod": true} {
		t.Run(name, func(t *testing.T) {
			runnertest.Source(t, func(t *testing.T) (runner.Source, runnertest.SourceWorld) {
				d := newDouble(isPod)
				plan := d.planned(t)
				c := d.client(t)
				s := marathon.New(func(n estate.Name) *estate.Workload { return plan[n] }, c, c)
				set := func(f func()) {
					d.mu.Lock()
					defer d.mu.Unlock()
					f()
				}
				t.Cleanup(func() {
					for _, w := range d.writes {
						if !strings.HasPrefix(w, "PUT /v2/apps/shop/cart") && !strings.HasPrefix(w, "PUT /v2/pods/shop/cart") && !strings.HasPrefix(w, "PUT /v1/jobs/shop.night/schedules/") {
							t.Errorf("the source was sent %s", w)
						}
					}
				})
				return s, runnertest.SourceWorld{
					App: "/shop/cart", Job: "shop.night", Gone: "/shop/gone",
					Planned: map[estate.Name]string{"/shop/cart": plan["/shop/cart"].SourceVersion, "shop.night": plan["shop.night"].SourceVersion},
					Await: func(done func() bool) bool {
						for range 20 {
							if done() {
								return true
							}
							d.look()
						}
						return false
					},
					Deploy: func(w estate.Name) {
						set(func() {
							if w == "shop.night" {
								d.job = object{"id": "shop.night", "run": object{"cmd": "count --twice", "cpus": 0.1}, "labels": object{"a": "b"}}
								return
							}
							d.def["user"] = "nobody"
							d.deploy(2, true)
							d.left = 0
						})
					},
					Rescale: func(n int) { set(func() { d.deploy(n, false) }) },
					Lock: func() func() {
						set(func() { d.locked = true })
						return func() { set(func() { d.locked = false }) }
					},
					Run: func() func() {
						set(func() { d.runs = 1 })
						return func() { set(func() { d.runs = 0 }) }
					},
					On: func() (on []string) {
						set(func() {
							for _, s := range d.schedule {
								if s["enabled"] == true {
									on = append(on, s["id"].(string))
								}
							}
						})
						return on
					},
					Deny: func() { set(func() { d.denied = true }) },
					Tear: func() { set(func() { d.tear = true }) },
					Cut: func() func() {
						set(func() { d.cut = true })
						return func() { set(func() { d.cut = false }) }
					},
					Sicken: func() { set(func() { d.sick = true }) },
				}
			})
		})
	}
}

// at gives a source over a double that plays an app.
func at(t *testing.T, d *double) (*marathon.Source, map[estate.Name]*estate.Workload) {
	t.Helper()
	plan := d.planned(t)
	c := d.client(t)
	return marathon.New(func(n estate.Name) *estate.Workload { return plan[n] }, c, c), plan
}

// TestARestartIsNoDrift: it gives an app a new version, of the same definition.
func TestARestartIsNoDrift(t *testing.T) {
	for name, isPod := range map[string]bool{"app": false, "pod": true} {
		t.Run(name, func(t *testing.T) {
			d := newDouble(isPod)
			s, plan := at(t, d)
			d.mu.Lock()
			d.deploy(2, true) // not even lastConfigChangeAt is as it was
			d.mu.Unlock()
			c, err := s.Observe(t.Context(), "/shop/cart")
			if want := plan["/shop/cart"].SourceVersion; err != nil || c.Version != want {
				t.Errorf("Observe = %+v, %v; want version %s", c, err, want)
			}
		})
	}
}

// TestAVersionThatIsNotKeptAnyMoreIsDrift: nobody can say that it was the same.
func TestAVersionThatIsNotKeptAnyMoreIsDrift(t *testing.T) {
	d := newDouble(false)
	s, plan := at(t, d)
	d.mu.Lock()
	d.deploy(2, true)
	delete(d.versions, plan["/shop/cart"].SourceVersion)
	d.mu.Unlock()
	c, err := s.Observe(t.Context(), "/shop/cart")
	if err != nil || c.Version != d.version {
		t.Errorf("Observe = %+v, %v; want version %s", c, err, d.version)
	}
}

// TestAPlanFromFilesHasNothingToCompare: its digest is of what somebody wrote.
func TestAPlanFromFilesHasNothingToCompare(t *testing.T) {
	s, plan := at(t, newDouble(false))
	plan["/shop/cart"].SourceVersion = "sha256:0123456789abcdef"
	if c, err := s.Observe(t.Context(), "/shop/cart"); err != nil || c.Version != "" || c.Ready != 2 {
		t.Errorf("Observe = %+v, %v; want no version", c, err)
	}
}

// TestTasksOnTheirWayOutStillRun: Marathon's own counters leave them out.
func TestTasksOnTheirWayOutStillRun(t *testing.T) {
	d := newDouble(false)
	s, _ := at(t, d)
	if err := s.Scale(t.Context(), "/shop/cart", 0); err != nil {
		t.Fatal(err)
	}
	if c, err := s.Observe(t.Context(), "/shop/cart"); err != nil || c.Running != 2 || c.Ready != 0 || !c.Locked {
		t.Errorf("Observe = %+v, %v; want two copies on their way out, and a lock", c, err)
	}
}

// TestARunThatWaitsCounts: it would begin by itself.
func TestARunThatWaitsCounts(t *testing.T) {
	d := newDouble(false)
	s, _ := at(t, d)
	d.mu.Lock()
	d.runs, d.queued = 1, 2
	d.mu.Unlock()
	if c, err := s.Observe(t.Context(), "shop.night"); err != nil || c.Running != 3 {
		t.Errorf("Observe = %+v, %v; want three runs, each counted once", c, err)
	}
}

// TestAScheduleThatThePlanDoesNotKnowIsNotTurnedOff: it would not come back.
func TestAScheduleThatThePlanDoesNotKnowIsNotTurnedOff(t *testing.T) {
	d := newDouble(false)
	s, plan := at(t, d)
	d.mu.Lock()
	d.schedule[0]["enabled"] = true
	d.mu.Unlock()
	if err := s.Scale(t.Context(), "shop.night", 0); !errors.Is(err, runner.ErrRefused) || !strings.Contains(err.Error(), "weekly") {
		t.Errorf("Scale = %v, want a refusal that names the schedule", err)
	}
	if len(d.writes) != 0 {
		t.Errorf("%v was changed before the refusal", d.writes)
	}
	if c, err := s.Observe(t.Context(), "shop.night"); err != nil || c.Version == plan["shop.night"].SourceVersion {
		t.Errorf("Observe = %+v, %v; want another version", c, err)
	}
}

// TestWhatNoAdapterReachesIsRefusedInWords: it may well run there.
func TestWhatNoAdapterReachesIsRefusedInWords(t *testing.T) {
	plan := map[estate.Name]*estate.Workload{
		"/stack/web": {ID: "/stack/web", Kind: estate.Service, Origin: estate.Origin{Pointer: "/services/web"}},
		"/shop/cart": {ID: "/shop/cart", Kind: estate.Service},
		"shop.night": {ID: "shop.night", Kind: estate.Schedule},
	}
	s := marathon.New(func(n estate.Name) *estate.Workload { return plan[n] }, nil, nil)
	for name, word := range map[estate.Name]string{"/stack/web": "Docker Swarm", "/shop/cart": "spec.move.source.marathon", "shop.night": "spec.move.source.metronome"} {
		if _, err := s.Observe(t.Context(), name); !errors.Is(err, runner.ErrRefused) || !strings.Contains(err.Error(), word) {
			t.Errorf("Observe(%s) = %v, want a refusal that says %s", name, err, word)
		}
	}
}

// TestNoErrorHoldsTheToken: an interface may send back what it was sent.
func TestNoErrorHoldsTheToken(t *testing.T) {
	d := newDouble(false)
	s, _ := at(t, d)
	d.mu.Lock()
	d.denied = true
	d.mu.Unlock()
	err := s.Scale(t.Context(), "/shop/cart", 1)
	if !errors.Is(err, runner.ErrRefused) || strings.Contains(err.Error(), d.token) {
		t.Errorf("Scale = %v, want a refusal without the token", err)
	}
}

// TestScalingIsNoDriftThoughTheVersionIsForgotten: Marathon keeps so many only.
func TestScalingIsNoDriftThoughTheVersionIsForgotten(t *testing.T) {
	d := newDouble(false)
	s, plan := at(t, d)
	want := plan["/shop/cart"].SourceVersion
	d.mu.Lock()
	d.deploy(5, false)
	delete(d.versions, want)
	d.mu.Unlock()
	if c, err := s.Observe(t.Context(), "/shop/cart"); err != nil || c.Version != want {
		t.Errorf("Observe = %+v, %v; want version %s", c, err, want)
	}
}
