package runner

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/rollout/gate"
)

// do carries one action out and verifies it.
func (r *Runner) do(ctx context.Context, w *run, a rollout.Action) error {
	u := w.unit
	switch a.Act {
	case rollout.CheckDrift:
		return r.checkDrift(ctx, u)
	case rollout.Apply:
		return r.apply(ctx, u, -1)
	case rollout.ApplyStopped:
		return r.apply(ctx, u, 0)
	case rollout.StopTarget:
		if err := r.eachWorkload(u, func(l *rollout.Workload) error { return r.betweenRuns(ctx, l) }); err != nil {
			return err
		}
		return r.apply(ctx, u, 0)
	case rollout.Remove:
		return r.eachWorkload(u, func(l *rollout.Workload) error {
			return r.change(ctx, u, "remove "+string(l.Name)+" from the target", func(ctx context.Context) error {
				return r.world.Cluster.Remove(ctx, l.Name)
			})
		})
	case rollout.AwaitReady:
		return r.eachWorkload(u, func(l *rollout.Workload) error { return r.awaitReady(ctx, u, l, a.Step.For) })
	case rollout.Connect:
		return r.connect(ctx, u)
	case rollout.Disconnect:
		return r.disconnect(ctx, u)
	case rollout.Shift:
		return r.shift(ctx, u, a.Weight, a.Back)
	case rollout.Watch:
		return r.watch(ctx, w, a)
	case rollout.DrainSource:
		return r.drainSource(ctx, u)
	case rollout.UndrainSrc:
		return r.eachWorkload(u, func(l *rollout.Workload) error { return r.awaitSource(ctx, u, l) })
	case rollout.SuspendSource, rollout.RetireSource:
		return r.suspend(ctx, u, a.Act == rollout.RetireSource)
	case rollout.ResumeSource:
		return r.resume(ctx, u)
	case rollout.ProveSourceOff:
		return r.proveSourceOff(ctx, u, a.Step.For)
	case rollout.ProveTargetOff:
		return r.proveTargetOff(ctx, u, a.Step.For)
	case rollout.StartTarget:
		return r.startTarget(ctx, u)
	case rollout.ProveTargetOn:
		return r.proveTargetOn(ctx, u, a.Step.For)
	case rollout.CopyWarm, rollout.Copy, rollout.CopyBack:
		return r.copyVolumes(ctx, u, a.Act)
	case rollout.Replicate, rollout.StopReplica, rollout.EndReverse:
		return r.replicate(ctx, u, a.Act == rollout.Replicate)
	case rollout.AwaitCaughtUp:
		return r.awaitCaughtUp(ctx, u, a.Step.For)
	case rollout.CutOver, rollout.CutBack:
		return r.cutOver(ctx, u, a.Act == rollout.CutBack)
	case rollout.Compare:
		return r.compare(ctx, u)
	case rollout.Approve:
		return nil // Next gives it only once a person has agreed
	}
	return fmt.Errorf("%w: the runner does not know how to %q", ErrRefused, a.Act)
}

func (r *Runner) eachWorkload(u *rollout.Unit, f func(*rollout.Workload) error) error {
	for i := range u.Workloads {
		if err := f(&u.Workloads[i]); err != nil {
			return err
		}
	}
	return nil
}

// checkDrift refuses a source that is not what the plan was made of.
func (r *Runner) checkDrift(ctx context.Context, u *rollout.Unit) error {
	return r.eachWorkload(u, func(l *rollout.Workload) error {
		return r.await(ctx, u, "look at the source's "+string(l.Name), u.Patience, func(ctx context.Context) (bool, string, error) {
			c, err := r.world.Source.Observe(ctx, l.Name)
			if errors.Is(err, ErrAbsent) {
				c.Absent, err = true, nil
			}
			if err != nil {
				return false, "", err
			}
			if why := drifted(l, c); why != "" {
				return false, "", fmt.Errorf("%w: %s; make a new plan: tranship capture, discover, plan", ErrRefused, why)
			}
			return !c.Locked, "a change is under way there", nil
		})
	})
}

// drifted says how the source differs from what was planned, empty if it does not.
func drifted(l *rollout.Workload, c rollout.Copies) string {
	switch {
	case c.Absent:
		return "the source has no " + string(l.Name) + " any more"
	case l.Version != "" && c.Version != "" && c.Version != l.Version:
		return fmt.Sprintf("%s changed at the source since the plan: it has version %s, the plan %s", l.Name, c.Version, l.Version)
	}
	return ""
}

func (r *Runner) apply(ctx context.Context, u *rollout.Unit, copies int) error {
	return r.eachWorkload(u, func(l *rollout.Workload) error {
		objects, err := r.world.Objects.Of(l.Name)
		if err != nil {
			return fmt.Errorf("objects of %s: %w", l.Name, err)
		}
		return r.change(ctx, u, "apply "+string(l.Name), func(ctx context.Context) error {
			return r.world.Cluster.Apply(ctx, l.Name, objects, copies)
		})
	})
}

func (r *Runner) awaitReady(ctx context.Context, u *rollout.Unit, l *rollout.Workload, limit time.Duration) error {
	return r.await(ctx, u, "wait for "+string(l.Name)+" at the target", limit, func(ctx context.Context) (bool, string, error) {
		c, err := r.world.Cluster.Observe(ctx, l.Name)
		switch {
		case err != nil:
			return false, "", err
		case c.Doomed:
			return false, "", fmt.Errorf("%w: it will not come up: %s", ErrRefused, c.Failing)
		case c.Absent:
			return false, "nothing of it is there", nil
		}
		why := fmt.Sprintf("%d of %d copies are ready", c.Ready, c.Wanted)
		if c.Failing != "" {
			why += ": " + c.Failing
		}
		return c.Ready >= c.Wanted, why, nil
	})
}

