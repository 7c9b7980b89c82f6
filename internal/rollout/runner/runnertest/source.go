package runnertest

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/rollout/runner"
)

// SourceWorld is what the suite does to the old world. It is made anew for each
// test, and the plan is made of it as it is then.
type SourceWorld struct {
	// App has two copies that serve, Job a schedule that is on and one that is off;
	// Gone is of the plan and was deleted since.
	App, Job, Gone estate.Name
	// Planned are the versions that the plan has.
	Planned map[estate.Name]string
	// Await lets time go by until done, and reports whether it came to that.
	Await func(done func() bool) bool
	// Deploy gives a workload another definition, and Rescale the app another number
	// of copies, by somebody else's hand; both are done when they return.
	Deploy  func(w estate.Name)
	Rescale func(n int)
	// Lock has a change of the app be under way that does not end until unlock.
	Lock func() (unlock func())
	// Run begins a run of the job, which lasts until end.
	Run func() (end func())
	// On names the job's schedules that are on, in any order.
	On func() []string
	// Deny takes the right to change anything away.
	Deny func()
	// Tear has the next change be made and its answer be lost.
	Tear func()
	// Cut has nobody answer until restore is called.
	Cut func() (restore func())
	// Sicken has no copy of the app be ready.
	Sicken func()
}

// sourceTest is one promise at work.
type sourceTest struct {
	*testing.T
	s runner.Source
	w SourceWorld
}

// Source holds the old world against what runner.Source promises.
func Source(t *testing.T, open func(*testing.T) (runner.Source, SourceWorld)) {
	for _, c := range []struct {
		name string
		test func(*sourceTest)
	}{
		{"Copies are told, of the planned version", sourceTells},
		{"What is not there is absent", sourceAbsent},
		{"Scaled to none nothing runs, and the definition stays", sourceStops},
		{"Copies that were scaled away come back", sourceComesBack},
		{"Scaling twice is as once", sourceTwice},
		{"Scaling to what is there changes nothing", sourceNothing},
		{"A number of copies is no other version, whoever set it", sourceRescaled},
		{"Another definition is another version", sourceDeployed},
		{"A change under way is told, and not broken", sourceLocked},
		{"Without permission it is refused", sourceRefused},
		{"A change whose answer was lost is done by the next", sourceTorn},
		{"No answer is no refusal", sourceCut},
		{"A context that has ended ends the call", sourceEnded},
		{"Copies that do not come up are told, and why", sourceSick},
		{"The same schedules come back that went", jobSwitched},
		{"A run outlives its schedule, and is told", jobRuns},
		{"Another definition of a job is another version", jobDeployed},
		{"A job whose answer was lost is done by the next", jobTorn},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, w := open(t)
			x := &sourceTest{T: t, s: s, w: w}
			x.until(w.App, "two copies that serve", serving(2))
			c.test(x)
		})
	}
}

func serving(n int) func(rollout.Copies) bool {
	return func(c rollout.Copies) bool {
		return c.Wanted == n && c.Running == n && c.Ready == n && !c.Locked && !c.Absent
	}
}

func (t *sourceTest) observe(w estate.Name) rollout.Copies {
	t.Helper()
	c, err := t.s.Observe(t.Context(), w)
	if err != nil {
		t.Fatalf("Observe(%s) = %v", w, err)
	}
	return c
}

func (t *sourceTest) scale(w estate.Name, n int) {
	t.Helper()
	if err := t.s.Scale(t.Context(), w, n); err != nil {
		t.Fatalf("Scale(%s, %d) = %v", w, n, err)
	}
}

func (t *sourceTest) until(w estate.Name, what string, ok func(rollout.Copies) bool) {
	t.Helper()
	if !t.w.Await(func() bool { return ok(t.observe(w)) }) {
		t.Fatalf("Observe(%s) = %+v, want %s", w, t.observe(w), what)
	}
}

