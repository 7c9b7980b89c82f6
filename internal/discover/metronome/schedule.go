package metronome

import (
	_ "embed"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/robfig/cron/v3"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
)

// schedules reads when the job runs. One whose cron line cannot be kept is
// left out with an error: a job that runs at another time is worse than none.
func (j *reading) schedules(v *jsonpos.Value) {
	if !j.Empty(v) && j.Is(v, jsonpos.Array) {
		for _, e := range v.Elems() {
			if !j.Empty(e) && j.Is(e, jsonpos.Object) {
				j.schedule(e)
			}
		}
	}
	r := j.w.Run
	if len(r.Schedules) > 0 {
		j.w.Kind = estate.Schedule
	}
	// A job without a schedule is started by hand.
	r.Suspended = !slices.ContainsFunc(r.Schedules, func(t estate.Times) bool { return t.Enabled })
}

func (j *reading) schedule(e *jsonpos.Value) {
	line := e.Get("cron")
	text, sevens, problem := Cron(line.Text())
	if line.Kind() != jsonpos.String {
		problem = "has no cron line"
	}
	if problem != "" {
		j.Report(BadCron, diag.Error, e, "has a schedule that "+problem, "the schedule was left out, so that nothing starts at a wrong time; correct it at the source")
		for _, key := range []string{"id", "cron", "timezone", "timeZone", "startingDeadlineSeconds", "concurrencyPolicy", "enabled"} {
			j.Note(e.Get(key), ledger.Dropped, BadCron, "", "of a schedule that "+problem+", and was left out")
		}
		return
	}
	t := estate.Times{Cron: text, Zone: "UTC", StartDeadline: 900, Enabled: true}
	if sevens {
		j.Note(line, ledger.Equivalent, CronLine, "job#spec.schedule", "the same times; Sunday is 0 to Kubernetes, never 7")
	} else {
		j.Note(line, ledger.Exact, CronLine, "job#spec.schedule", "the same times")
	}
	t.ID = j.scheduleID(e.Get("id"))
	if x := e.Get("timezone"); x != nil {
		j.zone(x, &t)
	}
	if x := e.Get("timeZone"); x != nil && !j.Empty(x) {
		j.Report(ZoneKey, diag.Warning, x, "has a schedule with timeZone, a key that Metronome passed over: it ran by "+t.Zone,
			"Metronome's own key is timezone; say it there if the job is to run by another clock")
		j.Note(x, ledger.Decision, ZoneKey, "job#spec.timeZone", "by which clock it shall run; Metronome passed the key over, and proposed is "+t.Zone)
	}
	if x := e.Get("startingDeadlineSeconds"); x != nil {
		if n, ok := j.Int(x, 1, 1<<31-1); ok {
			t.StartDeadline = unit.Seconds(n)
			j.Note(x, ledger.Exact, StartDeadline, "job#spec.startingDeadlineSeconds", "the same")
		}
	}
	if x := e.Get("concurrencyPolicy"); x != nil {
		if word, ok := j.Choice(x, "ALLOW", "FORBID"); ok {
			t.Forbid = word == "FORBID"
			j.Note(x, ledger.Exact, Concurrency, "job#spec.concurrencyPolicy", "a second run beside the first or not, the same")
		}
	}
	if x := e.Get("enabled"); x != nil {
		if yes, ok := j.Bool(x); ok {
			t.Enabled = yes
			j.Note(x, ledger.Equivalent, Enabled, "job#spec.suspend", "the same, once Metronome's own is off: a job never runs in both worlds")
		}
	}
	j.w.Run.Schedules = append(j.w.Run.Schedules, t)
}

// scheduleID gives the schedule an ID of its own.
func (j *reading) scheduleID(v *jsonpos.Value) string {
	id := ""
	if v != nil {
		if text, ok := j.String(v); ok {
			id = text
			j.Note(v, ledger.Approximate, ScheduleID, "job#metadata.name", "each schedule is a CronJob; its id is a part of the name where there are several")
		}
	}
	taken := func(id string) bool {
		return slices.ContainsFunc(j.w.Run.Schedules, func(t estate.Times) bool { return t.ID == id })
	}
	if id == "" {
		id = "default"
	}
	if !taken(id) {
		return id
	}
	n := 2
	for taken(id + "-" + strconv.Itoa(n)) {
		n++
	}
	j.Report(SameSchedule, diag.Warning, v, "has two schedules with the id "+id, "both are kept; give each an id of its own")
	return id + "-" + strconv.Itoa(n)
}

