package bill

import (
	"math"
	"time"

	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
)

// never is after how many days a break-even is called never: thirty years.
const never = 30 * 365

// dual follows the calendar of the move: every day, what of the source still
// runs and what of the target already does. The cluster with all that is paid
// beside its nodes stands from the first wave's day on; nodes come as what
// moves asks for them; machines of today go as they are freed, the day after
// their wave has ended; all else of today is paid until the last wave has.
// One day before and one after show whence and whither.
func (m *maker) dual() {
	if !m.dated {
		return
	}
	moved := m.shares()
	var extra unit.Money // over what today costs, so far
	paid := time.Time{}  // the first day from which on it is paid for
	today := m.source(0, false)
	days := 0
	for d := m.first.AddDate(0, 0, -1); !d.After(m.last.AddDate(0, 0, 1)); d = d.AddDate(0, 0, 1) {
		spend := plan.SpendDay{Date: d.Format(time.DateOnly)}
		freed, begun := 0, -1
		for i := range m.Waves {
			w := &m.Waves[i]
			if w.End < spend.Date {
				freed += len(w.Free)
			}
			if w.Start <= spend.Date {
				begun = i
				if spend.Date <= w.End {
					spend.Wave = w.Number
				}
			}
		}
		over := d.After(m.last)
		spend.Source = m.source(freed, over)
		if begun >= 0 {
			spend.Target = m.targetOn(d, moved[begun], over)
		}
		m.bill.Spend = append(m.bill.Spend, spend)
		if begun >= 0 && !over {
			m.bill.Dual += spend.Target
			days++
		}
		if extra += spend.Source + spend.Target - today; extra > 0 {
			paid = time.Time{}
		} else if paid.IsZero() && begun >= 0 {
			paid = d
		}
	}
	m.bill.DualMonths = math.Round(100*float64(days)*24/unit.HoursPerMonth) / 100
	gain := day(sum(m.now) - sum(m.then))
	switch {
	case gain <= 0:
	case !paid.IsZero():
		m.bill.BreakEven = paid.Format(time.DateOnly)
	default:
		if n := (extra + gain - 1) / gain; n <= never {
			m.bill.BreakEven = m.last.AddDate(0, 0, 1+int(n)).Format(time.DateOnly)
		}
	}
}

// source gives what the source costs on a day, once so many hosts are freed.
func (m *maker) source(freed int, over bool) unit.Money {
	var month unit.Money
	for i := range m.now {
		switch l := &m.now[i]; {
		case over:
		case l.while == withHosts:
			month += l.Month - part(l.Month, freed, m.all)
		default:
			month += l.Month
		}
	}
	if over {
		month = sumOf(m.then, staying)
	}
	return day(month)
}

// targetOn gives what the target costs on a day, with that share of what moves.
func (m *maker) targetOn(d time.Time, moved float64, over bool) unit.Money {
	var month unit.Money
	up := 0
	for i, n := range m.ups(moved) {
		up += n
		month += times(m.Pools[i].Price, float64(n)*unit.HoursPerMonth)
	}
	for i := range m.then {
		switch l := &m.then[i]; {
		case l.while == after || l.while == both && !over:
		case l.while == withNodes && l.kind == nodes:
			// They are counted above, by pool.
		case l.while == withNodes:
			month += part(l.Month, up, m.nodes)
		case l.kind == controlPlane && l.Per == "hour":
			month += m.feeOn(d).Month()
		default:
			month += l.Month
		}
	}
	return day(month)
}

// ups gives how many nodes of each pool are up once a share has moved: as many
// as that share asks for, all that are committed, and no fewer in sum than what
// survival needs.
func (m *maker) ups(moved float64) []int {
	least := 1
	switch m.Survival.Reached {
	case plan.SurviveNode:
		least = 2
	case plan.SurviveZone:
		least = max(len(m.zones()), 2)
	}
	out := make([]int, len(m.Pools))
	sum := 0
	for i := range m.Pools {
		p := &m.Pools[i]
		n := int(math.Ceil(moved*float64(p.Nodes) - 1e-9))
		if p.Purchase == plan.SavingsPlan {
			n = p.Nodes
		}
		out[i] = min(max(n, 1), max(p.Nodes, 0))
		sum += out[i]
	}
	for i := range m.Pools {
		for sum < least && out[i] < m.Pools[i].Nodes {
			out[i]++
			sum++
		}
	}
	return out
}

// shares gives, for each wave, the share of all requests that has moved once it
// has: of CPU or of memory, whichever is more.
func (m *maker) shares() []float64 {
	type amount struct{ cpu, memory float64 }
	by := map[estate.Name]amount{}
	var all amount
	for _, s := range m.Sizes {
		var a amount
		for _, c := range s.Containers {
			a.cpu += float64(c.CPU) * float64(s.Replicas)
			a.memory += float64(c.Memory) * float64(s.Replicas)
		}
		by[s.Workload] = a
		all = amount{all.cpu + a.cpu, all.memory + a.memory}
	}
	out := make([]float64, len(m.Waves))
	var at amount
	for i, w := range m.Waves {
		for _, g := range w.Groups {
			for _, id := range g.Workloads {
				at = amount{at.cpu + by[id].cpu, at.memory + by[id].memory}
			}
		}
		switch {
		case i == len(m.Waves)-1:
			out[i] = 1
		case all.cpu > 0 || all.memory > 0:
			out[i] = min(max(at.cpu/max(all.cpu, 1), at.memory/max(all.memory, 1)), 1)
		default: // nothing is known of sizes: wave by wave
			out[i] = float64(i+1) / float64(len(m.Waves))
		}
	}
	return out
}
