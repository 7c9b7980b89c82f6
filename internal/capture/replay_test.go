package capture_test

import (
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/tranship/tranship/internal/base/corpus"
	"github.com/tranship/tranship/internal/base/snapshot"
	"github.com/tranship/tranship/internal/capture"
	"github.com/tranship/tranship/internal/capture/capturetest"
)

var answerToCall = regexp.MustCompile(`response-(GET_[A-Z_]+)\.json$`)

// TestRecordedAnswersAreKeptByteForByte replays what real clusters said: every
// recorded group tree, job list and Mesos answer comes back as it was sent.
func TestRecordedAnswersAreKeptByteForByte(t *testing.T) {
	files, names := corpus.Files(t, []string{"marathon/groups", "metronome", "mesos"}, ".json")
	replayed := 0
	for _, name := range names {
		question, kept := recorded(name)
		if question == "" {
			continue
		}
		data, err := fs.ReadFile(files, name)
		if err != nil {
			t.Fatal(err)
		}
		replayed++
		synctest.Test(t, func(t *testing.T) {
			m, j, s := marathon(), metronome(), mesos()
			for _, w := range []*capturetest.World{m, j, s} {
				w.Set(question, string(data))
			}
			n := connect(t, map[string]http.Handler{"m:80": m, "j:80": j, "s:80": s})
			folder := capturetest.NewMemory(-1)
			report := take(t, folder, capture.Options{Dial: n.dial, Rate: 1e6},
				capture.Source{Kind: capture.Marathon, URL: "http://m"}, capture.Source{Kind: capture.Metronome, URL: "http://j"},
				capture.Source{Kind: capture.Mesos, URL: "http://s"})
			if got := outcome(t, report, kept); got.State != capture.Taken {
				t.Errorf("%s: %s is %s (%s), want taken", name, kept, got.State, got.Problem)
				return
			}
			if got, err := fs.ReadFile(folder.FS(), kept); err != nil || string(got) != string(data) {
				t.Errorf("%s: %s is not what was sent (%v)", name, kept, err)
			}
			of, err := snapshot.DigestFS(folder.FS())
			if err != nil || of != report.Snapshot.Digest() {
				t.Errorf("%s: digest of the folder = %s (%v), of the list = %s", name, of, err, report.Snapshot.Digest())
			}
		})
	}
	if replayed < 20 {
		t.Errorf("%d recorded answers were replayed, want 20 or more", replayed)
	}
}

// recorded tells which question a recorded answer is for, and where it belongs.
func recorded(name string) (question, kept string) {
	base := path.Base(name)
	switch {
	case strings.HasPrefix(name, "marathon/groups/"):
		return groups, "marathon/v2_groups.json"
	case strings.HasPrefix(name, "metronome/") && strings.Contains(base, "job"):
		return jobs, "metronome/v1_jobs.json"
	case strings.HasPrefix(name, "mesos/mesosphere__mesos-dns/"), strings.HasSuffix(base, "_summary.json"):
		return "/master/state", "mesos/state.json"
	}
	if m := answerToCall.FindStringSubmatch(base); m != nil && slices.Contains(calls(), m[1]) {
		return m[1], "mesos/" + m[1] + ".json"
	}
	return "", ""
}
