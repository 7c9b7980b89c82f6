// Package v2 is Marathon's HTTP interface: /v2, /ping and the stream of events.
//
// Input: requests. Output: orders to package marathon, and its answers in Marathon's words: bodies, statuses, headers. It
// never decides anything about an app.
package v2

import (
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/tranship/tranship/lab/oldworld/definition"
	"github.com/tranship/tranship/lab/oldworld/marathon"
)

// Version is that of Marathon whose API is spoken.
const Version = "1.11.24"

// deploymentHeader names the deployment that an order has begun.
const deploymentHeader = "Marathon-Deployment-Id"

// maxBody bounds what an order may be.
const maxBody = 16 << 20

type api struct{ m *marathon.Marathon }

// Handler serves the interface of m.
func Handler(m *marathon.Marathon) http.Handler {
	a := api{m}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ping", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(w, "pong\n") // who asked has gone, if not
	})
	mux.HandleFunc("GET /v2/info", a.info)
	mux.HandleFunc("GET /v2/leader", a.leader)
	mux.HandleFunc("GET /v2/events", a.events)
	mux.HandleFunc("GET /v2/queue", a.queue)
	mux.HandleFunc("DELETE /v2/queue/{id...}", a.resetDelay)
	mux.HandleFunc("GET /v2/deployments", a.deployments)
	mux.HandleFunc("DELETE /v2/deployments/{id}", a.cancel)
	mux.HandleFunc("GET /v2/tasks", a.tasks)
	mux.HandleFunc("POST /v2/tasks/delete", a.deleteTasks)
	mux.HandleFunc("GET /v2/pods", func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, []string{}) })
	mux.HandleFunc("/v2/apps", a.apps)
	mux.HandleFunc("/v2/apps/{id...}", a.app)
	mux.HandleFunc("/v2/groups", a.groups)
	mux.HandleFunc("/v2/groups/{id...}", a.groups)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { refuse(w, http.StatusNotFound, "URI not found") })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// Clients write /v2/apps/ before an id that begins with a slash; the router would send them elsewhere.
		for strings.Contains(r.URL.Path, "//") {
			r.URL.Path = strings.ReplaceAll(r.URL.Path, "//", "/")
		}
		mux.ServeHTTP(w, r)
	})
}

func answer(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		status, text = http.StatusInternalServerError, []byte(`{"message":"answer cannot be written"}`)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-cache, no-store, must-revalidate")
	h.Set("Pragma", "no-cache")
	h.Set("Expires", "0")
	w.WriteHeader(status)
	_, _ = w.Write(text) // who asked has gone, if not
}

func refuse(w http.ResponseWriter, status int, message string) {
	answer(w, status, map[string]string{"message": message})
}

// fail tells an error as Marathon's exception mapper does.
func fail(w http.ResponseWriter, err error) {
	var (
		locked    *marathon.LockedError
		invalid   *definition.InvalidError
		malformed *definition.MalformedError
		missing   *marathon.NotFoundError
		conflict  *marathon.ConflictError
	)
	switch {
	case errors.As(err, &locked):
		ids := []map[string]string{}
		for _, id := range locked.IDs {
			ids = append(ids, map[string]string{"id": id})
		}
		answer(w, http.StatusConflict, map[string]any{"message": locked.Error(), "deployments": ids})
	case errors.As(err, &invalid):
		answer(w, http.StatusUnprocessableEntity, map[string]any{"message": invalid.Error(), "details": invalid.Details})
	case errors.As(err, &malformed):
		answer(w, http.StatusBadRequest, map[string]any{"message": malformed.Message, "details": malformed.Details})
	case errors.As(err, &missing):
		refuse(w, http.StatusNotFound, missing.Error())
	case errors.As(err, &conflict):
		refuse(w, http.StatusConflict, conflict.Error())
	default:
		refuse(w, http.StatusInternalServerError, err.Error())
	}
}

func begun(w http.ResponseWriter, status int, d *marathon.Deployment) {
	w.Header().Set(deploymentHeader, d.ID)
	answer(w, status, map[string]string{"version": d.Version, "deploymentId": d.ID})
}

