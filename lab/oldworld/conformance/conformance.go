// Package conformance states what of the real interfaces of Marathon, Metronome and Mesos the double keeps: checks that
// speak HTTP alone, so that they can be pointed at the real ones.
//
// Input: URLs, and a group of its own to work in. Output: for each promise, nil or how it was broken. It never touches an
// app or job outside its own names; checks that empty an agent are marked, and run only where that is allowed.
//
// The promises are those of Marathon's RAML (docs/docs/rest-api/public/api, version 1.11), Metronome's routes and JSON
// schemas (api/src/main/resources), and Mesos' include/mesos/v1/master/master.proto with docs/endpoints. Each check names
// the part that it is from. missing.md lists what is left out.
package conformance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Target is what is asked.
type Target struct {
	Marathon  string // base URLs
	Metronome string
	Mesos     string
	Name      string // of the group, and the start of jobs' ids, that are the checks' own
	Disrupt   bool   // agents may be emptied
	Client    *http.Client
}

// Check is one promise.
type Check struct {
	Name string
	From string // where the real interface makes it
	// Disrupts marks a check that touches more than the checks' own apps.
	Disrupts bool
	Run      func(*T) error
}

// All gives every check.
func All() []Check {
	return append(append(append(append([]Check{}, apps...), deployments...), append(groups, running...)...), append(metronome, mesos...)...)
}

// T is one run of a check.
type T struct {
	Target
	ctx context.Context
}

// New begins a run; it ends with ctx.
func New(ctx context.Context, target Target) *T {
	if target.Client == nil {
		target.Client = http.DefaultClient
	}
	return &T{Target: target, ctx: ctx}
}

// Clean removes what a check has left.
func (t *T) Clean() error {
	group := t.do(t.Marathon, "DELETE", "/v2/groups/"+t.Name+"?force=true", "")
	if group.err != nil || group.status != http.StatusOK && group.status != http.StatusNotFound {
		return group.unexpected("a group that is removed")
	}
	jobs := t.do(t.Metronome, "GET", "/v1/jobs", "")
	for _, j := range jobs.list() {
		if id := text(at(j, "/id")); strings.HasPrefix(id, t.Name+".") {
			t.do(t.Metronome, "DELETE", "/v1/jobs/"+id+"?stopCurrentJobRuns=true", "")
		}
	}
	return t.await("the checks' tasks to end", func() error {
		for _, task := range t.do(t.Marathon, "GET", "/v2/tasks", "").in("/tasks") {
			if strings.HasPrefix(text(at(task, "/appId")), "/"+t.Name+"/") {
				return fmt.Errorf("task %v is still there", at(task, "/id"))
			}
		}
		return nil
	})
}

// answer is what came back.
type answer struct {
	asked  string
	status int
	header http.Header
	body   any
	raw    string
	err    error
}

func (t *T) do(base, method, path, body string) answer {
	a := answer{asked: method + " " + path}
	r, err := http.NewRequestWithContext(t.ctx, method, base+path, strings.NewReader(body))
	if err != nil {
		a.err = err
		return a
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	r.Header.Set("Accept", "application/json")
	got, err := t.Client.Do(r)
	if err != nil {
		a.err = err
		return a
	}
	defer func() { _ = got.Body.Close() }() // it has been read by then
	raw, err := io.ReadAll(got.Body)
	a.status, a.header, a.raw, a.err = got.StatusCode, got.Header, string(raw), err
	decoder := json.NewDecoder(bytes.NewReader(raw))
	if len(raw) > 0 && decoder.Decode(&a.body) != nil {
		a.body = nil // text
	}
	return a
}

func (a answer) unexpected(what string) error {
	if a.err != nil {
		return fmt.Errorf("%s: %w", a.asked, a.err)
	}
	return fmt.Errorf("%s answered %d, want %s: %.300s", a.asked, a.status, what, a.raw)
}

// is holds an answer to a status, and to values by JSON pointer: a plain value is compared, has{} wants a part of a
// string, any wants that there is something.
func (a answer) is(status int, values map[string]any) error {
	if a.err != nil || a.status != status {
		return a.unexpected(strconv.Itoa(status))
	}
	var errs []error
	for p, want := range values {
		got := at(a.body, p)
		switch w := want.(type) {
		case has:
			if !strings.Contains(text(got), string(w)) {
				errs = append(errs, fmt.Errorf("%s answered %v at %s, want something with %q", a.asked, got, p, string(w)))
			}
		case anything:
			if got == nil {
				errs = append(errs, fmt.Errorf("%s answered nothing at %s: %.300s", a.asked, p, a.raw))
			}
		default:
			if !reflect.DeepEqual(got, normal(want)) {
				errs = append(errs, fmt.Errorf("%s answered %v at %s, want %v", a.asked, got, p, want))
			}
		}
	}
	return errors.Join(errs...)
}

type (
	has      string
	anything struct{}
)

func normal(v any) any {
	raw, err := json.Marshal(v)
	if err != nil {
		return v
	}
	var out any
	if json.Unmarshal(raw, &out) != nil {
		return v
	}
	return out
}

// at follows a JSON pointer; nil if there is nothing. "#" at its end counts.
func at(v any, pointer string) any {
	if pointer == "" {
		return v
	}
	for part := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		part = strings.ReplaceAll(part, "~1", "/")
		switch x := v.(type) {
		case map[string]any:
			v = x[part]
		case []any:
			if part == "#" {
				return float64(len(x))
			}
			n, err := strconv.Atoi(part)
			if err != nil || n >= len(x) {
				return nil
			}
			v = x[n]
		default:
			return nil
		}
	}
	return v
}

