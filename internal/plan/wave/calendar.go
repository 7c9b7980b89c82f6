package wave

import (
	"cmp"
	"fmt"
	"time"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/policy"
)

// longCalendar is how many days a calendar has before that is said.
const longCalendar = 365

// calendar gives every wave its days. A wave begins when the one before has
// ended, and no sooner than Days after that began: groups of two waves are
// never in flight together.
func calendar(waves []plan.Wave, p policy.Waves, asOf string) diag.List {
	var diags diag.List
	from, err := time.Parse(time.DateOnly, asOf)
	if err != nil || len(waves) == 0 {
		return nil
	}
	first := from.AddDate(0, 0, defaultLead)
	if p.Start != "" {
		start, err := time.Parse(time.DateOnly, p.Start)
		switch {
		case err != nil:
			diags = append(diags, diag.Diagnostic{
				Code: BadStart, Severity: diag.Error, Subject: "policy", Problem: fmt.Sprintf("spec.waves.start %q is not of the form 2006-01-02", p.Start),
				Hint: "the first wave is put on " + first.Format(time.DateOnly) + ", two weeks after the plan",
			})
		case start.Before(from):
			first = from
			diags = append(diags, diag.Diagnostic{
				Code: BadStart, Severity: diag.Warning, Subject: "policy", Problem: "spec.waves.start is " + p.Start + ", before the plan's own date " + asOf,
				Hint: "the first wave is put on " + asOf,
			})
		default:
			first = start
		}
	}
	soak := max(cmp.Or(p.SoakDays, defaultSoak), 0)
	days := max(cmp.Or(p.Days, defaultDays), 1)
	if soak >= days && len(waves) > 1 {
		diags = append(diags, diag.Diagnostic{
			Code: SoakTakesLonger, Severity: diag.Note, Subject: "policy",
			Problem: fmt.Sprintf("has waves every %s, but each soaks for %d: the next begins when the last one's source copies are gone, every %d", count(days, "day"), soak, soak+1),
			Hint:    "set spec.waves.days above spec.waves.soakDays",
		})
		days = soak + 1
	}
	for i := range waves {
		start := first.AddDate(0, 0, i*days)
		waves[i].Start = start.Format(time.DateOnly)
		waves[i].End = start.AddDate(0, 0, soak).Format(time.DateOnly)
	}
	if n := (len(waves)-1)*days + soak; n > longCalendar {
		diags = append(diags, diag.Diagnostic{
			Code: LongCalendar, Severity: diag.Note, Subject: "calendar",
			Problem: fmt.Sprintf("has %s, every %s: it ends on %s", count(len(waves), "wave"), count(days, "day"), waves[len(waves)-1].End),
			Hint:    "raise spec.waves.size and parallel, or lower spec.waves.days",
		})
	}
	return diags
}
