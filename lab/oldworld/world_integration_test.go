//go:build integration

package oldworld_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/tranship/tranship/lab/oldworld/oldworldtest"
)

// The test's own program is also the one in the image store: a server that says who it is, and ends at once when asked.
func TestMain(m *testing.M) {
	if os.Getenv("MARATHON_APP_ID") != "" {
		os.Exit(serve())
	}
	os.Exit(m.Run())
}

func serve() int {
	var held []byte
	if n, err := strconv.Atoi(os.Getenv("EAT")); err == nil {
		held = make([]byte, n)
		for i := 0; i < len(held); i += 4096 {
			held[i] = 1
		}
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	go func() {
		err := http.ListenAndServe(net.JoinHostPort(os.Getenv("HOST"), os.Getenv("PORT0")), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(20 * time.Millisecond) // long enough to be under way when the end comes
			fmt.Fprintln(w, os.Getenv("MESOS_TASK_ID"), os.Getenv("FROM_IMAGE"), len(held))
		}))
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}()
	<-ctx.Done()
	return 0
}

const image = "test.local/web:1"

// store makes an image store with the test's own program.
func store(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	at := filepath.Join(dir, image)
	if err := os.MkdirAll(at, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(at, "web")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(at, "image.json"), []byte(`{"entrypoint":["web"],"env":["FROM_IMAGE=yes"]}`), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

type task struct {
	ID    string `json:"id"`
	State string `json:"state"`
	Host  string `json:"host"`
	Ports []int  `json:"ports"`
	Slave string `json:"slaveId"`
}

func tasks(t *testing.T, w *oldworldtest.World, app string) []task {
	t.Helper()
	_, text := oldworldtest.Do(t, "GET", w.Marathon+"/v2/apps"+app+"/tasks", "")
	var list struct{ Tasks []task }
	if json.Unmarshal([]byte(text), &list) != nil {
		return nil // it is not answering just now
	}
	return slices.DeleteFunc(list.Tasks, func(x task) bool { return x.State != "TASK_RUNNING" })
}

func put(t *testing.T, w *oldworldtest.World, app, body string) {
	t.Helper()
	if status, text := oldworldtest.Do(t, "PUT", w.Marathon+"/v2/apps"+app, body); status/100 != 2 {
		t.Fatalf("PUT %s = %d: %s", app, status, text)
	}
	deployed(t, w)
}

func deployed(t *testing.T, w *oldworldtest.World) {
	t.Helper()
	oldworldtest.Await(t, "deployments to end", func() bool {
		_, text := oldworldtest.Do(t, "GET", w.Marathon+"/v2/deployments", "")
		return text == "[]"
	})
}

const sleeper = `{"cmd":"exec sleep 1000","cpus":0.1,"mem":32,"instances":2,"portDefinitions":[],"backoffSeconds":0}`

func TestTasksOutliveAWorldThatIsKilled(t *testing.T) {
	w := oldworldtest.Start(t, oldworldtest.Build(t))
	put(t, w, "/a/stays", sleeper)
	put(t, w, "/a/ends", `{"cmd":"while [ ! -f `+w.State+`/end ]; do sleep 0.05; done; exit 7","cpus":0.1,"mem":32,"portDefinitions":[],"backoffSeconds":3000}`)
	before := tasks(t, w, "/a/stays")
	w.Kill(t)
	if n := len(sessions(t, w.State)); n != 3 {
		t.Fatalf("%d tasks run without the world, want 3", n)
	}
	if err := os.WriteFile(filepath.Join(w.State, "end"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	oldworldtest.Await(t, "one task to end while nobody looks", func() bool { return len(sessions(t, w.State)) == 2 })
	w.Up(t)
	after := tasks(t, w, "/a/stays")
	if len(after) != 2 || before[0].ID != after[0].ID && before[0].ID != after[1].ID {
		t.Errorf("tasks are %v after the kill, want the same, %v", after, before)
	}
	oldworldtest.Await(t, "the end that nobody saw to be told as it was", func() bool {
		_, text := oldworldtest.Do(t, "GET", w.Marathon+"/v2/apps/a/ends", "")
		return strings.Contains(text, "Command exited with status 7")
	})
}

func TestTheEndOfTheWorldLeavesNothing(t *testing.T) {
	w := oldworldtest.Start(t, oldworldtest.Build(t), "--stop-in", "500ms")
	put(t, w, "/a/child", `{"cmd":"sleep 1000 & sleep 1000","cpus":0.1,"mem":32,"portDefinitions":[]}`)
	put(t, w, "/a/deaf", `{"cmd":"trap '' TERM; while true; do sleep 0.1; done","cpus":0.1,"mem":32,"portDefinitions":[],"taskKillGracePeriodSeconds":100}`)
	w.Down(t)
	if left := sessions(t, w.State); len(left) > 0 {
		t.Errorf("processes %v are left", left)
	}
	w.Up(t)
	oldworldtest.Await(t, "both apps to run again", func() bool { return len(tasks(t, w, "/a/child")) == 1 && len(tasks(t, w, "/a/deaf")) == 1 })
}

// sessions finds the tasks of a world that run: by the sandbox in their environment, those that lead a session.
func sessions(t *testing.T, state string) []int {
	t.Helper()
	var out []int
	entries, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		text, err := os.ReadFile(e)
		if err != nil || !strings.Contains(string(text), "MESOS_SANDBOX="+state) {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(e)))
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue
		}
		f := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		if f[0] != "Z" && f[3] == strconv.Itoa(pid) {
			out = append(out, pid)
		}
	}
	return out
}

func TestFailedTasksAreNotStartedAgainWhenToldSo(t *testing.T) {
	w := oldworldtest.Start(t, oldworldtest.Build(t), "--restart-failed=false")
	put(t, w, "/a/app", sleeper)
	call := func(method, path, body string) {
		t.Helper()
		if status, text := oldworldtest.Do(t, method, w.Marathon+"/lab/v1"+path, body); status != http.StatusOK {
			t.Fatalf("%s %s = %d: %s", method, path, status, text)
		}
	}
	call("POST", "/crash?app=/a/app&count=1", "")
	oldworldtest.Await(t, "one task to be gone", func() bool { return len(tasks(t, w, "/a/app")) == 1 })
	time.Sleep(time.Second)
	if n := len(tasks(t, w, "/a/app")); n != 1 {
		t.Fatalf("%d tasks run, want 1: nobody starts the other", n)
	}
	if _, text := oldworldtest.Do(t, "GET", w.Marathon+"/v2/apps/a/app", ""); !strings.Contains(text, `"lastTaskFailure"`) || !strings.Contains(text, `"deployments":[]`) {
		t.Errorf("the app is %s, want its failure and no deployment", text)
	}
	// A drain is no failure: what stood on the agent starts elsewhere even so.
	last := tasks(t, w, "/a/app")[0]
	oldworldtest.Do(t, "POST", w.Mesos+"/api/v1", `{"type":"DRAIN_AGENT","drain_agent":{"agent_id":{"value":"`+last.Slave+`"}}}`)
	oldworldtest.Await(t, "the task to be elsewhere", func() bool {
		now := tasks(t, w, "/a/app")
		return len(now) == 1 && now[0].Slave != last.Slave
	})
	call("PATCH", "/faults", `{"restartFailed":true}`)
	oldworldtest.Await(t, "both tasks", func() bool { return len(tasks(t, w, "/a/app")) == 2 })
	call("POST", "/lose?app=/a/app&count=1", "")
	oldworldtest.Await(t, "both tasks again", func() bool { return len(tasks(t, w, "/a/app")) == 2 })
}

func TestInterfacesAreIllWhenToldSo(t *testing.T) {
	w := oldworldtest.Start(t, oldworldtest.Build(t))
	set := func(body string) {
		t.Helper()
		if status, text := oldworldtest.Do(t, "PUT", w.Mesos+"/lab/v1/faults", body); status != http.StatusOK {
			t.Fatalf("PUT /lab/v1/faults %s = %d: %s", body, status, text)
		}
	}
	for _, x := range []struct {
		name, faults string
		marathon     int
		metronome    int
	}{
		{"an error", `{"api":{"marathon":"error"}}`, 500, 200},
		{"down", `{"api":{"metronome":"down"}}`, 200, 0},
		{"a token", `{"token":"secret"}`, 401, 401},
		{"nothing", `{}`, 200, 200},
	} {
		set(x.faults)
		if got, _ := oldworldtest.Do(t, "GET", w.Marathon+"/v2/info", ""); got != x.marathon {
			t.Errorf("%s: Marathon answers %d, want %d", x.name, got, x.marathon)
		}
		if got, _ := oldworldtest.Do(t, "GET", w.Metronome+"/v1/jobs", ""); got != x.metronome {
			t.Errorf("%s: Metronome answers %d, want %d", x.name, got, x.metronome)
		}
	}
	if status, _ := oldworldtest.Do(t, "PUT", w.Mesos+"/lab/v1/faults", `{"api":{"zookeeper":"down"}}`); status != http.StatusBadRequest {
		t.Errorf("an unknown interface is answered by %d, want 400", status)
	}
}

func TestATaskOverItsMemoryEnds(t *testing.T) {
	w := oldworldtest.Start(t, oldworldtest.Build(t), "--images", store(t))
	oldworldtest.Do(t, "PUT", w.Marathon+"/v2/apps/a/hungry", `{"container":{"type":"DOCKER","docker":{"image":"`+image+`"}},"cpus":0.1,"mem":64,"env":{"EAT":"134217728"}}`)
	oldworldtest.Await(t, "its end", func() bool {
		_, text := oldworldtest.Do(t, "GET", w.Marathon+"/v2/apps/a/hungry", "")
		return strings.Contains(text, "Memory limit exceeded")
	})
}

func TestVolumesGoWithTheirApp(t *testing.T) {
	w := oldworldtest.Start(t, oldworldtest.Build(t))
	put(t, w, "/a/db", `{"cmd":"echo $MESOS_TASK_ID >> data/log; exec sleep 1000","cpus":0.1,"mem":32,"instances":2,"portDefinitions":[],
		"container":{"type":"MESOS","volumes":[{"containerPath":"data","persistent":{"size":10}}]}}`)
	logs := func() []string {
		found, err := filepath.Glob(filepath.Join(w.State, "agents", "*", "volumes", "*", "log"))
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	if n := len(logs()); n != 2 {
		t.Fatalf("%d volumes, want one for each instance", n)
	}
	oldworldtest.Do(t, "POST", w.Marathon+"/v2/apps/a/db/restart", "")
	deployed(t, w)
	put(t, w, "/a/db", `{"instances":0}`)
	for _, l := range logs() {
		if text, err := os.ReadFile(l); err != nil || strings.Count(string(text), "\n") != 2 {
			t.Errorf("volume %s has seen %q, want two tasks", l, text)
		}
	}
	if n := len(logs()); n != 2 {
		t.Errorf("%d volumes of an app that is suspended, want both", n)
	}
	oldworldtest.Do(t, "DELETE", w.Marathon+"/v2/apps/a/db", "")
	oldworldtest.Await(t, "volumes to go with the app", func() bool { return len(logs()) == 0 })
}

func TestNoRequestIsLostWhenTasksComeAndGo(t *testing.T) {
	if _, err := exec.LookPath("haproxy"); err != nil {
		t.Skip("haproxy is not here: nothing to hold to it")
	}
	service, stats := oldworldtest.Port(t), oldworldtest.Port(t)
	w := oldworldtest.Start(t, oldworldtest.Build(t), "--images", store(t), "--lb-address", "127.0.0.1", "--lb-http-port", "0", "--lb-appid-port", "0", "--lb-stats-port", strconv.Itoa(stats))
	put(t, w, "/a/web", `{"container":{"type":"DOCKER","docker":{"image":"`+image+`"}},"cpus":0.1,"mem":128,"instances":3,
		"portDefinitions":[{"port":`+strconv.Itoa(service)+`}],"labels":{"HAPROXY_GROUP":"external"},
		"healthChecks":[{"path":"/","intervalSeconds":1,"gracePeriodSeconds":20}]}`)
	t.Cleanup(func() {
		if l, err := os.ReadFile(filepath.Join(w.State, "lb", "haproxy.log")); err == nil && t.Failed() {
			t.Logf("the load balancer said:\n%s", l)
		}
	})
	url := "http://127.0.0.1:" + strconv.Itoa(service) + "/"
	oldworldtest.Await(t, "the load balancer", func() bool { status, _ := oldworldtest.Do(t, "GET", url, ""); return status == 200 })

	var asked, failed atomic.Int64
	var wg sync.WaitGroup
	ctx, stop := context.WithCancel(t.Context())
	for range 8 {
		wg.Go(func() {
			client := http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{}}
			for ctx.Err() == nil {
				asked.Add(1)
				a, err := client.Get(url) //nolint:noctx // it is to end, not to be cut off
				if err != nil {
					failed.Add(1)
					t.Logf("request: %v", err)
					continue
				}
				_, err = io.Copy(io.Discard, a.Body)
				_ = a.Body.Close()
				if err != nil || a.StatusCode != 200 {
					if failed.Add(1) == 1 {
						t.Logf("%s: %d %v", time.Now().Format(time.StampMilli), a.StatusCode, err)
					}
				}
			}
		})
	}
	lost := func(after string) {
		t.Helper()
		if n := failed.Swap(0); n > 0 {
			t.Errorf("%d requests failed until the end of: %s", n, after)
		}
	}
	put(t, w, "/a/web", `{"instances":1}`)
	lost("a scale-down")
	put(t, w, "/a/web", `{"instances":3}`)
	lost("a scale-up")
	oldworldtest.Do(t, "POST", w.Marathon+"/v2/apps/a/web/restart", "")
	deployed(t, w)
	lost("a restart of all tasks")
	on := tasks(t, w, "/a/web")[0]
	oldworldtest.Do(t, "POST", w.Mesos+"/api/v1", `{"type":"DRAIN_AGENT","drain_agent":{"agent_id":{"value":"`+on.Slave+`"}}}`)
	oldworldtest.Await(t, "the drained task to be elsewhere", func() bool {
		now := tasks(t, w, "/a/web")
		return len(now) == 3 && !slices.ContainsFunc(now, func(x task) bool { return x.Slave == on.Slave })
	})
	lost("a drain of an agent")
	w.Kill(t)
	time.Sleep(time.Second)
	w.Up(t)
	time.Sleep(2 * time.Second)
	stop()
	wg.Wait()
	lost("a kill of the old world, and its return")
	t.Logf("requests: %d", asked.Load())
	if asked.Load() < 200 {
		t.Errorf("%d requests were made, want 200 or more", asked.Load())
	}
}