func (t *sourceTest) planned(w estate.Name) {
	t.Helper()
	if c := t.observe(w); c.Version != t.w.Planned[w] {
		t.Errorf("version of %s = %q, want the planned one, %q", w, c.Version, t.w.Planned[w])
	}
}

func sourceTells(t *sourceTest) {
	t.planned(t.w.App)
	t.planned(t.w.Job)
	if c := t.observe(t.w.Job); c.Wanted != 1 || c.Ready != 1 || c.Running != 0 || c.Locked {
		t.Errorf("Observe(job) = %+v, want a schedule that is on, and no run", c)
	}
}

func sourceAbsent(t *sourceTest) {
	if c := t.observe(t.w.Gone); !c.Absent || c.Wanted != 0 || c.Running != 0 {
		t.Errorf("Observe = %+v, want absent", c)
	}
	if err := t.s.Scale(t.Context(), t.w.Gone, 1); !errors.Is(err, runner.ErrAbsent) {
		t.Errorf("Scale = %v, want ErrAbsent", err)
	}
}

func sourceStops(t *sourceTest) {
	t.scale(t.w.App, 0)
	if c := t.observe(t.w.App); c.Wanted != 0 || c.Absent {
		t.Errorf("Observe right after Scale to 0 = %+v, want none wanted", c)
	}
	t.until(t.w.App, "that nothing runs", serving(0))
	t.planned(t.w.App)
}

func sourceComesBack(t *sourceTest) {
	t.scale(t.w.App, 0)
	t.until(t.w.App, "that nothing runs", serving(0))
	t.scale(t.w.App, 2)
	t.until(t.w.App, "two copies that serve", serving(2))
	t.planned(t.w.App)
}

func sourceTwice(t *sourceTest) {
	t.scale(t.w.App, 1)
	t.scale(t.w.App, 1)
	t.until(t.w.App, "one copy", serving(1))
	t.scale(t.w.App, 1)
	t.until(t.w.App, "one copy", serving(1))
}

func sourceNothing(t *sourceTest) {
	before := t.observe(t.w.App)
	t.scale(t.w.App, 2)
	if after := t.observe(t.w.App); after != before {
		t.Errorf("scaling to what is there changed %+v to %+v", before, after)
	}
}

func sourceRescaled(t *sourceTest) {
	t.w.Rescale(3)
	t.until(t.w.App, "three copies", serving(3))
	t.planned(t.w.App)
	t.scale(t.w.App, 1)
	t.until(t.w.App, "one copy", serving(1))
	t.planned(t.w.App)
}

func sourceDeployed(t *sourceTest) {
	t.w.Deploy(t.w.App)
	if c := t.observe(t.w.App); c.Version == t.w.Planned[t.w.App] {
		t.Errorf("version is %q after another definition was deployed", c.Version)
	}
}

func sourceLocked(t *sourceTest) {
	unlock := t.w.Lock()
	if c := t.observe(t.w.App); !c.Locked {
		t.Errorf("Observe = %+v while a change is under way, want locked", c)
	}
	if err := t.s.Scale(t.Context(), t.w.App, 0); !errors.Is(err, runner.ErrLocked) {
		t.Errorf("Scale while a change is under way = %v, want ErrLocked", err)
	}
	if c := t.observe(t.w.App); c.Wanted == 0 {
		t.Errorf("Observe = %+v: the lock was broken", c)
	}
	unlock()
	t.until(t.w.App, "no lock", func(c rollout.Copies) bool { return !c.Locked })
	t.scale(t.w.App, 0)
	t.until(t.w.App, "that nothing runs", serving(0))
}

func sourceRefused(t *sourceTest) {
	t.w.Deny()
	if err := t.s.Scale(t.Context(), t.w.App, 0); !errors.Is(err, runner.ErrRefused) {
		t.Errorf("Scale without permission = %v, want ErrRefused", err)
	}
	if c := t.observe(t.w.App); c.Wanted != 2 {
		t.Errorf("Observe = %+v, want two copies as before", c)
	}
}

