package volume

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/rollout/runner"
)

func refused(t *testing.T, say policy.MoveVolumes, w rollout.Workload, want string) {
	t.Helper()
	m := newMemory()
	_, err := New(say, m, Options{}).Copy(t.Context(), w, 0, false)
	if !errors.Is(err, runner.ErrRefused) || !strings.Contains(err.Error(), want) {
		t.Errorf("Copy = %v, want a refusal with %q", err, want)
	}
	if len(m.calls) > 0 {
		t.Errorf("it ran %q all the same", m.calls)
	}
}

// Fault 1 of the converter of 2021: all instances went through one folder.
func TestFaultOneCommandsThatMergeInstancesAreRefused(t *testing.T) {
	for name, spoil := range map[string]func(*policy.MoveVolumes){
		"source":     func(s *policy.MoveVolumes) { s.Source[2] = "0" },
		"target":     func(s *policy.MoveVolumes) { s.Target[2] = "{{.Volume}}" },
		"targetRead": func(s *policy.MoveVolumes) { s.TargetRead[2] = "{{.Workload}}" },
		"sourceSum":  func(s *policy.MoveVolumes) { s.SourceSum = []string{"sum", "source"} },
		"targetSum":  func(s *policy.MoveVolumes) { s.TargetSum = []string{"sum", "target"} },
	} {
		say := commands()
		spoil(&say)
		refused(t, say, index(2), "spec.move.volumes."+name+": it does not tell them apart: it is the same for all instances")
	}
	// One copy alone needs no number.
	say := commands()
	say.Source[2], say.Target[2], say.TargetRead[2] = "0", "0", "0"
	if c, err := New(say, newMemory(), Options{}).Copy(t.Context(), index(1), 0, false); err != nil || !c.Same {
		t.Errorf("Copy of a workload of one copy = %+v, %v", c, err)
	}
	two := index(1)
	two.Volumes = []string{"data", "wal"}
	refused(t, say, two, "the same for all volumes")
}

// Fault 2: "make copy" had no rule for what it needed, so that no copy ever ran.
func TestFaultTwoWhatIsNotSaidIsFoundBeforeAnythingRuns(t *testing.T) {
	for want, spoil := range map[string]func(*policy.MoveVolumes){
		"spec.move.volumes.source is not set":                                         func(s *policy.MoveVolumes) { s.Source = nil },
		"spec.move.volumes.target is not set":                                         func(s *policy.MoveVolumes) { s.Target = nil },
		"neither spec.move.volumes.targetSum nor spec.move.volumes.targetRead is set": func(s *policy.MoveVolumes) { s.TargetRead = nil },
		"can't evaluate field Shard":                                                  func(s *policy.MoveVolumes) { s.Source[2] += "{{.Shard}}" },
		"function \"rm\" not defined":                                                 func(s *policy.MoveVolumes) { s.Target[2] += "{{rm}}" },
	} {
		say := commands()
		spoil(&say)
		refused(t, say, index(2), want)
	}
	say := commands()
	say.SourceWrite = nil
	_, err := New(say, newMemory(), Options{}).Copy(t.Context(), index(2), 0, true)
	if !errors.Is(err, runner.ErrRefused) || !strings.Contains(err.Error(), "sourceWrite is not set") {
		t.Errorf("Copy back without a way back = %v", err)
	}
}

// Fault 3: the patch that was to put the app to sleep did not, and files were
// copied while it wrote. tar itself says so at times; the checksums always do.
func TestFaultThreeASourceThatDoesNotSleepIsTold(t *testing.T) {
	m := newMemory()
	m.kept["source 0"] = map[string]string{"log": "a", "meta": "b"}
	m.says, m.code = "tar: ./log: file changed as we read it\n", 1
	c, err := New(commands(), m, Options{}).Copy(t.Context(), index(2), 0, false)
	if err != nil || c.Same || !cmp.Equal(c.Different, []string{"log"}) {
		t.Errorf("Copy = %+v, %v, want that log changed", c, err)
	}
}

// Fault 4: a failed copy was marked as done by force, and nothing was counted.
func TestFaultFourAnEndThatFailedFailsTheCopy(t *testing.T) {
	for want, m := range map[string]*memory{
		"source: exit status 2: tar: ./db: Cannot open: Permission denied": {says: "tar: ./db: Cannot open: Permission denied\n", code: 2},
		"source: exit status 1: it said nothing":                           {code: 1},
		"tar: ./db: Cannot stat: Input/output error":                       {says: "tar: ./db: Cannot stat: Input/output error\n"},
		"target: exit status 2":                                            {broken: map[string]bool{"target 0": true}},
	} {
		full := newMemory()
		full.says, full.code = m.says, m.code
		if m.broken != nil {
			full.broken = m.broken
		}
		full.kept["source 0"] = map[string]string{"meta": "b", "more": "c"}
		c, err := New(commands(), full, Options{}).Copy(t.Context(), index(2), 0, false)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Copy = %+v, %v, want an error with %q", c, err, want)
		}
	}
}

func TestSocketsAreLeftOutAndTold(t *testing.T) {
	m := newMemory()
	m.kept["source 0"] = map[string]string{"meta": "b"}
	m.says = "Warning: Permanently added 'host' to the list of known hosts.\ntar: ./run/app.sock: socket ignored\n"
	c, err := New(commands(), m, Options{}).Copy(t.Context(), index(2), 0, false)
	if err != nil || !c.Same || !cmp.Equal(c.Skipped, []string{"run/app.sock"}) {
		t.Errorf("Copy = %+v, %v, want the same without run/app.sock", c, err)
	}
}

