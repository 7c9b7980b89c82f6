package runnertest

import (
	"context"
	"errors"
	"testing"

	"github.com/tranship/tranship/internal/rollout/runner"
)

// HostsWorld is what the suite does to the source's machines. It is made anew
// for each test.
type HostsWorld struct {
	// Full runs two tasks, Other one, and Empty none.
	Full, Other, Empty string
	// Await lets time go by until done, and reports whether it came to that.
	Await func(done func() bool) bool
	// Launch has somebody try to start a task on a host, and tells whether it runs.
	Launch func(host string) bool
	// Deny takes the right to change anything away.
	Deny func()
	// Tear has the next change be made and its answer be lost.
	Tear func()
	// Cut has nobody answer until restore is called.
	Cut func() (restore func())
}

// Hosts holds the source's machines against what runner.Hosts promises.
func Hosts(t *testing.T, open func(*testing.T) (runner.Hosts, HostsWorld)) {
	type bench struct {
		*testing.T
		h runner.Hosts
		w HostsWorld
	}
	tasks := func(b bench, hosts ...string) map[string]int {
		b.Helper()
		n, err := b.h.Tasks(b.Context(), hosts)
		if err != nil {
			b.Fatalf("Tasks(%v) = %v", hosts, err)
		}
		return n
	}
	empties := func(b bench, host string) {
		b.Helper()
		if !b.w.Await(func() bool { return tasks(b, host)[host] == 0 }) {
			b.Errorf("%d tasks run on %s, which is drained", tasks(b, host)[host], host)
		}
	}
	for name, test := range map[string]func(bench){
		"Tasks are counted by host, those that were asked for": func(b bench) {
			got := tasks(b, b.w.Full, b.w.Empty)
			if len(got) != 2 || got[b.w.Full] != 2 || got[b.w.Empty] != 0 {
				b.Errorf("Tasks = %v, want two on %s and none on %s", got, b.w.Full, b.w.Empty)
			}
		},
		"A drained host empties, and others do not": func(b bench) {
			if err := b.h.Drain(b.Context(), []string{b.w.Full}); err != nil {
				b.Fatalf("Drain = %v", err)
			}
			empties(b, b.w.Full)
			if n := tasks(b, b.w.Other)[b.w.Other]; n != 1 {
				b.Errorf("%d tasks run on %s, which was not drained, want one", n, b.w.Other)
			}
		},
		"A drained host takes no task": func(b bench) {
			if !b.w.Launch(b.w.Empty) {
				b.Fatalf("%s took no task before it was drained", b.w.Empty)
			}
			if err := b.h.Drain(b.Context(), []string{b.w.Empty}); err != nil {
				b.Fatalf("Drain = %v", err)
			}
			empties(b, b.w.Empty)
			if b.w.Launch(b.w.Empty) {
				b.Errorf("%s took a task though it is drained", b.w.Empty)
			}
		},
		"Draining twice is as once": func(b bench) {
			for range 2 {
				if err := b.h.Drain(b.Context(), []string{b.w.Full, b.w.Empty}); err != nil {
					b.Fatalf("Drain = %v", err)
				}
			}
			empties(b, b.w.Full)
			if err := b.h.Drain(b.Context(), []string{b.w.Full}); err != nil {
				b.Errorf("Drain of a host that is drained = %v", err)
			}
		},
		"A host that nobody knows is named, and the others drain": func(b bench) {
			err := b.h.Drain(b.Context(), []string{"nowhere.example", b.w.Full})
			if !errors.Is(err, runner.ErrAbsent) {
				b.Errorf("Drain = %v, want ErrAbsent", err)
			}
			empties(b, b.w.Full)
			if got := tasks(b, "nowhere.example", b.w.Empty); len(got) != 1 {
				b.Errorf("Tasks = %v, want no entry for a host that nobody knows", got)
			}
		},
		"Without permission it is refused": func(b bench) {
			b.w.Deny()
			if err := b.h.Drain(b.Context(), []string{b.w.Full}); !errors.Is(err, runner.ErrRefused) {
				b.Errorf("Drain without permission = %v, want ErrRefused", err)
			}
		},
		"A drain whose answer was lost is done by the next": func(b bench) {
			b.w.Tear()
			if err := b.h.Drain(b.Context(), []string{b.w.Full}); !passing(err) {
				b.Errorf("Drain whose answer was lost = %v, want an error that may pass", err)
			}
			if err := b.h.Drain(b.Context(), []string{b.w.Full}); err != nil {
				b.Errorf("Drain = %v", err)
			}
			empties(b, b.w.Full)
		},
		"No answer is no refusal": func(b bench) {
			restore := b.w.Cut()
			if err := b.h.Drain(b.Context(), []string{b.w.Full}); !passing(err) {
				b.Errorf("Drain while nobody answers = %v, want an error that may pass", err)
			}
			if _, err := b.h.Tasks(b.Context(), []string{b.w.Full}); !passing(err) {
				b.Errorf("Tasks while nobody answers = %v, want an error that may pass", err)
			}
			restore()
			if n := tasks(b, b.w.Full)[b.w.Full]; n != 2 {
				b.Errorf("%d tasks run on %s, want the two of before", n, b.w.Full)
			}
		},
		"A context that has ended ends the call": func(b bench) {
			ctx, cancel := context.WithCancelCause(b.Context())
			cancel(errors.New("the mover ends"))
			if err := b.h.Drain(ctx, []string{b.w.Full}); err == nil {
				b.Error("Drain gave no error, want the end of the context")
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			h, w := open(t)
			b := bench{t, h, w}
			if !w.Await(func() bool { n := tasks(b, w.Full, w.Other); return n[w.Full] == 2 && n[w.Other] == 1 }) {
				t.Fatalf("Tasks = %v, want two on %s and one on %s", tasks(b, w.Full, w.Other), w.Full, w.Other)
			}
			test(b)
		})
	}
}
