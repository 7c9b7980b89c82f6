package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/tranship/tranship/internal/base/corpus"
)

// BenchmarkWay runs discover, plan and render as child processes on Marathon's
// own 500-app benchmark group and on that group repeated to 10,000 apps. It
// reports the time of the three together per app, and the largest VmHWM of
// them; the last line compares the two sizes.
func BenchmarkWay(b *testing.B) {
	group, err := os.ReadFile(filepath.Join(corpus.Dir(b),
		"marathon/groups/mesosphere__marathon/benchmark_src_main_resources_mocks_json_real_155_500.json"))
	if err != nil {
		b.Fatal(err)
	}
	bin := filepath.Join(b.TempDir(), "tranship")
	if out, err := exec.Command("go", "build", "-o", bin, "../../cmd/tranship").CombinedOutput(); err != nil {
		b.Fatalf("build: %v\n%s", err, out)
	}
	perApp := map[int]float64{}
	for _, times := range []int{1, 20} {
		apps := times * 500
		b.Run(strconv.Itoa(apps), func(b *testing.B) {
			for b.Loop() {
				dir := b.TempDir()
				in := filepath.Join(dir, "groups.json")
				if err := os.WriteFile(in, repeat(b, group, times), 0o600); err != nil {
					b.Fatal(err)
				}
				var total time.Duration
				peak := 0
				for _, args := range [][]string{
					{"discover", in, "--out", "estate.json", "--fields", "fields.jsonl", "-o", "json"},
					{"plan", "estate.json", "--as-of", "2026-11-24", "--out", "plan.json", "-o", "json"},
					{"render", "plan.json", "--out", "out", "--report=false", "-o", "json"},
				} {
					took, hwm := child(b, dir, bin, args)
					total += took
					peak = max(peak, hwm)
					b.ReportMetric(took.Seconds(), args[0]+"-s")
					b.ReportMetric(float64(hwm)/1024, args[0]+"-MiB")
				}
				perApp[apps] = total.Seconds() * 1000 / float64(apps)
				b.ReportMetric(perApp[apps], "ms/app")
				b.ReportMetric(float64(peak)/1024, "peak-MiB")
			}
		})
	}
	if perApp[500] > 0 && perApp[10000] > 0 {
		b.Logf("time per app at 10,000 apps is %.2f times that at 500", perApp[10000]/perApp[500])
	}
}

// repeat gives a group tree that holds the tree n times, each copy in a group
// of its own.
func repeat(b *testing.B, group []byte, n int) []byte {
	b.Helper()
	if n == 1 {
		return group
	}
	var root map[string]any
	var out bytes.Buffer
	out.WriteString(`{"id":"/","apps":[],"groups":[`)
	for i := range n {
		if err := json.Unmarshal(group, &root); err != nil {
			b.Fatal(err)
		}
		prefix := fmt.Sprintf("/copy%02d", i)
		shift(root, prefix)
		root["id"] = prefix
		data, err := json.Marshal(root)
		if err != nil {
			b.Fatal(err)
		}
		if i > 0 {
			out.WriteByte(',')
		}
		out.Write(data)
	}
	out.WriteString(`]}`)
	return out.Bytes()
}

func shift(g map[string]any, prefix string) {
	for _, kind := range []string{"apps", "groups", "pods"} {
		list, _ := g[kind].([]any)
		for _, x := range list {
			m := x.(map[string]any)
			if id, ok := m["id"].(string); ok {
				m["id"] = prefix + "/" + trim(id)
			}
			if deps, ok := m["dependencies"].([]any); ok {
				for i, d := range deps {
					deps[i] = prefix + "/" + trim(d.(string))
				}
			}
			if kind == "groups" {
				shift(m, prefix)
			}
		}
	}
}

func trim(id string) string {
	if id != "" && id[0] == '/' {
		return id[1:]
	}
	return id
}

var hwmLine = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// child runs the program and gives its time and its VmHWM in KiB, as the
// kernel last told it while the program ran.
func child(b *testing.B, dir, bin string, args []string) (time.Duration, int) {
	b.Helper()
	cmd := exec.Command(bin, args...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	begin := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	status, hwm := fmt.Sprintf("/proc/%d/status", cmd.Process.Pid), 0
	for {
		select {
		case err := <-done:
			took := time.Since(begin)
			if err != nil && cmd.ProcessState.ExitCode() != 1 {
				b.Fatalf("%v: %v\n%s", args, err, stderr.String())
			}
			return took, hwm
		case <-time.After(5 * time.Millisecond):
			if data, err := os.ReadFile(status); err == nil {
				if m := hwmLine.FindSubmatch(data); m != nil {
					hwm, _ = strconv.Atoi(string(m[1]))
				}
			}
		}
	}
}
