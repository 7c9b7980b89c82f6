package size

import (
	"fmt"
	"math"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
	"github.com/tranship/tranship/internal/plan"
	"github.com/tranship/tranship/internal/plan/policy"
)

// containerSizing is all that one container's size follows from.
type containerSizing struct {
	m      *maker
	w      *estate.Workload
	k      *estate.Container
	seen   seen
	enough int
	job    bool
	// spread multiplies use where policy changes the number of copies.
	spread float64
	scale  *plan.Scale
	said   policy.Workload // of the first container
	why    []string
	out    plan.ContainerSize
}

func (c *containerSizing) because(format string, args ...any) {
	c.why = append(c.why, fmt.Sprintf(format, args...))
}

// size gives the container its requests.
func (c *containerSizing) size() plan.ContainerSize {
	k := c.k
	c.out = plan.ContainerSize{Name: k.Name, CPU: k.CPU, Memory: k.Memory, Disk: k.Disk, GPUs: k.GPUs, Reason: plan.AsDeclared}
	c.used()
	c.cpu()
	c.memory()
	if c.said.CPU != nil {
		c.out.CPU, c.out.Reason = *c.said.CPU, plan.ByPolicy
		c.because("CPU %s by policy", *c.said.CPU)
	}
	if c.said.Memory != nil {
		c.out.Memory, c.out.Reason = *c.said.Memory, plan.ByPolicy
		c.because("memory %s by policy", *c.said.Memory)
	}
	if c.out.CPU != k.CPU || c.out.Memory != k.Memory || c.out.Used != nil {
		c.out.Declared = &plan.Amount{CPU: k.CPU, Memory: k.Memory}
	}
	c.out.Why = strings.Join(c.why, "; ")
	return c.out
}

// used says what was seen, if it is enough to go by.
func (c *containerSizing) used() {
	s := &c.seen
	if len(s.cpu) == 0 && s.memories == 0 {
		return
	}
	points := max(len(s.cpu), s.memories)
	if points < c.enough {
		return
	}
	u := &plan.Used{OOMKills: s.kills, Points: points, MemoryPeak: unit.Bytes(math.Ceil(s.memory))}
	if len(s.cpu) > 0 {
		u.CPUMedian, u.CPUHigh, u.CPUPeak = milli(percentile(s.cpu, 0.5)), milli(percentile(s.cpu, 0.95)), milli(s.cpu[len(s.cpu)-1])
	}
	c.out.Used = u
}

func milli(v float64) unit.CPU { return unit.CPU(math.Ceil(math.Round(v*1000) / 1000)) }

// percentile of sorted values, linear between two.
func percentile(sorted []float64, q float64) float64 {
	n := len(sorted)
	if n == 0 {
		return 0
	}
	at := min(max(q, 0), 1) * float64(n-1)
	i := min(int(at), n-1)
	j := min(i+1, n-1)
	return sorted[i] + (at-float64(i))*(sorted[j]-sorted[i])
}

// tells is for how long, in seconds, points tell much the same: a value is
// followed by one like it.
const tells = 1800

// upper raises a percentile by what chance may hide: by one standard error of
// its rank, where points of half an hour count as one. Two weeks raise the
// 80th percentile to the 81.6th, a day to the 85.8th, two hours to the 100th.
func upper(q float64, points int, step float64, span int64) float64 {
	n := float64(points)
	if step < tells && span > 0 {
		n = min(n, float64(span)/tells)
	}
	return min(q+math.Sqrt(q*(1-q)/max(n, 1)), 1)
}

// cpu sets the CPU request.
func (c *containerSizing) cpu() {
	r, s := c.m.rules, &c.seen
	if len(s.cpu) < c.enough {
		c.unseenCPU(len(s.cpu))
		return
	}
	q := r.CPUPercentile / 100
	up := upper(q, len(s.cpu), s.step, s.span)
	name := fmt.Sprintf("the %.1fth percentile of %d points, the %s and what chance may hide", 100*up, len(s.cpu), ordinal(r.CPUPercentile))
	if c.job {
		up, name = 1, fmt.Sprintf("the peak of its runs in %d points", len(s.cpu))
	}
	value := percentile(s.cpu, up) * c.spread
	got := milli(value * (1 + r.CPUMargin))
	text := fmt.Sprintf("CPU %s is %s", got, name) + c.how()
	if r.CPUMargin > 0 {
		text += fmt.Sprintf(", and %.0f %%", 100*r.CPUMargin)
	}
	c.out.CPU, c.out.Reason = got, plan.FromUsage
	if got < r.CPUFloor {
		c.out.CPU, c.out.Reason = r.CPUFloor, plan.AtFloor
		text = fmt.Sprintf("CPU %s is the floor, used was %s", r.CPUFloor, got)
	}
	c.because("%s", text)
	c.keepTarget()
	if high := milli(percentile(s.cpu, 0.95)); c.k.CPU > 0 && high > c.k.CPU {
		c.m.report(BeyondDeclared, diag.Note, subject(c.w), fmt.Sprintf("used %s of CPU in 5 %% of the time and declared %s%s", high, c.k.CPU, c.of()),
			"the source had CPU to spare; where nodes are full it will get its request and no more")
	}
}

// of names the container where there are several.
func (c *containerSizing) of() string {
	if len(c.w.Containers) == 1 {
		return ""
	}
	return " in container " + c.k.Name
}

// how says what the values are, where they are not one copy's own.
func (c *containerSizing) how() string {
	var out string
	if c.seen.mean {
		out += fmt.Sprintf(" (means of %d copies)", c.seen.copies)
	}
	if c.seen.split {
		out += ", by the share that it declared"
	}
	if c.spread != 1 {
		out += fmt.Sprintf(", times %.2f for the other number of copies", c.spread)
	}
	return out
}

