package drive

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"
)

// Control answers questions while the driver runs:
//
//	POST /mark?name=N            remembers this instant
//	GET  /stats?from=F&to=T      counts of the window; F and T are marks, times, or durations before now (-10s);
//	                             without them: all so far
//	GET  /timeline?from=F&to=T   the same second by second
//	GET  /failures               the first 500
//	PUT  /rates                  {"write": 400, "last": 80, "page": 15, "range": 1}
//	POST /stop                   ends the schedule
type Control struct {
	driver *Driver
	stop   func()
	begun  time.Time
	mu     sync.Mutex
	marks  map[string]time.Time
}

// NewControl is the control of one driver that began at begun; stop ends it.
func NewControl(d *Driver, begun time.Time, stop func()) *Control {
	return &Control{driver: d, stop: stop, begun: begun, marks: map[string]time.Time{}}
}

// Handler answers.
func (c *Control) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /mark", func(w http.ResponseWriter, r *http.Request) {
		name := r.URL.Query().Get("name")
		if name == "" {
			http.Error(w, "name: is missing", http.StatusBadRequest)
			return
		}
		now := time.Now().UTC()
		c.mu.Lock()
		c.marks[name] = now
		c.mu.Unlock()
		write(w, map[string]time.Time{name: now})
	})
	mux.HandleFunc("GET /stats", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery == "" {
			write(w, c.driver.tally.All())
			return
		}
		if from, to, ok := c.window(w, r); ok {
			write(w, c.driver.tally.Window(from, to))
		}
	})
	mux.HandleFunc("GET /timeline", func(w http.ResponseWriter, r *http.Request) {
		if from, to, ok := c.window(w, r); ok {
			write(w, c.driver.tally.Timeline(from, to))
		}
	})
	mux.HandleFunc("GET /failures", func(w http.ResponseWriter, _ *http.Request) { write(w, c.driver.Failures()) })
	mux.HandleFunc("PUT /rates", func(w http.ResponseWriter, r *http.Request) {
		var rates Rates
		d := json.NewDecoder(r.Body)
		d.DisallowUnknownFields()
		if err := d.Decode(&rates); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		c.driver.SetRates(rates)
		write(w, rates)
	})
	mux.HandleFunc("POST /stop", func(w http.ResponseWriter, _ *http.Request) {
		write(w, struct{}{})
		c.stop()
	})
	return mux
}

func (c *Control) window(w http.ResponseWriter, r *http.Request) (from, to time.Time, ok bool) {
	from, to = c.begun, time.Now()
	for _, t := range []struct {
		name string
		to   *time.Time
	}{{"from", &from}, {"to", &to}} {
		text := r.URL.Query().Get(t.name)
		if text == "" {
			continue
		}
		at, err := c.instant(text)
		if err != nil {
			http.Error(w, t.name+": "+err.Error(), http.StatusBadRequest)
			return from, to, false
		}
		*t.to = at
	}
	return from, to, true
}

func (c *Control) instant(text string) (time.Time, error) {
	c.mu.Lock()
	at, ok := c.marks[text]
	c.mu.Unlock()
	if ok {
		return at, nil
	}
	if d, err := time.ParseDuration(text); err == nil {
		return time.Now().Add(d), nil
	}
	at, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return at, fmt.Errorf("%q is no mark, no time such as 2006-01-02T15:04:05Z, no duration such as -10s", text)
	}
	return at, nil
}

func write(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body) // who asked may have gone
}
