//go:build integration

package marathon_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tranship/tranship/internal/discover/discovertest"
	discovered "github.com/tranship/tranship/internal/discover/marathon"
	"github.com/tranship/tranship/internal/discover/metronome"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/rollout/runner"
	"github.com/tranship/tranship/internal/rollout/runner/runnertest"
	"github.com/tranship/tranship/internal/world/marathon"
	"github.com/tranship/tranship/internal/world/mesos"
	"github.com/tranship/tranship/internal/world/wire"
)

// oldWorld is the lab's double, or whatever TRANSHIP_OLDWORLD names: the URLs of
// Marathon, Metronome and Mesos with commas between them. One of its own has
// three agents: a.test, b.test and c.test.
type oldWorld struct{ marathon, metronome, mesos string }

var numbers atomic.Int64

func start(t *testing.T) *oldWorld {
	t.Helper()
	if urls := strings.Split(os.Getenv("TRANSHIP_OLDWORLD"), ","); len(urls) == 3 {
		return &oldWorld{urls[0], urls[1], urls[2]}
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "oldworld")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./oldworld/cmd/oldworld")
	build.Dir = "../../../lab"
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the old world: %v\n%s", err, out)
	}
	o := &oldWorld{}
	args := []string{"--state", filepath.Join(dir, "state")}
	for flag, u := range map[string]*string{"--marathon-port": &o.marathon, "--metronome-port": &o.metronome, "--mesos-port": &o.mesos} {
		p := port(t)
		args, *u = append(args, flag, p), "http://127.0.0.1:"+p
	}
	var agents []string
	for i, name := range []string{"a", "b", "c"} {
		agents = append(agents, fmt.Sprintf("127.0.0.%d/hostname=%s.test/port=%s", 21+i, name, port(t)))
	}
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command(program, append(args, "--agents", strings.Join(agents, ","))...)
	cmd.Stdout, cmd.Stderr = log, log
	// A test that is killed cleans nothing up: its thread's end tells the old world.
	runtime.LockOSThread()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM) // it ends all that it started
		if err := cmd.Wait(); err != nil || t.Failed() {
			text, _ := os.ReadFile(log.Name())
			t.Logf("the old world: %v\n%s", err, text)
		}
	})
	within(t, time.Minute, "the old world to answer", func() bool {
		resp, err := http.Get(o.marathon + "/ping")
		if err == nil {
			_ = resp.Body.Close()
		}
		return err == nil && resp.StatusCode == http.StatusOK
	})
	return o
}

func port(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, p, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func await(limit time.Duration, done func() bool) bool {
	for end := time.Now().Add(limit); ; time.Sleep(100 * time.Millisecond) {
		if done() {
			return true
		}
		if time.Now().After(end) {
			return false
		}
	}
}

func within(t *testing.T, limit time.Duration, what string, done func() bool) {
	t.Helper()
	if !await(limit, done) {
		t.Fatalf("waited %s for %s", limit, what)
	}
}

// do asks as an operator does, and fails the test unless the answer is a good one.
func do(t *testing.T, method, target string, body any) string {
	t.Helper()
	var data []byte
	if body != nil {
		var err error
		if data, err = json.Marshal(body); err != nil {
			t.Fatal(err)
		}
	}
	req, err := http.NewRequest(method, target, bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= 300 {
		t.Fatalf("%s %s: %d %s %v", method, target, resp.StatusCode, text, err)
	}
	return string(text)
}

// door stands before an interface, and does to it what a network and an
// administrator do.
type door struct {
	*httptest.Server
	denied, cut, tear atomic.Bool
}

func before(t *testing.T, target string) *door {
	t.Helper()
	u, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	d := &door{}
	proxy := httputil.NewSingleHostReverseProxy(u)
	d.Server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		data, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(data))
		reads := r.Method == http.MethodGet || bytes.Contains(data, []byte(`"type":"GET_`))
		switch {
		case d.cut.Load():
			panic(http.ErrAbortHandler)
		case !reads && d.denied.Load():
			http.Error(rw, `{"message": "Not Authorized to perform this action!"}`, http.StatusForbidden)
		case !reads && d.tear.CompareAndSwap(true, false):
			proxy.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		default:
			proxy.ServeHTTP(rw, r)
		}
	}))
	t.Cleanup(d.Close)
	return d
}

