//go:build integration

package volume

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/rollout/runner"
	"github.com/tranship/tranship/internal/rollout/runner/runnertest"
)

// sums lists a folder with the programs that every machine has.
const sums = `mkdir -p "$D" && cd "$D" && find . -mindepth 1 -type d -printf '-  0  d%m  %P\n' -o -type l -printf '-  0  l777  %P -> %l\n' &&
find . -type f -exec sh -c 'for f do printf "%s  %s  %s\n" "$(sha256sum <"$f" | cut -c 1-64)" "$(stat -c "%s  %a" "$f")" "${f#./}"; done' sh {} +`

func tarCommands(root string) policy.MoveVolumes {
	at := func(side, script string) []string {
		return []string{"sh", "-ec", `D={{quote "` + root + `"}}/` + side + `/{{.Instance}}/{{quote .Volume}}; ` + script}
	}
	const (
		read = `mkdir -p "$D"; tar -c -S --numeric-owner -C "$D" -f - .; if [ -e "$D.grow" ]; then rm "$D.grow"; echo more >>"$D/log"; fi`
		// What was there goes: a copy is whole.
		write = `if [ -e "$D.break" ]; then rm "$D.break"; head -c 700 >/dev/null; echo "tar: Unexpected EOF" >&2; exit 2; fi
mkdir -p "$D"; find "$D" -mindepth 1 -delete; tar -x -p -S --numeric-owner -C "$D" -f -
if [ -e "$D.spoil" ]; then rm "$D.spoil"; printf X >>"$D/meta"; fi`
	)
	return policy.MoveVolumes{
		Source: at("source", read), Target: at("target", write), TargetRead: at("target", read), SourceWrite: at("source", write),
	}
}

func TestRealTarKeepsThePromises(t *testing.T) {
	for name, withSums := range map[string]bool{"read back": false, "by sums": true} {
		t.Run(name, func(t *testing.T) {
			runnertest.Volumes(t, func(t *testing.T) (runner.Volumes, runnertest.VolumesWorld) {
				root := t.TempDir()
				say := tarCommands(root)
				if withSums {
					say.SourceSum = []string{"sh", "-c", `D=` + root + `/source/{{.Instance}}/data; ` + sums}
					say.TargetSum = []string{"sh", "-c", `D=` + root + `/target/{{.Instance}}/data; ` + sums}
				}
				dir := func(side string, i int) string { return filepath.Join(root, side, fmt.Sprint(i), "data") }
				mark := func(side string, i int, what string) { put(t, dir(side, i)+"."+what, nil, 0o600) }
				return New(say, Local{}, Options{}), runnertest.VolumesWorld{
					Workload: index(2),
					Put: func(side string, i int, path, text string) {
						put(t, filepath.Join(dir(side, i), path), []byte(text), 0o640)
					},
					Files: func(side string, i int) map[string]string { return files(t, dir(side, i)) },
					Write: func(side string, i int) { mark(side, i, "grow") },
					Spoil: func(i int) { mark("target", i, "spoil") },
					Break: func(i int) { mark("target", i, "break") },
				}
			})
		})
	}
}

