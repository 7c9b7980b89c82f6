//go:build integration

package postgres_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// frontDoor stands before both servers and sends clients to one of them.
type frontDoor struct {
	s *servers
	l net.Listener
	// orders is where a mover in another process says where to send them.
	orders net.Listener

	mu    sync.Mutex
	side  string
	conns map[net.Conn]string
}

func newFrontDoor(t testing.TB, s *servers) *frontDoor {
	t.Helper()
	f := &frontDoor{s: s, side: "source", conns: map[net.Conn]string{}}
	for _, l := range []*net.Listener{&f.l, &f.orders} {
		var err error
		if *l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = (*l).Close() })
	}
	go f.serve(f.l, f.pass)
	go f.serve(f.orders, func(c net.Conn) {
		defer c.Close()
		side, err := bufio.NewReader(c).ReadString('\n')
		if err == nil {
			f.send(side[:len(side)-1])
			fmt.Fprintln(c, "done")
		}
	})
	return f
}

func (f *frontDoor) serve(l net.Listener, what func(net.Conn)) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go what(c)
	}
}

func (f *frontDoor) pass(c net.Conn) {
	defer c.Close()
	f.mu.Lock()
	side := f.side
	f.conns[c] = side
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(f.conns, c)
	}()
	up, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", f.s.ports[side]))
	if err != nil {
		return
	}
	defer up.Close()
	f.mu.Lock()
	late := f.side != side
	f.mu.Unlock()
	if late {
		return
	}
	go func() {
		_, _ = io.Copy(up, c)
		_ = up.Close()
		_ = c.Close()
	}()
	_, _ = io.Copy(c, up)
}

// send sends new connections to a side and cuts those to the other.
func (f *frontDoor) send(side string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.side = side
	for c, to := range f.conns {
		if to != side {
			_ = c.Close()
		}
	}
}

// crowd are clients that write without a break through the front door, and try
// again until they are acknowledged.
type crowd struct {
	w    *world
	door *frontDoor
	stop context.CancelFunc
	wait sync.WaitGroup

	mu      sync.Mutex
	acked   []int64        // by client: the last number that was acknowledged
	drawn   map[int64]bool // numbers of the sequence
	double  []int64        // those that were drawn twice
	failed  int            // attempts that were not acknowledged
	writes  int            // that were
	gap     time.Duration  // the longest time without an acknowledgement of anybody
	last    time.Time      // of an acknowledgement
	refused map[string]int // why attempts failed
}

const crowdTable = `CREATE TABLE marks (client int, seq bigint, n bigserial UNIQUE, PRIMARY KEY (client, seq))`

func newCrowd(w *world, door *frontDoor, clients int) *crowd {
	ctx, stop := context.WithCancel(context.Background())
	c := &crowd{w: w, door: door, stop: stop, acked: make([]int64, clients), drawn: map[int64]bool{}, refused: map[string]int{}, last: time.Now()}
	for i := range clients {
		c.wait.Go(func() { c.write(ctx, i) })
	}
	return c
}

func (c *crowd) write(ctx context.Context, client int) {
	var conn *pgx.Conn
	defer func() {
		if conn != nil {
			_ = conn.Close(context.Background())
		}
	}()
	url := fmt.Sprintf("postgres://%s@%s/%s?sslmode=disable", c.w.name, c.door.l.Addr(), c.w.name)
	for seq := int64(1); ctx.Err() == nil; {
		own, cancel := context.WithTimeout(context.Background(), 15*time.Second)
		var n int64
		var err error
		if conn == nil || conn.IsClosed() {
			conn, err = pgx.Connect(own, url)
		}
		if err == nil {
			// Written once only, also if the answer to an earlier attempt was lost.
			err = conn.QueryRow(own, `WITH w AS (INSERT INTO marks (client, seq) VALUES ($1, $2) ON CONFLICT (client, seq) DO NOTHING RETURNING n)
				SELECT n FROM w UNION ALL SELECT n FROM marks WHERE client = $1 AND seq = $2`, client, seq).Scan(&n)
		}
		cancel()
		c.note(client, seq, n, err)
		if err != nil {
			time.Sleep(5 * time.Millisecond)
			continue
		}
		seq++
		time.Sleep(2 * time.Millisecond)
	}
}

func (c *crowd) note(client int, seq, n int64, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err != nil {
		c.failed++
		text := err.Error()
		if len(text) > 70 {
			text = text[len(text)-70:]
		}
		c.refused[text]++
		return
	}
	now := time.Now()
	c.gap = max(c.gap, now.Sub(c.last))
	c.last = now
	c.writes++
	c.acked[client] = seq
	if c.drawn[n] {
		c.double = append(c.double, n)
	}
	c.drawn[n] = true
}

// lastGap gives the longest time without any acknowledgement since it was asked.
func (c *crowd) lastGap() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	g := max(c.gap, time.Since(c.last))
	c.gap, c.last = 0, time.Now()
	return g
}

// holds fails if a side lacks anything that had been acknowledged.
func (c *crowd) holds(t *testing.T, side string) {
	t.Helper()
	c.mu.Lock()
	acked := append([]int64(nil), c.acked...)
	c.mu.Unlock()
	for client, last := range acked {
		n := c.w.number(side, fmt.Sprintf("SELECT count(*) FROM marks WHERE client = %d AND seq <= %d", client, last))
		if n != last {
			t.Fatalf("the %s has %d of the %d writes of client %d that were acknowledged", side, n, last, client)
		}
	}
}

// end stops all clients and holds both sides against what they know.
func (c *crowd) end(t *testing.T, leader, follower string) {
	t.Helper()
	c.stop()
	c.wait.Wait()
	c.holds(t, leader)
	for range 1500 {
		if c.w.number(follower, "SELECT count(*) FROM marks") == c.w.number(leader, "SELECT count(*) FROM marks") {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	c.holds(t, follower)
	for _, side := range []string{leader, follower} {
		if n := c.w.number(side, "SELECT count(*) - count(DISTINCT n) FROM marks"); n != 0 {
			t.Errorf("the %s has %d numbers of the sequence twice", side, n)
		}
	}
	if len(c.double) > 0 {
		t.Errorf("numbers %v were drawn twice", c.double)
	}
	t.Logf("%d writes acknowledged, 0 missing, 0 twice; %d attempts failed and were made again: %v", c.writes, c.failed, c.refused)
}
