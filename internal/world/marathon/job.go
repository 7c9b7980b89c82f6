package marathon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"

	"github.com/tranship/tranship/internal/base/jsonpos"
	discovered "github.com/tranship/tranship/internal/discover/metronome"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/rollout/runner"
)

// job is what matters of a job's answer. Of a schedule all is kept, so that it
// can be put back with another "enabled".
type job struct {
	Schedules  []map[string]json.RawMessage `json:"schedules"`
	ActiveRuns []struct {
		ID string `json:"id"`
	} `json:"activeRuns"`
}

var jobEmbeds = url.Values{"embed": {"activeRuns", "schedules"}}

func jobPath(name estate.Name) string { return "/v1/jobs/" + string(name) }

func text(raw json.RawMessage) string {
	var s string
	_ = json.Unmarshal(raw, &s) // of another kind: no text
	return s
}

// on reports whether a schedule is; one that does not say so is.
func on(schedule map[string]json.RawMessage) bool {
	return string(schedule["enabled"]) != "false"
}

func (s *Source) observeJob(ctx context.Context, w *estate.Workload) (rollout.Copies, error) {
	var raw json.RawMessage
	if err := s.metronome.Get(ctx, jobPath(w.ID), jobEmbeds, &raw); err != nil {
		return rollout.Copies{}, err
	}
	var j job
	if err := json.Unmarshal(raw, &j); err != nil {
		return rollout.Copies{}, fmt.Errorf("read job: %w", err)
	}
	version, err := jobVersion(raw, w)
	if err != nil {
		return rollout.Copies{}, err
	}
	c := rollout.Copies{Version: version}
	if slices.ContainsFunc(j.Schedules, on) {
		c.Wanted, c.Ready = 1, 1
	}
	runs := map[string]bool{}
	for _, r := range j.ActiveRuns {
		runs[r.ID] = true
	}
	// A run that waits for resources will run by itself: it counts.
	var queue []struct {
		Job  string `json:"jobId"`
		Runs []struct {
			ID string `json:"runId"`
		} `json:"runs"`
	}
	err = s.metronome.Get(ctx, "/v1/queue", nil, &queue)
	if err != nil && !errors.Is(err, runner.ErrAbsent) { // before 0.5 there was none; runs that wait were active ones
		return rollout.Copies{}, err
	}
	for _, q := range queue {
		for _, r := range q.Runs {
			if q.Job == string(w.ID) {
				runs[r.ID] = true
			}
		}
	}
	c.Running = len(runs)
	return c, nil
}

// switchJob turns schedules off, all of them, or those on that the plan has on.
// The plan keeps which these are, so a mover that starts anew knows it too.
func (s *Source) switchJob(ctx context.Context, w *estate.Workload, yes bool) error {
	var j job
	if err := s.metronome.Get(ctx, jobPath(w.ID), jobEmbeds, &j); err != nil {
		return err
	}
	planned := map[string]bool{}
	if w.Run != nil {
		for _, t := range w.Run.Schedules {
			planned[t.ID] = t.Enabled
		}
	}
	found := map[string]bool{}
	var change []map[string]json.RawMessage
	for _, schedule := range j.Schedules {
		id := text(schedule["id"])
		found[id] = true
		switch {
		case !yes && on(schedule) && !planned[id]:
			return fmt.Errorf("%w: schedule %s is on, and off or unknown in the plan: turned off here it would not come back; make a new plan", runner.ErrRefused, id)
		case yes != on(schedule) && planned[id]:
			change = append(change, schedule)
		}
	}
	for id, wanted := range planned {
		if yes && wanted && !found[id] {
			return fmt.Errorf("schedule %s: %w", id, runner.ErrAbsent)
		}
	}
	for _, schedule := range change {
		schedule["enabled"] = json.RawMessage(fmt.Sprint(yes))
		delete(schedule, "nextRunAt") // Metronome's own
		if err := s.metronome.Put(ctx, jobPath(w.ID)+"/schedules/"+text(schedule["id"]), schedule, nil); err != nil {
			return err
		}
	}
	return nil
}

// jobVersion gives the plan's digest if the job is the planned one but for
// schedules that are off, else its own.
func jobVersion(raw json.RawMessage, w *estate.Workload) (string, error) {
	root, err := tree(raw)
	if err != nil {
		return "", err
	}
	own := discovered.Version(root)
	if w.SourceVersion == own || w.SourceVersion == "" || w.Run == nil {
		return own, nil
	}
	// Metronome puts a schedule that was changed before the others.
	for _, ordered := range []bool{false, true} {
		if discovered.Version(asPlanned(root, w.Run.Schedules, ordered)) == w.SourceVersion {
			return w.SourceVersion, nil
		}
	}
	return own, nil
}

// asPlanned copies a job with those schedules on that the plan has on, in the
// plan's order if that is asked for.
func asPlanned(root *jsonpos.Value, planned []estate.Times, ordered bool) *jsonpos.Value {
	out := jsonpos.New(root.Kind(), "", 1, 1)
	for _, member := range root.Elems() {
		if member.Key() != "schedules" || member.Kind() != jsonpos.Array {
			out.Set(member.Key(), clone(member), 1, 1)
			continue
		}
		schedules := slices.Clone(member.Elems())
		place := func(v *jsonpos.Value) int {
			i := slices.IndexFunc(planned, func(t estate.Times) bool { return t.ID == v.Get("id").Text() })
			if i < 0 {
				return len(planned)
			}
			return i
		}
		if ordered {
			slices.SortStableFunc(schedules, func(a, b *jsonpos.Value) int { return place(a) - place(b) })
		}
		list := jsonpos.New(jsonpos.Array, "", 1, 1)
		for _, v := range schedules {
			c := clone(v)
			if i := place(v); i < len(planned) && planned[i].Enabled && v.Has("enabled") {
				c = enabled(v)
			}
			list.Append(c)
		}
		out.Set("schedules", list, 1, 1)
	}
	return out
}

func clone(v *jsonpos.Value) *jsonpos.Value {
	out := jsonpos.New(v.Kind(), v.Text(), 1, 1)
	for _, e := range v.Elems() {
		if v.Kind() == jsonpos.Object {
			out.Set(e.Key(), clone(e), 1, 1)
		} else {
			out.Append(clone(e))
		}
	}
	return out
}

// enabled copies a schedule, turned on.
func enabled(v *jsonpos.Value) *jsonpos.Value {
	out := jsonpos.New(v.Kind(), "", 1, 1)
	for _, e := range v.Elems() {
		c := clone(e)
		if e.Key() == "enabled" {
			c = jsonpos.New(jsonpos.Bool, "true", 1, 1)
		}
		out.Set(e.Key(), c, 1, 1)
	}
	return out
}
