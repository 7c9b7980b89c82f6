package netns

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// Dial connects from inside of a namespace. The address has to be of digits: names are not resolved there.
func Dial(ctx context.Context, namespace, network, address string) (net.Conn, error) {
	type result struct {
		conn net.Conn
		err  error
	}
	done := make(chan result, 1)
	go func() {
		// The thread changes its namespace and is never given back: the runtime ends it with the goroutine.
		runtime.LockOSThread()
		conn, err := dial(ctx, namespace, network, address)
		done <- result{conn, err}
	}()
	r := <-done
	return r.conn, r.err
}

func dial(ctx context.Context, namespace, network, address string) (net.Conn, error) {
	f, err := os.Open(filepath.Join(folder, namespace))
	if err != nil {
		return nil, fmt.Errorf("enter namespace: %w", err)
	}
	defer f.Close()
	if err := unix.Setns(int(f.Fd()), unix.CLONE_NEWNET); err != nil {
		return nil, fmt.Errorf("enter namespace %s: %w", namespace, err)
	}
	var d net.Dialer
	return d.DialContext(ctx, network, address)
}

// Client asks by HTTP from inside of a namespace.
func Client(namespace string) *http.Client {
	return &http.Client{
		Timeout: 5 * time.Second,
		Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
				return Dial(ctx, namespace, network, address)
			},
		},
	}
}
