package v2

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/tranship/tranship/lab/oldworld/definition"
	"github.com/tranship/tranship/lab/oldworld/marathon"
)

// groups serves /v2/groups and all below it.
func (a api) groups(w http.ResponseWriter, r *http.Request) {
	path := strings.Trim(r.PathValue("id"), "/")
	switch r.Method {
	case http.MethodGet:
		a.group(w, r, path)
	case http.MethodPost, http.MethodPut:
		a.putGroup(w, r, path)
	case http.MethodDelete:
		d, err := a.m.DeleteGroup(definition.AbsoluteID(path, "/"), flag(r, "force", false))
		if err != nil {
			fail(w, err)
			return
		}
		begun(w, http.StatusOK, d)
	default:
		w.WriteHeader(http.StatusMethodNotAllowed)
	}
}

func (a api) putGroup(w http.ResponseWriter, r *http.Request, path string) {
	text, ok := body(w, r)
	if !ok {
		return
	}
	create, dry := r.Method == http.MethodPost, r.Method == http.MethodPut && flag(r, "dryRun", false)
	id, d, err := a.m.PutGroup(path, text, create, flag(r, "force", false), dry)
	switch {
	case err != nil:
		fail(w, err)
	case dry:
		steps := d.Steps
		if steps == nil {
			steps = []marathon.Step{}
		}
		answer(w, http.StatusOK, map[string]any{"steps": steps})
	case create:
		w.Header().Set("Location", id)
		begun(w, http.StatusCreated, d)
	default:
		begun(w, http.StatusOK, d)
	}
}

func (a api) group(w http.ResponseWriter, r *http.Request, path string) {
	has := embeds(r)
	e := marathon.GroupEmbed{
		Apps: has("apps"), Groups: has("groups"), Pods: has("pods"),
		App: marathon.Embed{
			Counts: has("counts", "count"), Tasks: has("tasks", "failures"), Deployments: has("deployments"),
			Readiness: has("readiness"), Failure: has("lastTaskFailure", "failures"),
		},
	}
	if len(r.URL.Query()["embed"]) == 0 {
		e.Apps, e.Groups, e.Pods = true, true, true
	}
	if at, version, ok := cutVersions(path); ok {
		id := definition.AbsoluteID(at, "/")
		if _, found := a.m.Group(id, marathon.GroupEmbed{}); !found {
			refuse(w, http.StatusNotFound, fmt.Sprintf("Group '%s' does not exist", id))
			return
		}
		if version == "" {
			answer(w, http.StatusOK, a.m.GroupVersions())
			return
		}
		v, found := a.m.GroupAt(id, version, e)
		if !found {
			refuse(w, http.StatusNotFound, fmt.Sprintf("Group '%s' does not exist in version %s", id, version))
			return
		}
		answer(w, http.StatusOK, v)
		return
	}
	id := definition.AbsoluteID(path, "/")
	v, found := a.m.Group(id, e)
	if !found {
		refuse(w, http.StatusNotFound, fmt.Sprintf("Group '%s' does not exist", id))
		return
	}
	answer(w, http.StatusOK, v)
}

// cutVersions takes "/versions" and "/versions/VERSION" off a path.
func cutVersions(path string) (at, version string, ok bool) {
	parts := strings.Split(path, "/")
	for n, p := range parts {
		if p == "versions" && len(parts)-n <= 2 {
			return strings.Join(parts[:n], "/"), strings.Join(parts[n+1:], ""), true
		}
	}
	return "", "", false
}
