// Package fault makes a service of the cargo misbehave when it is told to, so that gates have something to find. In: a
// fault as JSON, from the environment, a file, or requests to an address apart from the API. Out: slow, wrong, failing or
// unready answers, or the end of the process. It never misbehaves by itself.
package fault

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"sync/atomic"
	"time"
)

// Fault is how a service misbehaves; the zero value is a service that behaves.
type Fault struct {
	// Latency is added before each answer, and Factor makes what the answer takes by itself so many times as long.
	Latency Duration `json:"latency,omitzero"`
	Factor  float64  `json:"factor,omitzero"`
	// Errors is the share of requests that are answered by 500, and not done.
	Errors float64 `json:"errors,omitzero"`
	// Wrong has every request answered by 200 with content that nobody asked for, and not done.
	Wrong bool `json:"wrong,omitzero"`
	// NotReady has readiness fail; the API goes on.
	NotReady bool `json:"notReady,omitzero"`
	// Exit ends the process with status 1 so long after the fault came on; from the environment or a file, where it
	// outlives the process, that is a crash loop.
	Exit *Duration `json:"exit,omitempty"`
}

// Duration is written as Go writes durations.
type Duration time.Duration

// UnmarshalText reads 50ms, 3s.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil || v < 0 {
		return fmt.Errorf("%q is no duration such as 50ms", text)
	}
	*d = Duration(v)
	return nil
}

// MarshalText writes what UnmarshalText reads.
func (d Duration) MarshalText() ([]byte, error) { return []byte(time.Duration(d).String()), nil }

// Parse reads a fault strictly: an unknown name would be a fault that is believed to be on.
func Parse(r io.Reader) (Fault, error) {
	var f Fault
	d := json.NewDecoder(r)
	d.DisallowUnknownFields()
	if err := d.Decode(&f); err != nil {
		return Fault{}, fmt.Errorf("read fault: %w", err)
	}
	if f.Errors < 0 || f.Errors > 1 {
		return Fault{}, fmt.Errorf("errors: %v is no share between 0 and 1", f.Errors)
	}
	if f.Factor != 0 && f.Factor < 1 {
		return Fault{}, fmt.Errorf("factor: %v makes nothing slower", f.Factor)
	}
	return f, nil
}

// Switch holds the fault that is on. Its zero value is off.
type Switch struct {
	now  atomic.Pointer[Fault]
	exit func()
}

// NewSwitch is a switch that is off; exit ends the process when a fault says so.
func NewSwitch(exit func()) *Switch { return &Switch{exit: exit} }

// Now is the fault that is on.
func (s *Switch) Now() Fault {
	if f := s.now.Load(); f != nil {
		return *f
	}
	return Fault{}
}

// Set turns f on instead of what was.
func (s *Switch) Set(f Fault) {
	s.now.Store(&f)
	if f.Exit == nil || s.exit == nil {
		return
	}
	mine := s.now.Load()
	end := func() {
		// A fault that was taken back before its time ends nothing.
		if s.now.Load() == mine {
			s.exit()
		}
	}
	if *f.Exit == 0 {
		end()
		return
	}
	time.AfterFunc(time.Duration(*f.Exit), end)
}

// Handler answers GET, PUT and DELETE of /lab/fault.
func (s *Switch) Handler() http.Handler {
	mux := http.NewServeMux()
	show := func(w http.ResponseWriter, f Fault) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(f) // who asked may have gone
	}
	mux.HandleFunc("GET /lab/fault", func(w http.ResponseWriter, _ *http.Request) { show(w, s.Now()) })
	mux.HandleFunc("PUT /lab/fault", func(w http.ResponseWriter, r *http.Request) {
		f, err := Parse(http.MaxBytesReader(w, r.Body, 1<<16))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		// The answer has to be gone before a fault that ends the process.
		show(w, f)
		_ = http.NewResponseController(w).Flush()
		s.Set(f)
	})
	mux.HandleFunc("DELETE /lab/fault", func(w http.ResponseWriter, _ *http.Request) {
		s.Set(Fault{})
		show(w, Fault{})
	})
	return mux
}

// Follow turns on what the file says whenever it changes, and all off when it goes away, until ctx ends. A file that cannot
// be read as a fault changes nothing and is reported.
func (s *Switch) Follow(ctx context.Context, file string, report func(error)) {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	last, there := "", false
	for {
		text, err := os.ReadFile(file)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			if there {
				s.Set(Fault{})
			}
			last, there = "", false
		case err != nil:
			report(err)
		case !there || string(text) != last:
			last, there = string(text), true
			if f, err := Parse(bytes.NewReader(text)); err != nil {
				report(err)
			} else {
				s.Set(f)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// Around puts the faults before a handler of the API.
func (s *Switch) Around(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f := s.Now()
		if f.Latency > 0 && !pause(r.Context(), time.Duration(f.Latency)) {
			return
		}
		switch {
		case f.Errors > 0 && rand.Float64() < f.Errors:
			http.Error(w, `{"error":"a fault is switched on"}`, http.StatusInternalServerError)
			return
		case f.Wrong:
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"fault":"wrong content"}`+"\n")
			return
		case f.Factor > 1:
			begun := time.Now()
			next.ServeHTTP(w, r)
			// A short answer is still in the server's buffer: it leaves when this returns.
			pause(r.Context(), time.Duration(float64(time.Since(begun))*(f.Factor-1)))
			return
		}
		next.ServeHTTP(w, r)
	})
}

func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
