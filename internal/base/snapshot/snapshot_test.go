package snapshot_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tranship/tranship/internal/base/snapshot"
)

// taken returns a folder with its list, as capture leaves one.
func taken(t testing.TB) (snapshot.Snapshot, fstest.MapFS) {
	t.Helper()
	bodies := map[string]string{
		"marathon/v2_groups.json": `{"id":"/"}`,
		"mesos/GET_AGENTS.json":   `{"type":"GET_AGENTS"}`,
		"mesos/state.json":        `{"slaves":[]}`,
	}
	s := snapshot.Snapshot{Version: snapshot.Version, TakenAt: time.Date(2026, 11, 2, 9, 30, 0, 0, time.UTC)}
	folder := fstest.MapFS{}
	for path, body := range bodies {
		sum := sha256.Sum256([]byte(body))
		source, _, _ := strings.Cut(path, "/")
		s.Answers = append(s.Answers, snapshot.Answer{
			Source: source, URL: "http://" + source + ".example/", Path: path, Status: 200,
			SHA256: hex.EncodeToString(sum[:]), Bytes: int64(len(body)),
		})
		folder[path] = &fstest.MapFile{Data: []byte(body)}
	}
	s.Answers = append(s.Answers, snapshot.Answer{
		Source: "metronome", URL: "http://metronome.example/v1/jobs", Path: "metronome/v1_jobs.json",
		Error: "did not answer",
	})
	list, err := s.Encode()
	if err != nil {
		t.Fatal(err)
	}
	folder[snapshot.FileName] = &fstest.MapFile{Data: list}
	return s, folder
}

func TestListIsByteStableWhateverTheOrder(t *testing.T) {
	s, folder := taken(t)
	for range 20 {
		rand.Shuffle(len(s.Answers), func(i, j int) { s.Answers[i], s.Answers[j] = s.Answers[j], s.Answers[i] })
		got, err := s.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(folder[snapshot.FileName].Data), string(got)); diff != "" {
			t.Fatalf("Encode() depends on order (-first +now):\n%s", diff)
		}
	}
}

func TestListSurvivesWritingAndReading(t *testing.T) {
	s, folder := taken(t)
	got, err := snapshot.Read(folder)
	if err != nil {
		t.Fatal(err)
	}
	again, err := got.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(folder[snapshot.FileName].Data), string(again)); diff != "" {
		t.Errorf("Read then Encode (-was +is):\n%s", diff)
	}
	if got.Digest() != s.Digest() {
		t.Errorf("Digest after reading = %s, want %s", got.Digest(), s.Digest())
	}
	if a, ok := got.Find("mesos/state.json"); !ok || a.Bytes != 13 {
		t.Errorf("Find(mesos/state.json) = %+v, %v", a, ok)
	}
	if gaps := got.Unanswered(); len(gaps) != 1 || gaps[0].Path != "metronome/v1_jobs.json" {
		t.Errorf("Unanswered() = %+v, want the one that did not answer", gaps)
	}
}

func TestListOfLaterVersionIsRefusedAndUnknownKeysAreNot(t *testing.T) {
	tests := []struct{ name, list, wantErr string }{
		{"unknown keys", `{"version":1,"takenAt":"2026-01-01T00:00:00Z","by":"x","answers":[{"path":"a","more":1}]}`, ""},
		{"later version", `{"version":2,"takenAt":"2026-01-01T00:00:00Z","answers":[]}`, "version 2 is newer"},
		{"no version", `{"answers":[]}`, "no version"},
		{"another file", `[1,2]`, "read snapshot.json"},
		{"cut", `{"version":1,"answ`, "read snapshot.json"},
		{"wrong type", `{"version":"1"}`, "read snapshot.json"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := snapshot.Parse([]byte(tt.list))
			if (err == nil) != (tt.wantErr == "") || err != nil && !strings.Contains(err.Error(), tt.wantErr) {
				t.Errorf("Parse = %v, want %q", err, tt.wantErr)
			}
		})
	}
}

func TestFolderWithoutListSaysSo(t *testing.T) {
	_, err := snapshot.Read(fstest.MapFS{"app.json": {Data: []byte("{}")}})
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Read = %v, want fs.ErrNotExist", err)
	}
}