func ordinal(v float64) string {
	s := fmt.Sprintf("%g", v)
	switch {
	case strings.HasSuffix(s, "11"), strings.HasSuffix(s, "12"), strings.HasSuffix(s, "13"):
		return s + "th"
	case strings.HasSuffix(s, "1"):
		return s + "st"
	case strings.HasSuffix(s, "2"):
		return s + "nd"
	case strings.HasSuffix(s, "3"):
		return s + "rd"
	}
	return s + "th"
}

func (c *containerSizing) unseenCPU(points int) {
	switch {
	case c.m.rules.Declared:
		c.because("CPU as declared, by policy")
	case points > 0:
		c.because("CPU as declared: %d points of use are fewer than %d", points, c.enough)
	default:
		c.because("CPU as declared: no use was seen")
	}
	if c.k.CPU == 0 && c.said.CPU == nil {
		c.out.CPU, c.out.Reason = c.m.rules.CPUFloor, plan.AtFloor
		c.because("nothing was declared: the floor of %s", c.out.CPU)
		c.m.report(NothingKnown, diag.Warning, subject(c.w), "declared no CPU and none was seen"+c.of(), "it gets "+c.out.CPU.String()+"; set spec.workloads."+string(c.w.ID)+".cpu")
	}
}

// keepTarget keeps what a target of autoscaling means. A target is a share of
// the request: with a smaller request copies would be added at less load, each
// of them would use less, and sized again the request would shrink again. So a
// source that scaled keeps its request, and a new target gets the request at
// which it is met by what a copy uses at its busy times now.
func (c *containerSizing) keepTarget() {
	if c.scale == nil || c.scale.CPU <= 0 {
		return
	}
	if c.m.p.For(c.w.ID).Autoscale == nil && c.k.CPU > 0 {
		if c.out.CPU != c.k.CPU {
			c.out.CPU, c.out.Reason = c.k.CPU, plan.AsDeclared
			c.because("but it is scaled at %d %% of its request: it keeps %s, so that copies come and go at the load they did", c.scale.CPU, c.k.CPU)
		}
		return
	}
	busy := percentile(c.seen.cpu, 0.95) * c.spread
	if need := milli(busy * 100 / float64(c.scale.CPU)); need > c.out.CPU {
		c.out.CPU, c.out.Reason = need, plan.FromUsage
		c.because("raised to %s: %d %% of it is %s, the 95th percentile, at which copies are to be added", need, c.scale.CPU, milli(busy))
	}
}

// memory sets the memory request, which is also its limit.
func (c *containerSizing) memory() {
	r, s := c.m.rules, &c.seen
	had := c.k.Memory
	if c.k.MemoryLimit != nil && *c.k.MemoryLimit > had {
		had = *c.k.MemoryLimit
	}
	if s.memories < c.enough || s.memory <= 0 {
		c.unseenMemory(s.memories)
	} else {
		got := mebibytes(s.memory * (1 + r.MemoryMargin))
		c.set(got, plan.FromUsage, "memory %s is the peak of %s in %d points%s and %.0f %%", got, shown(s.memory), s.memories, c.mean(), 100*r.MemoryMargin)
		if got < r.MemoryFloor {
			c.set(r.MemoryFloor, plan.AtFloor, "memory %s is the floor", r.MemoryFloor)
		}
		if c.scale != nil && c.scale.Memory > 0 {
			if need := mebibytes(s.memory * 100 / float64(c.scale.Memory)); need > c.out.Memory {
				c.set(need, plan.FromUsage, "raised to %s: copies are added at %d %% of it, and the peak is not to add any", need, c.scale.Memory)
			}
		}
	}
	c.heap(had)
	if s.kills > 0 && !c.m.rules.Declared {
		raised := max(mebibytes(float64(had)*r.OOMFactor), r.MemoryFloor)
		if raised > c.out.Memory {
			c.set(raised, plan.FromOOM, "killed for memory %s with %s: %s, %g times that", times(s.kills), had, raised, r.OOMFactor)
		}
		c.m.report(Killed, diag.Warning, subject(c.w), fmt.Sprintf("was killed for memory %s with %s%s", times(s.kills), had, c.of()), "it gets "+c.out.Memory.String()+"; look for a leak")
	}
}

func (c *containerSizing) mean() string {
	if c.seen.mean {
		return fmt.Sprintf(" (means of %d copies)", c.seen.copies)
	}
	return ""
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// set gives memory a value, and the container the weightier reason.
func (c *containerSizing) set(to unit.Bytes, reason plan.Reason, why string, args ...any) {
	c.out.Memory = to
	if c.out.Reason != plan.FromUsage || reason != plan.AtFloor {
		c.out.Reason = reason
	}
	c.because(why, args...)
}

func (c *containerSizing) unseenMemory(points int) {
	switch {
	case c.m.rules.Declared:
		c.because("memory as declared, by policy")
	case points > 0:
		c.because("memory as declared: %d points of use are fewer than %d", points, c.enough)
	default:
		c.because("memory as declared: no use was seen")
	}
	if c.k.Memory == 0 && c.said.Memory == nil {
		c.set(c.m.rules.MemoryFloor, plan.AtFloor, "nothing was declared: the floor of %s", c.m.rules.MemoryFloor)
		c.m.report(NothingKnown, diag.Warning, subject(c.w), "declared no memory and none was seen"+c.of(), "it gets "+c.out.Memory.String()+"; set spec.workloads."+string(c.w.ID)+".memory")
	}
}

// mebibytes rounds bytes up to whole MiB.
func mebibytes(v float64) unit.Bytes {
	return unit.Bytes(math.Ceil(min(v, 1<<60)/float64(unit.MiB))) * unit.MiB
}

func shown(v float64) string { return mebibytes(v).String() }
