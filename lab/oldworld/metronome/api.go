package metronome

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Version is that of Metronome whose API is spoken.
const Version = "0.6.59"

// stampForm is how Metronome writes times.
const stampForm = "2006-01-02T15:04:05.000-0700"

type api struct{ m *Metronome }

// Handler serves the interface of m: /v1/jobs and what is below, /v1/queue, /v1/metrics, /info, /ping.
func Handler(m *Metronome) http.Handler {
	a := api{m}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ping", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "pong") // who asked has gone, if not
	})
	mux.HandleFunc("GET /info", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]any{"version": Version, "libVersion": "oldworld", "config": map[string]any{}})
	})
	mux.HandleFunc("GET /leader", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, map[string]any{"leader": m.opts.Address})
	})
	mux.HandleFunc("GET /v1/metrics", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, map[string]any{}) })
	mux.HandleFunc("GET /v1/queue", a.queue)
	mux.HandleFunc("GET /v1/jobs", a.list)
	mux.HandleFunc("POST /v1/jobs", a.create)
	mux.HandleFunc("GET /v1/jobs/{job}", a.show)
	mux.HandleFunc("PUT /v1/jobs/{job}", a.update)
	mux.HandleFunc("DELETE /v1/jobs/{job}", a.remove)
	mux.HandleFunc("GET /v1/jobs/{job}/schedules", a.schedules)
	mux.HandleFunc("POST /v1/jobs/{job}/schedules", a.createSchedule)
	mux.HandleFunc("GET /v1/jobs/{job}/schedules/{id}", a.schedule)
	mux.HandleFunc("PUT /v1/jobs/{job}/schedules/{id}", a.updateSchedule)
	mux.HandleFunc("DELETE /v1/jobs/{job}/schedules/{id}", a.removeSchedule)
	mux.HandleFunc("GET /v1/jobs/{job}/runs", a.runs)
	mux.HandleFunc("POST /v1/jobs/{job}/runs", a.start)
	mux.HandleFunc("GET /v1/jobs/{job}/runs/{run}", a.run)
	mux.HandleFunc("POST /v1/jobs/{job}/runs/{run}/actions/stop", a.stop)
	return mux
}

