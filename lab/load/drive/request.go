package drive

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"time"

	"github.com/tranship/tranship/lab/load/tally"
)

// answer is what came back.
type answer struct {
	status  int
	shed    bool
	body    []byte
	lines   int
	trailer string
}

// send asks once. A connection that was idle and is found closed is no answer of a service: the request is sent again by the
// transport, as any client of HTTP does, and counted as resent. With count, the body's lines are counted and not kept.
func (d *Driver) send(ctx context.Context, method string, to *url.URL, body []byte, name string, count bool) (answer, tally.Result, error) {
	var r tally.Result
	r.World = tally.Nobody
	connections := 0
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connections++ }})
	request := (&http.Request{
		Method: method, URL: to, Host: to.Host, Header: http.Header{}, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(ctx)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
		// A reading's name makes sending it again harmless, which this tells the transport and whoever is between.
		request.Header.Set("Idempotency-Key", name)
		request.ContentLength = int64(len(body))
		request.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		request.Body, _ = request.GetBody()
	}
	response, err := d.client.RoundTrip(request)
	r.Resent = max(connections-1, 0)
	if err != nil {
		r.Outcome = noAnswer(err)
		return answer{}, r, err
	}
	defer response.Body.Close()
	r.World = tally.WorldOf(response.Header.Get("X-World"))
	a := answer{status: response.StatusCode, shed: response.Header.Get("Retry-After") != ""}
	if count && response.StatusCode == http.StatusOK {
		var l lines
		_, err = io.Copy(&l, response.Body)
		a.lines = int(l)
	} else {
		a.body, err = io.ReadAll(io.LimitReader(response.Body, 1<<20))
	}
	if err != nil {
		r.Outcome = noAnswer(err)
		return a, r, fmt.Errorf("after status %d: %w", a.status, err)
	}
	a.trailer = response.Trailer.Get("X-Rows")
	if a.trailer == "" {
		a.trailer = response.Header.Get("X-Rows")
	}
	return a, r, nil
}

func noAnswer(err error) tally.Outcome {
	if n, ok := errors.AsType[net.Error](err); ok && n.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		return tally.Timeout
	}
	return tally.Transport
}

// lines counts ends of lines.
type lines int

func (l *lines) Write(b []byte) (int, error) {
	*l += lines(bytes.Count(b, []byte{'\n'}))
	return len(b), nil
}

// judge turns an answer into an outcome: the status first, then what check finds in the body.
func (d *Driver) judge(class tally.Class, device string, seq int64, want int, a answer, r tally.Result, err error, check func() (tally.Outcome, error)) tally.Result {
	r.Class = class
	switch {
	case err != nil:
	case a.status == http.StatusServiceUnavailable && a.shed && r.World != tally.Nobody:
		r.Outcome, err = tally.Shed, errors.New("status 503 with Retry-After")
	case a.status != want && class == tally.Write && a.status == http.StatusOK:
		r.Outcome, err = tally.Wrong, fmt.Errorf("status %d: %.200s", a.status, a.body)
	case a.status != want && (class != tally.Last || a.status != http.StatusNotFound):
		r.Outcome, err = tally.Status, fmt.Errorf("status %d: %.200s", a.status, a.body)
	default:
		r.Outcome, err = check()
	}
	if r.Outcome != tally.OK {
		d.failures.add(Failure{
			At: time.Now().UTC(), Class: class.String(), World: r.World.String(), Outcome: r.Outcome.String(),
			Device: device, Seq: seq, Error: fmt.Sprint(err),
		})
	}
	return r
}

func (d *Driver) write(ctx context.Context, v *device, seq int64, at time.Time) tally.Result {
	ctx, cancel := context.WithTimeout(ctx, d.options.Timeout)
	defer cancel()
	body := make([]byte, 0, 128)
	body = append(body, `{"device":"`...)
	body = append(body, v.name...)
	body = append(body, `","seq":`...)
	body = strconv.AppendInt(body, seq, 10)
	body = append(body, `,"at":"`...)
	body = at.UTC().AppendFormat(body, time.RFC3339Nano)
	body = append(body, `","value":`...)
	body = strconv.AppendFloat(body, Value(v.name, seq), 'f', -1, 64)
	body = append(body, '}')
	a, r, err := d.send(ctx, http.MethodPost, d.gateway, body, v.name+"/"+strconv.FormatInt(seq, 10), false)
	return d.judge(tally.Write, v.name, seq, http.StatusAccepted, a, r, err, func() (tally.Outcome, error) {
		var said struct {
			Accepted int `json:"accepted"`
		}
		if err := json.Unmarshal(a.body, &said); err != nil || said.Accepted != 1 {
			return tally.Wrong, fmt.Errorf("%.200s", a.body)
		}
		return tally.OK, nil
	})
}

