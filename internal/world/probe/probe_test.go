package probe_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/rollout/runner"
	"github.com/tranship/tranship/internal/rollout/runner/runnertest"
	"github.com/tranship/tranship/internal/rollout/witness"
	"github.com/tranship/tranship/internal/world/probe"
)

// service keeps readings, and is ill when it is told to be.
type service struct {
	mu     sync.Mutex
	kept   []string
	next   string
	mute   bool
	cached bool // a request came that a cache might answer
}

func (s *service) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.cached = s.cached || r.Header.Get("Cache-Control") != "no-cache"
	if r.Method == http.MethodPost {
		var in struct {
			Device   string
			Sequence int64
			At       time.Time
		}
		if json.NewDecoder(r.Body).Decode(&in) != nil || in.At.IsZero() || r.Header.Get("X-Device") != in.Device {
			rw.WriteHeader(http.StatusBadRequest)
			return
		}
		ill := s.next
		s.next = ""
		record := fmt.Sprintf("%s#%d;", in.Device, in.Sequence)
		switch ill {
		case "lose":
		case "refuse":
			rw.WriteHeader(http.StatusOK) // only 202 promises
			return
		case "double":
			s.kept = append(s.kept, record, record)
		default:
			s.kept = append(s.kept, record)
		}
		if ill == "tear" {
			panic(http.ErrAbortHandler)
		}
		rw.WriteHeader(http.StatusAccepted)
		return
	}
	if s.mute {
		rw.WriteHeader(http.StatusBadGateway)
		return
	}
	_, _ = rw.Write([]byte(strings.Join(s.kept, "\n")))
}

func TestMarkerKeepsItsPromises(t *testing.T) {
	runnertest.Marker(t, func(t *testing.T) (runner.Marker, runnertest.MarkerWorld) {
		s := &service{}
		server := httptest.NewServer(s)
		t.Cleanup(server.Close)
		t.Cleanup(func() {
			if s.cached {
				t.Error("a request came that a cache may answer")
			}
		})
		m, err := probe.NewMarker(probe.Options{Timeout: 5 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		next := func(ill string) func() {
			return func() {
				s.mu.Lock()
				defer s.mu.Unlock()
				s.next = ill
			}
		}
		return m, runnertest.MarkerWorld{
			Witness: policy.MoveWitness{
				Write: policy.WitnessRequest{
					URL: server.URL + "/readings", Acknowledged: []int{202}, Header: map[string]string{"X-Device": "{{.Device}}"},
					Body: `{"device": "{{.Device}}", "sequence": {{.Sequence}}, "at": "{{.At}}"}`,
				},
				Read: policy.WitnessRequest{URL: server.URL + "/readings?device={{.Device}}&after={{.Before}}", Count: `{{.Device}}#{{.Sequence}};`},
			},
			Lose: next("lose"), Double: next("double"), Refuse: next("refuse"), Tear: next("tear"),
			Mute: func() func() {
				s.mu.Lock()
				defer s.mu.Unlock()
				s.mute = true
				return func() { s.mu.Lock(); defer s.mu.Unlock(); s.mute = false }
			},
		}
	})
}

// TestADevicesNameIsNoExpression: its dots match dots alone.
func TestADevicesNameIsNoExpression(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { _, _ = rw.Write([]byte("axb#1; a.b#1;")) }))
	t.Cleanup(s.Close)
	m, err := probe.NewMarker(probe.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := policy.MoveWitness{Read: policy.WitnessRequest{URL: s.URL, Count: `{{.Device}}#{{.Sequence}};`}}
	if n, err := m.Read(t.Context(), w, witness.Mark{Device: "a.b", Sequence: 1}); err != nil || n != 1 {
		t.Errorf("Read = %d, %v; want 1", n, err)
	}
}

// front answers checks and tells who it is.
type front struct {
	mu             sync.Mutex
	world, version string
	wrong          bool
}

func (f *front) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.world != "" {
		rw.Header().Set("X-World", f.world)
		rw.Header().Set("X-Version", f.version)
	}
	switch {
	case f.wrong && r.URL.Path == "/moved":
		http.Redirect(rw, r, "/elsewhere", http.StatusFound)
	case f.wrong:
		rw.WriteHeader(http.StatusServiceUnavailable)
	default:
		_, _ = rw.Write([]byte("ready: 3"))
	}
}

func prometheus(rw http.ResponseWriter, r *http.Request) {
	switch r.URL.Query().Get("query") {
	case "up":
		_, _ = rw.Write([]byte(`{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"value":[1700000000.1,"0.25"]}]}}`))
	case "1":
		_, _ = rw.Write([]byte(`{"status":"success","data":{"resultType":"scalar","result":[1700000000.1,"1"]}}`))
	case "none":
		_, _ = rw.Write([]byte(`{"status":"success","data":{"resultType":"vector","result":[]}}`))
	case "many":
		_, _ = rw.Write([]byte(`{"status":"success","data":{"resultType":"vector","result":[{"value":[1,"1"]},{"value":[1,"0"]}]}}`))
	case "nan":
		_, _ = rw.Write([]byte(`{"status":"success","data":{"resultType":"vector","result":[{"value":[1,"NaN"]}]}}`))
	case "down":
		rw.WriteHeader(http.StatusServiceUnavailable)
	default:
		rw.WriteHeader(http.StatusBadRequest)
		_, _ = rw.Write([]byte(`{"status":"error","errorType":"bad_data","error":"parse error"}`))
	}
}

