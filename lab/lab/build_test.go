package lab

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tranship/tranship/lab/image"
)

// An archive is made again when its program is another one, not when only its time is.
func TestArchiveFollowsItsProgram(t *testing.T) {
	dir := t.TempDir()
	program, file := filepath.Join(dir, "gateway"), filepath.Join(dir, "images", "gateway.tar")
	spec := image.Spec{Ref: "lab.local/cargo/gateway:1", Program: program}
	made := func(text string) time.Time {
		t.Helper()
		if err := os.WriteFile(program, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
		later := time.Now().Add(time.Hour)
		if err := os.Chtimes(program, later, later); err != nil {
			t.Fatal(err)
		}
		if err := archive(file, spec); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		return info.ModTime()
	}
	first := made("one")
	if err := os.Chtimes(file, first.Add(-time.Hour), first.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	if again := made("one"); !again.Equal(first.Add(-time.Hour)) {
		t.Error("the archive of an unchanged program was made again")
	}
	if other := made("two"); other.Equal(first.Add(-time.Hour)) {
		t.Error("the archive of a changed program was kept")
	}
}