// passing reports whether an error is of a world that may answer the next time.
func passing(err error) bool {
	return err != nil && !errors.Is(err, runner.ErrRefused) && !errors.Is(err, runner.ErrAbsent) && !errors.Is(err, runner.ErrLocked)
}

func sourceTorn(t *sourceTest) {
	t.w.Tear()
	if err := t.s.Scale(t.Context(), t.w.App, 1); !passing(err) {
		t.Errorf("Scale whose answer was lost = %v, want an error that may pass", err)
	}
	t.scale(t.w.App, 1)
	t.until(t.w.App, "one copy", serving(1))
	t.planned(t.w.App)
}

func sourceCut(t *sourceTest) {
	restore := t.w.Cut()
	if _, err := t.s.Observe(t.Context(), t.w.App); !passing(err) {
		t.Errorf("Observe while nobody answers = %v, want an error that may pass", err)
	}
	if err := t.s.Scale(t.Context(), t.w.App, 0); !passing(err) {
		t.Errorf("Scale while nobody answers = %v, want an error that may pass", err)
	}
	restore()
	t.until(t.w.App, "the two copies of before", serving(2))
}

func sourceEnded(t *sourceTest) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("the mover ends"))
	if err := t.s.Scale(ctx, t.w.App, 0); err == nil || errors.Is(err, runner.ErrRefused) {
		t.Errorf("Scale = %v, want the end of the context", err)
	}
	if _, err := t.s.Observe(ctx, t.w.App); err == nil {
		t.Error("Observe gave no error, want the end of the context")
	}
	t.until(t.w.App, "the two copies of before", serving(2))
}

func sourceSick(t *sourceTest) {
	t.w.Sicken()
	t.until(t.w.App, "no copy ready, and why", func(c rollout.Copies) bool { return c.Ready == 0 && c.Failing != "" })
}

func sorted(s []string) []string { return slices.Sorted(slices.Values(s)) }

func jobSwitched(t *sourceTest) {
	before := sorted(t.w.On())
	t.scale(t.w.Job, 0)
	t.scale(t.w.Job, 0)
	if c := t.observe(t.w.Job); c.Wanted != 0 || c.Ready != 0 || c.Absent || len(t.w.On()) != 0 {
		t.Errorf("Observe = %+v, schedules %v are on; want none", c, t.w.On())
	}
	t.planned(t.w.Job)
	t.scale(t.w.Job, 2)
	if c := t.observe(t.w.Job); c.Wanted != 1 || c.Ready != 1 {
		t.Errorf("Observe = %+v, want a schedule that is on", c)
	}
	if after := sorted(t.w.On()); !slices.Equal(after, before) {
		t.Errorf("schedules %v are on, want those of before, %v", after, before)
	}
	t.planned(t.w.Job)
}

func jobRuns(t *sourceTest) {
	end := t.w.Run()
	t.until(t.w.Job, "a run", func(c rollout.Copies) bool { return c.Running == 1 })
	t.scale(t.w.Job, 0)
	if c := t.observe(t.w.Job); c.Wanted != 0 || c.Running != 1 {
		t.Errorf("Observe = %+v, want the run that goes on", c)
	}
	end()
	t.until(t.w.Job, "no run", func(c rollout.Copies) bool { return c.Running == 0 && c.Wanted == 0 })
}

func jobDeployed(t *sourceTest) {
	t.w.Deploy(t.w.Job)
	if c := t.observe(t.w.Job); c.Version == t.w.Planned[t.w.Job] {
		t.Errorf("version is %q after another definition was put", c.Version)
	}
}

func jobTorn(t *sourceTest) {
	t.w.Tear()
	if err := t.s.Scale(t.Context(), t.w.Job, 0); !passing(err) {
		t.Errorf("Scale whose answer was lost = %v, want an error that may pass", err)
	}
	t.scale(t.w.Job, 0)
	if c := t.observe(t.w.Job); c.Wanted != 0 || len(t.w.On()) != 0 {
		t.Errorf("Observe = %+v, schedules %v are on; want none", c, t.w.On())
	}
}
