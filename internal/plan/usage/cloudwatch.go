package usage

import (
	"encoding/json"
	"math"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
)

// cloudwatch reads one result of GetMetricData.
func (c *collector) cloudwatch(v json.RawMessage) {
	var in struct {
		ID         word              `json:"Id"`
		Label      word              `json:"Label"`
		Timestamps []json.RawMessage `json:"Timestamps"`
		Values     []json.RawMessage `json:"Values"`
		StatusCode word              `json:"StatusCode"`
	}
	if !c.lax(v, &in) {
		return
	}
	id, label := string(in.ID), string(in.Label)
	if in.StatusCode != "" && in.StatusCode != "Complete" {
		c.report(FailedQuery, diag.Error, 0, "query "+id, "is not complete: "+cut(string(in.StatusCode)), "ask for the next page, or for a shorter time, and export again; what is there is kept")
	}
	parts := strings.Fields(label)
	names := []string{}
	for _, p := range parts {
		if f, _ := c.resolve.find(p); f.workload == "" || c.resolve.known == nil {
			names = append(names, p) // "/shop/requests" is no metric
		}
	}
	m, ok := c.measure(append(names, label, id)...)
	if !ok {
		m, ok = c.measure(c.base())
	}
	if !ok {
		c.note(c.strange, "label "+label)
		return
	}
	owner, ok := c.metricOwner(id, label, parts)
	if !ok {
		return
	}
	r := c.series(key{workload: owner.workload, copy: owner.copy, container: owner.container}, m, label)
	if r == nil {
		return
	}
	for i, t := range in.Timestamps {
		at, ok := parseTime(strings.Trim(string(t), `"`))
		if !ok || i >= len(in.Values) {
			at = math.MinInt64
		}
		value := number(math.NaN())
		if i < len(in.Values) {
			_ = value.UnmarshalJSON(in.Values[i])
		}
		c.add(r, at, float64(value))
	}
	// It answers with the newest first, unless asked otherwise.
	r.back = 0
}

// metricOwner finds the workload that a result speaks of.
func (c *collector) metricOwner(id, label string, parts []string) (found, bool) {
	for _, n := range []string{label, id} {
		if _, said := c.o.Names[n]; said {
			return c.resolve.find(n)
		}
	}
	var names []string
	for _, p := range parts {
		if _, is := meterOf(p); !is || c.resolve.known != nil {
			names = append(names, p)
		}
	}
	if c.resolve.known != nil {
		// "shop_cart_cpu": an ID has neither slash nor dash.
		for cut := id; cut != ""; {
			names = append(names, cut)
			i := strings.LastIndexByte(cut, '_')
			cut = cut[:max(i, 0)]
		}
	}
	if len(names) == 0 {
		names = append(names, id)
	}
	return c.owner(names...)
}
