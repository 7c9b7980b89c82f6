package query

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/tranship/tranship/lab/cargo/store"
)

func ask(t *testing.T, q *Query, target string) *httptest.ResponseRecorder {
	t.Helper()
	mux := http.NewServeMux()
	q.Routes(mux.Handle)
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, target, nil))
	return w
}

// none is a query service whose database is never there.
func none(t *testing.T, o Options) *Query {
	t.Helper()
	s, err := store.Open(t.Context(), "postgres://x@127.0.0.1:1/x?sslmode=disable", 1)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return New(s, slog.New(slog.NewTextHandler(io.Discard, nil)), o)
}

func TestBadQuestionsAreRefusedBeforeTheDatabaseIsAsked(t *testing.T) {
	q := none(t, Options{})
	const span = "from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z"
	for _, target := range []string{
		"/v1/last",
		"/v1/readings",
		"/v1/readings?device=d&limit=0",
		"/v1/readings?device=d&limit=1001",
		"/v1/readings?device=d&after=x",
		"/v1/readings?device=d&from=yesterday",
		"/v1/ranges",
		"/v1/ranges?from=2026-01-01T00:00:00Z",
		"/v1/ranges?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z",
		"/v1/ranges?" + span + "&step=1ms",
		"/v1/ranges?" + span + "&step=1000h",
		"/v1/ranges?" + span + "&format=xml",
	} {
		w := ask(t, q, target)
		var said struct{ Error string }
		if err := json.Unmarshal(w.Body.Bytes(), &said); w.Code != http.StatusBadRequest || err != nil || said.Error == "" {
			t.Errorf("%s = %d %s, want 400 and why", target, w.Code, w.Body)
		}
	}
}

func TestLongReadsBeyondTheQueueAreToldWhenToComeBack(t *testing.T) {
	q := none(t, Options{Ranges: 1, Queue: 2})
	for range 3 {
		q.waiting <- struct{}{}
	}
	w := ask(t, q, "/v1/ranges?from=2026-01-01T00:00:00Z&to=2026-01-02T00:00:00Z")
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("answer = %d, Retry-After %q; want 503 with one", w.Code, w.Header().Get("Retry-After"))
	}
}
