//go:build integration

package haproxy

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/rollout/runner/runnertest"
)

// A door is a real HAProxy on 127.0.0.1 with small servers behind it.
type door struct {
	t        *testing.T
	dir      string
	cmd      *exec.Cmd
	traffic  *Traffic
	front    string
	config   string
	mu       sync.Mutex
	sides    map[string][]*backendServer
	held     []net.Conn
	template string
}

type backendServer struct {
	side    string
	address string
	server  *http.Server
	failing *atomic.Bool
	slow    *atomic.Int64
}

const configuration = `global
    stats socket %[1]s/admin.sock mode 600 level admin expose-fd listeners
    log ring@tranship local0 info
    hard-stop-after 10s
ring tranship
    format raw
    maxlen 1024
    size 1048576
defaults
    mode %[4]s
    log global
    option %[5]slog
    option redispatch
    timeout connect 1s
    timeout client 10s
    timeout server 10s
frontend gateway
    bind %[2]s
    default_backend gateway
backend gateway
    balance roundrobin
    %[6]s
	server old-1   %[3]s	check inter 200ms fall 1 rise 1 # the old one
    # tranship begin gateway
    # tranship end gateway
`

// open starts HAProxy in front of one source and two target servers.
func open(t *testing.T, mode string) *door {
	t.Helper()
	program, err := exec.LookPath("haproxy")
	if err != nil {
		if program, err = exec.LookPath("/usr/sbin/haproxy"); err != nil {
			t.Skip("haproxy is not installed")
		}
	}
	// A socket's path has to be short.
	dir, err := os.MkdirTemp("", "hx")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	d := &door{t: t, dir: dir, front: free(t), config: filepath.Join(dir, "haproxy.cfg"), sides: map[string][]*backendServer{}}
	source := d.serve("source", free(t))
	d.serve("target", free(t))
	d.serve("target", free(t))
	check := "option httpchk GET /health"
	if mode == "tcp" {
		check = "option tcp-check"
	}
	d.template = fmt.Sprintf(configuration, dir, d.front, source.address, mode, mode, check)
	if err := os.WriteFile(d.config, []byte(d.template), 0o640); err != nil {
		t.Fatal(err)
	}
	d.cmd = exec.Command(program, "-W", "-f", d.config)
	d.cmd.Stderr = &tail{t: t}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = d.cmd.Process.Signal(syscall.SIGINT)
		done := make(chan struct{})
		go func() { _ = d.cmd.Wait(); close(done) }()
		select {
		case <-done:
		case <-time.After(15 * time.Second):
			_ = d.cmd.Process.Kill()
			<-done
		}
	})
	d.traffic = New(filepath.Join(dir, "admin.sock"), d.config, time.Now, Options{
		Server: "check inter 200ms fall 1 rise 1", Program: program, Settle: 1500 * time.Millisecond, Drain: 5 * time.Second,
	})
	d.until("haproxy answers", func() bool {
		st, err := d.traffic.socket.look(t.Context(), "gateway")
		return err == nil && len(st.servers) == 1 && st.servers[0].up && st.servers[0].judged
	})
	return d
}

// tail shows what HAProxy says when a test has failed.
type tail struct{ t *testing.T }

func (w *tail) Write(p []byte) (int, error) {
	if s := strings.TrimSpace(string(p)); strings.Contains(s, "ALERT") {
		w.t.Log(s)
	}
	return len(p), nil
}

func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (d *door) until(what string, yes func() bool) {
	d.t.Helper()
	for limit := time.Now().Add(15 * time.Second); !yes(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(limit) {
			d.t.Fatalf("%s: not within 15 s", what)
		}
	}
}

// serve starts a server that says which side it is of.
func (d *door) serve(side, address string) *backendServer {
	b := &backendServer{side: side, address: address, failing: &atomic.Bool{}, slow: &atomic.Int64{}}
	d.sides[side] = append(d.sides[side], b)
	d.start(b)
	d.t.Cleanup(func() { d.stop(b) })
	return b
}

func (d *door) start(b *backendServer) {
	l, err := net.Listen("tcp", b.address)
	if err != nil {
		d.t.Fatal(err)
	}
	b.server = &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-World", b.side)
		time.Sleep(time.Duration(b.slow.Load()))
		if b.failing.Load() && r.URL.Path != "/health" {
			w.WriteHeader(http.StatusInternalServerError)
		}
		_, _ = io.WriteString(w, b.side)
	})}
	go b.server.Serve(l)
}

