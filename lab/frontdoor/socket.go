package frontdoor

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// Ask sends one command to a socket of HAProxy's and gives the answer.
func Ask(ctx context.Context, socket, command string) (string, error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", socket)
	if err != nil {
		return "", fmt.Errorf("ask haproxy: %w", err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return "", fmt.Errorf("ask haproxy: %w", err)
	}
	if _, err := io.WriteString(conn, command+"\n"); err != nil {
		return "", fmt.Errorf("ask haproxy: %w", err)
	}
	answer, err := io.ReadAll(conn)
	if err != nil {
		return "", fmt.Errorf("ask haproxy: %w", err)
	}
	return strings.TrimSpace(string(answer)), nil
}