func (d *Driver) pick(random *rand.Rand) (*device, int64) {
	v := d.devices[random.IntN(len(d.devices))]
	return v, v.last()
}

// reading is what query answers.
type reading struct {
	Device string  `json:"device"`
	Seq    int64   `json:"seq"`
	Value  float64 `json:"value"`
}

// readLast asks for a device's last reading, which is none older than the last that was acknowledged before.
func (d *Driver) readLast(ctx context.Context, random *rand.Rand) tally.Result {
	ctx, cancel := context.WithTimeout(ctx, d.options.Timeout)
	defer cancel()
	v, known := d.pick(random)
	a, r, err := d.send(ctx, http.MethodGet, with(d.last, "device="+url.QueryEscape(v.name)), nil, "", false)
	return d.judge(tally.Last, v.name, known, http.StatusOK, a, r, err, func() (tally.Outcome, error) {
		if a.status == http.StatusNotFound {
			if known == 0 {
				return tally.OK, nil
			}
			return tally.Stale, fmt.Errorf("status 404, but %d were acknowledged: %.200s", known, a.body)
		}
		var found reading
		if err := json.Unmarshal(a.body, &found); err != nil || found.Device != v.name || found.Value != Value(v.name, found.Seq) {
			return tally.Wrong, fmt.Errorf("%.200s", a.body)
		}
		if found.Seq < known {
			return tally.Stale, fmt.Errorf("last is %d, but %d were acknowledged", found.Seq, known)
		}
		return tally.OK, nil
	})
}

// readPage asks for the last readings that were acknowledged, which are all there and in order.
func (d *Driver) readPage(ctx context.Context, random *rand.Rand) tally.Result {
	const limit = 50
	ctx, cancel := context.WithTimeout(ctx, d.options.Timeout)
	defer cancel()
	v, known := d.pick(random)
	after := max(known-limit, 0)
	query := fmt.Sprintf("device=%s&after=%d&limit=%d", url.QueryEscape(v.name), after, limit)
	a, r, err := d.send(ctx, http.MethodGet, with(d.page, query), nil, "", false)
	return d.judge(tally.Page, v.name, known, http.StatusOK, a, r, err, func() (tally.Outcome, error) {
		var found struct {
			Readings []reading `json:"readings"`
		}
		if err := json.Unmarshal(a.body, &found); err != nil {
			return tally.Wrong, fmt.Errorf("%.200s", a.body)
		}
		if n := after + int64(len(found.Readings)); n < known {
			return tally.Stale, fmt.Errorf("%d of the %d after %d", len(found.Readings), known-after, after)
		}
		for i, f := range found.Readings {
			if f.Device != v.name || f.Seq != after+int64(i)+1 || f.Value != Value(v.name, f.Seq) {
				return tally.Wrong, fmt.Errorf("reading %d after %d is %+v", i+1, after, f)
			}
		}
		return tally.OK, nil
	})
}

// readRange reads a long range to its end, which has to come: an answer that was broken off is none.
func (d *Driver) readRange(ctx context.Context, _ *rand.Rand) tally.Result {
	ctx, cancel := context.WithTimeout(ctx, 5*d.options.Timeout)
	defer cancel()
	o := d.options.Range
	from := o.From
	if from.IsZero() {
		from = time.Now().Add(-o.Span)
	}
	query := "from=" + url.QueryEscape(from.UTC().Format(time.RFC3339)) + "&to=" + url.QueryEscape(from.Add(o.Span).UTC().Format(time.RFC3339))
	if o.Step > 0 {
		query += "&step=" + o.Step.String()
	}
	a, r, err := d.send(ctx, http.MethodGet, with(d.ranges, query), nil, "", true)
	return d.judge(tally.Range, "", 0, http.StatusOK, a, r, err, func() (tally.Outcome, error) {
		if a.trailer != strconv.Itoa(a.lines) {
			return tally.Wrong, fmt.Errorf("%d lines, but X-Rows %q", a.lines, a.trailer)
		}
		return tally.OK, nil
	})
}

func with(u *url.URL, query string) *url.URL {
	copied := *u
	copied.RawQuery = query
	return &copied
}
