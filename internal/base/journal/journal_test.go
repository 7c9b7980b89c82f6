package journal

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

var at = time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC)

func fill(t testing.TB, path string, n int) []Record {
	t.Helper()
	j, _, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	var out []Record
	for i := range n {
		r, err := j.Append(at.Add(time.Duration(i)*time.Second), "event", "/shop/cart", map[string]any{"at": i, "why": "a <b> & \u2028 \"quoted\""})
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, r)
	}
	return out
}

func TestWhatWasAppendedIsThereAfterOpening(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	want := fill(t, path, 3)
	j, got, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if j.Head() != want[2].Hash {
		t.Errorf("Head = %s, want that of the last record", j.Head())
	}
	if _, _, err := Open(path); !errors.Is(err, ErrBusy) {
		t.Errorf("a second Open = %v, want ErrBusy", err)
	}
}

// TestACutLastLineIsTakenAway: whatever part of the last line a crash leaves,
// all that was acknowledged before is there and the journal goes on.
func TestACutLastLineIsTakenAway(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	want := fill(t, path, 3)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	two := bytes.LastIndexByte(whole[:len(whole)-1], '\n') + 1
	for cut := two; cut < len(whole); cut++ {
		if err := os.WriteFile(path, whole[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		j, got, err := Open(path)
		if err != nil {
			t.Fatalf("cut at %d: %v", cut, err)
		}
		if d := cmp.Diff(want[:2], got); d != "" {
			t.Fatalf("cut at %d: %s", cut, d)
		}
		if _, err := j.Append(at, "event", "", nil); err != nil {
			t.Fatal(err)
		}
		_ = j.Close()
		j, got, err = Open(path)
		if err != nil || len(got) != 3 {
			t.Fatalf("cut at %d: after going on: %d records, %v", cut, len(got), err)
		}
		_ = j.Close()
	}
}

// TestAnyChangeIsSeen flips a bit, takes a line away or doubles one.
func TestAnyChangeIsSeen(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	fill(t, path, 5)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.SplitAfter(bytes.TrimSuffix(whole, []byte("\n")), []byte("\n"))
	lines[4] = append(lines[4], '\n')
	rapid.Check(t, func(t *rapid.T) {
		changed := bytes.Clone(whole)
		switch rapid.SampledFrom([]string{"flip", "drop", "double"}).Draw(t, "how") {
		case "flip":
			i := rapid.IntRange(0, len(whole)-2).Draw(t, "byte")
			changed[i] ^= 1 << rapid.IntRange(0, 7).Draw(t, "bit")
			if whole[i] == '\n' || changed[i] == '\n' {
				t.Skip("moves the end of a line, which may cut the last one")
			}
		case "drop":
			i := rapid.IntRange(0, 3).Draw(t, "line")
			changed = bytes.Join(append(append([][]byte{}, lines[:i]...), lines[i+1:]...), nil)
		case "double":
			i := rapid.IntRange(0, 4).Draw(t, "line")
			changed = bytes.Join(append(append(append([][]byte{}, lines[:i+1]...), lines[i]), lines[i+1:]...), nil)
		}
		if _, err := Read(bytes.NewReader(changed)); !errors.Is(err, ErrDamaged) {
			t.Fatalf("Read = %v, want ErrDamaged", err)
		}
	})
}

// TestAskingWhetherItIsBusyKeepsNobodyOut: a journal is opened while others ask
// all the time, and they are told the truth.
func TestAskingWhetherItIsBusyKeepsNobodyOut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	if busy, err := Busy(path); busy || err != nil {
		t.Errorf("Busy of no journal = %t, %v", busy, err)
	}
	fill(t, path, 1)
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-stop:
				return
			default:
				_, _ = Busy(path)
			}
		}
	}()
	for range 50 {
		j, _, err := Open(path)
		if err != nil {
			t.Error(err)
			break
		}
		if busy, err := Busy(path); !busy || err != nil {
			t.Errorf("Busy of an open journal = %t, %v", busy, err)
		}
		_ = j.Close()
	}
	close(stop)
	<-ended
}

func FuzzRead(f *testing.F) {
	path := filepath.Join(f.TempDir(), "j")
	fill(f, path, 2)
	whole, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Fuzz(func(t *testing.T, data []byte) {
		records, err := Read(bytes.NewReader(data))
		if err == nil {
			for i, r := range records {
				if r.Number != int64(i+1) {
					t.Errorf("record %d has number %d", i+1, r.Number)
				}
			}
		}
	})
}
