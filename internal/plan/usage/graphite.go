package usage

import (
	"encoding/json"
	"math"
	"regexp"
	"strings"
)

// graphite reads one target of a render answer.
func (c *collector) graphite(v json.RawMessage) {
	var in struct {
		Target     word            `json:"target"`
		Tags       map[string]word `json:"tags"`
		Datapoints [][]*number     `json:"datapoints"`
	}
	if !c.lax(v, &in) {
		return
	}
	whole := string(in.Target)
	path, rated := unwrap(whole)
	m, owner, ok := c.target(whole, path, in.Tags)
	if !ok {
		return
	}
	if rated {
		m.counter = false
	}
	r := c.series(key{workload: owner.workload, copy: owner.copy, container: owner.container}, m, whole)
	if r == nil {
		return
	}
	for _, p := range in.Datapoints {
		if len(p) != 2 || p[1] == nil {
			c.bad[c.name]++
			continue
		}
		if p[0] == nil {
			continue // nothing was stored: a gap
		}
		at, ok := seconds(float64(*p[1]))
		if !ok {
			at = math.MinInt64
		}
		c.add(r, at, float64(*p[0]))
	}
}

var (
	rates = regexp.MustCompile(`(?i)(derivative|perSecond|rate)\s*\(`)
	inner = regexp.MustCompile(`[A-Za-z0-9_\-:#/]+(\.[A-Za-z0-9_\-:#/]+)+`)
)

// unwrap takes the functions around a path away: "scale(a.b.c,2)" is a.b.c.
func unwrap(target string) (path string, rated bool) {
	if !strings.Contains(target, "(") {
		path, _, _ = strings.Cut(target, ";")
		return path, false
	}
	if p := inner.FindString(target[strings.LastIndex(target, "(")+1:]); p != "" {
		return p, rates.MatchString(target)
	}
	return target, rates.MatchString(target)
}

// target says what a path measures, and of which workload and copy: the path
// names the workload somewhere, and what is measured behind it.
func (c *collector) target(whole, path string, tags map[string]word) (meter, found, bool) {
	var parts []string
	if strings.ContainsAny(path, " ") {
		parts = strings.Fields(path) // an alias: "shop/cart cpu_cores"
	} else {
		parts = strings.Split(path, ".")
	}
	m, at, ok := c.last(whole, parts)
	if !ok {
		m, ok = c.measure(string(tags["name"]), c.base())
		at = len(parts)
	}
	if !ok {
		c.note(c.strange, "target "+whole)
		return m, found{}, false
	}
	for _, n := range []string{whole, path, string(tags["workload"]), string(tags["app_id"]), string(tags["app"]), string(tags["task_id"])} {
		if f, ok := c.resolve.find(n); ok && (c.resolve.known != nil || c.o.Names[n] != "" || len(tags) > 1 && n != whole && n != path) {
			return m, f, true
		}
	}
	f, ok := c.within(parts[:at])
	return m, f, ok
}

// last finds what is measured in the last parts of a path, and how many parts
// come before.
func (c *collector) last(whole string, parts []string) (meter, int, bool) {
	if m, ok := c.measure(whole); ok && c.o.Metrics[whole] != "" {
		return m, len(parts), true
	}
	for n := 1; n <= 3 && n < len(parts); n++ {
		if m, ok := c.measure(strings.Join(parts[len(parts)-n:], "_")); ok {
			// "cpu.cores": the part before may say more.
			for n < 3 && n+1 < len(parts) {
				more, ok := meterOf(strings.Join(parts[len(parts)-n-1:], "_"))
				if _, alone := meterOf(parts[len(parts)-n-1]); !ok || !alone {
					break
				}
				m, n = more, n+1
			}
			return m, len(parts) - n, true
		}
	}
	return meter{}, 0, false
}

// within finds a workload in a part of a path; what stands behind it names the
// copy.
func (c *collector) within(parts []string) (found, bool) {
	const most = 24
	if len(parts) > most {
		parts = parts[len(parts)-most:]
	}
	if c.resolve.known == nil {
		return c.owner(strings.Join(parts, "."))
	}
	for size := len(parts); size > 0; size-- {
		for from := 0; from+size <= len(parts); from++ {
			some := parts[from : from+size]
			for _, n := range []string{"/" + strings.Join(some, "/"), strings.Join(some, ".")} {
				f, ok := c.resolve.find(n)
				if !ok {
					continue
				}
				if rest := strings.Join(parts[from+size:], "."); f.copy == "" {
					f.copy = rest
				}
				return f, true
			}
		}
	}
	return c.owner(strings.Join(parts, "."))
}
