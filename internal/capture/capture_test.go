package capture_test

import (
	"context"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tranship/tranship/internal/base/snapshot"
	"github.com/tranship/tranship/internal/capture"
	"github.com/tranship/tranship/internal/capture/capturetest"
)

func TestAllSourcesAreTakenWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, j, s := marathon(), metronome(), mesos()
		n := connect(t, map[string]http.Handler{"marathon.example:8080": m, "metronome.example:9000": j, "mesos.example:5050": s})
		folder, seen := capturetest.NewMemory(-1), &events{}
		report := take(t, folder, capture.Options{Dial: n.dial, Progress: seen},
			capture.Source{Kind: capture.Marathon, URL: "http://marathon.example:8080/"},
			capture.Source{Kind: capture.Metronome, URL: "http://metronome.example:9000"},
			capture.Source{Kind: capture.Mesos, URL: "http://mesos.example:5050"},
		)
		want := []string{
			"marathon/v2_deployments.json", "marathon/v2_groups.json", "marathon/v2_info.json", "marathon/v2_queue.json", "marathon/v2_tasks.json",
			"mesos/GET_AGENTS.json", "mesos/GET_FLAGS.json", "mesos/GET_FRAMEWORKS.json", "mesos/GET_MAINTENANCE_SCHEDULE.json",
			"mesos/GET_MAINTENANCE_STATUS.json", "mesos/GET_QUOTA.json", "mesos/GET_ROLES.json", "mesos/GET_VERSION.json", "mesos/GET_WEIGHTS.json",
			"mesos/state.json", "metronome/v1_jobs.json", "snapshot.json",
		}
		if diff := cmp.Diff(want, folder.Names()); diff != "" {
			t.Errorf("files (-want +got):\n%s", diff)
		}
		if !report.Complete() || len(report.Of(capture.Taken)) != 16 {
			t.Errorf("report = %v, want 16 taken", states(report))
		}
		got := list(t, folder)
		if diff := cmp.Diff(report.Snapshot, got); diff != "" {
			t.Errorf("report's list and snapshot.json (-report +file):\n%s", diff)
		}
		a, _ := got.Find("marathon/v2_groups.json")
		wantAnswer := snapshot.Answer{
			Source: "marathon", URL: "http://marathon.example:8080" + groups, Path: "marathon/v2_groups.json", Status: 200,
			SHA256: a.SHA256, Bytes: 72,
		}
		if diff := cmp.Diff(wantAnswer, a); diff != "" {
			t.Errorf("answer (-want +got):\n%s", diff)
		}
		if !got.TakenAt.Equal(noon()) {
			t.Errorf("takenAt = %s, want the time that was handed in", got.TakenAt)
		}
		if data, err := fs.ReadFile(folder.FS(), "metronome/v1_jobs.json"); err != nil || string(data) != `[{"id":"nightly","run":{"cmd":"true"}}]` {
			t.Errorf("v1_jobs.json = %s, %v; want the answer's own bytes", data, err)
		}
		for _, source := range []string{"marathon", "metronome", "mesos"} {
			last := capture.Event{}
			for _, e := range seen.of(capture.Taken) {
				if e.Source == source {
					last = e
				}
			}
			if last.Total == 0 || last.Done != last.Total {
				t.Errorf("last event of %s says %d of %d, want all", source, last.Done, last.Total)
			}
		}
		for _, r := range slices.Concat(m.Asked(), j.Asked(), s.Asked()) {
			if r.Method != http.MethodGet && (r.Method != http.MethodPost || !strings.HasPrefix(r.Body, `{"type":"GET_`)) {
				t.Errorf("asked %+v, which is more than reading", r)
			}
		}
	})
}

func TestSecondRunAsksNothingAndChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := marathon()
		n := connect(t, map[string]http.Handler{"m:80": m})
		folder, source := capturetest.NewMemory(-1), capture.Source{Kind: capture.Marathon, URL: "http://m"}
		take(t, folder, capture.Options{Dial: n.dial}, source)
		before := folder.FS()
		m.Asked()
		report := take(t, folder, capture.Options{Dial: n.dial}, source)
		if asked := m.Questions(); asked != nil {
			t.Errorf("the second run asked %v, want nothing", asked)
		}
		if got := len(report.Of(capture.Kept)); got != 5 {
			t.Errorf("kept = %d, want 5: %v", got, states(report))
		}
		if diff := cmp.Diff(before, folder.FS()); diff != "" {
			t.Errorf("the second run changed (-before +after):\n%s", diff)
		}
	})
}

func TestFreshAsksEverythingAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := marathon()
		n := connect(t, map[string]http.Handler{"m:80": m})
		folder, source := capturetest.NewMemory(-1), capture.Source{Kind: capture.Marathon, URL: "http://m"}
		take(t, folder, capture.Options{Dial: n.dial}, source)
		m.Asked()
		m.Set("/v2/queue", "")
		report := take(t, folder, capture.Options{Dial: n.dial, Fresh: true}, source)
		if asked := m.Questions(); len(asked) != 5 {
			t.Errorf("asked %v, want all five", asked)
		}
		if slices.Contains(folder.Names(), "marathon/v2_queue.json") {
			t.Error("an answer of the earlier run is still there")
		}
		if got := outcome(t, report, "marathon/v2_queue.json"); got.State != capture.Absent || got.Status != 404 {
			t.Errorf("outcome = %+v, want absent with 404", got)
		}
	})
}