func answer(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		status, text = http.StatusInternalServerError, []byte(`{"message":"answer cannot be written"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(text) // who asked has gone, if not
}

func refuse(w http.ResponseWriter, status int, message string) {
	answer(w, status, map[string]string{"message": message})
}

func fail(w http.ResponseWriter, err error) {
	var invalid *invalidError
	if errors.As(err, &invalid) {
		answer(w, http.StatusUnprocessableEntity, map[string]any{"message": invalid.Error(), "details": invalid.details})
		return
	}
	refuse(w, http.StatusInternalServerError, err.Error())
}

func body(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 4<<20))
	if err == nil && !json.Valid(text) {
		err = errors.New("Invalid JSON") //nolint:staticcheck // Metronome's own words
	}
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return nil, false
	}
	return text, true
}

// stamp writes a time, or null.
func stamp(t *time.Time) any {
	if t == nil || t.IsZero() {
		return nil
	}
	return t.UTC().Format(stampForm)
}

// with runs do on a job under the lock, and answers 404 when there is none.
func (a api) with(w http.ResponseWriter, r *http.Request, do func(*Job) (int, any)) {
	a.m.mu.Lock()
	j := a.m.s.Jobs[r.PathValue("job")]
	if j == nil {
		a.m.mu.Unlock()
		answer(w, http.StatusNotFound, missing("Job", r.PathValue("job")))
		return
	}
	status, out := do(j)
	err := a.m.flush()
	a.m.mu.Unlock()
	if err != nil {
		fail(w, err)
		return
	}
	if out == nil {
		w.WriteHeader(status)
		return
	}
	answer(w, status, out)
}

// missing says what is not there.
func missing(what, id string) map[string]string {
	return map[string]string{"id": id, "message": what + " not found"}
}

func missingRun(r *http.Request) map[string]string {
	m := missing("Job Run", r.PathValue("run"))
	m["jobSpec"] = r.PathValue("job")
	return m
}

func message(text string) map[string]string { return map[string]string{"message": text} }

func (a api) queue(w http.ResponseWriter, _ *http.Request) {
	a.m.mu.Lock()
	defer a.m.mu.Unlock()
	out := []any{}
	for _, id := range slices.Sorted(maps.Keys(a.m.s.Jobs)) {
		waiting := []any{}
		for _, r := range a.m.runsOf(id) {
			if r.Status == initial {
				waiting = append(waiting, map[string]string{"runId": r.ID})
			}
		}
		if len(waiting) > 0 {
			out = append(out, map[string]any{"jobId": id, "runs": waiting})
		}
	}
	answer(w, http.StatusOK, out)
}

// view is a job with the nested resources that are asked for, whatever stands before their names. The lock is held.
func (a api) view(j *Job, r *http.Request) map[string]any {
	v := map[string]any{"id": j.ID, "labels": j.Labels, "run": j.Run, "description": j.Description, "dependencies": j.Dependencies}
	if j.Dependencies == nil {
		v["dependencies"] = []dependency{}
	}
	if r == nil {
		return v
	}
	for _, e := range r.URL.Query()["embed"] {
		switch e[strings.LastIndexByte(e, '.')+1:] {
		case "schedules":
			v["schedules"] = a.scheduleViews(j.Schedules)
		case "activeRuns":
			v["activeRuns"] = a.runViews(j.ID)
		case "history":
			v["history"] = a.history(j.ID, true)
		case "historySummary":
			v["historySummary"] = a.history(j.ID, false)
		}
	}
	return v
}

func (a api) scheduleViews(list []*Schedule) []map[string]any {
	out := []map[string]any{}
	for _, s := range list {
		out = append(out, a.scheduleView(s))
	}
	return out
}

func (a api) scheduleView(s *Schedule) map[string]any {
	next := s.after(a.m.opts.Now())
	return map[string]any{
		"id": s.ID, "cron": s.Cron, "timezone": s.Timezone, "startingDeadlineSeconds": s.Deadline, "concurrencyPolicy": s.Concurrency,
		"enabled": s.Enabled, "nextRunAt": stamp(&next),
	}
}

func (a api) runViews(job string) []map[string]any {
	out := []map[string]any{}
	for _, r := range a.m.runsOf(job) {
		out = append(out, runView(r))
	}
	return out
}

func runView(r *Run) map[string]any {
	tasks := []map[string]any{}
	for _, t := range r.Tasks {
		v := map[string]any{"id": t.ID, "status": t.Status, "startedAt": stamp(t.Started)}
		if t.Completed != nil {
			v["completedAt"] = stamp(t.Completed)
		}
		tasks = append(tasks, v)
	}
	return map[string]any{"id": r.ID, "jobId": r.Job, "status": r.Status, "createdAt": stamp(&r.Created), "completedAt": stamp(r.Completed), "tasks": tasks}
}

func (a api) history(job string, whole bool) map[string]any {
	h := a.m.s.History[job]
	if h == nil {
		h = &History{}
	}
	v := map[string]any{"successCount": h.Success, "failureCount": h.Failure, "lastSuccessAt": stamp(h.LastSuccess), "lastFailureAt": stamp(h.LastFailure)}
	if whole {
		for name, list := range map[string][]Finished{"successfulFinishedRuns": h.Succeeded, "failedFinishedRuns": h.Failed} {
			out := []map[string]any{}
			for _, f := range slices.Backward(list) {
				out = append(out, map[string]any{"id": f.ID, "createdAt": stamp(&f.Created), "finishedAt": stamp(&f.Finished), "tasks": f.Tasks})
			}
			v[name] = out
		}
	}
	return v
}

func (a api) list(w http.ResponseWriter, r *http.Request) {
	a.m.mu.Lock()
	defer a.m.mu.Unlock()
	out := []any{}
	for _, id := range slices.Sorted(maps.Keys(a.m.s.Jobs)) {
		out = append(out, a.view(a.m.s.Jobs[id], r))
	}
	answer(w, http.StatusOK, out)
}

func (a api) create(w http.ResponseWriter, r *http.Request) {
	text, ok := body(w, r)
	if !ok {
		return
	}
	j, err := parseJob(text)
	if err != nil {
		fail(w, err)
		return
	}
	// Metronome's own API takes schedules only by themselves; those that stand in a definition are kept all the same, so
	// that an export can be given back.
	a.m.mu.Lock()
	defer a.m.mu.Unlock()
	if a.m.s.Jobs[j.ID] != nil {
		refuse(w, http.StatusConflict, "Job with this id already exists")
		return
	}
	a.m.s.Jobs[j.ID] = j
	a.m.touch()
	if err := a.m.flush(); err != nil {
		fail(w, err)
		return
	}
	answer(w, http.StatusCreated, a.view(j, nil))
}

func (a api) show(w http.ResponseWriter, r *http.Request) {
	a.with(w, r, func(j *Job) (int, any) { return http.StatusOK, a.view(j, r) })
}

func (a api) update(w http.ResponseWriter, r *http.Request) {
	text, ok := body(w, r)
	if !ok {
		return
	}
	var fields map[string]json.RawMessage
	_ = json.Unmarshal(text, &fields) // judged below
	if fields != nil {
		fields["id"], _ = json.Marshal(r.PathValue("job")) // a string always can be
		text, _ = json.Marshal(fields)
	}
	next, err := parseJob(text)
	if err != nil {
		fail(w, err)
		return
	}
	a.with(w, r, func(j *Job) (int, any) {
		next.Schedules = j.Schedules // a job's update leaves its schedules alone
		a.m.s.Jobs[j.ID] = next
		a.m.touch()
		return http.StatusOK, a.view(next, nil)
	})
}

func (a api) remove(w http.ResponseWriter, r *http.Request) {
	stop := r.URL.Query().Get("stopCurrentJobRuns") == "true"
	a.with(w, r, func(j *Job) (int, any) {
		runs := a.m.runsOf(j.ID)
		if len(runs) > 0 && !stop {
			return http.StatusConflict, message("There are active job runs. Override with stopCurrentJobRuns=true")
		}
		for _, run := range runs {
			a.m.stop(run)
		}
		delete(a.m.s.Jobs, j.ID)
		delete(a.m.s.History, j.ID)
		a.m.touch()
		return http.StatusOK, a.view(j, nil)
	})
}

func (a api) runs(w http.ResponseWriter, r *http.Request) {
	a.with(w, r, func(j *Job) (int, any) { return http.StatusOK, a.runViews(j.ID) })
}

func (a api) start(w http.ResponseWriter, r *http.Request) {
	a.with(w, r, func(j *Job) (int, any) {
		var limit struct {
			Seconds int `json:"maxLaunchDelay"`
		}
		deadline := time.Time{}
		if json.Unmarshal(j.Run, &limit) == nil && limit.Seconds > 0 {
			deadline = a.m.opts.Now().Add(time.Duration(limit.Seconds) * time.Second)
		}
		return http.StatusCreated, runView(a.m.begin(j, deadline))
	})
}

func (a api) run(w http.ResponseWriter, r *http.Request) {
	a.with(w, r, func(j *Job) (int, any) {
		for _, run := range a.m.runsOf(j.ID) {
			if run.ID == r.PathValue("run") {
				return http.StatusOK, runView(run)
			}
		}
		return http.StatusNotFound, missingRun(r)
	})
}

func (a api) stop(w http.ResponseWriter, r *http.Request) {
	a.with(w, r, func(j *Job) (int, any) {
		for _, run := range a.m.runsOf(j.ID) {
			if run.ID == r.PathValue("run") {
				a.m.stop(run)
				return http.StatusOK, runView(run)
			}
		}
		return http.StatusNotFound, missingRun(r)
	})
}