func (d *door) stop(b *backendServer) { b.server.Close() }

func (d *door) answer(side string, yes bool) {
	d.t.Helper()
	for _, b := range d.sides[side] {
		if yes {
			d.start(b)
		} else {
			d.stop(b)
		}
	}
	d.until("health checks see the "+side, func() bool {
		st, err := d.traffic.socket.look(d.t.Context(), "gateway")
		if err != nil {
			return false
		}
		servers, target := st.sides()
		if side == "target" {
			servers = target
		}
		for _, v := range servers {
			if v.up != yes {
				return false
			}
		}
		return true
	})
}

// send sends requests one after the other, and waits until the log has them.
func (d *door) send(n int) (source, target, failed int) {
	d.t.Helper()
	before := d.traffic.Ring().Requests
	client := http.Client{Timeout: 10 * time.Second}
	defer client.CloseIdleConnections()
	for range n {
		side, ok := d.get(&client)
		switch side {
		case "source":
			source++
		case "target":
			target++
		}
		if !ok {
			failed++
		}
	}
	if d.traffic.Ring().Following {
		for range 100 {
			if d.traffic.Ring().Requests >= before+int64(source+target) {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
	}
	return source, target, failed
}

func (d *door) get(client *http.Client) (side string, ok bool) {
	resp, err := client.Get("http://" + d.front + "/")
	if err != nil {
		return "", false
	}
	defer resp.Body.Close()
	_, err = io.ReadAll(resp.Body)
	return resp.Header.Get("X-World"), err == nil && resp.StatusCode == http.StatusOK
}

// reload has the master start a new worker, as systemctl reload does.
func (d *door) reload() {
	d.t.Helper()
	old, err := d.traffic.socket.process(d.t.Context())
	if err != nil {
		d.t.Fatal(err)
	}
	if err := d.cmd.Process.Signal(syscall.SIGUSR2); err != nil {
		d.t.Fatal(err)
	}
	d.until("another process serves", func() bool {
		now, err := d.traffic.socket.process(d.t.Context())
		return err == nil && now != old
	})
}

// follow runs the reading of latencies for as long as the test lasts.
func (d *door) follow() {
	ctx, cancel := context.WithCancel(d.t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = d.traffic.Run(ctx) }()
	d.t.Cleanup(func() { cancel(); <-done })
	d.until("the ring is followed", func() bool { return d.traffic.Ring().Following })
	time.Sleep(50 * time.Millisecond) // until the command was read
}

func (d *door) suite() runnertest.Door {
	var targets []string
	for _, b := range d.sides["target"] {
		targets = append(targets, b.address)
	}
	return runnertest.Door{
		Traffic: d.traffic, Route: rollout.Route{Backend: "gateway"}, Targets: targets, Near: 1, FailsOver: true,
		Send: d.send, Answer: d.answer, Reload: d.reload,
		Err: func(side string, yes bool) {
			for _, b := range d.sides[side] {
				b.failing.Store(yes)
			}
		},
	}
}

func TestTrafficKeepsItsPromises(t *testing.T) {
	runnertest.Traffic(t, func(t *testing.T) runnertest.Door {
		d := open(t, "http")
		d.follow()
		return d.suite()
	})
}

// TestConnectionsThatLastAreCut runs the part of the suite that is about connections.
func TestConnectionsThatLastAreCut(t *testing.T) {
	d := open(t, "tcp")
	s := d.suite()
	s.Cutter = d.traffic
	s.Hold = func(n int) {
		for range n {
			c, err := net.Dial("tcp", d.front)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { c.Close() })
			// Half a request: the server waits for the rest.
			if _, err := io.WriteString(c, "GET / HTTP/1.1\r\n"); err != nil {
				t.Fatal(err)
			}
			d.held = append(d.held, c)
		}
		d.until("connections are open", func() bool {
			f, err := d.traffic.Observe(t.Context(), s.Route)
			return err == nil && f.Source.Sessions == n
		})
	}
	s.Held = func() int {
		open := 0
		for _, c := range d.held {
			_ = c.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
			if _, err := c.Read(make([]byte, 1)); os.IsTimeout(err) {
				open++
			}
		}
		return open
	}
	runnertest.Cut(t, s)
}

// TestACycleUnderLoadFailsNoRequest connects, shifts by all steps with a reload
// in the middle, goes back and disconnects, while clients ask without pause.
func TestACycleUnderLoadFailsNoRequest(t *testing.T) {
	d := open(t, "http")
	d.follow()
	r := rollout.Route{Backend: "gateway"}
	for _, side := range d.sides {
		for _, b := range side {
			b.slow.Store(int64(3 * time.Millisecond))
		}
	}
	var sent, failed, target atomic.Int64
	ctx, cancel := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	for i := range 8 {
		clients.Go(func() {
			client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: i%2 == 0}}
			defer client.CloseIdleConnections()
			for ctx.Err() == nil {
				side, ok := d.get(&client)
				sent.Add(1)
				if side == "target" {
					target.Add(1)
				}
				if !ok {
					failed.Add(1)
				}
			}
		})
	}
	observed := func() rollout.Flow {
		f, err := d.traffic.Observe(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	s := d.suite()
	observed()
	for cycle := range 3 {
		must(t, d.traffic.Connect(t.Context(), r, s.Targets))
		for _, percent := range []int{1, 5, 25, 50, 100} {
			must(t, d.traffic.Shift(t.Context(), r, percent))
			before, told := target.Load(), sent.Load()
			time.Sleep(300 * time.Millisecond)
			if percent == 50 || percent == 100 {
				got := 100 * float64(target.Load()-before) / float64(max(sent.Load()-told, 1))
				t.Logf("cycle %d, %d percent: %.1f percent of %d requests", cycle, percent, got, sent.Load()-told)
			}
			if percent == 25 {
				observed()
				d.reload()
			}
			if f := observed(); f.Target.Weight != percent {
				t.Errorf("weight %d, want %d", f.Target.Weight, percent)
			}
		}
		must(t, d.traffic.Shift(t.Context(), r, 0))
		must(t, d.traffic.Connect(t.Context(), r, nil))
		text, err := os.ReadFile(d.config)
		if err != nil || string(text) != d.template {
			t.Errorf("the file is not what it was: %v\n%s", err, text)
		}
	}
	cancel()
	clients.Wait()
	f := observed()
	ring := d.traffic.Ring()
	t.Logf("%d requests sent, %d failed; counted %d and %d; latencies of %d, %d log lines lost; p99 %v and %v",
		sent.Load(), failed.Load(), f.Source.Requests, f.Target.Requests, ring.Requests, ring.Lost,
		f.Source.Latency.Quantile(0.99), f.Target.Latency.Quantile(0.99))
	if failed.Load() != 0 {
		t.Errorf("%d of %d requests failed", failed.Load(), sent.Load())
	}
	if sent.Load() < 500 || ring.Requests < sent.Load()*9/10 {
		t.Errorf("%d requests and %d latencies: too little was measured", sent.Load(), ring.Requests)
	}
	if f.Source.Errors+f.Target.Errors != 0 {
		t.Errorf("%d errors at the source and %d at the target, and no request failed", f.Source.Errors, f.Target.Errors)
	}
}

// TestAServerThatIsGoneHoldsNobodyUp: its requests, which nobody will ever answer,
// are ended, and those of a server that is up are not.
func TestAServerThatIsGoneHoldsNobodyUp(t *testing.T) {
	d := open(t, "http")
	r := rollout.Route{Backend: "gateway"}
	must(t, d.traffic.Connect(t.Context(), r, d.suite().Targets))
	must(t, d.traffic.Shift(t.Context(), r, 100))
	for _, b := range d.sides["target"] {
		b.slow.Store(int64(time.Minute))
	}
	ended := make(chan bool, 1)
	go func() {
		_, ok := d.get(&http.Client{Timeout: 30 * time.Second})
		ended <- ok
	}()
	d.until("checks find the target down, with a request", func() bool {
		st, err := d.traffic.socket.look(t.Context(), "gateway")
		if err != nil {
			return false
		}
		_, target := st.sides()
		sessions := 0
		for _, v := range target {
			if v.up {
				return false
			}
			sessions += v.sessions
		}
		return sessions == 1
	})
	must(t, d.traffic.Shift(t.Context(), r, 0))
	must(t, d.traffic.Connect(t.Context(), r, nil))
	if ok := <-ended; ok {
		t.Error("a request to a server that answers nothing was answered")
	}
	if source, target, failed := d.send(5); source != 5 || target+failed != 0 {
		t.Errorf("%d, %d and %d failed of 5 after it, want all at the source", source, target, failed)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