func TestProberKeepsItsPromises(t *testing.T) {
	runnertest.Prober(t, func(t *testing.T) (runner.Prober, runnertest.ProberWorld) {
		target, home := &front{world: "kubernetes", version: "7"}, &front{world: "mesos", version: "7"}
		a, b, c := httptest.NewServer(target), httptest.NewServer(home), httptest.NewServer(http.HandlerFunc(prometheus))
		t.Cleanup(b.Close)
		t.Cleanup(c.Close)
		var once sync.Once
		shut := func() { once.Do(a.Close) }
		t.Cleanup(shut)
		port, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = port.Close() })
		p, err := probe.NewProber(probe.Options{Timeout: 5 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		set := func(f func()) func() {
			return func() { target.mu.Lock(); defer target.mu.Unlock(); f() }
		}
		address := a.Listener.Addr().String()
		flag := t.TempDir() + "/wrong"
		return p, runnertest.ProberWorld{
			Checks: []policy.MoveCheck{
				{Name: "http", HTTP: "http://{{.Address}}/ready", Body: `^ready: \d+$`},
				{Name: "moved", HTTP: "http://{{.Address}}/moved"},
				{Name: "tcp", TCP: port.Addr().String()},
				{Name: "exec", Exec: []string{"/bin/sh", "-c", `test "$1" = "` + address + `" && ! test -e ` + flag, "check", "{{.Address}}"}},
			},
			Address: address, Home: b.Listener.Addr().String(),
			Wrong: func() {
				set(func() { target.wrong = true })()
				_ = port.Close()
				if err := touch(flag); err != nil {
					t.Fatal(err)
				}
			},
			Cut: func() {
				shut()
				_ = port.Close()
				if err := touch(flag); err != nil {
					t.Fatal(err)
				}
			},
			Identity: policy.MoveIdentity{Path: "/", Header: "X-World", Source: "mesos", Target: "kubernetes", VersionHeader: "X-Version"},
			Another:  set(func() { target.version = "8" }), Nameless: set(func() { target.world = "" }),
			Prometheus: c.URL + "/", Query: "up", Empty: "none", Value: 0.25,
		}
	})
}

func touch(path string) error { return os.WriteFile(path, nil, 0o600) }

// TestAQueryThatIsNoQuestionIsRefused: its fault is its own, not the world's.
func TestAQueryThatIsNoQuestionIsRefused(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(prometheus))
	t.Cleanup(s.Close)
	p, err := probe.NewProber(probe.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]bool{"many": true, "sum(": true, "down": false} {
		if _, ok, err := p.Query(t.Context(), s.URL, query); err == nil || ok || errors.Is(err, runner.ErrRefused) != want {
			t.Errorf("Query(%s) = %t, %v; want refused: %t", query, ok, err, want)
		}
	}
	if v, ok, err := p.Query(t.Context(), s.URL, "nan"); err != nil || !ok || v == v {
		t.Errorf("Query(nan) = %g, %t, %v; want NaN", v, ok, err)
	}
	if v, ok, err := p.Query(t.Context(), s.URL, "1"); err != nil || !ok || v != 1 {
		t.Errorf("Query(1) = %g, %t, %v; want 1", v, ok, err)
	}
}

// TestWhatCannotBeAskedIsRefused: templates, expressions and programs that are none.
func TestWhatCannotBeAskedIsRefused(t *testing.T) {
	p, err := probe.NewProber(probe.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []policy.MoveCheck{
		{Name: "template", HTTP: "http://{{.Adress}}/"},
		{Name: "body", HTTP: "http://127.0.0.1:1/", Body: "("},
		{Name: "program", Exec: []string{"/nonexistent/program"}},
		{Name: "nothing"},
	} {
		if a, err := p.Check(t.Context(), c, "127.0.0.1:1"); !errors.Is(err, runner.ErrRefused) {
			t.Errorf("Check(%s) = %+v, %v; want a refusal", c.Name, a, err)
		}
	}
}

// TestACommandThatHangsIsNoAnswer, and its output does not hold the check up.
func TestACommandThatHangsIsNoAnswer(t *testing.T) {
	p, err := probe.NewProber(probe.Options{Timeout: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	_, err = p.Check(t.Context(), policy.MoveCheck{Name: "slow", Exec: []string{"/bin/sh", "-c", "sleep 2; true"}}, "")
	if err == nil || !strings.Contains(err.Error(), "no answer within 100ms") {
		t.Errorf("Check = %v, want that no answer came in time", err)
	}
}
