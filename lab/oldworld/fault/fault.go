// Package fault switches the ills of the old world on and off.
//
// Input: flags, and calls of /lab/v1, which is no part of any real API: an operator of the lab uses it. Output: what is
// wrong now, and handlers that are ill when they are told to be. It never makes /lab/v1 itself ill, or nothing could be
// switched off again.
package fault

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tranship/tranship/lab/oldworld/keep"
)

// Faults are all that can be wrong. The zero value but for RestartFailed is a healthy world.
type Faults struct {
	// RestartFailed false is the story's own fault: a task that failed is not started again. Drained tasks are.
	RestartFailed bool `json:"restartFailed"`
	// API makes the interfaces "marathon", "metronome" and "mesos" ill: "down" (connections are reset), "error" (500),
	// "hang" (no answer until the caller gives up).
	API map[string]string `json:"api,omitempty"`
	// Token has all interfaces ask for "Authorization: token=..." (or Bearer), and answer 401 without it.
	Token string `json:"token,omitempty"`
	// SlowStart has every start of a task wait this long: "5s".
	SlowStart string `json:"slowStart,omitempty"`
}

func (f Faults) check() error {
	for name, mode := range f.API {
		if name != "marathon" && name != "metronome" && name != "mesos" {
			return fmt.Errorf("api %q: there are marathon, metronome and mesos", name)
		}
		if mode != "" && mode != "down" && mode != "error" && mode != "hang" {
			return fmt.Errorf("api %s %q: there are down, error and hang", name, mode)
		}
	}
	if f.SlowStart != "" {
		if d, err := time.ParseDuration(f.SlowStart); err != nil || d < 0 {
			return fmt.Errorf("slowStart %q: no duration", f.SlowStart)
		}
	}
	return nil
}

// Slow is SlowStart as a duration.
func (f Faults) Slow() time.Duration {
	d, _ := time.ParseDuration(f.SlowStart) // checked when it was set
	return d
}

// Switch holds what is wrong now, over restarts too.
type Switch struct {
	file string
	mu   sync.Mutex
	now  Faults
}

// New starts with first if that was said (said), else with what an earlier life left in the file, else with first.
func New(file string, first Faults, said bool) (*Switch, error) {
	s := &Switch{file: file, now: first}
	if !said {
		if _, err := keep.Load(file, &s.now); err != nil {
			return nil, err
		}
	}
	return s, s.Set(s.now)
}

// Now is what is wrong.
func (s *Switch) Now() Faults {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

// Set replaces it.
func (s *Switch) Set(f Faults) error {
	if err := f.check(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := keep.Save(s.file, f); err != nil {
		return err
	}
	s.now = f
	return nil
}

// Around makes an interface ill when it is to be, and adds /lab/v1 beside it.
func (s *Switch) Around(name string, api, operator http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/lab/v1/") {
			operator.ServeHTTP(w, r)
			return
		}
		f := s.Now()
		switch f.API[name] {
		case "down":
			reset(w)
			return
		case "error":
			http.Error(w, "a fault is switched on", http.StatusInternalServerError)
			return
		case "hang":
			<-r.Context().Done()
			return
		}
		if f.Token != "" && !allowed(r, f.Token) {
			w.Header().Set("WWW-Authenticate", `acsjwt realm="lab"`)
			http.Error(w, "token required", http.StatusUnauthorized)
			return
		}
		api.ServeHTTP(w, r)
	})
}

func allowed(r *http.Request, token string) bool {
	h := r.Header.Get("Authorization")
	return h == "token="+token || h == "Bearer "+token
}

// reset ends the connection without an answer, as a machine does that has no such process.
func reset(w http.ResponseWriter) {
	c, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	if t, ok := c.(*net.TCPConn); ok {
		_ = t.SetLinger(0) // what is left unsent is the point
	}
	_ = c.Close()
}

// Tasks is what the operator's calls need of the world: its tasks by app, and the power to lose and to end them.
type Tasks interface {
	OfApp(app string) []string
	Lose(task string) error
	Crash(task string) error
}

// Operator serves /lab/v1:
//
//	GET, PUT, PATCH /lab/v1/faults               what is wrong; PUT replaces it, PATCH changes the keys that it has
//	POST /lab/v1/lose?task=ID or ?app=ID&count=N  tasks are TASK_LOST
//	POST /lab/v1/crash?task=ID or ?app=ID&count=N tasks are ended by SIGKILL, as if they had crashed
func (s *Switch) Operator(tasks Tasks) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /lab/v1/faults", func(w http.ResponseWriter, _ *http.Request) { tell(w, s.Now()) })
	mux.HandleFunc("PUT /lab/v1/faults", func(w http.ResponseWriter, r *http.Request) { s.put(w, r, Faults{RestartFailed: true}) })
	mux.HandleFunc("PATCH /lab/v1/faults", func(w http.ResponseWriter, r *http.Request) { s.put(w, r, s.Now()) })
	mux.HandleFunc("POST /lab/v1/lose", func(w http.ResponseWriter, r *http.Request) { each(w, r, tasks, tasks.Lose) })
	mux.HandleFunc("POST /lab/v1/crash", func(w http.ResponseWriter, r *http.Request) { each(w, r, tasks, tasks.Crash) })
	return mux
}

func tell(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // who asked has gone, if not
}

func (s *Switch) put(w http.ResponseWriter, r *http.Request, from Faults) {
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err == nil {
		from.API = maps.Clone(from.API)
		err = json.Unmarshal(text, &from)
	}
	if err == nil {
		err = s.Set(from)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	tell(w, from)
}

func each(w http.ResponseWriter, r *http.Request, tasks Tasks, do func(string) error) {
	q := r.URL.Query()
	ids := q["task"]
	if app := q.Get("app"); app != "" {
		ids = append(ids, tasks.OfApp(app)...)
		if n, err := strconv.Atoi(q.Get("count")); err == nil && n < len(ids) {
			ids = ids[:max(n, 0)]
		}
	}
	if len(ids) == 0 {
		http.Error(w, "no such task runs: give task=ID or app=ID", http.StatusNotFound)
		return
	}
	var errs []error
	for _, id := range ids {
		errs = append(errs, do(id))
	}
	if err := errors.Join(errs...); err != nil {
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	}
	tell(w, map[string][]string{"tasks": ids})
}
