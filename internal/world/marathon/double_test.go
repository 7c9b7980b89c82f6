package marathon_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tranship/tranship/internal/base/credential"
	"github.com/tranship/tranship/internal/world/wire"
)

type object = map[string]any

// double answers as Marathon and Metronome do, for one app or pod and one job. A
// deployment takes until a few looks later.
type double struct {
	mu       sync.Mutex
	pod      bool
	def      object            // the app or pod, without version
	versions map[string]object // with its number of copies
	version  string
	config   string // lastConfigChangeAt
	seconds  int
	had      int // copies that run while a deployment is under way
	left     int // looks until it is done
	locked   bool
	sick     bool
	schedule []object
	job      object
	runs     int
	queued   int
	token    string // that is asked for, as DC/OS does
	denied   bool
	cut      bool
	tear     bool
	writes   []string
}

func newDouble(pod bool) *double {
	d := &double{pod: pod, versions: map[string]object{}, token: "canary-5be1"}
	d.def = object{"id": "/shop/cart", "cmd": "serve", "cpus": 0.5, "healthChecks": []any{object{"path": "/"}}}
	if pod {
		d.def = object{"id": "/shop/cart", "containers": []any{object{"name": "a", "exec": object{"command": object{"shell": "serve"}}}}, "x": 12345678901234567.0}
	}
	d.deploy(2, true)
	d.had, d.left = 2, 0
	d.job = object{"id": "shop.night", "run": object{"cmd": "count", "cpus": 0.1}, "labels": object{"a": "b"}}
	d.schedule = []object{
		{"id": "weekly", "cron": "0 3 * * 0", "timezone": "UTC", "startingDeadlineSeconds": 900, "concurrencyPolicy": "FORBID", "enabled": false, "nextRunAt": "2026-11-29T03:00:00.000+0000"},
		{"id": "nightly", "cron": "0 2 * * *", "timezone": "UTC", "startingDeadlineSeconds": 900, "concurrencyPolicy": "FORBID", "enabled": true, "nextRunAt": "2026-11-29T02:00:00.000+0000"},
	}
	return d
}

func (d *double) instances() int {
	if d.pod {
		return d.def["scaling"].(object)["instances"].(int)
	}
	return d.def["instances"].(int)
}

// deploy begins a deployment to n copies. The lock is held.
func (d *double) deploy(n int, changed bool) {
	d.seconds++
	if d.version != "" {
		d.had = d.instances()
	}
	d.version = time.Date(2026, 11, 28, 9, 0, d.seconds, 0, time.UTC).Format("2006-01-02T15:04:05.000Z")
	if changed {
		d.config = d.version
	}
	if d.pod {
		d.def["scaling"] = object{"kind": "fixed", "instances": n}
	} else {
		d.def["instances"] = n
	}
	kept := maps.Clone(d.def)
	kept["version"] = d.version
	d.versions[d.version] = kept
	d.left = 3
}

func (d *double) look() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.left > 0 {
		if d.left--; d.left == 0 {
			d.had = d.instances()
		}
	}
}

func (d *double) busy() bool { return d.left > 0 || d.locked }

func (d *double) deployments() []any {
	if d.busy() {
		return []any{object{"id": "867ed450", "affectedApps": []string{"/shop/cart"}, "affectedPods": []string{"/shop/cart"}}}
	}
	return []any{}
}

// app is the answer of /v2/apps/shop/cart.
func (d *double) app() object {
	a := maps.Clone(d.versions[d.version])
	a["versionInfo"] = object{"lastScalingAt": d.version, "lastConfigChangeAt": d.config}
	running := min(d.had, d.instances())
	a["tasksStaged"], a["tasksRunning"], a["tasksHealthy"], a["tasksUnhealthy"] = max(d.had-running, 0), running, running, 0
	var tasks []any
	for i := range max(d.had, running) {
		state := "TASK_RUNNING"
		if i >= running {
			state = "TASK_KILLING" // counted by no counter of Marathon's
			a["tasksStaged"] = 0
		}
		tasks = append(tasks, object{"id": fmt.Sprint("t", i), "state": state, "startedAt": "2026-11-28T09:00:00.000Z"})
	}
	// What is left of a copy that had volumes, and of one that failed.
	a["tasks"] = append(tasks, object{"id": "r", "localVolumes": []any{}}, object{"id": "f", "state": "TASK_FAILED", "startedAt": "x"})
	a["deployments"] = d.deployments()
	if d.sick {
		a["tasksHealthy"] = 0
		a["lastTaskFailure"] = object{"state": "TASK_FAILED", "message": "exited with status 1", "host": "10.0.0.1", "version": d.version}
	}
	return a
}

func (d *double) status() object {
	var instances []any
	for i := range d.had {
		state := "STABLE"
		switch {
		case d.sick:
			state = "DEGRADED"
		case i >= d.instances():
			state = "TERMINAL"
		}
		instances = append(instances, object{"id": fmt.Sprint("i", i), "status": state, "message": ""})
	}
	for range max(d.instances()-d.had, 0) {
		instances = append(instances, object{"id": "p", "status": "PENDING"})
	}
	out := object{"id": "/shop/cart", "spec": d.versions[d.version], "status": "STABLE", "instances": instances}
	if d.sick {
		out["terminationHistory"] = []any{object{"instanceID": "x", "message": "container a exited with status 1"}}
	}
	return out
}

