package metronome

import (
	"encoding/json"
	"net/http"
	"slices"
)

func (a api) schedules(w http.ResponseWriter, r *http.Request) {
	a.with(w, r, func(j *Job) (int, any) { return http.StatusOK, a.scheduleViews(j.Schedules) })
}

func (j *Job) schedule(id string) int {
	return slices.IndexFunc(j.Schedules, func(s *Schedule) bool { return s.ID == id })
}

func (a api) schedule(w http.ResponseWriter, r *http.Request) {
	a.with(w, r, func(j *Job) (int, any) {
		if n := j.schedule(r.PathValue("id")); n >= 0 {
			return http.StatusOK, a.scheduleView(j.Schedules[n])
		}
		return http.StatusNotFound, missing("Schedule", r.PathValue("id"))
	})
}

func readSchedule(w http.ResponseWriter, r *http.Request, id string) (*Schedule, bool) {
	text, ok := body(w, r)
	if !ok {
		return nil, false
	}
	s := &Schedule{}
	err := json.Unmarshal(text, s)
	if id != "" {
		s.ID = id
	}
	if err == nil {
		err = s.judge()
	}
	if err != nil {
		fail(w, &invalidError{[]detail{{Path: "", Errors: []string{err.Error()}}}})
		return nil, false
	}
	return s, true
}

func (a api) createSchedule(w http.ResponseWriter, r *http.Request) {
	s, ok := readSchedule(w, r, "")
	if !ok {
		return
	}
	a.with(w, r, func(j *Job) (int, any) {
		switch {
		case j.schedule(s.ID) >= 0:
			return http.StatusConflict, message("requirement failed: A schedule with id " + s.ID + " already exists")
		case len(j.Schedules) > 0:
			return http.StatusConflict, message("requirement failed: Only one schedule supported at the moment")
		}
		j.Schedules = append(j.Schedules, s)
		a.m.touch()
		return http.StatusCreated, a.scheduleView(s)
	})
}

func (a api) updateSchedule(w http.ResponseWriter, r *http.Request) {
	s, ok := readSchedule(w, r, r.PathValue("id"))
	if !ok {
		return
	}
	a.with(w, r, func(j *Job) (int, any) {
		n := j.schedule(s.ID)
		if n < 0 {
			return http.StatusNotFound, missing("Schedule", s.ID)
		}
		j.Schedules[n] = s
		a.m.touch()
		return http.StatusOK, a.scheduleView(s)
	})
}

func (a api) removeSchedule(w http.ResponseWriter, r *http.Request) {
	a.with(w, r, func(j *Job) (int, any) {
		n := j.schedule(r.PathValue("id"))
		if n < 0 {
			return http.StatusNotFound, missing("Schedule", r.PathValue("id"))
		}
		j.Schedules = slices.Delete(slices.Clone(j.Schedules), n, n+1)
		a.m.touch()
		return http.StatusOK, nil
	})
}
