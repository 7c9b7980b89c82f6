package size

import "github.com/tranship/tranship/internal/base/diag"

// Codes of sizes. Each example is an estate with a policy's spec and usage:
// points of one workload, a minute apart, in thousandths of a core and MiB.
const (
	// Unseen is reported, once, for workloads without usage where others have
	// some: what they declared stays.
	//
	// Example:
	//	{"workloads": [{"id": "/a", "replicas": 1, "containers": [{"name": "main", "cpu": "500m", "memory": "256Mi"}]},
	//	  {"id": "/b", "replicas": 1, "containers": [{"name": "main", "cpu": "100m", "memory": "256Mi"}]}],
	//	 "usage": {"/b": {"cpu": [40], "memory": [100]}}}
	Unseen diag.Code = "V001"

	// BeyondDeclared is reported for a workload that used more CPU than it had
	// declared: the source had it to spare, the request now says so.
	//
	// Example:
	//	{"workloads": [{"id": "/a", "replicas": 1, "containers": [{"name": "main", "cpu": "100m", "memory": "256Mi"}]}],
	//	 "usage": {"/a": {"cpu": [400, 450, 500], "memory": [100]}}}
	BeyondDeclared diag.Code = "V002"

	// Killed is reported for a workload that was killed for memory: it gets more
	// than it had.
	//
	// Example:
	//	{"workloads": [{"id": "/a", "replicas": 1, "containers": [{"name": "main", "cpu": "100m", "memory": "256Mi"}]}],
	//	 "usage": {"/a": {"cpu": [40], "memory": [250], "oom": [0, 1, 2]}}}
	Killed diag.Code = "V003"

	// HeapTooLarge is reported for a JVM whose largest heap does not fit into
	// the memory that was declared.
	//
	// Example:
	//	{"workloads": [{"id": "/a", "replicas": 1, "containers": [{"name": "main", "cpu": "100m", "memory": "256Mi", "args": ["java", "-Xmx1g", "-jar", "a.jar"]}]}]}
	HeapTooLarge diag.Code = "V004"

	// BadScale is reported for autoscaling that cannot work: bounds the wrong
	// way round, or nothing to follow. The number of copies stays fixed.
	//
	// Example:
	//	{"workloads": [{"id": "/a", "replicas": 1, "containers": [{"name": "main", "cpu": "100m", "memory": "256Mi"}]}],
	//	 "spec": {"workloads": {"/a": {"autoscale": {"min": 5, "max": 2, "cpu": 70}}}}}
	BadScale diag.Code = "V005"

	// NothingKnown is reported for a container that declared no CPU or memory,
	// and of which nothing was seen: it gets the floor.
	//
	// Example:
	//	{"workloads": [{"id": "/a", "replicas": 1, "containers": [{"name": "main", "memory": "256Mi"}]}]}
	NothingKnown diag.Code = "V006"
)