// awaitSource waits until as many copies serve at the source as the plan knows.
func (r *Runner) awaitSource(ctx context.Context, u *rollout.Unit, l *rollout.Workload) error {
	if job(l) {
		return nil
	}
	return r.await(ctx, u, "wait for "+string(l.Name)+" at the source", u.Ready, func(ctx context.Context) (bool, string, error) {
		c, err := r.world.Source.Observe(ctx, l.Name)
		if err != nil {
			return false, "", err
		}
		return c.Ready >= l.SourceReplicas, fmt.Sprintf("%d of %d copies are ready %s", c.Ready, l.SourceReplicas, c.Failing), nil
	})
}

func job(l *rollout.Workload) bool { return l.Kind == estate.Job || l.Kind == estate.Schedule }

// connect makes the target known to the front door and waits until the front
// door's own checks find it up.
func (r *Runner) connect(ctx context.Context, u *rollout.Unit) error {
	for _, route := range u.Routes() {
		var addresses []string
		err := r.change(ctx, u, fmt.Sprintf("expose port %d of %s", route.Port, route.Workload), func(ctx context.Context) (err error) {
			addresses, err = r.world.Exposer.Expose(ctx, route.Workload, route.Port)
			return err
		})
		if err != nil {
			return err
		}
		if err := r.join(ctx, u, route, addresses); err != nil {
			return err
		}
	}
	if d := u.Database; d != nil {
		return r.join(ctx, u, databaseRoute(u), []string{d.TargetAddress})
	}
	return nil
}

func (r *Runner) join(ctx context.Context, u *rollout.Unit, route rollout.Route, addresses []string) error {
	if len(addresses) == 0 {
		return fmt.Errorf("%w: %s has no address at the target", ErrRefused, route.Backend)
	}
	err := r.change(ctx, u, "connect "+route.Backend, func(ctx context.Context) error {
		return r.world.Traffic.Connect(ctx, route, addresses)
	})
	if err != nil {
		return err
	}
	return r.await(ctx, u, "wait for the front door to find "+route.Backend+" up at the target", u.Ready,
		func(ctx context.Context) (bool, string, error) {
			f, err := r.world.Traffic.Observe(ctx, route)
			if err != nil {
				return false, "", err
			}
			return f.Target.Up > 0 && f.Target.Up == f.Target.Servers, fmt.Sprintf("%d of %d servers are up", f.Target.Up, f.Target.Servers), nil
		})
}

// databaseRoute is the front door's way to a database.
func databaseRoute(u *rollout.Unit) rollout.Route {
	return rollout.Route{Backend: u.Database.Backend, Workload: estate.Name(u.Database.Workload)}
}

func (r *Runner) disconnect(ctx context.Context, u *rollout.Unit) error {
	routes := u.Routes()
	if u.Database != nil {
		routes = append(routes, databaseRoute(u))
	}
	for _, route := range routes {
		err := r.change(ctx, u, "disconnect "+route.Backend, func(ctx context.Context) error {
			return r.world.Traffic.Connect(ctx, route, nil)
		})
		if err != nil {
			return err
		}
	}
	return r.eachWorkload(u, func(l *rollout.Workload) error {
		if len(l.Routes) == 0 {
			return nil
		}
		return r.change(ctx, u, "hide "+string(l.Name), func(ctx context.Context) error {
			return r.world.Exposer.Hide(ctx, l.Name)
		})
	})
}

// shift sends traffic only where enough copies are ready for it.
func (r *Runner) shift(ctx context.Context, u *rollout.Unit, percent int, back bool) error {
	if err := r.carries(ctx, u, percent, back); err != nil {
		return err
	}
	for _, route := range u.Routes() {
		err := r.change(ctx, u, fmt.Sprintf("give the target %d %% of %s", percent, route.Backend), func(ctx context.Context) error {
			return r.world.Traffic.Shift(ctx, route, percent)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// carries waits until the side that is to get more traffic has the copies for it.
func (r *Runner) carries(ctx context.Context, u *rollout.Unit, percent int, back bool) error {
	return r.eachWorkload(u, func(l *rollout.Workload) error {
		if len(l.Routes) == 0 || !back && percent == 0 {
			return nil
		}
		side, want, observe := "target", l.Replicas, r.world.Cluster.Observe
		if back {
			side, want, percent, observe = "source", l.SourceReplicas, 100, r.world.Source.Observe
		}
		need := gate.Needs(want, percent)
		return r.await(ctx, u, fmt.Sprintf("room for %d %% of traffic at the %s", percent, side), u.Patience,
			func(ctx context.Context) (bool, string, error) {
				c, err := observe(ctx, l.Name)
				if err != nil {
					return false, "", err
				}
				return c.Ready >= need, fmt.Sprintf("%d copies of %s are ready, %d are needed", c.Ready, l.Name, need), nil
			})
	})
}

// drainSource waits until the source has no request left. It stays warm.
func (r *Runner) drainSource(ctx context.Context, u *rollout.Unit) error {
	for _, route := range u.Routes() {
		err := r.await(ctx, u, "wait for the last requests at the source of "+route.Backend, u.Patience,
			func(ctx context.Context) (bool, string, error) {
				f, err := r.world.Traffic.Observe(ctx, route)
				if err != nil {
					return false, "", err
				}
				if f.Source.Weight != 0 {
					return false, "", fmt.Errorf("%w: the source has %d %% of traffic: somebody else set a weight", ErrRefused, f.Source.Weight)
				}
				return f.Source.Sessions == 0, fmt.Sprintf("%d sessions are open", f.Source.Sessions), nil
			})
		if err != nil {
			return err
		}
	}
	return nil
}
