// Package capturetest holds what tests of a capture need: an old world that
// answers as Marathon, Metronome and Mesos do and fails on demand, a folder in
// memory that can be full, and the suite that every folder passes.
//
// Input are canned answers, output is what was asked. It never opens a socket
// of its own: a test serves the world where it likes.
package capturetest

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
)

// A World is an http.Handler that answers from a table and remembers what it
// was asked. It keeps to what the real ones do: what is not in the table is
// not found, and a method that changes something is a failure of the test.
type World struct {
	mu      sync.Mutex
	answers map[string]string
	faults  map[string][]http.HandlerFunc
	asked   []Request
}

// A Request is what was asked, as it came over the wire.
type Request struct {
	// Question is path and query, or the type of a call: "/v2/info",
	// "GET_AGENTS".
	Question      string
	Method        string
	Host          string
	Authorization string
	Body          string
}

// NewWorld answers with the table: a path with its query, or a call's type, to
// a body.
func NewWorld(answers map[string]string) *World {
	w := &World{answers: map[string]string{}, faults: map[string][]http.HandlerFunc{}}
	maps.Copy(w.answers, answers)
	return w
}

// Set changes the table; an empty body takes the entry out.
func (w *World) Set(question, body string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if body == "" {
		delete(w.answers, question)
		return
	}
	w.answers[question] = body
}

// Fail has the next len(faults) requests of a question answered by faults.
func (w *World) Fail(question string, faults ...http.HandlerFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.faults[question] = append(w.faults[question], faults...)
}

// Asked gives what was asked so far, and forgets it.
func (w *World) Asked() []Request {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.asked
	w.asked = nil
	return out
}

// Questions gives the questions asked so far, in order, and forgets them.
func (w *World) Questions() []string {
	var out []string
	for _, r := range w.Asked() {
		out = append(out, r.Question)
	}
	return out
}

// ServeHTTP answers.
func (w *World) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(rw, err.Error(), http.StatusBadRequest)
		return
	}
	q := question(r, body)
	w.mu.Lock()
	w.asked = append(w.asked, Request{
		Question: q, Method: r.Method, Host: r.Host,
		Authorization: r.Header.Get("Authorization"), Body: string(body),
	})
	var fault http.HandlerFunc
	if queue := w.faults[q]; len(queue) > 0 {
		fault, w.faults[q] = queue[0], queue[1:]
	}
	answer, known := w.answers[q]
	w.mu.Unlock()
	switch {
	case fault != nil:
		fault(rw, r)
	case !known:
		rw.Header().Set("Content-Type", "application/json")
		rw.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(rw, `{"message":"not found"}`)
	default:
		rw.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(rw, answer)
	}
}

func question(r *http.Request, body []byte) string {
	if strings.HasSuffix(r.URL.Path, "/api/v1") {
		var call struct {
			Type string `json:"type"`
		}
		if json.Unmarshal(body, &call) == nil && call.Type != "" {
			return call.Type
		}
	}
	return r.URL.RequestURI()
}

// Status answers with a status and headers, given as name, value, name, value.
func Status(code int, headers ...string) http.HandlerFunc {
	return func(rw http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(headers); i += 2 {
			rw.Header().Set(headers[i], headers[i+1])
		}
		rw.WriteHeader(code)
	}
}

// Says answers with a status and a body.
func Says(code int, contentType, body string) http.HandlerFunc {
	return func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", contentType)
		rw.WriteHeader(code)
		_, _ = io.WriteString(rw, body)
	}
}

// CutAfter promises all of body and hangs up after n bytes.
func CutAfter(n int, body string) http.HandlerFunc {
	return func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Length", fmt.Sprint(len(body)))
		_, _ = io.WriteString(rw, body[:n])
		// Returning short of the promise makes the server hang up.
	}
}

// Hang sends the first n bytes of body, then is silent until the asker leaves.
func Hang(n int, body string) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		if n > 0 {
			_, _ = io.WriteString(rw, body[:n])
		}
		_ = http.NewResponseController(rw).Flush() // a gone asker is noticed below
		<-r.Context().Done()
	}
}
