package v2

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/tranship/tranship/lab/oldworld/definition"
	"github.com/tranship/tranship/lab/oldworld/marathon"
)

// apps serves /v2/apps itself.
func (a api) apps(w http.ResponseWriter, r *http.Request) {
	force := flag(r, "force", false)
	switch r.Method {
	case http.MethodGet:
		has := embeds(r)
		answer(w, http.StatusOK, map[string]any{"apps": a.m.Apps(marathon.Embed{
			Counts: true, Deployments: true, Tasks: has("tasks", "failures"), Readiness: has("readiness"), Failure: has("lastTaskFailure", "failures"),
		}, search(r))})
	case http.MethodPost:
		text, ok := body(w, r)
		if !ok {
			return
		}
		app, d, err := a.m.CreateApp(text, force)
		if err != nil {
			fail(w, err)
			return
		}
		a.m.Posted(client(r), r.URL.Path, app.ID)
		zero := 0
		w.Header().Set(deploymentHeader, d.ID)
		w.Header().Set("Location", app.ID)
		answer(w, http.StatusCreated, marathon.AppView{
			App: app, Staged: &zero, Running: &zero, Healthy: &zero, Unhealthy: &zero, Deployments: []map[string]string{{"id": d.ID}},
		})
	case http.MethodPut, http.MethodPatch:
		text, ok := body(w, r)
		if !ok {
			return
		}
		put := r.Method == http.MethodPut
		d, err := a.m.UpdateApps(text, !put || flag(r, "partialUpdate", true), put, force)
		if err != nil {
			fail(w, err)
			return
		}
		for id := range d.Target {
			a.m.Posted(client(r), r.URL.Path, id)
		}
		begun(w, http.StatusOK, d)
	default:
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

func client(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// search reads the filters of a list: parts of cmd and id, and labels (name, name==value, name!=value, with commas).
func search(r *http.Request) func(*definition.App) bool {
	q := r.URL.Query()
	has := func(all, part string) bool { return strings.Contains(strings.ToLower(all), strings.ToLower(part)) }
	return func(a *definition.App) bool {
		if !has(a.Cmd, q.Get("cmd")) || !has(a.ID, q.Get("id")) {
			return false
		}
		for rule := range strings.SplitSeq(q.Get("label"), ",") {
			rule = strings.TrimSpace(rule)
			name, value, not := strings.Cut(rule, "!=")
			if !not {
				name, value, _ = strings.Cut(rule, "==")
			}
			got, ok := a.Labels[strings.TrimSpace(name)]
			value = strings.TrimSpace(value)
			switch {
			case rule == "":
			case not:
				if ok && got == value {
					return false
				}
			case !ok, strings.Contains(rule, "==") && got != value:
				return false
			}
		}
		return true
	}
}

// app serves one app and what is below it.
func (a api) app(w http.ResponseWriter, r *http.Request) {
	path := strings.Trim(r.PathValue("id"), "/")
	segments := strings.Split(path, "/")
	for n, s := range segments {
		if n == 0 {
			continue
		}
		id := definition.AbsoluteID(strings.Join(segments[:n], "/"), "/")
		rest := segments[n+1:]
		switch {
		case s == "tasks" && len(rest) < 2:
			a.appTasks(w, r, id, strings.Join(rest, ""))
			return
		case s == "versions" && len(rest) < 2:
			a.versions(w, r, id, strings.Join(rest, ""))
			return
		case s == "restart" && len(rest) == 0 && r.Method == http.MethodPost:
			d, err := a.m.RestartApp(id, flag(r, "force", false))
			if err != nil {
				fail(w, err)
				return
			}
			begun(w, http.StatusOK, d)
			return
		}
	}
	id := definition.AbsoluteID(path, "/")
	switch r.Method {
	case http.MethodGet:
		a.show(w, r, path, id)
	case http.MethodPut, http.MethodPatch:
		text, ok := body(w, r)
		if !ok {
			return
		}
		put := r.Method == http.MethodPut
		d, created, err := a.m.UpdateApp(id, text, !put || flag(r, "partialUpdate", true), put, flag(r, "force", false))
		if err != nil {
			fail(w, err)
			return
		}
		a.m.Posted(client(r), r.URL.Path, id)
		status := http.StatusOK
		if created {
			status = http.StatusCreated
			w.Header().Set("Location", id)
		}
		begun(w, status, d)
	case http.MethodDelete:
		d, err := a.m.DeleteApp(id, flag(r, "force", true))
		if err != nil {
			fail(w, err)
			return
		}
		begun(w, http.StatusOK, d)
	default:
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

func (a api) show(w http.ResponseWriter, r *http.Request, path, id string) {
	all := marathon.Embed{Counts: true, Tasks: true, Deployments: true, Failure: true, Readiness: embeds(r)("readiness")}
	if under, ok := strings.CutSuffix(path, "*"); ok {
		group := definition.AbsoluteID(under, "/")
		if _, found := a.m.Group(group, marathon.GroupEmbed{}); !found {
			refuse(w, http.StatusNotFound, fmt.Sprintf("Group '%s' does not exist", group))
			return
		}
		answer(w, http.StatusOK, map[string]any{"*": a.m.Apps(all, func(x *definition.App) bool {
			return strings.HasPrefix(x.ID, strings.TrimSuffix(group, "/")+"/")
		})})
		return
	}
	v, ok := a.m.App(id, all)
	if !ok {
		refuse(w, http.StatusNotFound, fmt.Sprintf("App '%s' does not exist", id))
		return
	}
	answer(w, http.StatusOK, map[string]any{"app": v})
}

func (a api) versions(w http.ResponseWriter, r *http.Request, id, version string) {
	if r.Method != http.MethodGet {
		w.WriteHeader(http.StatusMethodNotAllowed)
		return
	}
	all, at, found := a.m.Versions(id, version)
	switch {
	case !found:
		refuse(w, http.StatusNotFound, fmt.Sprintf("App '%s' does not exist", id))
	case version == "":
		answer(w, http.StatusOK, map[string]any{"versions": all})
	case at == nil:
		refuse(w, http.StatusNotFound, fmt.Sprintf("App '%s' does not exist in version %s", id, version))
	default:
		answer(w, http.StatusOK, at)
	}
}

func (a api) appTasks(w http.ResponseWriter, r *http.Request, id, task string) {
	if _, ok := a.m.App(id, marathon.Embed{}); !ok && !strings.HasSuffix(id, "/*") {
		refuse(w, http.StatusNotFound, fmt.Sprintf("App '%s' does not exist", id))
		return
	}
	under, group := strings.CutSuffix(id, "*")
	tasks := a.m.Tasks(func(app string) bool { return app == id || group && strings.HasPrefix(app, under) })
	switch r.Method {
	case http.MethodGet:
		a.list(w, r, tasks)
	case http.MethodDelete:
		host := r.URL.Query().Get("host")
		var ids []string
		for _, t := range tasks {
			if (task == "" || t.ID == task) && (host == "" || host == "*" || t.Host == host) {
				ids = append(ids, t.ID)
			}
		}
		if task != "" && len(ids) == 0 {
			refuse(w, http.StatusNotFound, fmt.Sprintf("Task '%s' does not exist", task))
			return
		}
		a.kill(w, r, ids, task != "")
	default:
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

func (a api) kill(w http.ResponseWriter, r *http.Request, ids []string, one bool) {
	scale, wipe := flag(r, "scale", false), flag(r, "wipe", false)
	if scale && wipe {
		refuse(w, http.StatusBadRequest, "You cannot use scale and wipe at the same time.")
		return
	}
	found, d, err := a.m.KillTasks(ids, scale, wipe, flag(r, "force", false))
	switch {
	case err != nil:
		fail(w, err)
	case scale:
		begun(w, http.StatusOK, d)
	case one:
		answer(w, http.StatusOK, map[string]any{"task": found[0]})
	default:
		if found == nil {
			found = []marathon.TaskView{}
		}
		answer(w, http.StatusOK, map[string]any{"tasks": found})
	}
}

func (a api) tasks(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	states := append(q["status"], q["status[]"]...)
	tasks := slices.DeleteFunc(a.m.Tasks(func(string) bool { return true }), func(t marathon.TaskView) bool {
		return len(states) > 0 && !slices.ContainsFunc(states, func(s string) bool { return "TASK_"+strings.ToUpper(s) == t.State })
	})
	a.list(w, r, tasks)
}

// list answers in JSON, or as text if only that is wanted: a line for each app and service port, with all host:port.
func (a api) list(w http.ResponseWriter, r *http.Request, tasks []marathon.TaskView) {
	if !strings.HasPrefix(r.Header.Get("Accept"), "text/plain") {
		answer(w, http.StatusOK, map[string]any{"tasks": tasks})
		return
	}
	type key struct {
		app     string
		service int
	}
	lines, order := map[key]string{}, []key{}
	for _, t := range tasks {
		if t.State != "TASK_RUNNING" {
			continue
		}
		for n, p := range t.ServicePorts {
			k := key{strings.ReplaceAll(strings.Trim(t.AppID, "/"), "/", "_"), p}
			if _, ok := lines[k]; !ok {
				order = append(order, k)
			}
			if n < len(t.Ports) {
				lines[k] += fmt.Sprintf("\t%s:%d", t.Host, t.Ports[n])
			}
		}
	}
	w.Header().Set("Content-Type", "text/plain")
	for _, k := range order {
		fmt.Fprintf(w, "%s\t%d%s\n", k.app, k.service, lines[k])
	}
}

func (a api) deleteTasks(w http.ResponseWriter, r *http.Request) {
	text, ok := body(w, r)
	if !ok {
		return
	}
	var named struct {
		IDs []string `json:"ids"`
	}
	if err := json.Unmarshal(text, &named); err != nil || named.IDs == nil {
		answer(w, http.StatusBadRequest, map[string]any{"message": "Invalid JSON", "details": []definition.Detail{{Path: "/ids", Errors: []string{"error.path.missing"}}}})
		return
	}
	for _, id := range named.IDs {
		if !strings.Contains(id, ".") {
			refuse(w, http.StatusBadRequest, fmt.Sprintf("Invalid task id '%s'.", id))
			return
		}
	}
	a.kill(w, r, named.IDs, false)
}
