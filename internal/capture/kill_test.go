package capture_test

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tranship/tranship/internal/capture"
)

// Where TestKilledProcess finds what to do when it is the process to be killed.
const (
	childURL    = "TRANSHIP_TEST_CAPTURE_URL"
	childFolder = "TRANSHIP_TEST_CAPTURE_FOLDER"
)

// TestKilledProcessIsTakenUp runs a capture in a process of its own, kills it in
// the middle of an answer, and lets another complete the folder.
func TestKilledProcessIsTakenUp(t *testing.T) {
	if url := os.Getenv(childURL); url != "" {
		_, err := try(t.Context(), open(t, os.Getenv(childFolder)), capture.Options{Rate: 1e6}, capture.Source{Kind: capture.Marathon, URL: url})
		t.Fatalf("the capture ended with %v before it was killed", err)
	}
	world := marathon()
	reached := make(chan struct{})
	world.Fail("/v2/queue", func(rw http.ResponseWriter, r *http.Request) {
		_, _ = rw.Write([]byte(`{"queue":[`))
		_ = http.NewResponseController(rw).Flush()
		close(reached)
		<-r.Context().Done()
	})
	server := httptest.NewServer(world)
	defer server.Close()
	folder := filepath.Join(t.TempDir(), "snapshot")
	child := exec.Command(os.Args[0], "-test.run=^TestKilledProcessIsTakenUp$")
	child.Env = append(os.Environ(), childURL+"="+server.URL, childFolder+"="+folder)
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- child.Wait() }()
	select {
	case <-reached:
	case err := <-ended:
		t.Fatalf("the process ended before it could be killed: %v", err)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-ended
	world.Asked()
	disk := open(t, folder)
	if s := list(t, disk); s.Verify(disk.FS()) != nil || len(s.Answers) != 3 {
		t.Errorf("the killed process left %d answers, %v; want three and no problem", len(s.Answers), s.Verify(disk.FS()))
	}
	report := take(t, disk, capture.Options{Rate: 1e6}, capture.Source{Kind: capture.Marathon, URL: server.URL})
	if diff := cmp.Diff([]string{"/v2/queue", "/v2/tasks"}, world.Questions()); diff != "" {
		t.Errorf("the next process asked (-want +got):\n%s", diff)
	}
	if !report.Complete() || len(report.Snapshot.Answers) != 5 {
		t.Errorf("report = %v, want all five", states(report))
	}
	if partials, err := filepath.Glob(filepath.Join(folder, "*", ".*.partial")); err != nil || partials != nil {
		t.Errorf("what the killed process had begun is still there: %v (%v)", partials, err)
	}
}
