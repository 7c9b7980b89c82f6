package rehearse

import (
	"container/heap"
	"context"
	"sync"
	"time"
)

// Clock is virtual time: when all that run are asleep, it is at once the time
// at which the next one wakes. One of them runs at a time, in the order of
// their times, so a rehearsal is the same each time.
type Clock struct {
	mu      sync.Mutex
	now     time.Time
	asleep  sleepers
	running bool
	number  int
}

// NewClock gives a clock that begins at that time.
func NewClock(at time.Time) *Clock { return &Clock{now: at} }

// Now gives the virtual time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Sleep waits in virtual time, or gives the context's cause if it has ended
// before or while it was asleep. It is for functions that Go started.
func (c *Clock) Sleep(ctx context.Context, d time.Duration) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	c.mu.Lock()
	wake := c.push(max(d, 0))
	c.running = false
	c.next()
	c.mu.Unlock()
	<-wake
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// Go has f run once those that run now are asleep.
func (c *Clock) Go(f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	wake := c.push(0)
	go func() {
		<-wake
		f()
		c.mu.Lock()
		defer c.mu.Unlock()
		c.running = false
		c.next()
	}()
	c.next()
}

// push puts a sleeper into the queue; next wakes the earliest if nobody runs.
func (c *Clock) push(d time.Duration) chan struct{} {
	c.number++
	wake := make(chan struct{})
	heap.Push(&c.asleep, sleeper{at: c.now.Add(d), number: c.number, wake: wake})
	return wake
}

func (c *Clock) next() {
	if c.running || len(c.asleep) == 0 {
		return
	}
	s, _ := heap.Pop(&c.asleep).(sleeper)
	c.now, c.running = s.at, true
	close(s.wake)
}

type sleeper struct {
	at     time.Time
	number int
	wake   chan struct{}
}

type sleepers []sleeper

func (s sleepers) Len() int { return len(s) }
func (s sleepers) Less(i, j int) bool {
	if !s[i].at.Equal(s[j].at) {
		return s[i].at.Before(s[j].at)
	}
	return s[i].number < s[j].number
}
func (s sleepers) Swap(i, j int) { s[i], s[j] = s[j], s[i] }

// Push is container/heap's.
func (s *sleepers) Push(x any) {
	if v, ok := x.(sleeper); ok {
		*s = append(*s, v)
	}
}

// Pop is container/heap's.
func (s *sleepers) Pop() any {
	old := *s
	last := old[len(old)-1]
	*s = old[:len(old)-1]
	return last
}
