package capture_test

import (
	"context"
	"io"
	"io/fs"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/tranship/tranship/internal/base/snapshot"
	"github.com/tranship/tranship/internal/capture"
	"github.com/tranship/tranship/internal/capture/capturetest"
)

// The questions that a source of each kind is asked when it answers them all.
const (
	groups = "/v2/groups?embed=group.groups&embed=group.apps&embed=group.pods"
	jobs   = "/v1/jobs?embed=schedules&embed=activeRuns&embed=historySummary"
)

// marathon is a world that answers all that Marathon is asked.
func marathon() *capturetest.World {
	return capturetest.NewWorld(map[string]string{
		"/v2/info":        `{"name":"marathon","version":"1.11.24"}`,
		groups:            `{"id":"/","apps":[{"id":"/cart","cmd":"sleep 1"}],"groups":[],"pods":[]}`,
		"/v2/deployments": `[]`,
		"/v2/queue":       `{"queue":[]}`,
		"/v2/tasks":       `{"tasks":[]}`,
	})
}

func metronome() *capturetest.World {
	return capturetest.NewWorld(map[string]string{jobs: `[{"id":"nightly","run":{"cmd":"true"}}]`})
}

// calls are those that a master is asked when it gives its state.
func calls() []string {
	return []string{
		"GET_VERSION", "GET_FLAGS", "GET_AGENTS", "GET_FRAMEWORKS", "GET_ROLES", "GET_QUOTA", "GET_WEIGHTS",
		"GET_MAINTENANCE_SCHEDULE", "GET_MAINTENANCE_STATUS",
	}
}

func mesos() *capturetest.World {
	w := capturetest.NewWorld(map[string]string{"/master/state": `{"slaves":[],"frameworks":[]}`})
	for _, call := range calls() {
		w.Set(call, `{"type":"`+call+`"}`)
	}
	return w
}

// A listener hands connections over without a socket, so that a test's clock
// may stand still.
type listener struct {
	conns chan net.Conn
	done  chan struct{}
	once  sync.Once
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.once.Do(func() { close(l.done) })
	return nil
}

func (l *listener) Addr() net.Addr { return &net.UnixAddr{Name: "memory"} }

// A network is hosts, each with what answers there.
type network struct {
	mu    sync.Mutex
	hosts map[string]*listener
	dials []string
}

// connect serves hosts until the test ends.
func connect(t *testing.T, hosts map[string]http.Handler) *network {
	t.Helper()
	n := &network{hosts: map[string]*listener{}}
	for host, handler := range hosts {
		l := &listener{conns: make(chan net.Conn), done: make(chan struct{})}
		n.hosts[host] = l
		server := &http.Server{Handler: handler}
		served := make(chan error, 1)
		go func() { served <- server.Serve(l) }()
		t.Cleanup(func() {
			_ = server.Close()
			<-served
		})
	}
	return n
}

func (n *network) dial(ctx context.Context, _, addr string) (net.Conn, error) {
	n.mu.Lock()
	n.dials = append(n.dials, addr)
	l := n.hosts[addr]
	n.mu.Unlock()
	if l == nil {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	near, far := net.Pipe()
	select {
	case l.conns <- far:
		return near, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// events keeps what it is told.
type events struct {
	mu  sync.Mutex
	all []capture.Event
}

func (e *events) Progress(event capture.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, event)
}

func (e *events) of(state capture.State) []capture.Event {
	e.mu.Lock()
	defer e.mu.Unlock()
	var out []capture.Event
	for _, event := range e.all {
		if event.State == state {
			out = append(out, event)
		}
	}
	return out
}

func noon() time.Time { return time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC) }

// take runs a capture that must not be stopped by this side.
func take(t *testing.T, folder capture.Folder, opts capture.Options, sources ...capture.Source) capture.Report {
	t.Helper()
	report, err := try(t.Context(), folder, opts, sources...)
	if err != nil {
		t.Fatalf("Run = %v", err)
	}
	if problems := report.Snapshot.Verify(folder.FS()); problems != nil {
		t.Errorf("the folder is not what its list says: %v", problems)
	}
	return report
}

func try(ctx context.Context, folder capture.Folder, opts capture.Options, sources ...capture.Source) (capture.Report, error) {
	c, err := capture.New(sources, folder, noon, opts)
	if err != nil {
		return capture.Report{}, err
	}
	return c.Run(ctx)
}

// outcome finds what became of the answer at path.
func outcome(t *testing.T, report capture.Report, path string) capture.Outcome {
	t.Helper()
	for _, o := range report.Outcomes {
		if o.Path == path {
			return o
		}
	}
	t.Fatalf("no outcome for %s among %+v", path, report.Outcomes)
	return capture.Outcome{}
}

// states writes the outcomes down, one a line.
func states(report capture.Report) []string {
	var out []string
	for _, o := range report.Outcomes {
		out = append(out, o.Path+" "+string(o.State))
	}
	return out
}

// everything is all that a capture left: files, names, list, report, events.
func everything(t *testing.T, folder capture.Folder, report capture.Report, seen *events) string {
	t.Helper()
	var out strings.Builder
	err := fs.WalkDir(folder.FS(), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		out.WriteString(name)
		f, err := folder.FS().Open(name)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }()
		_, err = io.Copy(&out, f)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range report.Outcomes {
		out.WriteString(o.URL + o.Path + o.Problem + o.Hint)
	}
	for _, e := range seen.all {
		out.WriteString(e.Path + e.Problem)
	}
	return out.String()
}

// list reads snapshot.json as another program would.
func list(t *testing.T, folder capture.Folder) snapshot.Snapshot {
	t.Helper()
	s, err := snapshot.Read(folder.FS())
	if err != nil {
		t.Fatal(err)
	}
	return s
}
