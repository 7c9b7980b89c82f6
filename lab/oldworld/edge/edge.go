// Package edge is what marathon-lb is to Marathon: HAProxy, configured from the labels of apps and the tasks that are
// alive, reloaded without losing a connection when these change.
//
// Input: routes, and word that they have changed. Output: haproxy.cfg, and a running HAProxy in master-worker mode, which
// outlives a killed old world as tasks do. It never lets a task be ended that still answers requests, within a limit.
//
// Kept of marathon-lb: groups, service ports, VHOST, PATH, MODE, BALANCE, PORT, ENABLED, STICKY, BIND_ADDR, checks out of
// the app's own, names and ids of servers, the shared frontends by host name and by app. Left out: HTTPS, AUTH, redirects,
// rewriting, networks, templates in labels, maps, the state file of servers. Unlike it, a server whose task is to be killed
// is taken out and waited for before the task is asked to end, which marathon-lb leaves to zdd.py.
package edge

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/tranship/tranship/lab/oldworld/keep"
	"github.com/tranship/tranship/lab/oldworld/marathon"
	"github.com/tranship/tranship/lab/oldworld/proc"
)

const (
	settle    = 100 * time.Millisecond // changes come together
	apart     = 400 * time.Millisecond // between two reloads
	drainIn   = 10 * time.Second       // requests may take to end
	patience  = 10 * time.Second
	stopGrace = 3 * time.Second
)

// Edge is the load balancer.
type Edge struct {
	c Config
	m *marathon.Marathon

	mu     sync.Mutex
	there  bool
	loaded string          // the configuration that runs
	serves map[string]bool // tasks that are in it
}

// New starts nothing.
func New(c Config, m *marathon.Marathon) *Edge {
	if c.Program == "" {
		c.Program = "haproxy"
	}
	return &Edge{c: c, m: m}
}

func (c Config) file() string   { return filepath.Join(c.Dir, "haproxy.cfg") }
func (c Config) socket() string { return filepath.Join(c.Dir, "haproxy.sock") }
func (c Config) master() string { return filepath.Join(c.Dir, "master.sock") }
func (c Config) record() string { return filepath.Join(c.Dir, "haproxy.json") }

// Run serves until ctx ends.
func (e *Edge) Run(ctx context.Context) error {
	if e.c.Address == "" {
		return nil
	}
	program, err := exec.LookPath(e.c.Program)
	if err != nil {
		e.c.Log("no load balancer: %v", err)
		return nil
	}
	changes := e.m.Changes()
	var id proc.ID
	defer func() { e.stop(id) }()
	for {
		if !id.Alive() {
			if id, err = e.start(ctx, program); err != nil {
				e.c.Log("%v", err)
			}
		} else if err := e.load(ctx, program); err != nil {
			e.c.Log("%v", err)
		}
		if !pause(ctx, apart) {
			return nil
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changes:
			pause(ctx, settle)
		case <-time.After(2 * time.Second): // whatever word was lost
		}
	}
}

func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// start takes up the HAProxy of an earlier life, or starts one.
func (e *Edge) start(ctx context.Context, program string) (proc.ID, error) {
	if err := os.MkdirAll(e.c.Dir, 0o755); err != nil {
		return proc.ID{}, fmt.Errorf("start haproxy: %w", err)
	}
	var id proc.ID
	if found, err := keep.Load(e.c.record(), &id); err != nil {
		return id, err
	} else if found && id.Alive() {
		e.running(true)
		return id, nil
	}
	routes := e.m.Routes()
	text := Text(routes, e.c)
	if err := os.WriteFile(e.c.file(), []byte(text), 0o644); err != nil {
		return id, fmt.Errorf("start haproxy: %w", err)
	}
	log, err := os.OpenFile(filepath.Join(e.c.Dir, "haproxy.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return id, fmt.Errorf("start haproxy: %w", err)
	}
	defer log.Close()
	c := exec.Command(program, "-W", "-S", e.c.master()+",mode,600", "-f", e.c.file())
	c.Dir, c.Stdout, c.Stderr = e.c.Dir, log, log
	c.Env = append([]string{"PATH=/usr/local/sbin:/usr/sbin:/sbin:/usr/local/bin:/usr/bin:/bin"}, e.c.Env...)
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := c.Start(); err != nil {
		return id, fmt.Errorf("start haproxy: %w", err)
	}
	go func() { _ = c.Wait() }() // seen by its identity
	if id, err = proc.Identify(c.Process.Pid); err == nil {
		err = keep.Save(e.c.record(), id)
	}
	if err != nil {
		return id, err
	}
	for end := time.Now().Add(patience); ; {
		if _, err = ask(e.c.socket(), "show info"); err == nil {
			e.now(text, routes)
			e.running(true)
			return id, nil
		}
		if !id.Alive() || time.Now().After(end) || !pause(ctx, 50*time.Millisecond) {
			return id, fmt.Errorf("start haproxy: %w; its log is %s", err, log.Name())
		}
	}
}

func (e *Edge) running(yes bool) {
	e.mu.Lock()
	e.there = yes
	e.mu.Unlock()
}

// stop ends HAProxy: by its own way first, which lets requests end.
func (e *Edge) stop(id proc.ID) {
	e.running(false)
	id.Signal(syscall.SIGTERM, false)
	for end := time.Now().Add(stopGrace); id.Alive() && time.Now().Before(end); {
		time.Sleep(20 * time.Millisecond)
	}
	id.Signal(syscall.SIGKILL, true)
	_ = os.Remove(e.c.record()) // without the process it says nothing
}

// load brings the configuration up to the routes, if they differ. A configuration that HAProxy refuses is not loaded.
func (e *Edge) load(ctx context.Context, program string) error {
	routes := e.m.Routes()
	text := Text(routes, e.c)
	e.mu.Lock()
	same := e.loaded == text
	e.mu.Unlock()
	if same {
		return nil
	}
	next := e.c.file() + ".new"
	if err := os.WriteFile(next, []byte(text), 0o644); err != nil {
		return fmt.Errorf("write haproxy.cfg: %w", err)
	}
	check := exec.CommandContext(ctx, program, "-c", "-q", "-f", next)
	if out, err := check.CombinedOutput(); err != nil {
		return fmt.Errorf("haproxy refuses its configuration, the old one stays: %w: %s", err, out)
	}
	if err := os.Rename(next, e.c.file()); err != nil {
		return fmt.Errorf("write haproxy.cfg: %w", err)
	}
	before := worker(e.c.master())
	if _, err := ask(e.c.master(), "reload"); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reload haproxy: %w", err)
	}
	for end := time.Now().Add(patience); ; {
		// A worker is listed as soon as it is forked; once it answers, it has the listeners and has told the old one.
		if now := worker(e.c.master()); now != "" && now != before {
			if text, err := ask(e.c.master(), "@!"+now+" show info"); err == nil && strings.Contains(text, "Pid: "+now+"\n") {
				break
			}
		}
		if time.Now().After(end) || !pause(ctx, 20*time.Millisecond) {
			return errors.New("reload haproxy: no new worker")
		}
	}
	e.now(text, routes)
	return nil
}