func (d *door) client(t *testing.T) *wire.Client {
	t.Helper()
	c, err := wire.New(d.URL, wire.Options{Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func all(set func(*door), doors ...*door) func() {
	return func() {
		for _, d := range doors {
			set(d)
		}
	}
}

// deploy makes an app of copies that sleep, and takes it away after the test.
func (o *oldWorld) deploy(t *testing.T, id string, n int, more map[string]any) {
	t.Helper()
	app := map[string]any{
		"id": id, "cmd": "sleep 600", "cpus": 0.01, "mem": 16, "instances": n, "taskKillGracePeriodSeconds": 1, "portDefinitions": []any{},
		"upgradeStrategy": map[string]any{"minimumHealthCapacity": 0, "maximumOverCapacity": 0}, "backoffSeconds": 1,
	}
	for k, v := range more {
		app[k] = v
	}
	do(t, "POST", o.marathon+"/v2/apps", app)
	t.Cleanup(func() {
		req, err := http.NewRequest("DELETE", o.marathon+"/v2/apps"+id+"?force=true", nil)
		if err == nil {
			if resp, err := http.DefaultClient.Do(req); err == nil {
				_ = resp.Body.Close()
			}
		}
	})
}

func (o *oldWorld) running(t *testing.T, id string) int {
	t.Helper()
	var a struct {
		App struct {
			Running     int               `json:"tasksRunning"`
			Deployments []json.RawMessage `json:"deployments"`
		}
	}
	if err := json.Unmarshal([]byte(do(t, "GET", o.marathon+"/v2/apps"+id, nil)), &a); err != nil {
		t.Fatal(err)
	}
	if len(a.App.Deployments) > 0 {
		return -1
	}
	return a.App.Running
}

func TestSourceKeepsItsPromisesOverTheOldWorld(t *testing.T) {
	o := start(t)
	runnertest.Source(t, func(t *testing.T) (runner.Source, runnertest.SourceWorld) {
		n := numbers.Add(1)
		app, job := fmt.Sprintf("/suite/cart%d", n), fmt.Sprintf("suite.night%d", n)
		o.deploy(t, app, 2, nil)
		do(t, "POST", o.metronome+"/v1/jobs", map[string]any{"id": job, "run": map[string]any{"cmd": "sleep 600", "cpus": 0.01, "mem": 32, "disk": 0}})
		do(t, "POST", o.metronome+"/v1/jobs/"+job+"/schedules", map[string]any{"id": "nightly", "cron": "0 2 31 12 *", "timezone": "UTC", "concurrencyPolicy": "FORBID"})
		t.Cleanup(func() { do(t, "DELETE", o.metronome+"/v1/jobs/"+job+"?stopCurrentJobRuns=true", nil) })
		within(t, time.Minute, "two copies", func() bool { return o.running(t, app) == 2 })
		plan := map[estate.Name]*estate.Workload{"/suite/gone": {ID: "/suite/gone", Kind: estate.Service, SourceVersion: "2026-01-01T00:00:00.000Z"}}
		// As capture asks.
		for file, text := range map[string]string{
			"groups.json": do(t, "GET", o.marathon+"/v2/groups?embed=group.groups&embed=group.apps&embed=group.pods", nil),
			"jobs.json":   do(t, "GET", o.metronome+"/v1/jobs?embed=schedules&embed=activeRuns&embed=historySummary", nil),
		} {
			for _, w := range discovertest.Read([]any{discovered.Reader{}, metronome.Reader{}}, map[string]string{file: text}).Estate.Workloads {
				plan[w.ID] = &w
			}
		}
		if plan[estate.Name(app)] == nil || plan[estate.Name(job)] == nil {
			t.Fatalf("discover found %v", plan)
		}
		m, j := before(t, o.marathon), before(t, o.metronome)
		s := marathon.New(func(n estate.Name) *estate.Workload { return plan[n] }, m.client(t), j.client(t))
		return s, runnertest.SourceWorld{
			App: estate.Name(app), Job: estate.Name(job), Gone: "/suite/gone",
			Planned: map[estate.Name]string{estate.Name(app): plan[estate.Name(app)].SourceVersion, estate.Name(job): plan[estate.Name(job)].SourceVersion},
			Await:   func(done func() bool) bool { return await(time.Minute, done) },
			Deploy: func(w estate.Name) {
				if string(w) == job {
					do(t, "PUT", o.metronome+"/v1/jobs/"+job, map[string]any{"id": job, "run": map[string]any{"cmd": "sleep 601", "cpus": 0.01, "mem": 32, "disk": 0}})
					return
				}
				do(t, "PUT", o.marathon+"/v2/apps"+app, map[string]any{"cmd": "sleep 601"})
				within(t, time.Minute, "the new copies", func() bool { return o.running(t, app) == 2 })
			},
			Rescale: func(n int) {
				do(t, "PUT", o.marathon+"/v2/apps"+app, map[string]any{"instances": n})
				within(t, time.Minute, "the copies", func() bool { return o.running(t, app) == n })
			},
			Lock: func() func() {
				// No host has so much: the deployment does not end.
				do(t, "PUT", o.marathon+"/v2/apps"+app, map[string]any{"cpus": 10000})
				return func() { do(t, "PUT", o.marathon+"/v2/apps"+app+"?force=true", map[string]any{"cpus": 0.01}) }
			},
			Run: func() func() {
				var r struct{ ID string }
				text := do(t, "POST", o.metronome+"/v1/jobs/"+job+"/runs", nil)
				if err := json.Unmarshal([]byte(text), &r); err != nil || r.ID == "" {
					t.Fatalf("%s: %v", text, err)
				}
				return func() { do(t, "POST", o.metronome+"/v1/jobs/"+job+"/runs/"+r.ID+"/actions/stop", nil) }
			},
			On: func() (on []string) {
				var list []struct {
					ID      string
					Enabled bool
				}
				if err := json.Unmarshal([]byte(do(t, "GET", o.metronome+"/v1/jobs/"+job+"/schedules", nil)), &list); err != nil {
					t.Fatal(err)
				}
				for _, x := range list {
					if x.Enabled {
						on = append(on, x.ID)
					}
				}
				return on
			},
			Deny: all(func(d *door) { d.denied.Store(true) }, m, j),
			Tear: all(func(d *door) { d.tear.Store(true) }, m, j),
			Cut: func() func() {
				all(func(d *door) { d.cut.Store(true) }, m, j)()
				return all(func(d *door) { d.cut.Store(false) }, m, j)
			},
			Sicken: func() { do(t, "PUT", o.marathon+"/v2/apps"+app, map[string]any{"cmd": "sleep 1; exit 3"}) },
		}
	})
}

func TestHostsKeepTheirPromisesOverTheOldWorld(t *testing.T) {
	if os.Getenv("TRANSHIP_OLDWORLD") != "" {
		t.Skip("this suite empties every host: it is for an old world of its own")
	}
	runnertest.Hosts(t, func(t *testing.T) (runner.Hosts, runnertest.HostsWorld) {
		o := start(t) // what is drained stays so
		at := func(host string, n int) string {
			id := fmt.Sprintf("/suite/on%d", numbers.Add(1))
			o.deploy(t, id, n, map[string]any{"constraints": [][]string{{"hostname", "CLUSTER", host}}})
			return id
		}
		two, one := at("a.test", 2), at("b.test", 1)
		within(t, time.Minute, "the tasks", func() bool { return o.running(t, two) == 2 && o.running(t, one) == 1 })
		d := before(t, o.mesos)
		return mesos.New(d.client(t), time.Now), runnertest.HostsWorld{
			Full: "a.test", Other: "b.test", Empty: "c.test",
			Await: func(done func() bool) bool { return await(time.Minute, done) },
			Launch: func(host string) bool {
				id := at(host, 1)
				return await(3*time.Second, func() bool { return o.running(t, id) == 1 })
			},
			Deny: all(func(d *door) { d.denied.Store(true) }, d),
			Tear: all(func(d *door) { d.tear.Store(true) }, d),
			Cut: func() func() {
				d.cut.Store(true)
				return func() { d.cut.Store(false) }
			},
		}
	})
}
