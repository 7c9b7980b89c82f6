package capture_test

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/tranship/tranship/internal/capture"
)

// wire notes what reaches it.
type wire struct{ reached []string }

func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	line := r.Method + " " + r.URL.Path
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		line += " " + string(body)
	}
	w.reached = append(w.reached, strings.TrimSpace(line))
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Request: r}, nil
}

func TestNothingButReadingReachesTheWire(t *testing.T) {
	const mesos, marathon = "http://dcos.example/mesos", "http://marathon.example:8080"
	tests := []struct {
		name, base, method, url, body, contentType string
		want                                       bool
	}{
		{"list", marathon, "GET", marathon + "/v2/groups?embed=group.apps", "", "", true},
		{"delete", marathon, "DELETE", marathon + "/v2/apps", "", "", false},
		{"put", marathon, "PUT", marathon + "/v2/groups", "{}", "application/json", false},
		{"patch", marathon, "PATCH", marathon + "/v2/apps", "[]", "application/json", false},
		{"post to Marathon", marathon, "POST", marathon + "/v2/apps", "{}", "application/json", false},
		{"call to Marathon", marathon, "POST", marathon + "/api/v1", `{"type":"GET_AGENTS"}`, "application/json", false},
		{"head", marathon, "HEAD", marathon + "/v2/pods", "", "", false},
		{"method in lower case", marathon, "delete", marathon + "/v2/apps", "", "", false},
		{"GET with a body", marathon, "GET", marathon + "/v2/apps", "{}", "", false},
		{"GET that nobody listed", marathon, "GET", marathon + "/v2/leader", "", "", false},
		{"winding path", marathon, "GET", marathon + "/v2/apps/../leader", "", "", false},

		{"state", mesos, "GET", mesos + "/master/state", "", "", true},
		{"state as the leader names it", mesos, "GET", "http://10.0.0.2:5050/master/state", "", "", true},
		{"GET with a side effect", mesos, "GET", mesos + "/logging/toggle?level=3", "", "", false},
		{"GET of the call path", mesos, "GET", mesos + "/api/v1", "", "", false},
		{"call", mesos, "POST", mesos + "/api/v1", `{"type":"GET_AGENTS"}`, "application/json", true},
		{"tear down", mesos, "POST", mesos + "/master/teardown", "frameworkId=1", "application/x-www-form-urlencoded", false},
		{"changing call", mesos, "POST", mesos + "/api/v1", `{"type":"DRAIN_AGENT"}`, "application/json", false},
		{"endless call", mesos, "POST", mesos + "/api/v1", `{"type":"SUBSCRIBE"}`, "application/json", false},
		{"reading of files", mesos, "POST", mesos + "/api/v1", `{"type":"READ_FILE"}`, "application/json", false},
		{"key twice", mesos, "POST", mesos + "/api/v1", `{"type":"GET_AGENTS","type":"DRAIN_AGENT"}`, "application/json", false},
		{"key in another case", mesos, "POST", mesos + "/api/v1", `{"type":"GET_AGENTS","TYPE":"DRAIN_AGENT"}`, "application/json", false},
		{"call and more", mesos, "POST", mesos + "/api/v1", `{"type":"GET_AGENTS"}{"type":"DRAIN_AGENT"}`, "application/json", false},
		{"call and much more", mesos, "POST", mesos + "/api/v1", `{"type":"GET_AGENTS"}` + strings.Repeat(" ", 4096), "application/json", false},
		{"call in protobuf", mesos, "POST", mesos + "/api/v1", `{"type":"GET_AGENTS"}`, "application/x-protobuf", false},
		{"call of a scheduler", mesos, "POST", mesos + "/api/v1/scheduler", `{"type":"GET_AGENTS"}`, "application/json", false},

		{"agent's flags", mesos, "GET", "http://dcos.example/agent/ab12-S0/flags", "", "", true},
		{"agent's flags without a router", "http://10.0.0.2:5050", "GET", "http://10.0.0.2:5050/agent/ab12-S0/flags", "", "", false},
		{"agent's other paths", mesos, "GET", "http://dcos.example/agent/ab12-S0/files/read", "", "", false},
		{"agent's id that winds", mesos, "GET", "http://dcos.example/agent/a/../../x/flags", "", "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			source := capture.Source{Kind: capture.Mesos, URL: tt.base}
			if tt.base == marathon {
				source.Kind = capture.Marathon
			}
			below := &wire{}
			guard, err := capture.NewGuard(below, source)
			if err != nil {
				t.Fatal(err)
			}
			r, err := http.NewRequest(tt.method, tt.url, nil)
			if err != nil {
				t.Fatal(err)
			}
			if tt.body != "" {
				r.Body = io.NopCloser(strings.NewReader(tt.body))
				r.Header.Set("Content-Type", tt.contentType)
			}
			resp, err := guard.RoundTrip(r)
			if err == nil {
				err = resp.Body.Close()
			}
			if got := len(below.reached) == 1; got != tt.want || (err == nil) != tt.want {
				t.Fatalf("%s %s %s reached the wire: %v (%v), want %v", tt.method, tt.url, tt.body, got, err, tt.want)
			}
			if want := strings.TrimSpace(tt.method + " " + r.URL.Path + " " + tt.body); tt.want && below.reached[0] != want {
				t.Errorf("the wire got %q, want %q", below.reached[0], want)
			}
		})
	}
}

func TestEveryListedCallOnlyGets(t *testing.T) {
	for _, call := range capture.Calls() {
		if !strings.HasPrefix(call, "GET_") {
			t.Errorf("call %s is on the list, and is no GET_ call", call)
		}
	}
	for _, call := range []string{"GET_AGENTS", "GET_TASKS", "GET_FRAMEWORKS", "GET_ROLES", "GET_QUOTA", "GET_WEIGHTS", "GET_FLAGS"} {
		if !slices.Contains(capture.Calls(), call) {
			t.Errorf("call %s is not on the list", call)
		}
	}
}
