package haproxy

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tranship/tranship/internal/base/hist"
)

// latencies are the times of requests by backend and side, as the log tells them.
type latencies struct {
	mu        sync.Mutex
	backends  map[string]*[2]hist.Hist // source and target
	following bool
	requests  int64
	// lost of the lines of the process pid, which has dropped so many in all.
	lost, dropped int64
	pid           int
}

// Ring tells how latencies are being read.
type Ring struct {
	// Following: the ring is read at this moment.
	Following bool
	// Requests whose times were read, and Lost log lines for which the ring had no room.
	Requests, Lost int64
}

// Ring tells how latencies are being read.
func (t *Traffic) Ring() Ring {
	t.times.mu.Lock()
	defer t.times.mu.Unlock()
	return Ring{Following: t.times.following, Requests: t.times.requests, Lost: t.times.lost}
}

// again is how long Run waits before it reaches for the ring again, and how
// often it asks whether HAProxy was reloaded: the process that it follows lives
// on after a reload, as long as somebody follows it.
const again = time.Second

// errReloaded ends the reading of a process that is no longer the one that serves.
var errReloaded = errors.New("haproxy was reloaded")

// errNoRing: the configuration has no ring of that name.
var errNoRing = errors.New("haproxy has no such ring")

// errOver ends reading because the caller is done.
var errOver = errors.New("the ring is followed no longer")

// Run follows the ring until ctx ends, through reloads and restarts. It is what
// Observe has latencies from. It gives ctx's error, or says that there
// is no such ring.
func (t *Traffic) Run(ctx context.Context) error {
	pid := 0
	for {
		next, err := t.follow(ctx, pid)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, errNoRing):
			return err
		case !errors.Is(err, errReloaded):
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-time.After(again):
			}
		}
		pid = next
	}
}

// follow reads one process' ring until it ends or another process serves, and
// gives the process' id. Of a process that began while last was followed, it
// reads all; of one that was there before, what comes from now on.
func (t *Traffic) follow(ctx context.Context, last int) (pid int, err error) {
	if pid, err = t.socket.process(ctx); err != nil {
		return last, err
	}
	conn, err := t.socket.dial(ctx)
	if err != nil {
		return last, err
	}
	defer shut(conn)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(errOver)
	defer context.AfterFunc(ctx, func() { shut(conn) })()
	command := "show events " + t.o.Ring + " -w"
	if last == 0 || last == pid {
		command += " -n"
	}
	if _, err := io.WriteString(conn, command+"\n"); err != nil {
		return pid, fmt.Errorf("follow ring %s: %w", t.o.Ring, err)
	}
	t.times.follows(true)
	defer t.times.follows(false)
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		t.watch(ctx, pid, cancel)
	}()
	err = t.times.read(conn, t.o.Ring)
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	cancel(errOver)
	<-watched
	return pid, err
}

// watch ends the reading with errReloaded once another process serves.
func (t *Traffic) watch(ctx context.Context, pid int, end context.CancelCauseFunc) {
	tick := time.NewTicker(again)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if now, err := t.socket.process(ctx); err == nil && now != pid {
				end(errReloaded)
				return
			}
		}
	}
}

// process gives the id of the process that serves.
func (s socket) process(ctx context.Context) (int, error) {
	answer, err := s.ask(ctx, "show info")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(answer) {
		if value, ok := strings.CutPrefix(line, "Pid: "); ok {
			return strconv.Atoi(strings.TrimSpace(value))
		}
	}
	return 0, fmt.Errorf("haproxy does not tell its process: %.80q", answer)
}

func (l *latencies) read(r io.Reader, ring string) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := lines.Text()
		if strings.HasPrefix(line, "No such event sink") || strings.HasPrefix(line, "This event sink") {
			return fmt.Errorf("ring %s: %s: %w", ring, line, errNoRing)
		}
		if backend, server, d, ok := timed(line); ok {
			l.add(backend, server, d)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("follow ring %s: %w", ring, err)
	}
	return io.ErrUnexpectedEOF
}

// timed reads a line of the log: somewhere in it stand backend/server and then
// TR/Tw/Tc/Tr/Ta, as in "option httplog". The time is from the end of the
// request's header to the end of the answer, or to when waiting for it ended.
// Requests that found no server have none.
func timed(line string) (backend, server string, d time.Duration, ok bool) {
	words := strings.Fields(line)
	for i := 1; i < len(words); i++ {
		backend, server, found := strings.Cut(words[i-1], "/")
		if !found || strings.HasPrefix(server, "<") || strings.Contains(server, "/") {
			continue
		}
		parts := strings.Split(words[i], "/")
		if len(parts) != 5 {
			continue
		}
		whole, err := strconv.Atoi(strings.TrimPrefix(parts[4], "+"))
		if err != nil {
			continue
		}
		header, err := strconv.Atoi(parts[0])
		if err != nil || header < 0 || whole < header {
			continue
		}
		return backend, server, time.Duration(whole-header) * time.Millisecond, true
	}
	return "", "", 0, false
}

func (l *latencies) add(backend, server string, d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.backends[backend]
	if h == nil {
		h = new([2]hist.Hist)
		l.backends[backend] = h
	}
	at := 0
	if ourServer.MatchString(server) {
		at = 1
	}
	h[at].Add(d)
	l.requests++
}

// of gives copies of a backend's times, nil while nobody follows the ring.
func (l *latencies) of(backend string) (source, target *hist.Hist) {
	l.mu.Lock()
	defer l.mu.Unlock()
	h := l.backends[backend]
	switch {
	case h != nil:
		s, t := h[0], h[1]
		return &s, &t
	case l.following:
		return new(hist.Hist), new(hist.Hist)
	}
	return nil, nil
}

func (l *latencies) follows(yes bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.following = yes
}

// drops counts the log lines that found no room since the last look, of
// whichever backend.
func (l *latencies) drops(st *state) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.pid == st.pid {
		l.lost += max(st.dropped-l.dropped, 0)
	}
	l.pid, l.dropped = st.pid, st.dropped
}
