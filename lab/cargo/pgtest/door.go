package pgtest

import (
	"io"
	"net"
	"sync"
	"testing"
)

// Door is an address that leads to one server, and after Turn to another: what a front door does at a cutover.
type Door struct {
	Address string
	mu      sync.Mutex
	to      string
	open    map[net.Conn]bool
}

// NewDoor leads to address until it is turned; it closes with the test.
func NewDoor(t testing.TB, address string) *Door {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	d := &Door{Address: l.Addr().String(), to: address, open: map[net.Conn]bool{}}
	t.Cleanup(func() {
		_ = l.Close()
		d.Turn("")
	})
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go d.serve(c)
		}
	}()
	return d
}

// Turn cuts all connections, and leads new ones to address; to none if it is empty.
func (d *Door) Turn(address string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.to = address
	for c := range d.open {
		_ = c.Close()
	}
	clear(d.open)
}

func (d *Door) serve(in net.Conn) {
	defer func() { _ = in.Close() }()
	d.mu.Lock()
	to := d.to
	d.mu.Unlock()
	if to == "" {
		return
	}
	out, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer func() { _ = out.Close() }()
	d.mu.Lock()
	if d.to != to {
		d.mu.Unlock()
		return
	}
	d.open[in], d.open[out] = true, true
	d.mu.Unlock()
	done := make(chan struct{}, 2)
	pass := func(to, from net.Conn) {
		_, _ = io.Copy(to, from)
		done <- struct{}{}
	}
	go pass(out, in)
	go pass(in, out)
	<-done
	d.mu.Lock()
	delete(d.open, in)
	delete(d.open, out)
	d.mu.Unlock()
}