func put(t *testing.T, path string, content []byte, mode fs.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path == dir {
			return fs.SkipAll
		}
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		out[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestAWholeVolumeArrivesAsItWas(t *testing.T) {
	root := t.TempDir()
	from, to := filepath.Join(root, "source/0/data"), filepath.Join(root, "target/0/data")
	random := make([]byte, 64<<20)
	if _, err := rand.Read(random); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(from, "large.bin"), random, 0o600)
	put(t, filepath.Join(from, "sparse.img"), []byte("begin"), 0o600)
	if err := os.Truncate(filepath.Join(from, "sparse.img"), 64<<20); err != nil {
		t.Fatal(err)
	}
	for i := range 4000 {
		put(t, filepath.Join(from, fmt.Sprintf("small/%02d/file %04d", i%50, i)), fmt.Append(nil, i), 0o644)
	}
	for _, name := range []string{"with space", "new\nline", "-rf", `back\slash`, "quote'\"", "ümläut", strings.Repeat("long", 60), " leading", "a -> b"} {
		put(t, filepath.Join(from, "names", name), []byte(name), 0o644)
	}
	put(t, filepath.Join(from, "modes/setuid"), []byte("x"), 0o755|fs.ModeSetuid)
	put(t, filepath.Join(from, "modes/secret"), []byte("x"), 0o400)
	put(t, filepath.Join(from, "deep/"+strings.Repeat("folder/", 40)+"file"), []byte("x"), 0o644)
	put(t, filepath.Join(from, "one"), []byte("linked"), 0o644)
	for _, err := range []error{
		os.MkdirAll(filepath.Join(from, "empty/inner"), 0o750), os.Mkdir(filepath.Join(from, "lost+found"), 0o700),
		os.Symlink("large.bin", filepath.Join(from, "link")), os.Symlink("/no/such", filepath.Join(from, "dangling")),
		os.Link(filepath.Join(from, "one"), filepath.Join(from, "other")), syscall.Mkfifo(filepath.Join(from, "pipe"), 0o622),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if os.Getuid() == 0 {
		for name, id := range map[string]int{"modes/secret": 1234, "empty": 70, "one": 99, "link": 70} {
			if err := os.Lchown(filepath.Join(from, name), id, id+1); err != nil {
				t.Fatal(err)
			}
		}
	}
	l, err := net.Listen("unix", filepath.Join(from, "app.sock"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	v := New(tarCommands(root), Local{}, Options{})
	start := time.Now()
	c, err := v.Copy(t.Context(), index(2), 0, false)
	if err != nil || !c.Same || !slices.Equal(c.Skipped, []string{"app.sock"}) {
		t.Fatalf("Copy = %+v, %v, want all but app.sock the same", c, err)
	}
	t.Logf("%d bytes in 4,000 files copied and read back in %s", c.Size, time.Since(start).Round(time.Millisecond))
	var stat syscall.Stat_t
	if err := syscall.Stat(filepath.Join(to, "sparse.img"), &stat); err != nil || stat.Blocks*512 > 1<<20 {
		t.Errorf("the sparse file takes %d bytes at the target, %v", stat.Blocks*512, err)
	}
	got, err := os.ReadFile(filepath.Join(to, "large.bin"))
	if err != nil || !bytes.Equal(got, random) {
		t.Errorf("large.bin differs, %v", err)
	}
	for what, spoil := range map[string]func() error{
		"modes/secret": func() error { return os.Chmod(filepath.Join(to, "modes/secret"), 0o444) },
		"link": func() error {
			return errors.Join(os.Remove(filepath.Join(to, "link")), os.Symlink("small", filepath.Join(to, "link")))
		},
		"empty/inner": func() error { return os.Remove(filepath.Join(to, "empty/inner")) },
		"names/-rf":   func() error { return os.WriteFile(filepath.Join(to, "names/-rf"), []byte("_rf"), 0o644) },
		"large.bin":   func() error { return os.Truncate(filepath.Join(to, "large.bin"), 64<<20-1) },
	} {
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		x := v.way(false)
		p := place{Workload: "/shop/index", Volume: "data"}
		from, err := v.look(t.Context(), x.fromSum, x.fromAll, p)
		if err != nil {
			t.Fatal(err)
		}
		to, err := v.look(t.Context(), x.toSum, x.toAll, p)
		if err != nil {
			t.Fatal(err)
		}
		if names, _, _ := differ(from, to); !slices.Contains(names, what) {
			t.Errorf("after %s was spoilt %v differ", what, names)
		}
	}
	// And the next copy mends it all.
	if c, err := v.Copy(t.Context(), index(2), 0, false); err != nil || !c.Same {
		t.Errorf("Copy once more = %+v, %v", c, err)
	}
}

func TestNothingOfACommandRunsOnAfterItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	pids := filepath.Join(t.TempDir(), "pids")
	_, err := Local{}.Run(ctx, []string{"sh", "-c", "sleep 1000 & echo $! >" + pids + "; wait"}, nil, &bytes.Buffer{})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("Run = %v", err)
	}
	text, err := os.ReadFile(pids)
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Sscan(string(text), &pid); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Errorf("process %d runs on", pid)
}

func TestACommandThatIsNotThereIsAnError(t *testing.T) {
	say := tarCommands(t.TempDir())
	say.Target = []string{"no-such-program", "{{.Instance}}"}
	_, err := New(say, Local{}, Options{}).Copy(t.Context(), index(2), 0, false)
	if err == nil || !strings.Contains(err.Error(), "target: run no-such-program") {
		t.Errorf("Copy = %v", err)
	}
}
