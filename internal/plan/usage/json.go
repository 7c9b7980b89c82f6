package usage

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
)

// json reads one answer after the other: pages of an export may follow each
// other in one file.
func (c *collector) json(b *bufio.Reader) error {
	dec := json.NewDecoder(b)
	for {
		t, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return broken(dec, err)
		}
		switch t {
		case json.Delim('{'):
			err = c.object(dec, 0)
		case json.Delim('['):
			err = c.array(dec)
		default:
			c.unknown("holds a bare value")
			return nil
		}
		if err != nil {
			return broken(dec, err)
		}
		if c.format == "" && len(c.diags) == 0 {
			c.unknown("holds nothing that measures usage")
			return nil
		}
		if c.format == "" {
			return nil
		}
	}
}

func broken(dec *json.Decoder, err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return fmt.Errorf("ends in the middle, at byte %d", dec.InputOffset())
	}
	return fmt.Errorf("byte %d: %w", dec.InputOffset(), err)
}

// object reads the members of an answer, its opening brace being read. What a
// member holds says which system it is from.
func (c *collector) object(dec *json.Decoder, depth int) error {
	state := struct{ Status, Error, ErrorType string }{}
	for dec.More() {
		t, err := dec.Token()
		if err != nil {
			return err
		}
		name, _ := t.(string)
		switch {
		case name == "status":
			err = text(dec, &state.Status)
		case name == "error":
			err = text(dec, &state.Error)
		case name == "errorType":
			err = text(dec, &state.ErrorType)
		case name == "data" && depth == 0:
			err = c.nested(dec)
		case name == "result":
			c.format = "prometheus"
			err = each(dec, c.prometheus)
		case name == "MetricDataResults":
			c.format = "cloudwatch"
			err = each(dec, c.cloudwatch)
		default:
			err = skip(dec)
		}
		if err != nil {
			return err
		}
	}
	if _, err := dec.Token(); err != nil {
		return err
	}
	if state.Status == "error" || state.Error != "" {
		c.format = "prometheus"
		c.report(FailedQuery, diag.Error, 0, "query", "the answer says: "+cut(state.ErrorType+" "+state.Error), "ask for a shorter time or a larger step, and export again")
	}
	return nil
}

func cut(s string) string {
	if len(s) > 200 {
		return s[:200]
	}
	return s
}

// nested reads the object in "data", or skips what is none.
func (c *collector) nested(dec *json.Decoder) error {
	t, err := dec.Token()
	if err != nil {
		return err
	}
	switch t {
	case json.Delim('{'):
		return c.object(dec, 1)
	case json.Delim('['):
		return rest(dec)
	}
	return nil
}

// array reads a list whose elements say what they are.
func (c *collector) array(dec *json.Decoder) error {
	for dec.More() {
		var v json.RawMessage
		if err := dec.Decode(&v); err != nil {
			return err
		}
		c.element(v)
	}
	_, err := dec.Token()
	return err
}

// element reads one element of a bare list.
func (c *collector) element(v json.RawMessage) {
	var is struct {
		Target     json.RawMessage `json:"target"`
		Datapoints json.RawMessage `json:"datapoints"`
		Statistics json.RawMessage `json:"statistics"`
		Metric     json.RawMessage `json:"metric"`
		Values     json.RawMessage `json:"values"`
		Label      json.RawMessage `json:"Label"`
		Timestamps json.RawMessage `json:"Timestamps"`
	}
	if json.Unmarshal(v, &is) != nil {
		c.bad[c.name]++
		return
	}
	switch {
	case is.Datapoints != nil && is.Target != nil:
		c.format = "graphite"
		c.graphite(v)
	case is.Statistics != nil:
		c.format = "mesos"
		c.mesos(v)
	case is.Metric != nil && is.Values != nil:
		c.format = "prometheus"
		c.prometheus(v)
	case is.Timestamps != nil && is.Label != nil:
		c.format = "cloudwatch"
		c.cloudwatch(v)
	}
}

// each hands the elements of a list over, one at a time.
func each(dec *json.Decoder, f func(json.RawMessage)) error {
	t, err := dec.Token()
	if err != nil || t == nil {
		return err
	}
	if t == json.Delim('{') {
		return rest(dec)
	}
	if t != json.Delim('[') {
		return nil
	}
	for dec.More() {
		var v json.RawMessage
		if err := dec.Decode(&v); err != nil {
			return err
		}
		f(v)
	}
	_, err = dec.Token()
	return err
}

// rest reads to the end of the list or object that is open.
func rest(dec *json.Decoder) error {
	for open := 1; open > 0; {
		t, err := dec.Token()
		if err != nil {
			return err
		}
		switch t {
		case json.Delim('['), json.Delim('{'):
			open++
		case json.Delim(']'), json.Delim('}'):
			open--
		}
	}
	return nil
}

func skip(dec *json.Decoder) error {
	t, err := dec.Token()
	if err != nil {
		return err
	}
	if t == json.Delim('[') || t == json.Delim('{') {
		return rest(dec)
	}
	return nil
}

// text reads a string; another value is skipped.
func text(dec *json.Decoder, to *string) error {
	t, err := dec.Token()
	if err != nil {
		return err
	}
	if s, ok := t.(string); ok {
		*to = s
		return nil
	}
	if t == json.Delim('[') || t == json.Delim('{') {
		return rest(dec)
	}
	return nil
}

// mesos reads one executor of an agent's /monitor/statistics. Several samples,
// one after the other or in several files, make a series.
func (c *collector) mesos(v json.RawMessage) {
	var in struct {
		Executor   string `json:"executor_id"`
		Source     string `json:"source"`
		Name       string `json:"executor_name"`
		Statistics struct {
			Timestamp *float64 `json:"timestamp"`
			User      *float64 `json:"cpus_user_time_secs"`
			System    *float64 `json:"cpus_system_time_secs"`
			RSS       *float64 `json:"mem_rss_bytes"`
			Total     *float64 `json:"mem_total_bytes"`
		} `json:"statistics"`
	}
	if json.Unmarshal(v, &in) != nil {
		c.bad[c.name]++
		return
	}
	owner, ok := c.owner(in.Source, in.Executor, in.Name)
	if !ok {
		return
	}
	s := in.Statistics
	at, ok := int64(0), false
	if s.Timestamp != nil {
		at, ok = seconds(*s.Timestamp)
	}
	if !ok {
		at = math.MinInt64
	}
	k := key{workload: owner.workload, copy: owner.copy, container: owner.container}
	for _, id := range []string{in.Executor, in.Source} {
		if k.copy == "" {
			k.copy = strings.TrimSpace(id)
		}
	}
	put := func(m meter, value float64) {
		if r := c.series(k, m, ""); r != nil {
			c.add(r, at, value)
		}
	}
	if s.User != nil || s.System != nil {
		total := 0.0
		for _, x := range []*float64{s.User, s.System} {
			if x != nil {
				total += *x
			}
		}
		put(meter{metric: CPU, scale: 1000, counter: true}, total)
	}
	switch {
	case s.RSS != nil:
		put(meter{metric: Memory, scale: 1}, *s.RSS)
	case s.Total != nil:
		put(meter{metric: Memory, scale: 1}, *s.Total)
	}
}
