package bill

import (
	"fmt"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
)

// today gathers what is paid now: machines, what policy names, and disks that
// go on as they are.
func (m *maker) today() {
	hosts, from := m.costs.Hosts, "tranship.yaml"
	if len(hosts) == 0 {
		hosts, from = m.Hosts, "the estate's hosts"
	}
	m.todayKnown = len(hosts) > 0
	for _, h := range hosts {
		var each unit.Money
		why := fmt.Sprintf("%s, by %s; ", count(h.Count, "machine"), from)
		switch t := m.Catalog.Find(h.Type); {
		case h.Price != nil:
			each, why = *h.Price, why+"their price is given"
		case t != nil && t.Price > 0:
			each, why = t.Price, why+m.listed()
		default:
			m.todayKnown = false
			why += "its price is not known, so that it is counted with nothing"
			m.warn(NoPrice, diag.Warning, "machines of today", fmt.Sprintf("are of type %q, which has no price in the list of %s", h.Type, m.region()),
				"give it: spec.costs.hosts[].price, in dollars an hour; no saving is claimed without it")
		}
		l := hourly(nodes, h.Type, float64(max(h.Count, 0)), each, why)
		l.while = withHosts
		m.now = append(m.now, l)
		m.machines += max(h.Count, 0)
	}
	if len(hosts) == 0 {
		m.warn(TodayUnknown, diag.Warning, "bill of today", "is not known: neither tranship.yaml nor the estate says what machines run",
			"name them in spec.costs.hosts; no saving is claimed without them")
	} else if len(m.costs.Today) == 0 {
		m.now[len(m.now)-1].Why += "; disks, load balancers and traffic of today are not counted: spec.costs.today names them"
	}
	if n := len(m.hosts()) - m.machines; n > 0 && len(m.costs.Hosts) == 0 && len(m.now) > 0 {
		m.now[len(m.now)-1].Why += fmt.Sprintf("; %s of the estate whose type is not known are not counted", count(n, "host"))
	}
	for _, c := range m.costs.Today {
		kind := c.Kind
		if kind == "" {
			kind = other
		}
		m.now = append(m.now, monthly(kind, c, "as tranship.yaml says of today"))
	}
	m.now = append(m.now, m.kept()...)
	m.all = max(m.machines, len(m.hosts()))
}

// kept are the lines that stand on both sides: what policy says stays as it
// is, and volumes that are taken over.
func (m *maker) kept() []line {
	var out []line
	var size unit.Bytes
	n := 0
	seen := map[string]bool{}
	for i := range m.Estate.Workloads {
		w := &m.Estate.Workloads[i]
		for j := range w.Volumes {
			v := &w.Volumes[j]
			key := v.Driver + " " + v.Handle
			if v.Kind != estate.ExternalVolume || v.Size == 0 || v.Handle != "" && seen[key] {
				continue
			}
			seen[key] = true
			size += v.Size
			n++
		}
	}
	if n > 0 {
		each, _ := diskGB("gp3")
		l := perGB(unchanged, "volumes that are taken over", "GB-month", gib(size), each,
			fmt.Sprintf("%s of a storage provider, as gp3 at list price on both sides: nothing changes", count(n, "volume")))
		l.while = both
		out = append(out, l)
	}
	for _, c := range m.costs.Unchanged {
		l := monthly(unchanged, c, "unchanged, by tranship.yaml")
		l.while = both
		out = append(out, l)
	}
	return out
}

// gib gives an amount in the GB that AWS bills, which are GiB.
func gib(b unit.Bytes) float64 { return float64(b) / float64(unit.GiB) }

// listed says where the list's prices come from.
func (m *maker) listed() string {
	c := m.Catalog
	text := "on demand, " + m.region()
	if c.Date != "" {
		text += ", " + c.Date
	}
	if c.Estimated {
		text += ", an estimate from another region's list"
	}
	return text
}

func (m *maker) region() string {
	if m.Catalog.Region != "" {
		return m.Catalog.Region
	}
	return listRegion
}

// count spells a number with its noun.
func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
