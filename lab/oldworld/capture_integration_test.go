//go:build integration

package oldworld_test

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tranship/tranship/lab/oldworld/oldworldtest"
)

func TestTheProductCapturesAndReadsTheDouble(t *testing.T) {
	w := oldworldtest.Start(t, oldworldtest.Build(t), "--images", store(t))
	tranship := oldworldtest.Program(t, "tranship", "./cmd/tranship", "../..")
	group, err := os.ReadFile("../cargo/estate/group.json")
	if err != nil {
		t.Fatal(err)
	}
	jobs, err := os.ReadFile("../cargo/estate/jobs.json")
	if err != nil {
		t.Fatal(err)
	}
	text := string(group)
	for _, name := range []string{"gateway", "ingest", "query", "notifier"} {
		text = strings.ReplaceAll(text, "lab.local/cargo/"+name+":1", image)
	}
	// The readiness of the test's own server is at any path.
	if status, answer := oldworldtest.Do(t, "PUT", w.Marathon+"/v2/groups", text); status != http.StatusOK {
		t.Fatalf("PUT the telemetry group = %d: %s", status, answer)
	}
	deployed(t, w)
	var list []json.RawMessage
	if err := json.Unmarshal(jobs, &list); err != nil {
		t.Fatal(err)
	}
	for _, j := range list {
		if status, answer := oldworldtest.Do(t, "POST", w.Metronome+"/v1/jobs", string(j)); status != http.StatusCreated {
			t.Fatalf("POST the rollup job = %d: %s", status, answer)
		}
	}
	snapshot := filepath.Join(t.TempDir(), "snapshot")
	run := func(args ...string) string {
		t.Helper()
		c := exec.CommandContext(t.Context(), tranship, args...)
		c.Dir = t.TempDir()
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("tranship %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	t.Log(run("capture", "--marathon", w.Marathon, "--metronome", w.Metronome, "--mesos", w.Mesos, "--rate", "50", "--out", snapshot))
	estate := filepath.Join(t.TempDir(), "estate.json")
	t.Log(run("discover", snapshot, "--out", estate))
	raw, err := os.ReadFile(estate)
	if err != nil {
		t.Fatal(err)
	}
	var e struct {
		Hosts     []json.RawMessage `json:"hosts"`
		Workloads []struct {
			ID        string            `json:"id"`
			Instances []json.RawMessage `json:"instances"`
		} `json:"workloads"`
	}
	if err := json.Unmarshal(raw, &e); err != nil {
		t.Fatal(err)
	}
	ids := []string{}
	for _, x := range e.Workloads {
		ids = append(ids, x.ID)
	}
	slices.Sort(ids)
	want := []string{"/telemetry/gateway", "/telemetry/ingest", "/telemetry/notifier", "/telemetry/query", "telemetry.rollup"}
	if !slices.Equal(ids, want) {
		t.Errorf("workloads are %v, want %v", ids, want)
	}
	if len(e.Hosts) != 3 {
		t.Errorf("%d hosts, want the 3 agents", len(e.Hosts))
	}
	t.Logf("estate: %.600s", raw)
}