// now notes what is loaded.
func (e *Edge) now(text string, routes []marathon.Route) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.loaded, e.serves = text, map[string]bool{}
	for _, s := range services(routes, e.c) {
		for _, x := range s.servers {
			e.serves[x.task] = e.serves[x.task] || !x.drained
		}
	}
}

// others waits until all that may be sent requests instead of a task are: it is no use to take it out before.
func (e *Edge) others(task string) {
	const patience = 30 * time.Second
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		missing := false
		for _, s := range services(e.m.Routes(), e.c) {
			for _, x := range s.servers {
				e.mu.Lock()
				missing = missing || !x.drained && x.task != task && !e.serves[x.task]
				e.mu.Unlock()
			}
		}
		if !missing {
			return
		}
	}
}

// worker gives the number of the present worker's process, empty while there is none.
func worker(master string) string {
	now, _ := workers(master)
	return now
}

// workers gives the present worker's number and those of old ones that still have connections.
func workers(master string) (now string, old []string) {
	text, err := ask(master, "show proc")
	if err != nil {
		return "", nil
	}
	inOld := false
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		switch {
		case strings.HasPrefix(line, "# old workers"):
			inOld = true
		case strings.HasPrefix(line, "#"):
			inOld = inOld && !strings.HasPrefix(line, "# workers") && !strings.HasPrefix(line, "# programs")
		case len(f) > 1 && f[1] == "worker" && inOld:
			old = append(old, f[0])
		case len(f) > 1 && f[1] == "worker":
			now = f[0]
		}
	}
	return now, old
}

// ask puts one command on a socket of HAProxy.
func ask(socket, command string) (string, error) {
	c, err := net.DialTimeout("unix", socket, time.Second)
	if err != nil {
		return "", fmt.Errorf("ask haproxy: %w", err)
	}
	defer func() { _ = c.Close() }() // what was said has been read
	if err := c.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return "", fmt.Errorf("ask haproxy: %w", err)
	}
	if _, err := io.WriteString(c, command+"\n"); err != nil {
		return "", fmt.Errorf("ask haproxy: %w", err)
	}
	// The master keeps the line open for more, unless it is told that nothing follows.
	if u, ok := c.(*net.UnixConn); ok {
		if err := u.CloseWrite(); err != nil {
			return "", fmt.Errorf("ask haproxy: %w", err)
		}
	}
	out, err := io.ReadAll(c)
	if err != nil && len(out) == 0 {
		return "", fmt.Errorf("ask haproxy: %w", err)
	}
	return string(out), nil
}

// Drain takes a task's servers out and waits until no request is with them, in no worker, or for ten seconds.
func (e *Edge) Drain(task string) {
	e.mu.Lock()
	there := e.there
	e.mu.Unlock()
	if !there {
		return
	}
	type place struct{ backend, server string }
	var places []place
	for _, s := range services(e.m.Routes(), e.c) {
		for _, x := range s.servers {
			if x.task == task {
				places = append(places, place{s.backend(), x.name()})
			}
		}
	}
	if len(places) == 0 {
		return
	}
	e.others(task)
	for end := time.Now().Add(drainIn); time.Now().Before(end); {
		now, old := workers(e.c.master())
		if now != "" {
			// Said again each time: a worker that has come meanwhile has not heard it. Old ones get nothing new by themselves.
			for _, p := range places {
				_, _ = ask(e.c.master(), "@!"+now+" set server "+p.backend+"/"+p.server+" state maint") // gone, if it cannot be set
			}
		}
		busy := 0
		for _, pid := range append(old, now) {
			if pid == "" {
				continue
			}
			text, err := ask(e.c.master(), "@!"+pid+" show stat -1 4 -1")
			if err != nil {
				continue // it has ended
			}
			for _, p := range places {
				busy += current(text, p.backend, p.server)
			}
		}
		if busy == 0 {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	e.c.Log("task %s: requests have not ended within %s", task, drainIn)
}

// current reads how many sessions a server has, out of `show stat`.
func current(text, backend, server string) int {
	in := bufio.NewScanner(strings.NewReader(text))
	for in.Scan() {
		f := strings.Split(in.Text(), ",")
		if len(f) > 4 && f[0] == backend && f[1] == server {
			n := 0
			_, _ = fmt.Sscan(f[4], &n) // 0 says it
			return n
		}
	}
	return 0
}