// zone reads a time zone, by the names that Java takes.
func (j *reading) zone(v *jsonpos.Value, t *estate.Times) {
	text, ok := j.String(v)
	if !ok {
		return
	}
	name, exact := Zone(text)
	switch {
	case name == "":
		j.Report(BadZone, diag.Error, v, "has a schedule in a time zone that is not there: "+strconv.Quote(text), "UTC was taken; correct it at the source")
		j.Note(v, ledger.Decision, BadZone, "job#spec.timeZone", "no time zone that Kubernetes knows; proposed is UTC")
	case exact:
		t.Zone = name
		j.Note(v, ledger.Exact, TimeZone, "job#spec.timeZone", "the same clock, summer time included")
	default:
		t.Zone = name
		j.Note(v, ledger.Equivalent, TimeZone, "job#spec.timeZone", "the same clock under the name "+name)
	}
}

//go:embed zones.txt
var zones string

// offset spells a fixed clock as Java does: "GMT+2", "UTC-05:00", "+01:00".
var offset = regexp.MustCompile(`^(?:GMT|UTC|UT)?([+-])0?(\d{1,2})(?::?00)?$`)

// Zone gives the name under which Kubernetes knows a time zone, empty if it
// knows none, and whether it is the very same name.
func Zone(text string) (name string, same bool) {
	if text != "" && strings.Contains("\n"+zones, "\n"+text+"\n") {
		return text, true
	}
	switch text {
	case "Z", "UT", "GMT0", "":
		return map[bool]string{true: "", false: "UTC"}[text == ""], false
	}
	m := offset.FindStringSubmatch(text)
	if m == nil {
		return "", false
	}
	sign := map[string]string{"+": "-", "-": "+"}[m[1]] // POSIX counts west of Greenwich
	if n, _ := strconv.Atoi(m[2]); n == 0 {
		return "UTC", false
	}
	name, _ = Zone("Etc/GMT" + sign + m[2])
	return name, false
}

// Cron gives a cron line as Kubernetes reads it, and whether Sunday stood in
// it as 7. A line that Kubernetes refuses has a problem.
func Cron(text string) (line string, sevens bool, problem string) {
	fields := strings.Fields(text)
	if len(fields) != 5 || strings.Contains(text, "=") { // TZ=... is no field
		return "", false, "has a cron line of " + strconv.Itoa(len(fields)) + " fields, not of five"
	}
	day, sevens, ok := sunday(fields[4])
	if !ok {
		return "", false, "has a cron line with days that are none"
	}
	fields[4] = day
	line = strings.Join(fields, " ")
	if _, err := cron.ParseStandard(line); err != nil {
		return "", false, "has a cron line that Kubernetes refuses"
	}
	return line, sevens, ""
}

// sunday writes 7, which Metronome takes for Sunday too, as 0.
func sunday(days string) (line string, found, ok bool) {
	var out []string
	for item := range strings.SplitSeq(days, ",") {
		span, step, stepped := strings.Cut(item, "/")
		low, high, ranged := strings.Cut(span, "-")
		switch {
		case span == "7" && !stepped:
			out, found = append(out, "0"), true
		case ranged && high == "7":
			list := week(low, step, stepped)
			if list == nil {
				return "", false, false
			}
			out, found = append(out, list...), true
		default:
			out = append(out, item)
		}
	}
	if !found {
		return days, false, true
	}
	slices.Sort(out)
	return strings.Join(slices.Compact(out), ","), true, true
}

var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// week lists the days from low to Sunday, nil if low or step is none.
func week(low, step string, stepped bool) []string {
	first := slices.Index(weekdays, strings.ToLower(low))
	by := 1
	var err error
	if first < 0 {
		first, err = strconv.Atoi(low)
	}
	if stepped && err == nil {
		by, err = strconv.Atoi(step)
	}
	if err != nil || first < 0 || first > 7 || by < 1 {
		return nil
	}
	var out []string
	for d := first; d <= 7; d += min(by, 8) {
		out = append(out, strconv.Itoa(d%7))
	}
	return out
}
