package usage

import "github.com/tranship/tranship/internal/base/diag"

// Codes of usage. Each example is a file's content.
const (
	// UnknownFile is reported for a file that is none of the known formats.
	//
	// Example:
	//	{"hello": "world"}
	UnknownFile diag.Code = "U001"

	// BrokenFile is reported for a file that ends early or breaks its format;
	// what stands before is kept.
	//
	// Example:
	//	{"status": "success", "data": {"resultType": "matrix", "result": [
	BrokenFile diag.Code = "U002"

	// BadPoint is reported for points without a time or with a value that is no
	// number, not finite or negative; the others are kept.
	//
	// Example:
	//	time,workload,cpu_cores
	//	2026-11-01T00:00:00Z,/shop/cart,0.5
	//	2026-11-01T00:05:00Z,/shop/cart,NaN
	BadPoint diag.Code = "U003"

	// UnknownWorkload is reported for usage of what is not in the estate.
	//
	// Example:
	//	time,workload,cpu_cores
	//	2026-11-01T00:00:00Z,/nowhere,0.5
	UnknownWorkload diag.Code = "U004"

	// Gap is reported where more than three steps have no point. Nothing is
	// filled in.
	//
	// Example:
	//	time,workload,cpu_cores
	//	2026-11-01T00:00:00Z,/shop/cart,0.5
	//	2026-11-01T00:05:00Z,/shop/cart,0.5
	//	2026-11-01T00:10:00Z,/shop/cart,0.5
	//	2026-11-01T04:00:00Z,/shop/cart,0.5
	Gap diag.Code = "U005"

	// CounterReset is reported where a counter goes back: its process began
	// again. It is counted from zero.
	//
	// Example:
	//	{"status": "success", "data": {"resultType": "matrix", "result": [{"metric": {"__name__": "container_cpu_usage_seconds_total", "app_id": "/shop/cart"},
	//	 "values": [[0, "100"], [60, "130"], [120, "10"], [180, "40"]]}]}}
	CounterReset diag.Code = "U006"

	// Restarted is reported where copies ended and others took their place.
	//
	// Example:
	//	time,workload,copy,cpu_cores
	//	2026-11-01T00:00:00Z,/shop/cart,a,0.5
	//	2026-11-01T00:05:00Z,/shop/cart,a,0.5
	//	2026-11-01T00:10:00Z,/shop/cart,b,0.5
	//	2026-11-01T00:15:00Z,/shop/cart,b,0.5
	Restarted diag.Code = "U007"

	// FewPoints is reported for workloads of which too little was seen to size
	// them by.
	//
	// Example:
	//	time,workload,cpu_cores
	//	2026-11-01T00:00:00Z,/shop/cart,0.5
	FewPoints diag.Code = "U008"

	// WrongUnit is reported for a series that no machine can have used, or that
	// is so far from what was declared that its unit must be another one. It is
	// left out.
	//
	// Example:
	//	time,workload,memory_bytes
	//	2026-11-01T00:00:00Z,/shop/cart,350
	//	2026-11-01T00:05:00Z,/shop/cart,351
	WrongUnit diag.Code = "U009"

	// NotAscending is reported where points do not follow each other in time;
	// they are sorted.
	//
	// Example:
	//	time,workload,cpu_cores
	//	2026-11-01T00:05:00Z,/shop/cart,0.5
	//	2026-11-01T00:00:00Z,/shop/cart,0.4
	NotAscending diag.Code = "U010"

	// DuplicatePoint is reported for two values at one time; the larger is kept.
	//
	// Example:
	//	time,workload,cpu_cores
	//	2026-11-01T00:00:00Z,/shop/cart,0.5
	//	2026-11-01T00:00:00Z,/shop/cart,0.6
	DuplicatePoint diag.Code = "U011"

	// MixedSteps is reported for a series whose step changes: older points are
	// means over longer times, and their peaks are lower than what was used.
	//
	// Example:
	//	time,workload,cpu_cores
	//	2026-11-01T00:00:00Z,/shop/cart,0.5
	//	2026-11-01T01:00:00Z,/shop/cart,0.5
	//	2026-11-01T02:00:00Z,/shop/cart,0.5
	//	2026-11-01T03:00:00Z,/shop/cart,0.5
	//	2026-11-01T03:05:00Z,/shop/cart,0.5
	//	2026-11-01T03:10:00Z,/shop/cart,0.5
	MixedSteps diag.Code = "U012"

	// UnknownMetric is reported for series that measure nothing that sizes
	// follow from, or do not say what they measure.
	//
	// Example:
	//	[{"target": "apps.shop.cart.colour", "datapoints": [[3, 1700000000]]}]
	UnknownMetric diag.Code = "U013"

	// FailedQuery is reported for an answer in which the monitoring system says
	// that it failed or is not complete.
	//
	// Example:
	//	{"status": "error", "errorType": "timeout", "error": "query timed out"}
	FailedQuery diag.Code = "U014"

	// ManyWorkloads is reported for a name that several workloads answer to.
	//
	// Example:
	//	time,workload,cpu_cores
	//	2026-11-01T00:00:00Z,a-b,0.5
	ManyWorkloads diag.Code = "U015"

	// NoHeader is reported for a table whose first line does not say which
	// column holds the time, the workload and at least one value.
	//
	// Example:
	//	when,what,colour
	//	now,/shop/cart,blue
	NoHeader diag.Code = "U016"

	// GuessedUnit is reported for a value whose unit nothing says.
	//
	// Example:
	//	time,workload,cpu,mem
	//	2026-11-01T00:00:00Z,/shop/cart,0.5,128
	GuessedUnit diag.Code = "U017"

	// NeedsDeclared is reported for shares of what was declared, where nothing
	// was.
	//
	// Example:
	//	{"MetricDataResults": [{"Id": "m1", "Label": "/shop/web CPUUtilization", "Timestamps": ["2026-11-01T00:00:00Z"], "Values": [40], "StatusCode": "Complete"}]}
	NeedsDeclared diag.Code = "U018"

	// Spike is reported for single points that no machine can have used, in a
	// series that is plausible otherwise. They are left out.
	//
	// Example:
	//	{"status": "success", "data": {"resultType": "matrix", "result": [{"metric": {"__name__": "cpu_cores", "app_id": "/shop/cart"},
	//	 "values": [[0, "1"], [60, "1"], [120, "1"], [180, "1e9"], [240, "1"], [300, "1"], [360, "1"], [420, "1"], [480, "1"], [540, "1"]]}]}}
	Spike diag.Code = "U019"
)
