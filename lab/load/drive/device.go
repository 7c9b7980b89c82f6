package drive

import (
	"hash/fnv"
	"strconv"
	"sync"
	"time"
)

// device sends one reading at a time, in order; what is due meanwhile waits here with the time at which it was due.
type device struct {
	name string

	mu    sync.Mutex
	busy  bool
	due   []time.Time
	acked int64     // the last reading that was acknowledged
	first time.Time // when the one after it was first sent: its time stays the same when it is sent again
}

// add takes a reading that is due, and tells whether the device is free to send it.
func (d *device) add(due time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.due = append(d.due, due)
	if d.busy {
		return false
	}
	d.busy = true
	return true
}

// next is what to send now, and since when it is due.
func (d *device) next(now time.Time) (seq int64, at, due time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.first.IsZero() {
		d.first = now
	}
	return d.acked + 1, d.first, d.due[0]
}

// done is told what became of what was sent, and tells whether the device has more to send. One that failed stays, and is
// due anew: its failure is counted, and what it waits from now on is another request's.
func (d *device) done(acknowledged bool, now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !acknowledged {
		d.due[0] = now
		return true
	}
	d.acked++
	d.first = time.Time{}
	d.due = d.due[:copy(d.due, d.due[1:])]
	d.busy = len(d.due) > 0
	return d.busy
}

func (d *device) last() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.acked
}

// Value is what a device's reading says: known beforehand, so that it can be told whether it was stored as it was sent.
func Value(device string, seq int64) float64 {
	h := fnv.New32a()
	_, _ = h.Write(strconv.AppendInt([]byte(device), seq, 10))
	return float64(h.Sum32()%10000) / 100
}
