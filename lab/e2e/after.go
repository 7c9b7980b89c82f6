package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/tranship/tranship/lab/process"
)

// afterwards shows what the move was for: on the cluster that the story has
// moved the estate to.
func (s *stage) afterwards(ctx context.Context, r *report, o options) error {
	r.section("after the move")
	if _, err := s.pod(ctx, "query"); err != nil {
		return fmt.Errorf("%w; this part needs the story before it", err)
	}
	if err := s.restarts(ctx, r); err != nil {
		return err
	}
	if err := s.flat(ctx, r, o); err != nil {
		return err
	}
	return s.scales(ctx, r)
}

// pod gives the addresses of a service's ready pods.
func (s *stage) pod(ctx context.Context, service string) ([]string, error) {
	out, err := s.kubectl(ctx, "-n", "telemetry", "get", "pods", "-l", "app.kubernetes.io/name="+service,
		"-o", `jsonpath={range .items[?(@.status.phase=="Running")]}{.status.podIP} {end}`)
	if err != nil {
		return nil, err
	}
	list := strings.Fields(out)
	if len(list) == 0 {
		return nil, fmt.Errorf("%s has no pod that runs", service)
	}
	return list, nil
}

// processes gives those of the lab's nodes that run a program.
func (s *stage) processes(program string) []int {
	var out []int
	for _, n := range s.facts.Kubernetes.Nodes {
		for _, p := range process.InCgroup(n.Cgroup) {
			exe, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", p.PID))
			if err == nil && filepath.Base(exe) == program {
				out = append(out, p.PID)
			}
		}
	}
	return out
}

// restarts kills a copy on either side.
func (s *stage) restarts(ctx context.Context, r *report) error {
	pids := s.processes("query")
	if len(pids) == 0 {
		return fmt.Errorf("no process of query on any node")
	}
	if err := syscall.Kill(pids[0], syscall.SIGKILL); err != nil {
		return err
	}
	at := time.Now()
	err := until(ctx, "the killed copy is back", time.Minute, func(context.Context) (bool, error) {
		return len(s.processes("query")) >= len(pids), nil
	})
	if err != nil {
		return err
	}
	back := time.Since(at)
	r.most("a killed copy is back by itself at the target after", back.Seconds(), "s", 5)
	return s.neverBack(ctx, r)
}

// neverBack kills the same program in the old world, which does not restart what
// failed when it is told so, as in the story.
func (s *stage) neverBack(ctx context.Context, r *report) error {
	m := s.facts.OldWorld.Marathon
	const app = "/v2/apps/lab/victim"
	fault := func(off bool) error {
		return s.ask(ctx, s.old, http.MethodPatch, m+"/lab/v1/faults", map[string]any{"restartFailed": !off}, nil)
	}
	if err := s.reactivate(ctx); err != nil {
		return err
	}
	if err := fault(true); err != nil {
		return err
	}
	defer func() {
		_ = fault(false)
		_ = s.ask(ctx, s.old, http.MethodDelete, m+app+"?force=true", nil, nil)
	}()
	def := map[string]any{"id": "/lab/victim", "cmd": "exec sleep 3600", "cpus": 0.01, "mem": 16, "instances": 1}
	if err := s.ask(ctx, s.old, http.MethodPut, m+app+"?force=true", def, nil); err != nil {
		return err
	}
	running := func(ctx context.Context) (int, error) {
		var a struct{ App struct{ TasksRunning int } }
		err := s.get(ctx, s.old, m+app, &a)
		return a.App.TasksRunning, err
	}
	err := until(ctx, "the victim runs", 30*time.Second, func(ctx context.Context) (bool, error) {
		n, err := running(ctx)
		return n == 1, err
	})
	if err != nil {
		return err
	}
	for _, p := range process.InNetwork(s.facts.Namespaces.Old) {
		line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", p.PID))
		if err == nil && strings.HasPrefix(string(line), "sleep\x003600") {
			if err := syscall.Kill(p.PID, syscall.SIGKILL); err != nil {
				return err
			}
		}
	}
	time.Sleep(20 * time.Second)
	n, err := running(ctx)
	if err != nil {
		return err
	}
	r.zero("copies that the old world started again within 20 s", int64(n))
	return nil
}

