package runner

import (
	"context"
	"fmt"
	"time"

	"github.com/tranship/tranship/internal/rollout"
)

// The worlds, as fences name them.
const (
	source = "source"
	target = "target"
)

// suspend has no copy wanted at the source. A unit that has traffic is retired
// only when none is left there.
func (r *Runner) suspend(ctx context.Context, u *rollout.Unit, retire bool) error {
	if retire {
		for _, route := range u.Routes() {
			f, err := r.world.Traffic.Observe(ctx, route)
			if err != nil {
				return fmt.Errorf("is %s without traffic at the source: %w", route.Backend, err)
			}
			if f.Source.Weight != 0 || f.Source.Sessions != 0 {
				return fmt.Errorf("%w: the source of %s still has traffic: %d %%, %d sessions", ErrRefused, route.Backend, f.Source.Weight, f.Source.Sessions)
			}
		}
	}
	return r.eachWorkload(u, func(l *rollout.Workload) error {
		if err := r.betweenRuns(ctx, l); err != nil {
			return err
		}
		return r.change(ctx, u, "stop "+string(l.Name)+" at the source", func(ctx context.Context) error {
			return r.world.Source.Scale(ctx, l.Name, 0)
		})
	})
}

// betweenRuns waits until a job can be exchanged with no run being due meanwhile:
// one that was due while neither world was on would be lost, and a cluster that
// is told late would run again what the source has run.
func (r *Runner) betweenRuns(ctx context.Context, l *rollout.Workload) error {
	for {
		ok, wait, err := rollout.Between(l.Times, r.opts.Clock.Now())
		if err != nil {
			return fmt.Errorf("%w: %w", ErrRefused, err)
		}
		if ok {
			return nil
		}
		if err := r.opts.Clock.Sleep(ctx, wait); err != nil {
			return err
		}
	}
}

// resume gives the source back what it ran. A workload that the target may run
// is never started.
func (r *Runner) resume(ctx context.Context, u *rollout.Unit) error {
	return r.eachWorkload(u, func(l *rollout.Workload) error {
		n := l.SourceReplicas
		if job(l) {
			n = 1
		}
		if exclusively(u) {
			if err := r.fence(ctx, u, l, source); err != nil {
				return err
			}
		}
		err := r.change(ctx, u, "start "+string(l.Name)+" at the source", func(ctx context.Context) error {
			return r.world.Source.Scale(ctx, l.Name, n)
		})
		if err != nil {
			return err
		}
		return r.awaitSource(ctx, u, l)
	})
}

// exclusively reports whether a unit must never run in both worlds.
func exclusively(u *rollout.Unit) bool {
	for _, s := range rollout.Script(u) {
		if s.Do == rollout.ProveSourceOff {
			return true
		}
	}
	return false
}

// fence records which world may run the workload, in the cluster and in the journal.
func (r *Runner) fence(ctx context.Context, u *rollout.Unit, l *rollout.Workload, world string) error {
	var token int64
	err := r.change(ctx, u, "fence "+string(l.Name), func(ctx context.Context) (err error) {
		token, err = r.world.Fences.Fence(ctx, l.Name, world)
		return err
	})
	if err != nil {
		return err
	}
	return r.record(KindFence, u, Fence{World: world, Token: token}, "")
}

// proven is how many looks in a row have to find nothing: a run that a schedule
// was about to start when it was turned off shows itself a moment later.
const proven = 2

func row(seen int, so bool) int {
	if !so {
		return 0
	}
	return seen + 1
}

// proveSourceOff asks both worlds: none wanted, none running, nothing under way
// at the source, and nothing at the target either.
func (r *Runner) proveSourceOff(ctx context.Context, u *rollout.Unit, limit time.Duration) error {
	return r.eachWorkload(u, func(l *rollout.Workload) error {
		seen := 0
		return r.await(ctx, u, "prove that "+string(l.Name)+" is off", limit, func(ctx context.Context) (bool, string, error) {
			s, t, err := r.both(ctx, l)
			if err != nil {
				return false, "", err
			}
			seen = row(seen, s.Wanted == 0 && s.Running == 0 && !s.Locked && t.Running == 0)
			return seen >= proven, fmt.Sprintf("source wants %d, runs %d; target runs %d", s.Wanted, s.Running, t.Running), nil
		})
	})
}

// proveTargetOff is its mirror, on the way back.
func (r *Runner) proveTargetOff(ctx context.Context, u *rollout.Unit, limit time.Duration) error {
	return r.eachWorkload(u, func(l *rollout.Workload) error {
		seen := 0
		return r.await(ctx, u, "prove that "+string(l.Name)+" is off at the target", limit, func(ctx context.Context) (bool, string, error) {
			t, err := r.world.Cluster.Observe(ctx, l.Name)
			if err != nil {
				return false, "", err
			}
			seen = row(seen, t.Running == 0 && t.Wanted == 0)
			return seen >= proven, fmt.Sprintf("it wants %d and runs %d", t.Wanted, t.Running), nil
		})
	})
}

func (r *Runner) both(ctx context.Context, l *rollout.Workload) (s, t rollout.Copies, err error) {
	if s, err = r.world.Source.Observe(ctx, l.Name); err != nil {
		return s, t, err
	}
	t, err = r.world.Cluster.Observe(ctx, l.Name)
	return s, t, err
}

// startTarget takes the fence, looks at the source once more, and starts.
func (r *Runner) startTarget(ctx context.Context, u *rollout.Unit) error {
	err := r.eachWorkload(u, func(l *rollout.Workload) error { return r.fence(ctx, u, l, target) })
	if err != nil {
		return err
	}
	if err := r.proveSourceStill(ctx, u); err != nil {
		return err
	}
	return r.apply(ctx, u, -1)
}

func (r *Runner) proveSourceStill(ctx context.Context, u *rollout.Unit) error {
	return r.eachWorkload(u, func(l *rollout.Workload) error {
		return r.await(ctx, u, "look at the source's "+string(l.Name), 0, func(ctx context.Context) (bool, string, error) {
			s, err := r.world.Source.Observe(ctx, l.Name)
			return s.Wanted == 0 && s.Running == 0, fmt.Sprintf("somebody started it again: it wants %d and runs %d", s.Wanted, s.Running), err
		})
	})
}

// proveTargetOn asks both worlds again.
func (r *Runner) proveTargetOn(ctx context.Context, u *rollout.Unit, limit time.Duration) error {
	return r.eachWorkload(u, func(l *rollout.Workload) error {
		if err := r.awaitReady(ctx, u, l, limit); err != nil {
			return err
		}
		return r.await(ctx, u, "look at the source's "+string(l.Name), 0, func(ctx context.Context) (bool, string, error) {
			s, err := r.world.Source.Observe(ctx, l.Name)
			return s.Running == 0, fmt.Sprintf("%d copies run in the source as well", s.Running), err
		})
	})
}
