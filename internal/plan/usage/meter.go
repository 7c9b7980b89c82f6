package usage

import (
	"slices"
	"strings"
	"unicode"
)

// A meter says what the numbers of a series mean.
type meter struct {
	metric Metric
	// scale turns a number into the metric's unit.
	scale float64
	// counter values only grow; what matters is by how much.
	counter bool
	// share values are percent of what was declared.
	share bool
	// guessed units were not said.
	guessed bool
	// rank orders the ways to measure one thing: only those of the least are used.
	rank int
	// part marks what is one of several parts of a whole (user and system time).
	part string
}

// known are the names that exporters and clouds are known to give.
var known = map[string]meter{
	"container_cpu_usage_seconds_total":    {metric: CPU, scale: 1000, counter: true},
	"container_cpu_user_seconds_total":     {metric: CPU, scale: 1000, counter: true, rank: 1, part: "user"},
	"container_cpu_system_seconds_total":   {metric: CPU, scale: 1000, counter: true, rank: 1, part: "system"},
	"container_memory_working_set_bytes":   {metric: Memory, scale: 1},
	"container_memory_rss":                 {metric: Memory, scale: 1, rank: 1},
	"container_memory_usage_bytes":         {metric: Memory, scale: 1, rank: 2},
	"container_oom_events_total":           {metric: OOM, scale: 1, counter: true},
	"mesos_agent_cpu_user_seconds_total":   {metric: CPU, scale: 1000, counter: true, rank: 1, part: "user"},
	"mesos_agent_cpu_system_seconds_total": {metric: CPU, scale: 1000, counter: true, rank: 1, part: "system"},
	"mesos_agent_mem_rss_bytes":            {metric: Memory, scale: 1, rank: 1},
	"mesos_agent_mem_total_bytes":          {metric: Memory, scale: 1, rank: 2},
	"cpus_user_time_secs":                  {metric: CPU, scale: 1000, counter: true, rank: 1, part: "user"},
	"cpus_system_time_secs":                {metric: CPU, scale: 1000, counter: true, rank: 1, part: "system"},
	"cpus_user_time_seconds":               {metric: CPU, scale: 1000, counter: true, rank: 1, part: "user"},
	"cpus_system_time_seconds":             {metric: CPU, scale: 1000, counter: true, rank: 1, part: "system"},
	"mem_rss_bytes":                        {metric: Memory, scale: 1, rank: 1},
	"mem_total_bytes":                      {metric: Memory, scale: 1, rank: 2},
	"cpuutilization":                       {metric: CPU, share: true, scale: 0.01, rank: 1},
	"memoryutilization":                    {metric: Memory, share: true, scale: 0.01, rank: 1},
	"cpuutilized":                          {metric: CPU, scale: 1000.0 / 1024}, // ECS: 1024 are a core
	"memoryutilized":                       {metric: Memory, scale: 1 << 20},
}

// never are names that speak of CPU or memory and measure something else.
var never = []string{"throttl", "limit", "request_cpu", "quota", "period", "cache", "swap", "mapped", "reserv", "capacity", "failcnt", "load_average", "shares", "alloc", "free", "avail"}

// meterOf reads a name: of a metric, a column, a target's part or a file.
func meterOf(name string) (meter, bool) {
	name = strings.ToLower(strings.TrimSpace(name))
	if m, ok := known[name]; ok {
		return m, true
	}
	for _, n := range never {
		if strings.Contains(name, n) {
			return meter{}, false
		}
	}
	words := strings.FieldsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	has := func(ws ...string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return slices.Contains(ws, w) })
	}
	rated := strings.Contains(name, "rate") || has("avg", "irate", "persecond")
	counter := has("total", "counter") && !rated
	switch {
	case has("oom", "ooms", "oomkills", "oomkilled", "oom_kills"):
		return meter{metric: OOM, scale: 1, counter: counter}, true
	case has("cpu", "cpus", "millicores", "millicpu", "nanocores", "mcores"):
		return cpuMeter(has, counter, rated), true
	case has("mem", "memory", "rss", "working"):
		return memoryMeter(has), true
	case has("requests", "request", "rps", "req", "reqs", "hits"):
		m := meter{metric: Requests, scale: 1, counter: counter}
		if has("minute", "min", "rpm") {
			m.scale = 1.0 / 60
		}
		return m, true
	}
	return meter{}, false
}

func cpuMeter(has func(...string) bool, counter, rated bool) meter {
	m := meter{metric: CPU, scale: 1000}
	for _, part := range []string{"user", "system"} {
		if has(part) && !has("sum") {
			m.part, m.rank = part, 1
		}
	}
	seconds := has("seconds", "secs", "sec", "s")
	switch {
	case has("milli", "millis", "millicores", "millicpu", "mcores", "m"):
		m.scale = 1
	case has("nanocores"):
		m.scale = 1e-6
	case has("nanoseconds", "ns"):
		m.scale, m.counter = 1e-6, !rated
	case has("percent", "pct", "percentage"):
		// As top has it: a whole core is 100.
		m.scale = 10
		if has("declared", "limit", "requested", "reservation") {
			m.scale, m.share = 0.01, true
		}
	case seconds:
		m.counter = counter || has("time") && !rated
	case has("cores", "core"), rated:
	default:
		m.counter, m.guessed = counter, !counter
	}
	return m
}

func memoryMeter(has func(...string) bool) meter {
	m := meter{metric: Memory, scale: 1}
	switch {
	case has("mib", "mebibytes"):
		m.scale = 1 << 20
	case has("mb", "megabytes"):
		m.scale = 1e6
	case has("gib", "gibibytes"):
		m.scale = 1 << 30
	case has("gb", "gigabytes"):
		m.scale = 1e9
	case has("kib", "kibibytes"):
		m.scale = 1 << 10
	case has("kb", "kilobytes"):
		m.scale = 1e3
	case has("percent", "pct", "percentage"):
		m.scale, m.share = 0.01, true
	case has("bytes", "byte", "b", "rss"):
	default:
		// MiB, as the source's definitions have it.
		m.scale, m.guessed = 1<<20, true
	}
	return m
}
