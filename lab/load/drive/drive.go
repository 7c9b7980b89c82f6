// Package drive is thousands of devices that push readings, and users who read them, on a schedule of its own. In: the
// addresses of gateway and query, and how much a second. Out: what became of each request, and which readings were
// acknowledged. It never waits for an answer before it sends what is due to another device, and never sends a failed
// reading's successor first.
package drive

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/tranship/tranship/lab/load/acked"
	"github.com/tranship/tranship/lab/load/tally"
)

// Options say how much is sent.
type Options struct {
	Gateway, Query string // base URLs
	Devices        int
	Prefix         string // of the devices' names
	Rates          Rates
	Timeout        time.Duration // of one request; long reads have five times as long
	Again          time.Duration // pause before a failed reading is sent again
	Seed           uint64
	Range          RangeOptions
}

// Rates are requests a second by class.
type Rates struct {
	Write, Last, Page, Range float64
}

// RangeOptions say which long ranges are read.
type RangeOptions struct {
	From time.Time     // zero: Span before now
	Span time.Duration // how long
	Step time.Duration // zero: readings as they are
}

// Most requests of readers that are under way at once; what is due beyond is dropped, and the driver says that it was the bottleneck.
const (
	mostReads  = 2000
	mostRanges = 200
)

// Driver sends.
type Driver struct {
	options  Options
	gateway  *url.URL
	last     *url.URL
	page     *url.URL
	ranges   *url.URL
	client   http.RoundTripper
	tally    *tally.Tally
	devices  []*device
	rates    [4]atomic.Uint64 // requests in a million seconds
	flying   [4]atomic.Int64
	failures failures
	sending  sync.WaitGroup
}

// New makes a driver whose devices go on where the file says that they stopped.
func New(o Options, t *tally.Tally, from *acked.File) (*Driver, error) {
	if o.Devices < 1 {
		return nil, errors.New("a driver has at least one device")
	}
	d := &Driver{
		options: o, tally: t,
		client: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
			MaxIdleConnsPerHost: 1024,
			// Before the front door would close them.
			IdleConnTimeout: 8 * time.Second, DisableCompression: true,
		},
	}
	for _, a := range []struct {
		to         **url.URL
		base, path string
	}{
		{&d.gateway, o.Gateway, "/v1/readings"},
		{&d.last, o.Query, "/v1/last"},
		{&d.page, o.Query, "/v1/readings"},
		{&d.ranges, o.Query, "/v1/ranges"},
	} {
		u, err := url.Parse(strings.TrimSuffix(a.base, "/") + a.path)
		if err != nil {
			return nil, fmt.Errorf("address: %w", err)
		}
		*a.to = u
	}
	for n := range o.Devices {
		name := fmt.Sprintf("%s%05d", o.Prefix, n+1)
		d.devices = append(d.devices, &device{name: name, acked: from.Last(name)})
	}
	d.SetRates(o.Rates)
	return d, nil
}

// SetRates changes how much is sent, at once.
func (d *Driver) SetRates(r Rates) {
	for class, rate := range []float64{r.Write, r.Last, r.Page, r.Range} {
		d.rates[class].Store(uint64(max(rate, 0) * 1e6))
	}
}

// Progress yields the last acknowledged reading of each device.
func (d *Driver) Progress(yield func(device string, last int64) bool) {
	for _, v := range d.devices {
		if !yield(v.name, v.last()) {
			return
		}
	}
}

// Acknowledged is how many readings of all devices were, since the first driver.
func (d *Driver) Acknowledged() int64 {
	sum := int64(0)
	for _, v := range d.devices {
		sum += v.last()
	}
	return sum
}

// Run sends until ctx ends, then waits for the answers of what is under way.
func (d *Driver) Run(ctx context.Context) {
	// Requests outlive the schedule: each has its own time.
	sending := context.WithoutCancel(ctx)
	var schedules sync.WaitGroup
	next := 0
	schedules.Go(func() {
		d.schedule(ctx, tally.Write, func(due time.Time) {
			v := d.devices[next%len(d.devices)]
			next++
			if v.add(due) {
				d.sending.Go(func() { d.push(ctx, sending, v) })
			}
		})
	})
	for class, read := range map[tally.Class]func(context.Context, *rand.Rand) tally.Result{
		tally.Last: d.readLast, tally.Page: d.readPage, tally.Range: d.readRange,
	} {
		random := rand.New(rand.NewPCG(d.options.Seed, uint64(class)))
		most := int64(mostReads)
		if class == tally.Range {
			most = mostRanges
		}
		schedules.Go(func() {
			d.schedule(ctx, class, func(due time.Time) {
				if d.flying[class].Load() >= most {
					d.tally.Dropped(time.Now())
					return
				}
				d.flying[class].Add(1)
				mine := rand.New(rand.NewPCG(random.Uint64(), 0))
				d.sending.Go(func() {
					defer d.flying[class].Add(-1)
					r := read(sending, mine)
					now := time.Now()
					r.Class, r.Latency = class, now.Sub(due)
					d.tally.Add(now, r)
				})
			})
		})
	}
	schedules.Wait()
	d.sending.Wait()
}

// schedule calls send for each request of a class at the time at which it is due, or as soon after as it can.
func (d *Driver) schedule(ctx context.Context, class tally.Class, send func(due time.Time)) {
	last, before := time.Now(), uint64(0)
	for ctx.Err() == nil {
		rate, wait := d.rates[class].Load(), changes
		if rate != before {
			// What was not due at the old rate is not owed at the new one.
			last, before = time.Now(), rate
		}
		if rate > 0 {
			now := time.Now()
			due := last.Add(time.Duration(1e15 / rate))
			if due.After(now) {
				wait = min(due.Sub(now), changes)
			} else {
				d.tally.Due(now, now.Sub(due))
				send(due)
				last = due
				continue
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

// changes is how long a change of a rate may take to be seen.
const changes = 100 * time.Millisecond

// push sends what the device has, one after another, until it has nothing or the driver ends.
func (d *Driver) push(ctx, sending context.Context, v *device) {
	for {
		seq, at, due := v.next(time.Now())
		r := d.write(sending, v, seq, at)
		now := time.Now()
		r.Latency = now.Sub(due)
		d.tally.Add(now, r)
		more := v.done(r.Outcome == tally.OK, now)
		if !more || ctx.Err() != nil {
			return
		}
		if r.Outcome != tally.OK {
			select {
			case <-ctx.Done():
				return
			case <-time.After(d.options.Again):
			}
		}
	}
}
