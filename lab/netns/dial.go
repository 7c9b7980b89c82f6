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
	return inside(namespace, func() (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, address)
	})
}

// inside does something in a namespace, on a thread that is not used for anything else afterwards.
func inside[T any](namespace string, do func() (T, error)) (T, error) {
	var none T
	f, err := os.Open(filepath.Join(folder, namespace))
	if err != nil {
		return none, fmt.Errorf("enter namespace: %w", err)
	}
	defer f.Close()
	if err := unix.Setns(int(f.Fd()), unix.CLONE_NEWNET); err != nil {
		return none, fmt.Errorf("enter namespace %s: %w", namespace, err)
	}
	return do()
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

// Listen listens inside of a namespace. The listener stays there when this returns.
func Listen(ctx context.Context, namespace, network, address string) (net.Listener, error) {
	type result struct {
		l   net.Listener
		err error
	}
	done := make(chan result, 1)
	go func() {
		runtime.LockOSThread() // and never given back, as in Dial
		l, err := inside(namespace, func() (net.Listener, error) { return new(net.ListenConfig).Listen(ctx, network, address) })
		done <- result{l, err}
	}()
	r := <-done
	return r.l, r.err
}
