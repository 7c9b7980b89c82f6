package lab

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A job that the old world knows is left as it is, with schedules that somebody has suspended; one that it does not know
// is made with its schedules.
func TestKnownJobIsLeftAlone(t *testing.T) {
	var asked []string
	known := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		asked = append(asked, r.Method+" "+r.URL.Path+" "+string(body))
		if r.Method == http.MethodGet && !known {
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	job := func() map[string]any {
		return map[string]any{"id": "rollup", "schedules": []any{map[string]any{"id": "every-minute"}}}
	}
	if err := install(t.Context(), server.Client(), server.URL, job()); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"GET /v1/jobs/rollup ", `POST /v1/jobs {"id":"rollup"}`, `POST /v1/jobs/rollup/schedules {"id":"every-minute"}`,
	}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	known, asked = true, nil
	if err := install(t.Context(), server.Client(), server.URL, job()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"GET /v1/jobs/rollup "}, asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

// What the old world refuses is said with its own words.
func TestRefusalIsSaid(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "group is locked", http.StatusConflict)
	}))
	defer server.Close()
	err := send(t.Context(), server.Client(), http.MethodPut, server.URL+"/v2/groups/x", []byte("{}"))
	if want := "PUT " + server.URL + "/v2/groups/x: 409 Conflict: group is locked"; err == nil || err.Error() != want {
		t.Errorf("send = %v, want %s", err, want)
	}
}