func TestVerifyNamesEveryDifference(t *testing.T) {
	s, folder := taken(t)
	if got := s.Verify(folder); got != nil {
		t.Fatalf("Verify of an untouched folder = %v, want nothing", got)
	}
	folder["added_by_hand.json"] = &fstest.MapFile{Data: []byte("{}")}
	if got := s.Verify(folder); got != nil {
		t.Errorf("Verify with a file more = %v, want nothing", got)
	}
	delete(folder, "mesos/state.json")
	folder["marathon/v2_groups.json"] = &fstest.MapFile{Data: []byte(`{"id":"?"}`)}
	folder["mesos/GET_AGENTS.json"] = &fstest.MapFile{Data: []byte(`{}`)}
	for _, path := range []string{"../../etc/passwd", "/etc/passwd", "", ".", "snapshot.json"} {
		s.Answers = append(s.Answers, snapshot.Answer{Path: path, SHA256: "00"})
	}
	s.Answers = append(s.Answers, s.Answers[0])
	var got []string
	for _, p := range s.Verify(folder) {
		got = append(got, p.String())
	}
	want := []string{
		": is no path of an answer below the folder",
		".: is no path of an answer below the folder",
		"../../etc/passwd: is no path of an answer below the folder",
		"/etc/passwd: is no path of an answer below the folder",
		"marathon/v2_groups.json: was changed after the capture",
		"mesos/GET_AGENTS.json: has 2 bytes, the capture kept 21",
		"mesos/state.json: is missing",
		"snapshot.json: is no path of an answer below the folder",
	}
	want = append(want, s.Answers[0].Path+": is listed twice")
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Verify (-want +got):\n%s", diff)
	}
}

func TestDigestIsOfContentAlone(t *testing.T) {
	s, folder := taken(t)
	want := s.Digest()
	if got, err := snapshot.DigestFS(folder); err != nil || got != want {
		t.Errorf("DigestFS = %s, %v; want the snapshot's own digest %s", got, err, want)
	}
	same := s
	same.TakenAt = same.TakenAt.Add(time.Hour)
	same.Answers = slices.Clone(s.Answers)
	slices.Reverse(same.Answers)
	for i := range same.Answers {
		same.Answers[i].URL = "http://elsewhere.example/"
	}
	if got := same.Digest(); got != want {
		t.Errorf("Digest at another time, order and host = %s, want %s", got, want)
	}
	for _, path := range []string{".git/config", "marathon/.v2_apps.json.1.partial"} {
		folder[path] = &fstest.MapFile{Data: []byte("x")}
	}
	if got, err := snapshot.DigestFS(folder); err != nil || got != want {
		t.Errorf("DigestFS with files that are no content = %s, %v; want %s", got, err, want)
	}
	folder[".env"] = &fstest.MapFile{Data: []byte("TAG=1")}
	if got, err := snapshot.DigestFS(folder); err != nil || got == want {
		t.Errorf("DigestFS with a Compose .env = %s, %v; want another digest", got, err)
	}
	s.Answers[0].SHA256 = strings.Repeat("0", 64)
	if s.Digest() == want {
		t.Error("Digest did not change with a body's hash")
	}
}

func TestDigestKeepsItsForm(t *testing.T) {
	// Estates that were written with this digest are compared with it for ever.
	got, err := snapshot.DigestFS(fstest.MapFS{"a.json": {Data: []byte("{}")}, "b/c.json": {Data: []byte("[]\n")}})
	const want = "c40266bd0e7f79e092b9012b612560eb30e56f2577a6f1f779596c04b635b05c"
	if err != nil || got != want {
		t.Errorf("DigestFS = %s, %v; want %s", got, err, want)
	}
}

func FuzzListNeverPanicsAndIsStable(f *testing.F) {
	_, folder := taken(f)
	f.Add(folder[snapshot.FileName].Data)
	f.Add([]byte(`{"version":1,"takenAt":"9999-12-31T23:59:59-23:59","answers":[{"path":"../x","sha256":"zz","bytes":-1}]}`))
	f.Add([]byte(`{"version":1,"answers":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := snapshot.Parse(data)
		if err != nil {
			return
		}
		s.Verify(fstest.MapFS{})
		once, err := s.Encode()
		if err != nil {
			t.Skip("a year that JSON cannot hold")
		}
		again, err := snapshot.Parse(once)
		if err != nil {
			t.Fatalf("Parse of what Encode gave = %v", err)
		}
		if twice, err := again.Encode(); err != nil || string(twice) != string(once) {
			t.Errorf("Encode is not stable: %v\n%s\n%s", err, once, twice)
		}
		if again.Digest() != s.Digest() {
			t.Errorf("Digest = %s, then %s", s.Digest(), again.Digest())
		}
	})
}
