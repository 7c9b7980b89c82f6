package capture_test

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tranship/tranship/internal/capture"
	"github.com/tranship/tranship/internal/capture/capturetest"
)

// scene is one Marathon at http://m, captured into memory.
type scene struct {
	world  *capturetest.World
	folder *capturetest.Memory
	seen   *events
	opts   capture.Options
	source capture.Source
	took   time.Duration
}

// play lets prepare change a scene and runs it.
func play(t *testing.T, prepare func(*scene)) (capture.Report, *scene) {
	t.Helper()
	var report capture.Report
	s := &scene{
		world: marathon(), folder: capturetest.NewMemory(-1), seen: &events{},
		source: capture.Source{Kind: capture.Marathon, URL: "http://m"},
	}
	synctest.Test(t, func(t *testing.T) {
		n := connect(t, map[string]http.Handler{"m:80": s.world})
		s.opts.Dial, s.opts.Progress, s.opts.Rate = n.dial, s.seen, 1e6
		prepare(s)
		start := time.Now()
		report = take(t, s.folder, s.opts, s.source)
		s.took = time.Since(start)
	})
	return report, s
}

func TestPassingFaultsAreOutlived(t *testing.T) {
	const whole = `{"id":"/","apps":[{"id":"/cart","cmd":"sleep 1"}],"groups":[],"pods":[]}`
	tests := []struct {
		name     string
		faults   []http.HandlerFunc
		min, max time.Duration
	}{
		{"500 twice", []http.HandlerFunc{capturetest.Status(500), capturetest.Status(500)}, 750 * time.Millisecond, 2250 * time.Millisecond},
		{"no leader for a moment", []http.HandlerFunc{capturetest.Status(503)}, 250 * time.Millisecond, 750 * time.Millisecond},
		{"cut in the middle", []http.HandlerFunc{capturetest.CutAfter(20, whole)}, 250 * time.Millisecond, 750 * time.Millisecond},
		{"cut without a promised length", []http.HandlerFunc{
			func(rw http.ResponseWriter, _ *http.Request) {
				rw.Header().Set("Connection", "close")
				_, _ = io.WriteString(rw, whole[:30])
			},
		}, 250 * time.Millisecond, 750 * time.Millisecond},
		{"429 with seconds", []http.HandlerFunc{capturetest.Status(429, "Retry-After", "17")}, 17 * time.Second, 18 * time.Second},
		{"503 with a date", []http.HandlerFunc{
			capturetest.Status(503, "Retry-After", noon().Add(time.Minute).Format(http.TimeFormat)),
		}, time.Minute, 61 * time.Second},
		{"hang before the first byte", []http.HandlerFunc{capturetest.Hang(0, whole)}, 60 * time.Second, 61 * time.Second},
		{"hang in the middle", []http.HandlerFunc{capturetest.Hang(10, whole)}, 60 * time.Second, 61 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			report, s := play(t, func(s *scene) { s.world.Fail(groups, tt.faults...) })
			if got := outcome(t, report, "marathon/v2_groups.json"); got.State != capture.Taken || got.Bytes != int64(len(whole)) {
				t.Errorf("outcome = %+v, want all of it taken", got)
			}
			if s.took < tt.min || s.took > tt.max {
				t.Errorf("it took %s, want %s to %s", s.took, tt.min, tt.max)
			}
			if got := len(s.seen.of(capture.Waiting)); got != len(tt.faults) {
				t.Errorf("it was told to wait %d times, want %d", got, len(tt.faults))
			}
			if s.folder.Open() != 0 {
				t.Errorf("%d files were left open", s.folder.Open())
			}
		})
	}
}

func TestSlowAnswerPassesWhileBytesCome(t *testing.T) {
	report, s := play(t, func(s *scene) {
		s.world.Fail("/v2/tasks", func(rw http.ResponseWriter, _ *http.Request) {
			for _, part := range strings.SplitAfter(`{"tasks":[1,2,3,4,5,6,7,8,9,10,11,12]}`, ",") {
				_, _ = io.WriteString(rw, part)
				_ = http.NewResponseController(rw).Flush()
				time.Sleep(55 * time.Second)
			}
		})
	})
	if got := outcome(t, report, "marathon/v2_tasks.json"); got.State != capture.Taken {
		t.Errorf("outcome = %+v, want taken", got)
	}
	if s.took < 10*time.Minute {
		t.Errorf("it took %s, want over ten minutes without a time-out", s.took)
	}
}