func TestSeveralVolumesAreCopiedEachToItsOwn(t *testing.T) {
	m := newMemory()
	m.kept["source 0/var/data"] = map[string]string{"a": "1"}
	m.kept["source 0/var/wal"] = map[string]string{"a": "2", "meta": "x"}
	m.spoil["target 0/var/wal"] = true
	say := commands()
	for _, c := range [][]string{say.Source, say.Target, say.TargetRead} {
		c[2] += "{{.Path}}"
	}
	w := index(2)
	w.Volumes = []string{"data", "wal"}
	c, err := New(say, m, Options{Path: func(_ estate.Name, v string) string { return "/var/" + v }}).Copy(t.Context(), w, 0, false)
	if err != nil || c.Same || c.Size != 3 || !cmp.Equal(c.Different, []string{"wal/meta"}) {
		t.Errorf("Copy = %+v, %v, want 3 bytes and wal/meta to differ", c, err)
	}
}

func TestQuotedPlacesAreOneWordOfAShell(t *testing.T) {
	p := place{Path: "/it's a $(trap)"}
	got, err := p.fill(named{"source", []string{"sh", "-c", "tar -C {{quote .Path}} -c ."}})
	if want := `tar -C '/it'\''s a $(trap)' -c .`; err != nil || got[2] != want {
		t.Errorf("fill = %q, %v, want %q", got, err, want)
	}
}

func TestSumsAreReadByLine(t *testing.T) {
	hash := strings.Repeat("ab", 32)
	for line, want := range map[string]file{
		hash + "  12  644  data/a b":             {kind: tar.TypeReg, size: 12, hash: hash, mode: 0o644, uid: -1, gid: -1},
		`\` + hash + `  0  4755  data\na\\b`:     {kind: tar.TypeReg, hash: hash, mode: 0o4755, uid: -1, gid: -1},
		"-  0  d2750  ./empty":                   {kind: tar.TypeDir, mode: 0o2750, uid: -1, gid: -1},
		"-  0  l777  current -> ../releases/1 2": {kind: tar.TypeSymlink, link: "../releases/1 2", uid: -1, gid: -1},
	} {
		m, err := readSums(strings.NewReader(line + "\n"))
		if err != nil || len(m) != 1 {
			t.Errorf("%q: %v, %v", line, m, err)
			continue
		}
		for _, got := range m {
			if got != want {
				t.Errorf("%q: %+v, want %+v", line, got, want)
			}
		}
	}
	m, err := readSums(strings.NewReader(`\` + hash + `  0  755  data\na\\b` + "\n"))
	if _, ok := m["data\na\\b"]; err != nil || !ok {
		t.Errorf("an escaped name is %v, %v", m, err)
	}
	for _, bad := range []string{"", "abc", hash + "  x  644  a", "abc  1  644  a", hash + "  1  999  a", hash + "  1  644  ", "-  0  l777  a"} {
		if m, err := readSums(strings.NewReader(bad + "\nx\n")); err == nil {
			t.Errorf("%q was read as %v", bad, m)
		}
	}
}

func TestEveryKindOfDifferenceCounts(t *testing.T) {
	base := file{kind: tar.TypeReg, size: 1, hash: "h", mode: 0o644, uid: 1, gid: 1}
	with := func(change func(*file)) manifest {
		f := base
		change(&f)
		return manifest{"a": f}
	}
	for name, m := range map[string]manifest{
		"size": with(func(f *file) { f.size++ }), "hash": with(func(f *file) { f.hash = "g" }), "mode": with(func(f *file) { f.mode = 0o600 }),
		"owner": with(func(f *file) { f.uid = 2 }), "group": with(func(f *file) { f.gid = 2 }), "kind": with(func(f *file) { f.kind = tar.TypeSymlink }),
		"missing": {}, "extra": {"a": base, "b": {kind: tar.TypeDir, mode: 0o755, uid: 1}},
	} {
		if names, _, _ := differ(manifest{"a": base}, m); len(names) != 1 {
			t.Errorf("%s: %v differ, want one", name, names)
		}
	}
	sums := manifest{"a": {kind: tar.TypeReg, size: 1, hash: "h", mode: 0o644, uid: -1, gid: -1}}
	if names, _, _ := differ(manifest{"a": base, "d": {kind: tar.TypeDir}}, sums); len(names) != 0 {
		t.Errorf("a list of files alone differs in %v", names)
	}
}

func TestStreamsThatBreakOffAreNoCopies(t *testing.T) {
	var whole bytes.Buffer
	w := tar.NewWriter(&whole)
	for _, name := range []string{"a", "b"} {
		if err := w.WriteHeader(&tar.Header{Name: name, Size: 3000, Mode: 0o644, Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(make([]byte, 3000)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	full, err := readTar(bytes.NewReader(whole.Bytes()))
	if err != nil || len(full) != 2 {
		t.Fatalf("readTar = %v, %v", full, err)
	}
	for n := 1; n < whole.Len(); n += 97 {
		m, err := readTar(io.LimitReader(bytes.NewReader(whole.Bytes()), int64(n)))
		if names, _, _ := differ(full, m); err == nil && len(names) == 0 && n < 512+3072+512+3000 {
			t.Errorf("the first %d bytes pass for the whole", n)
		}
	}
	if _, err := readTar(strings.NewReader(strings.Repeat("this is no archive ", 100))); err == nil {
		t.Error("a text passes for an archive")
	}
}
