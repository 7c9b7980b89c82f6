package rollout

import (
	"fmt"
	"time"

	"github.com/robfig/cron/v3"
)

// A Times is when a job runs by itself: a cron line of five fields in a time zone.
type Times struct {
	Cron string
	Zone string // UTC if empty
}

const (
	// sinceDue is how long after a due time the scheduler may still be about to
	// start the run, beforeDue how long before one an exchange has to begin, where
	// the times are that far apart.
	sinceDue  = 3 * time.Second
	beforeDue = time.Minute
)

// Between reports whether a job may be exchanged at that instant: far enough from
// the times at which it is due, so that no run belongs to both worlds or to
// neither. If not, it gives how long to wait. The times are looked at as both
// schedulers see them, in whole minutes.
func Between(times []Times, at time.Time) (ok bool, wait time.Duration, err error) {
	for _, t := range times {
		line, err := parse(t)
		if err != nil {
			return false, 0, err
		}
		next := line.Next(at)
		if next.IsZero() {
			continue // never again
		}
		room := min(beforeDue, line.Next(next).Sub(next)/2)
		switch last := at.Add(-sinceDue); {
		case !line.Next(last).After(at): // one was due just now
			wait = max(wait, line.Next(last).Add(sinceDue).Sub(at))
		case next.Sub(at) < room:
			wait = max(wait, next.Add(sinceDue).Sub(at))
		}
	}
	return wait == 0, wait, nil
}

func parse(t Times) (cron.Schedule, error) {
	zone := t.Zone
	if zone == "" {
		zone = "UTC"
	}
	line, err := cron.ParseStandard("CRON_TZ=" + zone + " " + t.Cron)
	if err != nil {
		return nil, fmt.Errorf("schedule %q in %s: %w", t.Cron, zone, err)
	}
	return line, nil
}
