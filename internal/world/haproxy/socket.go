package haproxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"time"

	"github.com/tranship/tranship/internal/rollout/runner"
)

// A socket takes HAProxy's runtime commands.
type socket struct{ network, address string }

// socketOf reads a path or host:port.
func socketOf(s string) socket {
	s = strings.TrimPrefix(s, "unix@")
	if strings.Contains(s, "/") {
		return socket{"unix", s}
	}
	return socket{"tcp", s}
}

// patience is how long one question may take. HAProxy answers from memory.
const patience = 5 * time.Second

var errSilent = errors.New("haproxy does not answer on its socket")

// ask sends commands as one line, so that nothing comes between them, and gives all that is answered.
func (s socket) ask(ctx context.Context, commands ...string) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errSilent)
	defer cancel()
	conn, err := s.dial(ctx)
	if err != nil {
		return "", err
	}
	defer shut(conn)
	defer context.AfterFunc(ctx, func() { shut(conn) })()
	if _, err = io.WriteString(conn, strings.Join(commands, ";")+"\n"); err == nil {
		var answer []byte
		if answer, err = io.ReadAll(conn); err == nil {
			return string(answer), nil
		}
	}
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return "", fmt.Errorf("ask haproxy at %s: %w", s.address, err)
}

func (s socket) dial(ctx context.Context) (net.Conn, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, s.network, s.address)
	if err != nil {
		return nil, fmt.Errorf("reach haproxy: %w", err)
	}
	return conn, nil
}

// act sends commands that answer nothing, or one of the words given, if they
// did what they say. Any other answer is ErrRefused. What was sent is waited for
// even if ctx ends, so that it cannot take effect after what is sent next.
func (s socket) act(ctx context.Context, commands []string, good ...string) error {
	if len(commands) == 0 {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	answer, err := s.ask(context.WithoutCancel(ctx), commands...)
	if err != nil {
		return err
	}
	for line := range strings.Lines(answer) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		fine := false
		for _, g := range good {
			fine = fine || strings.Contains(line, g)
		}
		if !fine {
			return fmt.Errorf("haproxy answers %q to %q: %w", line, strings.Join(commands, "; "), runner.ErrRefused)
		}
	}
	return nil
}

// shut closes a connection of which nothing more is expected.
func shut(conn net.Conn) { _ = conn.Close() }
