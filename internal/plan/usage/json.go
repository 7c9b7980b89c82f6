package usage

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
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
	if !c.lax(v, &is) {
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

// lax reads a value as far as its members are of the kinds that they should be;
// it reports whether there is one at all.
func (c *collector) lax(v json.RawMessage, to any) bool {
	err := json.Unmarshal(v, to)
	if err == nil {
		return true
	}
	c.bad[c.name]++
	wrong := (*json.UnmarshalTypeError)(nil)
	return errors.As(err, &wrong) && wrong.Field != ""
}

// A number is any JSON number, or one in quotes. What is none has no value.
type number float64

// UnmarshalJSON never fails: a bad number is counted where it is used.
func (n *number) UnmarshalJSON(b []byte) error {
	*n = number(math.NaN())
	if v, err := strconv.ParseFloat(strings.Trim(string(b), `"`), 64); err == nil {
		*n = number(v)
	}
	return nil
}

// A word is a JSON string; a number or a boolean as it is written; of anything
// else nothing.
type word string

// UnmarshalJSON never fails.
func (w *word) UnmarshalJSON(b []byte) error {
	s := ""
	*w = ""
	if json.Unmarshal(b, &s) == nil {
		*w = word(s)
	} else if len(b) > 0 && b[0] != '{' && b[0] != '[' {
		*w = word(b)
	}
	return nil
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
		Executor   word `json:"executor_id"`
		Source     word `json:"source"`
		Name       word `json:"executor_name"`
		Statistics struct {
			Timestamp *number `json:"timestamp"`
			User      *number `json:"cpus_user_time_secs"`
			System    *number `json:"cpus_system_time_secs"`
			RSS       *number `json:"mem_rss_bytes"`
			Total     *number `json:"mem_total_bytes"`
		} `json:"statistics"`
	}
	if !c.lax(v, &in) {
		return
	}
	owner, ok := c.owner(string(in.Source), string(in.Executor), string(in.Name))
	if !ok {
		return
	}
	s := in.Statistics
	at, ok := int64(0), false
	if s.Timestamp != nil {
		at, ok = seconds(float64(*s.Timestamp))
	}
	if !ok {
		at = math.MinInt64
	}
	k := key{workload: owner.workload, copy: owner.copy, container: owner.container}
	for _, id := range []word{in.Executor, in.Source} {
		if k.copy == "" {
			k.copy = strings.TrimSpace(string(id))
		}
	}
	put := func(m meter, value float64) {
		if r := c.series(k, m, ""); r != nil {
			c.add(r, at, value)
		}
	}
	if s.User != nil || s.System != nil {
		total := 0.0
		for _, x := range []*number{s.User, s.System} {
			if x != nil {
				total += float64(*x)
			}
		}
		put(meter{metric: CPU, scale: 1000, counter: true}, total)
	}
	switch {
	case s.RSS != nil:
		put(meter{metric: Memory, scale: 1}, float64(*s.RSS))
	case s.Total != nil:
		put(meter{metric: Memory, scale: 1}, float64(*s.Total))
	}
}