func body(w http.ResponseWriter, r *http.Request) ([]byte, bool) {
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return nil, false
	}
	return text, true
}

func flag(r *http.Request, name string, usual bool) bool {
	if v, err := strconv.ParseBool(r.URL.Query().Get(name)); err == nil {
		return v
	}
	return usual
}

// embeds tells which of the nested resources are asked for, whatever stands before their names.
func embeds(r *http.Request) func(...string) bool {
	asked := r.URL.Query()["embed"]
	return func(names ...string) bool {
		for _, e := range asked {
			for _, n := range names {
				if e == n || strings.HasSuffix(e, "."+n) {
					return true
				}
			}
		}
		return false
	}
}

func (a api) info(w http.ResponseWriter, _ *http.Request) {
	framework, address := a.m.Info()
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		host, port = address, "8080"
	}
	n, _ := strconv.Atoi(port)
	answer(w, http.StatusOK, map[string]any{
		"name": "marathon", "version": Version, "buildref": "oldworld", "elected": true, "leader": address, "frameworkId": framework,
		"marathon_config": map[string]any{
			"checkpoint": true, "executor": "//cmd", "failover_timeout": 604800, "features": []string{}, "framework_name": "marathon", "ha": false,
			"hostname": host, "local_port_min": 10000, "local_port_max": 20000, "master": "http://" + host + ":5050", "max_instances_per_offer": 5,
			"mesos_role": "*", "mesos_user": "root", "task_launch_timeout": 300000, "webui_url": "http://" + address,
		},
		"http_config": map[string]any{"http_port": n, "https_port": nil},
	})
}

func (a api) leader(w http.ResponseWriter, _ *http.Request) {
	_, address := a.m.Info()
	answer(w, http.StatusOK, map[string]string{"leader": address})
}

func (a api) queue(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, map[string]any{"queue": a.m.Queue()})
}

func (a api) resetDelay(w http.ResponseWriter, r *http.Request) {
	id, ok := strings.CutSuffix(r.PathValue("id"), "/delay")
	if !ok {
		refuse(w, http.StatusNotFound, "URI not found")
		return
	}
	if err := a.m.ResetDelay(definition.AbsoluteID(id, "/")); err != nil {
		fail(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func (a api) deployments(w http.ResponseWriter, _ *http.Request) {
	answer(w, http.StatusOK, a.m.Deployments())
}

func (a api) cancel(w http.ResponseWriter, r *http.Request) {
	d, err := a.m.CancelDeployment(r.PathValue("id"), flag(r, "force", false))
	switch {
	case err != nil:
		fail(w, err)
	case d == nil:
		w.WriteHeader(http.StatusAccepted)
	default:
		begun(w, http.StatusOK, d)
	}
}

// heartbeat is how often a stream that says nothing shows that it is there.
const heartbeat = 15 * time.Second

func (a api) events(w http.ResponseWriter, r *http.Request) {
	if accept := r.Header.Get("Accept"); accept != "" && !strings.Contains(accept, "text/event-stream") && !strings.Contains(accept, "*/*") {
		w.WriteHeader(http.StatusNotAcceptable)
		return
	}
	out := http.NewResponseController(w)
	w.Header().Set("Content-Type", "text/event-stream;charset=utf-8")
	w.Header().Set("Connection", "close")
	l := a.m.Listen(r.RemoteAddr, r.URL.Query()["event_type"])
	defer a.m.Unlisten(l, r.RemoteAddr)
	w.WriteHeader(http.StatusOK)
	_ = out.Flush() // the next write tells whether anybody is there
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for {
		var text string
		select {
		case <-r.Context().Done():
			return
		case <-beat.C:
			text = "\r\n"
		case e, more := <-l.C:
			if !more {
				return
			}
			text = "event: " + e.Type + "\r\ndata: " + string(e.Data) + "\r\n\r\n"
		}
		if _, err := io.WriteString(w, text); err != nil {
			return
		}
		if err := out.Flush(); err != nil {
			return
		}
	}
}