func TestFailureCostsThatAnswerOnly(t *testing.T) {
	always := func(f http.HandlerFunc) []http.HandlerFunc { return []http.HandlerFunc{f, f, f, f, f, f} }
	tests := []struct {
		name          string
		faults        []http.HandlerFunc
		asked         int
		problem, hint string
		status        int
	}{
		{
			"500 for ever", always(capturetest.Says(500, "application/json", `{"message":"zk\tis  gone"}`)), 5,
			"answered 500 Internal Server Error (zk is gone)", "run capture again: only what is missing is asked", 500,
		},
		{
			"forbidden", always(capturetest.Status(403)), 1,
			"answered 403 Forbidden", "this account may not read it: give one that may", 403,
		},
		{
			"login page with 200", always(capturetest.Says(200, "text/html", "\n <!DOCTYPE html><title>Log in</title>")), 1,
			"is not JSON: invalid character '<' looking for beginning of value, after byte 2", "looks like a login page: give a token", 0,
		},
		{
			"words with 200", always(capturetest.Says(200, "text/plain", "ok")), 1,
			"is not JSON: invalid character 'o' looking for beginning of value, after byte 0", "check that the URL is that of the interface itself", 0,
		},
		{
			"nothing with 200", always(capturetest.Status(200)), 1,
			"is not JSON: it is empty", "check that the URL is that of the interface itself", 0,
		},
		{
			"a word of JSON", always(capturetest.Says(200, "application/json", `"ok"`)), 1,
			"is not JSON: it is neither an object nor a list", "check that the URL is that of the interface itself", 0,
		},
		{
			"two documents", always(capturetest.Says(200, "application/json", `{} {}`)), 1,
			"is not JSON: more follows after its end", "check that the URL is that of the interface itself", 0,
		},
		{
			"larger than the cap", always(capturetest.Says(200, "application/json", "["+strings.Repeat(" ", 1<<20)+"]")), 1,
			"is larger than 65536 bytes", "raise the cap if that size is right", 0,
		},
		{
			"cut for ever", always(capturetest.CutAfter(5, `{"tasks":[]}`)), 5,
			"was cut off: unexpected EOF", "run capture again: only what is missing is asked", 0,
		},
		{
			"wants a day of rest", always(capturetest.Status(429, "Retry-After", "86400")), 1,
			"answered 429 Too Many Requests, and wants 24h0m0s of rest", "run capture again: only what is missing is asked", 429,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			report, s := play(t, func(s *scene) {
				s.opts.MaxBytes = 64 << 10
				s.world.Fail("/v2/tasks", tt.faults...)
			})
			got := outcome(t, report, "marathon/v2_tasks.json")
			if got.State != capture.Failed || !strings.HasPrefix(got.Problem, tt.problem) || got.Hint != tt.hint {
				t.Errorf("outcome = %s: %q, hint %q; want %q, hint %q", got.State, got.Problem, got.Hint, tt.problem, tt.hint)
			}
			a, _ := list(t, s.folder).Find("marathon/v2_tasks.json")
			if a.Error != got.Problem+": "+tt.hint || a.Status != tt.status || a.SHA256 != "" {
				t.Errorf("snapshot.json says %+v, want the same fault", a)
			}
			asked := 0
			for _, q := range s.world.Questions() {
				if q == "/v2/tasks" {
					asked++
				}
			}
			if asked != tt.asked {
				t.Errorf("it was asked %d times, want %d", asked, tt.asked)
			}
			if report.Complete() || len(report.Of(capture.Taken)) != 4 {
				t.Errorf("the others: %v, want four taken", states(report))
			}
			if s.folder.Open() != 0 {
				t.Errorf("%d files were left open", s.folder.Open())
			}
		})
	}
}

func TestSourceThatRefusesTheCredentialIsAskedOnce(t *testing.T) {
	report, s := play(t, func(s *scene) {
		for _, q := range []string{"/v2/info", groups, "/v2/tasks", "/v2/queue", "/v2/deployments"} {
			s.world.Fail(q, capturetest.Status(401))
		}
	})
	if got := s.world.Questions(); len(got) != 1 {
		t.Errorf("asked %v, want one question", got)
	}
	if got := outcome(t, report, "marathon/v2_info.json"); got.Hint != "give a token" {
		t.Errorf("hint = %q", got.Hint)
	}
	want := "was not asked: the source answered 401 Unauthorized"
	if got := outcome(t, report, "marathon/v2_groups.json"); got.Problem != want || got.State != capture.Failed {
		t.Errorf("groups: %s %q, want failed, %q", got.State, got.Problem, want)
	}
}

func TestDeadSourceDoesNotHoldUpTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := connect(t, map[string]http.Handler{"j:80": metronome()})
		folder, start := capturetest.NewMemory(-1), time.Now()
		report := take(t, folder, capture.Options{Dial: n.dial},
			capture.Source{Kind: capture.Mesos, URL: "http://gone"}, capture.Source{Kind: capture.Metronome, URL: "http://j"})
		if got := outcome(t, report, "metronome/v1_jobs.json"); got.State != capture.Taken {
			t.Errorf("metronome: %+v, want taken", got)
		}
		if got := outcome(t, report, "mesos/state.json"); got.State != capture.Failed || !strings.Contains(got.Problem, "does not answer: dial tcp") {
			t.Errorf("mesos: %+v", got)
		}
		if got := len(report.Of(capture.Failed)); got != 10 {
			t.Errorf("failed = %d, want all ten of mesos: %v", got, states(report))
		}
		if len(n.dials) != 6 || time.Since(start) > 15*time.Second {
			t.Errorf("%d connections in %s, want five tries of one question and one of the other source", len(n.dials), time.Since(start))
		}
	})
}

func TestWhatAVersionDoesNotHaveIsAbsentAndNotFailed(t *testing.T) {
	report, s := play(t, func(s *scene) { s.world.Set("/v2/queue", "") })
	if got := outcome(t, report, "marathon/v2_queue.json"); got.State != capture.Absent || got.Hint != "this version of the source does not have it" {
		t.Errorf("outcome = %+v, want absent", got)
	}
	if !report.Complete() {
		t.Errorf("report is not complete: %v", states(report))
	}
	if a, _ := list(t, s.folder).Find("marathon/v2_queue.json"); a.Status != 404 || a.Error == "" {
		t.Errorf("snapshot.json says %+v, want the 404 kept", a)
	}
}

func TestDefinitionsNeverStandInTwoFiles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := marathon()
		tree := `{"id":"/","apps":[]}`
		m.Set(groups, "")
		m.Set("/v2/apps", `{"apps":[]}`)
		n := connect(t, map[string]http.Handler{"m:80": m})
		folder, source := capturetest.NewMemory(-1), capture.Source{Kind: capture.Marathon, URL: "http://m"}
		opts := capture.Options{Dial: n.dial, Rate: 1e6}
		first := take(t, folder, opts, source)
		want := []string{
			"marathon/v2_info.json taken", "marathon/v2_apps.json taken", "marathon/v2_pods.json absent",
			"marathon/v2_groups.json replaced", "marathon/v2_deployments.json taken", "marathon/v2_queue.json taken",
			"marathon/v2_tasks.json taken",
		}
		if diff := cmp.Diff(want, states(first)); diff != "" || !first.Complete() {
			t.Errorf("without a group tree (-want +got):\n%s", diff)
		}
		m.Set(groups, tree)
		take(t, folder, opts, source)
		for _, path := range []string{"marathon/v2_apps.json", "marathon/v2_pods.json"} {
			if _, ok := list(t, folder).Find(path); ok {
				t.Errorf("%s is still listed beside the tree", path)
			}
		}
		for _, name := range folder.Names() {
			if name == "marathon/v2_apps.json" {
				t.Error("v2_apps.json still lies beside the tree")
			}
		}
	})
}

func TestStateThatIsTooLargeIsReplacedBySummaryAndTasks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := mesos()
		m.Set("/master/state", `{"frameworks":["`+strings.Repeat("x", 4096)+`"]}`)
		m.Set("/master/state-summary", `{"slaves":[]}`)
		m.Set("GET_TASKS", `{"type":"GET_TASKS"}`)
		n := connect(t, map[string]http.Handler{"m:80": m})
		report := take(t, capturetest.NewMemory(-1), capture.Options{Dial: n.dial, MaxBytes: 1024, Rate: 1e6},
			capture.Source{Kind: capture.Mesos, URL: "http://m"})
		for path, want := range map[string]capture.State{
			"mesos/state.json": capture.Replaced, "mesos/state-summary.json": capture.Taken, "mesos/GET_TASKS.json": capture.Taken,
		} {
			if got := outcome(t, report, path); got.State != want {
				t.Errorf("%s is %s (%s), want %s", path, got.State, got.Problem, want)
			}
		}
	})
}