// flat streams a long range of ten million readings, and looks at the memory of
// who reads it.
func (s *stage) flat(ctx context.Context, r *report, o options) error {
	rows := 10_000_000
	if !o.full {
		rows = 1_000_000
	}
	s.say("seeding %d readings", rows)
	if _, err := s.run(ctx, "env", "DATABASE_URL="+s.application(door(s.facts, "database")), s.migrate,
		"-seed", strconv.Itoa(rows), "-from", "2024-01-01T00:00:00Z", "-days", "30"); err != nil {
		return err
	}
	before := s.largest("query")
	stop, peak := make(chan struct{}), before
	var wait sync.WaitGroup
	wait.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(100 * time.Millisecond):
				peak = max(peak, s.largest("query"))
			}
		}
	})
	begun := time.Now()
	lines, err := s.stream(ctx, "http://"+door(s.facts, "query")+"/v1/ranges?from=2024-01-01T00:00:00Z&to=2024-02-01T00:00:00Z")
	close(stop)
	wait.Wait()
	if err != nil {
		return err
	}
	r.note("%d lines of %d readings streamed in %s", lines, rows, time.Since(begun).Round(time.Second))
	r.all("readings of the range that came", lines, rows)
	r.most("memory of the query service while it streamed, over that before", float64(peak-before)/(1<<20), "MiB", 32)
	return nil
}

// largest is the resident memory, in bytes, of the largest process of a program.
func (s *stage) largest(program string) int64 {
	most := int64(0)
	for _, pid := range s.processes(program) {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
		if err != nil {
			continue
		}
		if f := strings.Fields(string(text)); len(f) > 1 {
			if pages, err := strconv.ParseInt(f[1], 10, 64); err == nil {
				most = max(most, pages*int64(os.Getpagesize()))
			}
		}
	}
	return most
}

// stream reads an answer to its end and counts its lines.
func (s *stage) stream(ctx context.Context, url string) (int, error) {
	c := *s.lan
	c.Timeout = 20 * time.Minute
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, err
	}
	resp, err := c.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("%s: %s", url, resp.Status)
	}
	lines := 0
	in := bufio.NewReaderSize(resp.Body, 1<<16)
	for {
		_, err := in.ReadSlice('\n')
		if err == nil {
			lines++
			continue
		}
		if err.Error() == "EOF" {
			return lines, nil
		}
		return lines, err
	}
}

// scales has long reads raise the query service's CPU until the autoscaler adds
// copies, and waits until they are gone again.
func (s *stage) scales(ctx context.Context, r *report) error {
	replicas := func(ctx context.Context) (int, error) {
		out, err := s.kubectl(ctx, "-n", "telemetry", "get", "deployment", "query", "-o", "jsonpath={.status.readyReplicas}")
		if err != nil {
			return 0, err
		}
		return strconv.Atoi(strings.TrimSpace(out))
	}
	two := func(ctx context.Context) (bool, error) {
		n, err := replicas(ctx)
		return n == 2, err
	}
	// What streamed just now may have added some, or is about to.
	since := time.Now()
	calm := func(ctx context.Context) (bool, error) {
		ok, err := two(ctx)
		if !ok {
			since = time.Now()
		}
		return time.Since(since) > 25*time.Second, err
	}
	if err := until(ctx, "two copies of query to begin with, for a while", 7*time.Minute, calm); err != nil {
		return err
	}
	reading, stop := context.WithCancel(ctx)
	var wait sync.WaitGroup
	for range 6 {
		wait.Go(func() {
			for reading.Err() == nil {
				_, _ = s.stream(reading, "http://"+door(s.facts, "query")+"/v1/ranges?from=2024-01-01T00:00:00Z&to=2024-01-04T00:00:00Z")
			}
		})
	}
	begun, most := time.Now(), 2
	up := until(ctx, "four copies of query", 3*time.Minute, func(ctx context.Context) (bool, error) {
		n, err := replicas(ctx)
		most = max(most, n)
		return n >= 4, err
	})
	took := time.Since(begun)
	stop()
	wait.Wait()
	r.least(fmt.Sprintf("copies of query under long reads, from 2, in %s", took.Round(time.Second)), float64(most), "", 4)
	if up != nil {
		r.note("%v", up)
	}
	begun = time.Now()
	if err := until(ctx, "two copies of query again", 7*time.Minute, two); err != nil {
		r.note("%v", err)
		return nil
	}
	r.note("back at two copies after %s", time.Since(begun).Round(time.Second))
	return nil
}
