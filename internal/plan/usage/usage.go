// Package usage is what workloads really used: series of CPU, memory, kills and
// requests over time. It takes the answers of monitoring systems, each in its
// own format, and gives one model with diagnostics. It never invents a point:
// a gap stays a gap.
package usage

import (
	"github.com/tranship/tranship/internal/base/unit"
	"github.com/tranship/tranship/internal/estate"
)

// Metric is what a series measures.
type Metric string

// The metrics.
const (
	CPU      Metric = "cpu"      // in thousandths of a core
	Memory   Metric = "memory"   // working set in bytes
	OOM      Metric = "oom"      // kills for memory within the step
	Requests Metric = "requests" // per second
)

// A Series is one metric of one workload, copy or container over time.
type Series struct {
	Workload  estate.Name
	Container string // empty: all containers of the copy
	// Copy names one copy; empty: the sum of all copies that ran.
	Copy   string
	Metric Metric
	Step   unit.Seconds // between two points, the median of what was found
	Points []Point      // ascending in time
}

// A Point is a value at a time, in seconds since 1970.
type Point struct {
	At    int64
	Value float64
}

// A Set is all that was read.
type Set struct {
	Series  []Series // by workload, metric, container, copy
	Sources []Source
}

// A Source is a file that was read.
type Source struct {
	File   string `json:"file"`
	Format string `json:"format"` // "prometheus", "graphite", "cloudwatch", "mesos", "csv"
	Series int    `json:"series"`
	Points int    `json:"points"`
	// From and To are its first and last point, seconds since 1970.
	From int64 `json:"from"`
	To   int64 `json:"to"`
}
