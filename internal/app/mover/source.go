package mover

import (
	"fmt"
	"os"

	"github.com/tranship/tranship/internal/base/credential"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/rollout/runner"
	"github.com/tranship/tranship/internal/world/marathon"
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
