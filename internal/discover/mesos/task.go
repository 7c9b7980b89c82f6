package mesos

import (
	"regexp"
	"slices"
	"strings"

	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/estate"
)

// A task is one that was running, as far as it was seen. The same task stands
// in several answers.
type task struct {
	id        string
	app       estate.Name // if an answer says it outright
	framework string      // ID
	name      string      // by which service discovery knows it
	agent     string      // ID
	host      string      // name
	image     string
	healthy   bool
	leaves    []*jsonpos.Value // that have entries
}

const runningReason = "was counted among the running instances"

// running enters v as evidence that is used, and keeps it with t: which
// workload it belongs to is known when all files are read.
func (s *scan) running(t *task, v *jsonpos.Value) {
	if v == nil || !v.IsLeaf() || v.IsNull() {
		return
	}
	s.note(v, ledger.Informational, RunningSeen, "", runningReason)
	t.leaves = append(t.leaves, v)
}

func (r *Reader) taskOf(id string) *task {
	t := r.tasks[id]
	if t == nil {
		t = &task{id: id}
		r.tasks[id] = t
		r.order = append(r.order, t)
	}
	return t
}

// task reads one task of Mesos if it was running.
func (s *scan) task(v *jsonpos.Value, fw *framework) {
	state, id := get(v, "state"), bare(get(v, "id", "task_id"))
	if text(state) != "TASK_RUNNING" || text(id) == "" {
		return
	}
	t := s.r.taskOf(text(id))
	s.running(t, id)
	s.running(t, state)
	if fw != nil {
		t.framework = fw.id
	} else if f := bare(get(v, "framework_id")); text(f) != "" {
		t.framework = text(f)
		s.running(t, f)
	}
	if a := bare(get(v, "slave_id", "agent_id")); text(a) != "" {
		t.agent = text(a)
		s.running(t, a)
	}
	if n := get(get(v, "discovery"), "name"); text(n) != "" {
		t.name = text(n)
		s.running(t, n)
	}
	if i := image(get(v, "container")); text(i) != "" {
		t.image = text(i)
		s.running(t, i)
	}
	s.health(t, get(v, "statuses"))
}

// image gives the image that a task runs, of either container runtime.
func image(c *jsonpos.Value) *jsonpos.Value {
	if v := get(get(c, "docker"), "image"); v != nil {
		return v
	}
	return get(get(get(get(c, "mesos"), "image"), "docker"), "name")
}

// health reads the newest status; each has a time, and they are not in order.
func (s *scan) health(t *task, statuses *jsonpos.Value) {
	var newest *jsonpos.Value
	best := -1.0
	for _, st := range statuses.Elems() {
		at, _ := parse(text(get(st, "timestamp")))
		if h := get(st, "healthy"); h.Kind() == jsonpos.Bool && at >= best {
			newest, best = h, at
		}
	}
	if newest != nil {
		t.healthy = newest.Text() == "true"
		s.running(t, newest)
	}
}

// marathonTasks reads Marathon's own list of tasks, which names apps and hosts.
func (s *scan) marathonTasks(v *jsonpos.Value) {
	for _, e := range s.each(v) {
		id, app := e.Get("id"), e.Get("appId")
		if text(id) == "" || text(app) == "" {
			continue
		}
		if state := text(e.Get("state")); state != "" && state != "TASK_RUNNING" {
			continue
		}
		t := s.r.taskOf(text(id))
		t.app = estate.Name(text(app))
		s.running(t, id)
		s.running(t, app)
		s.running(t, e.Get("state"))
		if h := e.Get("host"); text(h) != "" {
			t.host = text(h)
			s.running(t, h)
		}
		alive := false
		for _, h := range s.each(e.Get("healthCheckResults")) {
			a := h.Get("alive")
			alive = text(a) == "true" && (alive || !t.healthy)
			s.running(t, a)
		}
		t.healthy = t.healthy || alive
	}
}

var (
	uuid = `[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`
	// "shop_cart.UUID", "shop_cart.instance-UUID._app.2", "shop_pod.instance-UUID.web",
	// "shop_db.marathon-UUID", each with an incarnation behind it or not.
	marathonID = regexp.MustCompile(`^(.+?)\.(?:instance-|marathon-)?` + uuid + `(?:\..*)?$`)
	// The last part of a Metronome task's path is the run: "20200117143010pXk3s".
	runID = regexp.MustCompile(`^\d{14}[0-9A-Za-z]*$`)
)

// candidates gives the IDs that a workload of this task can have, the most
// likely one first.
func (t *task) candidates() []estate.Name {
	var out []estate.Name
	if t.app != "" {
		out = append(out, t.app)
	}
	if m := marathonID.FindStringSubmatch(t.id); m != nil {
		path := strings.Split(strings.Trim(m[1], "_"), "_")
		if n := len(path) - 1; n > 0 && runID.MatchString(path[n]) {
			job := strings.Join(path[:n], ".")
			out = append(out, estate.Name(job), estate.Name("/"+job), estate.Name("/"+strings.Join(path[:n], "/")))
		} else {
			out = append(out, estate.Name("/"+strings.Join(path, "/")))
		}
	}
	if t.name != "" {
		path := strings.Split(t.name, ".")
		slices.Reverse(path)
		out = append(out, estate.Name("/"+strings.Join(path, "/")))
	}
	return out
}
