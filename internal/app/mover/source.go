package mover

import (
	"fmt"
	"os"
	"time"

	"github.com/tranship/tranship/internal/base/credential"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/rollout/runner"
	"github.com/tranship/tranship/internal/world/marathon"
	"github.com/tranship/tranship/internal/world/mesos"
	"github.com/tranship/tranship/internal/world/probe"
	"github.com/tranship/tranship/internal/world/volume"
	"github.com/tranship/tranship/internal/world/wire"
)

// sources opens the old world.
func sources(w *runner.World, p *plan.Plan, o Options) error {
	m := &p.Policy.Spec.Move
	opts, err := trust(m, o)
	if err != nil {
		return err
	}
	apps, err := wire.New(m.Source.Marathon, opts)
	if err != nil {
		return fmt.Errorf("spec.move.source.marathon: %w", err)
	}
	var jobs *wire.Client
	if m.Source.Metronome != "" {
		if jobs, err = wire.New(m.Source.Metronome, opts); err != nil {
			return fmt.Errorf("spec.move.source.metronome: %w", err)
		}
	}
	w.Source = marathon.New(func(name estate.Name) *estate.Workload { return p.Estate.Find(name) }, apps, jobs)
	o.About("source: Marathon at " + m.Source.Marathon)
	if m.Source.Mesos != "" {
		master, err := wire.New(m.Source.Mesos, opts)
		if err != nil {
			return fmt.Errorf("spec.move.source.mesos: %w", err)
		}
		w.Hosts = mesos.New(master, time.Now)
	}
	return probes(w, p, opts.CA)
}

// probes opens what asks both worlds directly, and what copies volumes.
func probes(w *runner.World, p *plan.Plan, ca []byte) error {
	prober, err := probe.NewProber(probe.Options{CA: ca})
	if err != nil {
		return err
	}
	marker, err := probe.NewMarker(probe.Options{CA: ca})
	if err != nil {
		return err
	}
	w.Prober, w.Marker = prober, marker
	w.Volumes = volume.New(p.Policy.Spec.Move.Volumes, volume.Local{}, volume.Options{Path: func(name estate.Name, vol string) string {
		if l := p.Estate.Find(name); l != nil {
			for _, c := range l.Containers {
				for _, m := range c.Mounts {
					if m.Volume == vol {
						return m.Path
					}
				}
			}
		}
		return ""
	}})
	return nil
}

// trust reads the credential that the policy names, and certificates to trust.
func trust(m *policy.Move, o Options) (wire.Options, error) {
	var out wire.Options
	if name := m.Source.TokenEnv; name != "" {
		value, ok := o.Getenv(name)
		if !ok {
			return out, fmt.Errorf("environment variable %s is not set: it holds the source's token", name)
		}
		secret, err := credential.Token(value)
		if err != nil {
			return out, fmt.Errorf("environment variable %s: %w", name, err)
		}
		out.Credential = secret
	}
	if m.Source.CAFile != "" {
		pem, err := os.ReadFile(m.Source.CAFile)
		if err != nil {
			return out, fmt.Errorf("certificates to trust: %w", err)
		}
		out.CA = pem
	}
	return out, nil
}
