package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/tranship/tranship/lab/netns"
)

// stopped halts a process of the lab, and its children, for a while: they keep
// their connections and answer nothing.
func (s *stage) stopped(name string, span time.Duration) func(context.Context, *voyage) (func() error, error) {
	return func(ctx context.Context, _ *voyage) (func() error, error) {
		pid := 0
		for _, p := range s.facts.Processes {
			if p.Name == name {
				pid = p.PID
			}
		}
		if pid == 0 {
			return nil, fmt.Errorf("the lab has no process %s", name)
		}
		halted := family(pid)
		for _, p := range halted {
			if err := syscall.Kill(p, syscall.SIGSTOP); err != nil {
				return nil, fmt.Errorf("halt %s: %w", name, err)
			}
		}
		done := make(chan struct{})
		go func() {
			defer close(done)
			select {
			case <-ctx.Done():
			case <-time.After(span):
			}
			for _, p := range halted {
				_ = syscall.Kill(p, syscall.SIGCONT) // one that is gone needs none
			}
		}()
		return func() error { <-done; return nil }, nil
	}
}

// family is a process and all below it.
func family(pid int) []int {
	out := []int{pid}
	tasks, _ := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	for _, t := range tasks {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", pid, t.Name()))
		if err != nil {
			continue
		}
		for _, f := range strings.Fields(string(text)) {
			if child, err := strconv.Atoi(f); err == nil {
				out = append(out, family(child)...)
			}
		}
	}
	return out
}

// blindAddress is where the witness reads in the part faults, so that reading can
// be made to fail alone.
const blindAddress = "10.200.0.3:9500"

// A glass passes the witness' reads on until it is blinded.
type glass struct {
	server *http.Server
	blind  chan struct{}
}

// look begins to pass reads on to the front door.
func (s *stage) look(ctx context.Context) (*glass, error) {
	l, err := netns.Listen(ctx, s.facts.Namespaces.LAN, "tcp", blindAddress)
	if err != nil {
		return nil, err
	}
	g := &glass{blind: make(chan struct{})}
	g.server = &http.Server{ReadHeaderTimeout: 5 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-g.blind:
			http.Error(w, "blind", http.StatusServiceUnavailable)
			return
		default:
		}
		req, err := http.NewRequestWithContext(r.Context(), r.Method, "http://"+door(s.facts, "query")+r.URL.RequestURI(), nil)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		resp, err := s.lan.Do(req)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body)
	})}
	go func() {
		if err := g.server.Serve(l); err != nil && !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			s.say("the witness' glass: %v", err)
		}
	}()
	return g, nil
}

// blind has the witness read nothing any more.
func (s *stage) blind(context.Context, *voyage) (func() error, error) {
	close(s.glass.blind)
	return func() error {
		s.glass.blind = make(chan struct{})
		return nil
	}, nil
}

// A turn is when a unit was sent back, as its journal tells.
type turn struct {
	verdict, home time.Time
	weight        int // that the target had
}

// A record is what the move's journal holds of one unit, as far as it is asked for here.
type record struct {
	At   time.Time `json:"at"`
	Kind string    `json:"kind"`
	Body struct {
		Kind    string  `json:"kind"`
		Act     string  `json:"act"`
		Back    bool    `json:"back"`
		Weight  int     `json:"weight"`
		Seconds float64 `json:"seconds"`
	} `json:"body"`
}

// records reads a unit's journal.
func (v *voyage) records(ctx context.Context, unit string) ([]record, error) {
	out, err := v.run(ctx, v.tranship, "journal", "--plan", v.file("plan.json"), "--unit", unit, "-o", "json")
	if err != nil {
		return nil, err
	}
	var j struct {
		Records []record `json:"records"`
	}
	if err := json.Unmarshal([]byte(out), &j); err != nil {
		return nil, fmt.Errorf("read the journal: %w", err)
	}
	return j.Records, nil
}

// turned reads the journal for when, since an instant, a gate failed and when traffic was home.
func (v *voyage) turned(ctx context.Context, unit string, since time.Time) (turn, error) {
	list, err := v.records(ctx, unit)
	var t turn
	for _, r := range list {
		switch {
		case r.Kind != "event":
		case r.Body.Kind == "done" && r.Body.Act == "shift" && !r.Body.Back:
			t.weight = r.Body.Weight
		case r.At.Before(since):
		case r.Body.Kind == "failed" && t.verdict.IsZero():
			t.verdict = r.At
		case r.Body.Kind == "done" && r.Body.Act == "shift" && r.Body.Back:
			t.home = r.At
		}
	}
	return t, err
}

// unit gives one unit's state.
func (v *voyage) unit(ctx context.Context, id string) (unit, error) {
	units, err := v.status(ctx)
	if err != nil {
		return unit{}, err
	}
	for _, u := range units {
		if u.ID == id {
			return u, nil
		}
	}
	return unit{}, fmt.Errorf("no unit %s", id)
}

// reaches waits until the target of a unit has that share of traffic, for as long as its mover runs.
func (v *voyage) reaches(ctx context.Context, id string, weight int, m *moving) error {
	return until(ctx, fmt.Sprintf("%s has %d %% of its traffic at the target", id, weight), 4*time.Minute, func(ctx context.Context) (bool, error) {
		over := m.over()
		u, err := v.unit(ctx, id)
		switch {
		case err != nil:
			return false, err
		case u.Weight >= weight:
			return true, nil
		case over:
			return false, fmt.Errorf("it is %s, %w: %s; its mover ended with status %d: %s", u.State, errNever, u.Why, m.status, tail(m.said, 8))
		}
		return false, fmt.Errorf("it is %s, with %d %%", u.State, u.Weight)
	})
}

// A cutover is a moment at which a database's writes stood still.
type cutover struct {
	until time.Time
	span  time.Duration
}

// cutovers reads them from the journal.
func (v *voyage) cutovers(ctx context.Context, unit string) ([]cutover, error) {
	records, err := v.records(ctx, unit)
	var list []cutover
	for _, r := range records {
		if r.Kind == "cutover" {
			list = append(list, cutover{r.At, time.Duration(r.Body.Seconds * float64(time.Second))})
		}
	}
	return list, err
}