// ServeHTTP answers for both interfaces: their paths differ.
func (d *double) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cut {
		panic(http.ErrAbortHandler)
	}
	say := func(code int, v any) {
		rw.Header().Set("Content-Type", "application/json")
		rw.WriteHeader(code)
		_ = json.NewEncoder(rw).Encode(v)
	}
	if r.Header.Get("Authorization") != "token="+d.token {
		rw.Header().Set("WWW-Authenticate", "acsjwt")
		say(401, object{"title": "Unauthorized"})
		return
	}
	if r.Method != http.MethodGet {
		d.writes = append(d.writes, r.Method+" "+r.URL.RequestURI())
		if d.denied {
			say(403, object{"message": "Not Authorized to perform this action! token=" + d.token})
			return
		}
		if d.tear {
			d.tear = false
			d.write(r, func(int, any) {})
			panic(http.ErrAbortHandler)
		}
		d.write(r, say)
		return
	}
	d.read(r, say)
}

func (d *double) read(r *http.Request, say func(int, any)) {
	path := r.URL.Path
	version, old := strings.CutPrefix(path, "/v2/apps/shop/cart/versions/")
	if d.pod {
		version, old = strings.CutPrefix(path, "/v2/pods/shop/cart::versions/")
	}
	switch {
	case old && d.versions[version] != nil:
		say(200, d.versions[version])
	case path == "/v2/apps/shop/cart" && !d.pod:
		say(200, object{"app": d.app()})
	case path == "/v2/pods/shop/cart" && d.pod:
		say(200, d.versions[d.version])
	case path == "/v2/pods/shop/cart::status" && d.pod:
		say(200, d.status())
	case path == "/v2/deployments":
		say(200, d.deployments())
	case path == "/v2/queue":
		item := object{"count": 1, "delay": object{"timeLeftSeconds": 8, "overdue": false}, "app": object{"id": "/shop/cart"}}
		say(200, object{"queue": []any{object{"count": 2, "app": object{"id": "/shop/other"}, "delay": object{"timeLeftSeconds": 99}}, item}})
	case path == "/v1/jobs/shop.night":
		j := maps.Clone(d.job)
		runs := []any{}
		for i := range d.runs {
			runs = append(runs, object{"id": fmt.Sprint("run", i), "status": "ACTIVE"})
		}
		j["schedules"], j["activeRuns"] = d.schedule, runs
		say(200, j)
	case path == "/v1/queue":
		runs := []any{}
		for i := range d.runs + d.queued { // those that run stand in both
			runs = append(runs, object{"runId": fmt.Sprint("run", i)})
		}
		say(200, []any{object{"jobId": "shop.night", "runs": runs}, object{"jobId": "shop.nightly", "runs": []any{object{"runId": "z"}}}})
	default:
		say(404, object{"message": "App '" + path + "' does not exist"})
	}
}

func (d *double) write(r *http.Request, say func(int, any)) {
	data, _ := io.ReadAll(r.Body)
	body := object{}
	_ = json.Unmarshal(data, &body)
	id, schedule := strings.CutPrefix(r.URL.Path, "/v1/jobs/shop.night/schedules/")
	switch {
	case r.Method != http.MethodPut:
		say(405, object{})
	case schedule:
		i := slices.IndexFunc(d.schedule, func(s object) bool { return s["id"] == id })
		if _, own := body["nextRunAt"]; i < 0 || own {
			say(422, object{"message": "Object is not valid"})
			return
		}
		body["nextRunAt"] = "2027-01-01T00:00:00.000+0000"
		d.schedule = append([]object{body}, slices.Delete(slices.Clone(d.schedule), i, i+1)...) // as Metronome does
		say(200, body)
	case r.URL.Path == "/v2/apps/shop/cart" && !d.pod, r.URL.Path == "/v2/pods/shop/cart" && d.pod:
		if d.busy() {
			say(409, object{"message": "App is locked by one or more deployments.", "deployments": d.deployments()})
			return
		}
		n, partial := body["instances"].(float64)
		if d.pod {
			scaling, _ := body["scaling"].(object)
			n, partial = scaling["instances"].(float64)
			delete(body, "scaling")
			want := maps.Clone(d.def)
			delete(want, "scaling")
			if a, b := fmt.Sprint(body), fmt.Sprint(want); a != b {
				say(422, object{"message": "the definition changed: " + a + ", want " + b})
				return
			}
		} else if len(body) != 1 {
			partial = false
		}
		if !partial || r.URL.RawQuery != "" {
			say(422, object{"message": "Object is not valid"})
			return
		}
		d.deploy(int(n), false)
		say(200, object{"version": d.version, "deploymentId": "867ed450"})
	default:
		say(404, object{})
	}
}

// client reaches the double.
func (d *double) client(t *testing.T) *wire.Client {
	t.Helper()
	s := httptest.NewServer(d)
	t.Cleanup(s.Close)
	token, err := credential.Token(d.token)
	if err != nil {
		t.Fatal(err)
	}
	c, err := wire.New(s.URL, wire.Options{Credential: token, Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}
