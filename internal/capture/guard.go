package capture

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// errNotReading is returned for a request that could change something.
var errNotReading = errors.New("refused: capture only reads")

// maxCallBytes bounds the body of a call; the longest that is allowed has 35.
const maxCallBytes = 256

// A guard stands below the client and lets through what only reads: a GET of a
// path that capture knows, and a POST of a listed call to Mesos' operator API.
// It is the reason why capture may be pointed at a production master.
type guard struct {
	next   http.RoundTripper
	source address
	gets   map[string]bool
}

func newGuard(next http.RoundTripper, source address) guard {
	gets := allowedPaths(source.Kind)
	delete(gets, callPath)
	return guard{next: next, source: source, gets: gets}
}

// RoundTrip refuses with errNotReading, or hands on.
func (g guard) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := g.check(r)
	if r.Body != nil {
		_ = r.Body.Close() // a RoundTripper closes the body whatever happens
	}
	if err != nil {
		return nil, err
	}
	if body != nil {
		r = r.Clone(r.Context())
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	}
	return g.next.RoundTrip(r)
}

// check returns the body that may be sent, if there is one.
func (g guard) check(r *http.Request) ([]byte, error) {
	switch r.Method {
	case http.MethodGet:
		if r.Body != nil && r.Body != http.NoBody {
			return nil, fmt.Errorf("%w: a GET with a body", errNotReading)
		}
		if !g.mayGet(r.URL.Path) {
			return nil, fmt.Errorf("%w: GET %s is not on the list", errNotReading, r.URL.Path)
		}
		return nil, nil
	case http.MethodPost:
		return g.checkCall(r)
	}
	return nil, fmt.Errorf("%w: %s %s", errNotReading, r.Method, r.URL.Path)
}

// mayGet knows a path with and without the source's prefix, since a leader that
// a router hid may name itself without it.
func (g guard) mayGet(path string) bool {
	if g.gets[path] || g.gets[strings.TrimPrefix(path, g.source.base.Path)] {
		return true
	}
	if !g.source.behindRouter() {
		return false
	}
	rest := strings.TrimPrefix(path, routerPrefix(g.source.base.Path))
	for _, prefix := range []string{"/agent/", "/slave/"} {
		if id, ok := strings.CutPrefix(rest, prefix); ok {
			id, ok = strings.CutSuffix(id, "/flags")
			return ok && validID.MatchString(id)
		}
	}
	return false
}

// checkCall reads the body that is about to be sent: the list holds for what
// goes over the wire, not for what the caller says it is.
func (g guard) checkCall(r *http.Request) ([]byte, error) {
	path := r.URL.Path
	switch {
	case g.source.Kind != Mesos || (path != callPath && path != g.source.base.Path+callPath):
		return nil, fmt.Errorf("%w: POST %s", errNotReading, path)
	case r.Header.Get("Content-Type") != "application/json" || r.Header.Get("Content-Encoding") != "":
		return nil, fmt.Errorf("%w: a call that is not plain JSON", errNotReading)
	case r.Body == nil:
		return nil, fmt.Errorf("%w: a call without a body", errNotReading)
	}
	data, err := io.ReadAll(io.LimitReader(r.Body, maxCallBytes))
	if err != nil {
		return nil, fmt.Errorf("read call: %w", err)
	}
	for _, call := range readCalls {
		if string(data) == string(question{call: call}.body()) {
			return data, nil
		}
	}
	return nil, fmt.Errorf("%w: a call that is not on the list", errNotReading)
}
