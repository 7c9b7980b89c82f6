package runner

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/rollout/gate"
)

const defaultPause = 2 * time.Second

// copyVolumes copies each instance's volumes to the same instance of the other
// side, one after the other.
func (r *Runner) copyVolumes(ctx context.Context, u *rollout.Unit, act rollout.Act) error {
	return r.eachWorkload(u, func(l *rollout.Workload) error {
		if len(l.Volumes) == 0 {
			return nil
		}
		back := act == rollout.CopyBack
		if back {
			// Only a target that was started can have written anything.
			world, _, err := r.world.Fences.Fenced(ctx, l.Name)
			if err != nil {
				return fmt.Errorf("read the fence of %s: %w", l.Name, err)
			}
			if world != target {
				return nil
			}
		}
		for i := range l.SourceReplicas {
			if err := r.copyInstance(ctx, u, l, i, act); err != nil {
				return err
			}
		}
		return nil
	})
}

func (r *Runner) copyInstance(ctx context.Context, u *rollout.Unit, l *rollout.Workload, instance int, act rollout.Act) error {
	back := act == rollout.CopyBack
	// A copy may take hours: it has no limit but the mover's own end.
	got, err := r.world.Volumes.Copy(ctx, *l, instance, back)
	if err != nil {
		return fmt.Errorf("copy volumes of %s, instance %d: %w", l.Name, instance, err)
	}
	c := Copied{Workload: string(l.Name), Instance: instance, Back: back, Warm: act == rollout.CopyWarm, Result: got}
	text := fmt.Sprintf("instance %d: %d bytes copied", instance, got.Size)
	if err := r.record(KindCopy, u, c, text); err != nil {
		return err
	}
	if !got.Same && act != rollout.CopyWarm {
		return fmt.Errorf("volumes of %s, instance %d, differ after the copy: %s", l.Name, instance, difference(got))
	}
	return nil
}

func difference(c rollout.Comparison) string {
	s := fmt.Sprintf("%d missing, %d too many", c.Missing, c.Extra)
	if len(c.Different) > 0 {
		s += "; different: " + strings.Join(c.Different, ", ")
	}
	return s
}

func (r *Runner) replicate(ctx context.Context, u *rollout.Unit, begin bool) error {
	if begin {
		return r.change(ctx, u, "replicate "+u.Database.Name, func(ctx context.Context) error {
			return r.world.Database.Replicate(ctx, *u.Database)
		})
	}
	return r.change(ctx, u, "end replication of "+u.Database.Name, func(ctx context.Context) error {
		return r.world.Database.Stop(ctx, *u.Database)
	})
}

func (r *Runner) awaitCaughtUp(ctx context.Context, u *rollout.Unit, limit time.Duration) error {
	allowed := gate.LimitsOf(r.opts.Policy.Spec.Move.Gates).Lag
	return r.await(ctx, u, "wait for the replica of "+u.Database.Name, limit, func(ctx context.Context) (bool, string, error) {
		l, err := r.world.Database.Lag(ctx, *u.Database)
		if err != nil {
			return false, "", err
		}
		return l.Copied && l.Bytes <= allowed, fmt.Sprintf("it is %s behind, %d tables are not copied", l.Bytes, len(l.Left)), nil
	})
}

// cutOver changes the side that writes go to. The clients are sent over while
// writes stand still, by the front door.
func (r *Runner) cutOver(ctx context.Context, u *rollout.Unit, back bool) error {
	limit := defaultPause
	if p := r.opts.Policy.Spec.Move.Gates.Pause; p != nil {
		limit = p.Duration()
	}
	route, percent, old := databaseRoute(u), 100, source
	if back {
		percent, old = 0, target
	}
	var pause time.Duration
	err := r.change(ctx, u, "cut over "+u.Database.Name, func(ctx context.Context) (err error) {
		pause, err = r.world.Cutover.Over(ctx, *u.Database, back, limit, func(ctx context.Context) error {
			if err := r.world.Traffic.Shift(ctx, route, percent); err != nil {
				return err
			}
			return r.world.Cutter.Cut(ctx, route, old)
		})
		return err
	})
	if err != nil {
		return err
	}
	return r.record(KindCutover, u, Pause{Seconds: pause.Seconds(), Wanted: limit.Seconds(), Back: back},
		fmt.Sprintf("writes stood still for %s", pause.Round(time.Millisecond)))
}

func (r *Runner) compare(ctx context.Context, u *rollout.Unit) error {
	c, err := r.world.Cutover.Compare(ctx, *u.Database)
	if err != nil {
		return fmt.Errorf("compare both sides of %s: %w", u.Database.Name, err)
	}
	if err := r.record(KindCopy, u, Copied{Workload: u.Database.Name, Result: c}, fmt.Sprintf("%d rows compared", c.Rows)); err != nil {
		return err
	}
	if !c.Same {
		return fmt.Errorf("both sides of %s differ: %s", u.Database.Name, difference(c))
	}
	return nil
}
