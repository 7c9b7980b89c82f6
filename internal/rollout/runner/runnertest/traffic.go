package runnertest

import (
	"context"
	"errors"
	"testing"

	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/rollout/runner"
)

// Door is a front door under test: a route whose source is up and has all of
// the traffic, and the means to use it and to change what stands behind it.
type Door struct {
	Traffic runner.Traffic
	Cutter  runner.Cutter // nil where there is none
	Route   rollout.Route
	// Targets are addresses, two at least, behind which the target answers.
	Targets []string
	// Send sends n requests and tells who answered, and how many failed. It
	// returns once the front door has counted them.
	Send func(n int) (source, target, failed int)
	// Answer has a side answer or not, and returns once the front door knows.
	Answer func(side string, yes bool)
	// Err has a side answer everything with an error, or nothing.
	Err func(side string, yes bool)
	// Reload has the front door read its configuration anew, by somebody else's
	// hand; nil where it has none.
	Reload func()
	// Hold opens connections that last, and Held tells how many of them are still
	// open; nil where there are none.
	Hold func(n int)
	Held func() int
	// Blind: it counts no requests and errors.
	Blind bool
	// FailsOver: what a side that is down cannot take goes to the other side.
	FailsOver bool
	// Near is how far a share may be from what was asked for, in percent.
	Near int
}

// doorTest is one promise.
type doorTest struct {
	testing.TB
	Door
	ctx context.Context
}

// Traffic asks of a front door all that runner.Traffic and runner.Cutter promise.
func Traffic(t *testing.T, open func(t *testing.T) Door) {
	for _, p := range []struct {
		name string
		run  func(d doorTest)
	}{
		{"new targets get no traffic", newTargets},
		{"connect again changes nothing", connectAgain},
		{"connect follows the addresses", connectFollows},
		{"connect to none sends all traffic to the source", disconnect},
		{"connect that was interrupted is done by the next", interrupted},
		{"what is no address is refused", noAddress},
		{"shares are as near as can be, 0 and 100 exact", shares},
		{"shift again changes nothing", shiftAgain},
		{"shares that there are not are refused", noShare},
		{"a side that is down is given nothing", downIsRefused},
		{"a side that goes down is seen and keeps its weight", goesDown},
		{"an unknown backend is absent", unknown},
		{"errors are those of the side that made them", errorsBySide},
		{"counters and latencies only grow", counters},
		{"a reload changes nothing", reload},
		{"a reload at the whole changes nothing", reloadWhole},
		{"a cut ends one side's connections", cut},
		{"a context that has ended ends calls", ended},
	} {
		t.Run(p.name, func(t *testing.T) { p.run(doorTest{t, open(t), t.Context()}) })
	}
}

// Cut asks of a front door what runner.Cutter promises: the part of Traffic that
// is about connections that last.
func Cut(t *testing.T, d Door) { cut(doorTest{t, d, t.Context()}) }

func (d doorTest) connect(addresses ...string) {
	d.Helper()
	if err := d.Traffic.Connect(d.ctx, d.Route, addresses); err != nil {
		d.Fatalf("connect %v: %v", addresses, err)
	}
}

func (d doorTest) shift(percent int) {
	d.Helper()
	if err := d.Traffic.Shift(d.ctx, d.Route, percent); err != nil {
		d.Fatalf("shift to %d percent: %v", percent, err)
	}
}

func (d doorTest) observe() rollout.Flow {
	d.Helper()
	f, err := d.Traffic.Observe(d.ctx, d.Route)
	if err != nil {
		d.Fatalf("observe: %v", err)
	}
	return f
}

// shared sends requests and holds who answered against a share in percent.
func (d doorTest) shared(n, percent int) {
	d.Helper()
	source, target, failed := d.Send(n)
	near := d.Near * n / 100
	if percent == 0 || percent == 100 {
		near = 0
	}
	if want := n * percent / 100; target < want-near || target > want+near || source+target != n || failed != 0 {
		d.Errorf("of %d requests %d went to the source, %d to the target, %d failed; want %d percent at the target", n, source, target, failed, percent)
	}
}

func (d doorTest) weight(percent int) {
	d.Helper()
	if f := d.observe(); f.Target.Weight != percent || f.Source.Weight != 100-percent {
		d.Errorf("observed weights %d and %d, want %d percent at the target", f.Source.Weight, f.Target.Weight, percent)
	}
}

func (d doorTest) refused(what string, err, want error) {
	d.Helper()
	if !errors.Is(err, want) {
		d.Errorf("%s: %v, want %v", what, err, want)
	}
}
