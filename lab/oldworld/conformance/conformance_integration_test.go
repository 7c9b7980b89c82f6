//go:build integration

package conformance_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/tranship/tranship/lab/oldworld/conformance"
	"github.com/tranship/tranship/lab/oldworld/oldworldtest"
)

// The double is started where nothing else is named.
var (
	marathon  = flag.String("marathon", "", "URL of a Marathon to be held to the promises")
	metronome = flag.String("metronome", "", "URL of its Metronome")
	mesos     = flag.String("mesos", "", "URL of its Mesos master")
	disrupt   = flag.Bool("disrupt", false, "agents may be drained")
)

func TestPromisesOfTheRealInterfaces(t *testing.T) {
	target := conformance.Target{Marathon: *marathon, Metronome: *metronome, Mesos: *mesos, Disrupt: *disrupt}
	if target.Marathon == "" {
		w := oldworldtest.Start(t, oldworldtest.Build(t))
		target = conformance.Target{Marathon: w.Marathon, Metronome: w.Metronome, Mesos: w.Mesos, Disrupt: true}
	}
	for n, c := range conformance.All() {
		t.Run(c.Name, func(t *testing.T) {
			if c.Disrupts && !target.Disrupt {
				t.Skip("it empties agents: -disrupt allows it")
			}
			ctx, stop := context.WithTimeout(t.Context(), 4*time.Minute)
			defer stop()
			target.Name = fmt.Sprintf("check-%d-%d", os.Getpid(), n)
			one := conformance.New(ctx, target)
			if !c.Disrupts {
				t.Parallel()
			}
			if err := c.Run(one); err != nil {
				t.Errorf("%s: %v", c.From, err)
			}
			if err := one.Clean(); err != nil {
				t.Error(err)
			}
		})
	}
}