func text(v any) string {
	switch x := v.(type) {
	case nil:
		return ""
	case string:
		return x
	}
	raw, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(raw)
}

func (a answer) list() []any { l, _ := a.body.([]any); return l }

func (a answer) in(pointer string) []any { l, _ := at(a.body, pointer).([]any); return l }

const (
	look   = 50 * time.Millisecond
	inTime = 30 * time.Second
)

// await asks until the answer is nil, no longer than half a minute.
func (t *T) await(what string, ask func() error) error { return t.awaitFor(what, inTime, ask) }

func (t *T) awaitFor(what string, limit time.Duration, ask func() error) error {
	for end := time.Now().Add(limit); ; {
		err := ask()
		if err == nil {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("waited %s for %s: %w", limit, what, err)
		}
		if err := t.sleep(look); err != nil {
			return err
		}
	}
}

func (t *T) sleep(d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-t.ctx.Done():
		return context.Cause(t.ctx)
	case <-timer.C:
		return nil
	}
}

// steps runs one after another until one fails.
func steps(all ...func() error) error {
	for n, s := range all {
		if err := s(); err != nil {
			return fmt.Errorf("step %d: %w", n+1, err)
		}
	}
	return nil
}

// marathon asks Marathon; %s in path and body is the checks' group without a slash before it.
func (t *T) marathon(method, path, body string) answer {
	return t.do(t.Marathon, method, strings.ReplaceAll(path, "%s", t.Name), strings.ReplaceAll(body, "%s", t.Name))
}

func (t *T) metronome(method, path, body string) answer {
	return t.do(t.Metronome, method, strings.ReplaceAll(path, "%s", t.Name), strings.ReplaceAll(body, "%s", t.Name))
}

// want is a step: one exchange that has to answer so.
func (t *T) want(method, path, body string, status int, values map[string]any) func() error {
	return func() error { return t.marathon(method, path, body).is(status, values) }
}

// deployed is a step that waits until nothing of the checks is being deployed.
func (t *T) deployed() error {
	return t.await("deployments to end", func() error {
		a := t.marathon("GET", "/v2/deployments", "")
		if a.err != nil || a.status != http.StatusOK {
			return a.unexpected("200")
		}
		for _, d := range a.list() {
			if strings.Contains(text(at(d, "/affectedApps")), "/"+t.Name+"/") {
				return fmt.Errorf("deployment %v goes on: %.300s", at(d, "/id"), text(d))
			}
		}
		return nil
	})
}

// tasks gives the ids of an app's tasks that run.
func (t *T) tasks(app string) []string {
	var ids []string
	for _, x := range t.marathon("GET", "/v2/apps/"+app+"/tasks", "").in("/tasks") {
		if text(at(x, "/state")) == "TASK_RUNNING" {
			ids = append(ids, text(at(x, "/id")))
		}
	}
	return ids
}

// sleeper is an app that does nothing.
func sleeper(name string, more string) string {
	if more != "" {
		more = "," + more
	}
	return `{"id":"/%s/` + name + `","cmd":"exec sleep 1000","cpus":0.01,"mem":32,"portDefinitions":[]` + more + `}`
}