func TestOlderMastersAndMetronomesAreAskedAsTheyKnow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, j := mesos(), capturetest.NewWorld(map[string]string{"/v1/jobs": `[]`})
		m.Set("/master/state", "")
		m.Set("/master/state.json", `{"slaves":[]}`)
		for _, embeds := range []string{jobs, "/v1/jobs?embed=schedules&embed=activeRuns"} {
			j.Fail(embeds, capturetest.Says(400, "application/json", `{"message":"Unknown embed options"}`))
		}
		n := connect(t, map[string]http.Handler{"m:80": m, "j:80": j})
		folder := capturetest.NewMemory(-1)
		sources := []capture.Source{{Kind: capture.Mesos, URL: "http://m"}, {Kind: capture.Metronome, URL: "http://j"}}
		report := take(t, folder, capture.Options{Dial: n.dial, Rate: 1e6}, sources...)
		if got := outcome(t, report, "mesos/state.json"); got.State != capture.Taken || got.URL != "http://m/master/state.json" {
			t.Errorf("state: %+v, want it from the old path", got)
		}
		if got := outcome(t, report, "metronome/v1_jobs.json"); got.State != capture.Taken || got.URL != "http://j/v1/jobs" {
			t.Errorf("jobs: %+v, want them without embeds", got)
		}
		m.Asked()
		j.Asked()
		take(t, folder, capture.Options{Dial: n.dial}, sources...)
		if asked := append(m.Questions(), j.Questions()...); len(asked) != 0 {
			t.Errorf("the second run asked %v, want nothing", asked)
		}
	})
}

func TestFullDiskEndsTheRunAndKeepsWhatFits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := marathon()
		m.Set(groups, `{"apps":["`+strings.Repeat("x", 1<<20)+`"]}`)
		n := connect(t, map[string]http.Handler{"m:80": m})
		folder, source := capturetest.NewMemory(100<<10), capture.Source{Kind: capture.Marathon, URL: "http://m"}
		report, err := try(t.Context(), folder, capture.Options{Dial: n.dial}, source)
		if !errors.Is(err, capturetest.ErrFull) {
			t.Fatalf("Run = %v, want that the disk is full", err)
		}
		if got := outcome(t, report, "marathon/v2_info.json"); got.State != capture.Taken {
			t.Errorf("what came before: %+v, want taken", got)
		}
		s := list(t, folder)
		if problems := s.Verify(folder.FS()); problems != nil || len(s.Answers) != 1 || folder.Open() != 0 {
			t.Errorf("the folder: %v, %d answers, %d open files; want one answer and no problem", problems, len(s.Answers), folder.Open())
		}
	})
}

func TestBodyIsTakenOnlyIfItIsWholeJSON(t *testing.T) {
	for text, want := range map[string]string{
		`{}`: "", ` [1e999, "\u0000", {"a": [true, null]}] ` + "\n": "",
		`{"a":`: "ends before", `[1,2`: "ends before", `{"a": tr`: "ends before", `{"a": "x`: "ends before", `[`: "ends before",
		``: "empty", `1`: "neither", `{"a" 1}`: "invalid character", `[1 2]`: "after array element", `{a:1}`: "invalid character",
		`{}x`: "invalid character", `[]]`: "invalid character", strings.Repeat("[", 5000): "levels deep",
	} {
		err := capture.WholeJSON(strings.NewReader(text))
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("wholeJSON(%.20s) = %v, want %q", text, err, want)
		}
	}
}

func TestOneEndlessValueCannotExhaustMemory(t *testing.T) {
	given := 0
	endless := readerFunc(func(p []byte) (int, error) {
		given += copy(p, strings.Repeat("x", len(p)))
		return len(p), nil
	})
	err := capture.WholeJSON(io.MultiReader(strings.NewReader(`["`), endless))
	if err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("wholeJSON of an endless text = %v", err)
	}
	if given > 64<<20 {
		t.Errorf("it read %d bytes before it gave up", given)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func FuzzBodyCheckAgreesWithTheReaderOfJSON(f *testing.F) {
	for _, seed := range []string{`{}`, `[]`, `{"a":[1,{"b":null}]}`, `[1,]`, `{"a":1,}`, `{"a"}`, `[,1]`, `{"a":"\ud800"}`, "[1]\x00", `[01]`, `{"":{}}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		err := capture.WholeJSON(strings.NewReader(text))
		if valid := validDocument(text); valid != (err == nil) {
			t.Errorf("wholeJSON(%q) = %v, but encoding/json says valid = %v", text, err, valid)
		}
	})
}

// validDocument tells whether text is one JSON object or list.
func validDocument(text string) bool {
	text = strings.TrimLeft(text, " \t\r\n")
	return json.Valid([]byte(text)) && (text[0] == '{' || text[0] == '[')
}
