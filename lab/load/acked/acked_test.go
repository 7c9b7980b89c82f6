package acked

import (
	"os"
	"path/filepath"
	"testing"
)

func TestADriverGoesOnWhereAKilledOneStopped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "acked")
	write := func(f *File, device string, last int64) {
		t.Helper()
		if err := f.Write(func(yield func(string, int64) bool) { yield(device, last) }); err != nil {
			t.Fatal(err)
		}
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	write(f, "a", 3)
	write(f, "b", 1)
	write(f, "a", 3)
	if _, err := f.file.WriteString("a 4 1"); err != nil { // of 10, say
		t.Fatal(err)
	}
	f, err = Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if f.Last("a") != 3 || f.Last("b") != 1 || f.Last("c") != 0 {
		t.Errorf("last = %d, %d, %d; want 3, 1, 0", f.Last("a"), f.Last("b"), f.Last("c"))
	}
	write(f, "a", 5)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := "a 1 3\nb 1 1\na 4 5\n"; string(text) != want {
		t.Errorf("file = %q, want %q", text, want)
	}
}

func TestAFileWithAHoleIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "acked")
	if err := os.WriteFile(path, []byte("a 1 3\na 5 6\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(path); err == nil {
		t.Error("a file that lacks reading 4 was read as whole")
	}
}