func TestResumeAsksOnlyWhatIsMissingOrChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := marathon()
		n := connect(t, map[string]http.Handler{"m:80": m})
		folder, source := capturetest.NewMemory(-1), capture.Source{Kind: capture.Marathon, URL: "http://m"}
		ctx, cancel := context.WithCancel(t.Context())
		m.Fail("/v2/deployments", func(rw http.ResponseWriter, r *http.Request) {
			_, _ = rw.Write([]byte(`[{"id":`))
			_ = http.NewResponseController(rw).Flush()
			cancel() // in the middle of an answer
			<-r.Context().Done()
		})
		if _, err := try(ctx, folder, capture.Options{Dial: n.dial}, source); err == nil {
			t.Fatal("Run ended without an error though it was interrupted")
		}
		if folder.Open() != 0 {
			t.Errorf("%d files were left open", folder.Open())
		}
		interrupted := list(t, folder)
		if problems := interrupted.Verify(folder.FS()); problems != nil || len(interrupted.Answers) != 2 {
			t.Errorf("after the interruption: %v, %d answers; want two and no problem", problems, len(interrupted.Answers))
		}
		m.Asked()
		write(t, folder, "marathon/v2_info.json", `{"name":"edited"}`)
		take(t, folder, capture.Options{Dial: n.dial}, source)
		want := []string{"/v2/info", "/v2/deployments", "/v2/queue", "/v2/tasks"}
		if diff := cmp.Diff(want, m.Questions()); diff != "" {
			t.Errorf("the resumed run asked (-want +got):\n%s", diff)
		}
	})
}

func TestKillAtAnyCommitLeavesAFolderThatTheNextRunCompletes(t *testing.T) {
	for kill := range 12 {
		synctest.Test(t, func(t *testing.T) {
			n := connect(t, map[string]http.Handler{"m:80": marathon()})
			folder, source := capturetest.NewMemory(-1), capture.Source{Kind: capture.Marathon, URL: "http://m"}
			commits := 0
			folder.OnCommit(func(string) error {
				if commits++; commits > kill {
					return context.Canceled
				}
				return nil
			})
			if _, err := try(t.Context(), folder, capture.Options{Dial: n.dial}, source); err == nil && kill < 11 {
				t.Errorf("after %d commits: the run ended well", kill)
			}
			folder.OnCommit(nil)
			if kill > 0 {
				for _, p := range list(t, folder).Verify(folder.FS()) {
					t.Errorf("after %d commits: %s", kill, p)
				}
			}
			if report := take(t, folder, capture.Options{Dial: n.dial}, source); len(report.Snapshot.Answers) != 5 || !report.Complete() {
				t.Errorf("after %d commits the next run gives %v", kill, states(report))
			}
		})
	}
}

func TestListIsReadableAfterEveryAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := connect(t, map[string]http.Handler{"m:80": mesos()})
		folder := capturetest.NewMemory(-1)
		sizes := []int{}
		progress := watch(func(e capture.Event) {
			if e.State == capture.Taken {
				s := list(t, folder)
				sizes = append(sizes, len(s.Answers))
				if problems := s.Verify(folder.FS()); problems != nil {
					t.Errorf("after %s: %v", e.Path, problems)
				}
			}
		})
		take(t, folder, capture.Options{Dial: n.dial, Progress: progress}, capture.Source{Kind: capture.Mesos, URL: "http://m"})
		if want := []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}; !slices.Equal(sizes, want) {
			t.Errorf("answers listed as they came = %v, want %v", sizes, want)
		}
	})
}

// watch is a Progress by a function.
type watch func(capture.Event)

func (w watch) Progress(e capture.Event) { w(e) }

func TestOtherClustersAnswersAreNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := marathon(), marathon()
		n := connect(t, map[string]http.Handler{"a:80": a, "b:80": b})
		folder := capturetest.NewMemory(-1)
		take(t, folder, capture.Options{Dial: n.dial}, capture.Source{Kind: capture.Marathon, URL: "http://a"})
		take(t, folder, capture.Options{Dial: n.dial}, capture.Source{Kind: capture.Marathon, URL: "http://b"})
		if got := len(b.Questions()); got != 5 {
			t.Errorf("the other cluster was asked %d questions, want all five", got)
		}
	})
}

func TestListThatCannotBeReadIsNotWrittenOver(t *testing.T) {
	folder := capturetest.NewMemory(-1)
	write(t, folder, snapshot.FileName, `{"version": 99}`)
	_, err := try(t.Context(), folder, capture.Options{Fresh: true}, capture.Source{Kind: capture.Marathon, URL: "http://m"})
	if err == nil || !strings.Contains(err.Error(), "version 99") {
		t.Errorf("Run = %v, want a refusal", err)
	}
	if data, err := fs.ReadFile(folder.FS(), snapshot.FileName); err != nil || string(data) != `{"version": 99}` {
		t.Errorf("snapshot.json = %s, %v; want it untouched", data, err)
	}
}

func TestPaceIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := connect(t, map[string]http.Handler{"m:80": mesos()})
		start := time.Now()
		take(t, capturetest.NewMemory(-1), capture.Options{Dial: n.dial, Rate: 2}, capture.Source{Kind: capture.Mesos, URL: "http://m"})
		if got, want := time.Since(start), 4500*time.Millisecond; got != want {
			t.Errorf("ten questions at two a second took %s, want %s", got, want)
		}
	})
}
