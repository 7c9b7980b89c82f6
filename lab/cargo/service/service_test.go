package service_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/tranship/tranship/lab/cargo/fault"
	"github.com/tranship/tranship/lab/cargo/service"
)

func env(pairs ...string) func(string) string {
	return func(name string) string {
		for _, p := range pairs {
			if value, ok := strings.CutPrefix(p, name+"="); ok {
				return value
			}
		}
		return ""
	}
}

func TestAProcessKnowsItsWorldAndListensWhereItIsTold(t *testing.T) {
	for name, test := range map[string]struct {
		env                  []string
		world, listen, fault string
	}{
		"by hand":            {nil, "none", ":8080", ""},
		"Mesos":              {[]string{"MESOS_TASK_ID=x", "HOST=10.200.0.11", "PORT0=31000", "PORT1=31001", "PORT=9"}, "mesos", "10.200.0.11:31000", "10.200.0.11:31001"},
		"Mesos, a host name": {[]string{"MESOS_TASK_ID=x", "HOST=agent-1", "PORT0=31000"}, "mesos", ":31000", ""},
		"Kubernetes":         {[]string{"KUBERNETES_SERVICE_HOST=10.96.0.1", "PORT=10001", "FAULT_PORT=8081"}, "kubernetes", ":10001", ":8081"},
	} {
		c, err := service.FromEnv("x", env(test.env...))
		if err != nil || c.World != test.world || c.Listen != test.listen || c.FaultListen != test.fault {
			t.Errorf("%s: world %s, API at %s, faults at %s (%v); want %s, %s, %s", name, c.World, c.Listen, c.FaultListen, err, test.world, test.listen, test.fault)
		}
	}
	for _, bad := range []string{"PORT0=http", "PORT1=70000", "DRAIN=3", "GRACE=-1s"} {
		if _, err := service.FromEnv("x", env(bad)); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
}

// running is a server on a port of its own, asked to end by stop.
type running struct {
	url  string
	stop context.CancelFunc
	end  chan error
}

func start(t *testing.T, drain, grace time.Duration, faults *fault.Switch, ready func() error, api http.HandlerFunc) running {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	c := service.Config{Name: "x", World: "mesos", Version: "3", Listen: address, Drain: drain, Grace: grace}
	s := service.New(c, slog.New(slog.NewTextHandler(io.Discard, nil)), faults, ready)
	s.Handle("GET /v1/x", api)
	ctx, stop := context.WithCancel(t.Context())
	r := running{url: "http://" + address, stop: stop, end: make(chan error, 1)}
	go func() { r.end <- s.Run(ctx) }()
	t.Cleanup(stop)
	for range 200 {
		if c, err := net.Dial("tcp", address); err == nil {
			_ = c.Close()
			return r
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatal("the server does not listen")
	return r
}

func (r running) get(path string) (*http.Response, error) {
	answer, err := http.Get(r.url + path)
	if err == nil {
		_, err = io.Copy(io.Discard, answer.Body)
		_ = answer.Body.Close()
	}
	return answer, err
}

func good() error { return nil }

func TestAskedToEndAServerFinishesWhatItHasBegun(t *testing.T) {
	begun, finish := make(chan struct{}), make(chan struct{})
	r := start(t, 300*time.Millisecond, 5*time.Second, fault.NewSwitch(nil), good, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery == "slow" {
			close(begun)
			<-finish
		}
		service.Answer(w, 200, struct{}{})
	})
	slow := make(chan error, 1)
	go func() {
		answer, err := r.get("/v1/x?slow")
		if err == nil && answer.StatusCode != 200 {
			err = errors.New(answer.Status)
		}
		slow <- err
	}()
	<-begun
	if answer, err := r.get("/ready"); err != nil || answer.StatusCode != 200 {
		t.Errorf("before: ready = %v, %v", answer, err)
	}
	r.stop()
	for ready := http.StatusOK; ready == http.StatusOK; {
		answer, err := r.get("/ready")
		if err != nil {
			t.Fatalf("the server has left before it said that it is not ready: %v", err)
		}
		ready = answer.StatusCode
	}
	answer, err := r.get("/v1/x")
	if err != nil || answer.StatusCode != 200 || !answer.Close {
		t.Errorf("while draining: %v, %v; want an answer after which the connection closes", answer, err)
	}
	if answer, err := r.get("/healthz"); err != nil || answer.StatusCode != 200 {
		t.Errorf("while draining: alive = %v, %v", answer, err)
	}
	close(finish)
	if err := <-slow; err != nil {
		t.Errorf("the request under way failed: %v", err)
	}
	if err := <-r.end; err != nil {
		t.Errorf("end = %v, want none", err)
	}
}

func TestARequestThatOutlivesTheGraceIsCut(t *testing.T) {
	begun := make(chan struct{})
	r := start(t, 0, 200*time.Millisecond, fault.NewSwitch(nil), good, func(_ http.ResponseWriter, r *http.Request) {
		close(begun)
		<-r.Context().Done()
	})
	go func() { _, _ = r.get("/v1/x") }()
	<-begun
	r.stop()
	select {
	case err := <-r.end:
		if err == nil {
			t.Error("end = nil, want that requests outlived the grace")
		}
	case <-time.After(5 * time.Second):
		t.Fatal("the server outlives its grace")
	}
}

func TestFaultsTouchTheAPIAndReadinessOnly(t *testing.T) {
	faults := fault.NewSwitch(nil)
	done := 0
	r := start(t, 0, time.Second, faults, good, func(w http.ResponseWriter, _ *http.Request) {
		done++
		service.Answer(w, 200, struct{}{})
	})
	status := func(path string) int {
		answer, err := r.get(path)
		if err != nil {
			t.Fatal(err)
		}
		return answer.StatusCode
	}
	faults.Set(fault.Fault{Errors: 1, NotReady: true})
	if a, b, c := status("/v1/x"), status("/ready"), status("/healthz"); a != 500 || b != 503 || c != 200 || done != 0 {
		t.Errorf("API %d (%d done), ready %d, alive %d; want 500, none, 503, 200", a, done, b, c)
	}
	faults.Set(fault.Fault{Wrong: true})
	if a := status("/v1/x"); a != 200 || done != 0 {
		t.Errorf("wrong content comes with %d and %d done, want 200 and none", a, done)
	}
	faults.Set(fault.Fault{})
	if a := status("/v1/x"); a != 200 || done != 1 {
		t.Errorf("without a fault: %d, %d done; want 200, 1", a, done)
	}
}

func TestMetricsCountAnswersAlsoThoseBrokenOff(t *testing.T) {
	r := start(t, 0, time.Second, fault.NewSwitch(nil), func() error { return errors.New("no database") }, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery == "cut" {
			panic(http.ErrAbortHandler)
		}
		service.Answer(w, 200, struct{}{})
	})
	if answer, err := r.get("/v1/x"); err != nil || answer.Header.Get("X-World") != "mesos" || answer.Header.Get("X-Version") != "3" {
		t.Fatalf("answer = %v, %v", answer, err)
	}
	// On a connection of its own: a client asks again when a used one is closed.
	http.DefaultClient.CloseIdleConnections()
	if _, err := r.get("/v1/x?cut"); err == nil {
		t.Fatal("an answer that was broken off came whole")
	}
	if answer, _ := r.get("/ready"); answer.StatusCode != 503 {
		t.Errorf("ready without a database = %d, want 503", answer.StatusCode)
	}
	answer, err := http.Get(r.url + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	labels := `route="GET /v1/x",service="x",version="3",world="mesos"`
	for _, want := range []string{
		`http_requests_total{code="200",` + labels + `} 1`, `http_requests_total{code="500",` + labels + `} 1`,
		`http_errors_total{` + labels + `} 1`, `http_request_duration_seconds_count{` + labels + `} 2`,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("metrics lack %s", want)
		}
	}
}
