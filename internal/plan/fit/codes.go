package fit

import "github.com/tranship/tranship/internal/base/diag"

// Codes of choosing nodes. An example is an estate's workloads (JSON), its
// hosts, a policy's spec (YAML), or several of them; the package's test has a
// small estate for what is left out.
const (
	// FitsNothing is reported for a workload of which one copy is larger than a
	// node of any allowed type. The rest is planned without it.
	//
	// Example:
	//	[{"id": "/big", "kind": "service", "replicas": 1, "containers": [{"name": "main", "cpu": "200", "memory": "1Gi"}]}]
	FitsNothing diag.Code = "F001"

	// Contradiction is reported for a workload whose constraints no node can
	// meet together. The rest is planned without it.
	//
	// Example:
	//	[{"id": "/odd", "kind": "service", "replicas": 2, "containers": [{"name": "main", "cpu": "100m", "memory": "64Mi"}],
	//	  "constraints": [{"attribute": "hostname", "rule": "apart", "source": "hostname UNIQUE"}, {"attribute": "hostname", "rule": "together", "source": "hostname CLUSTER"}]}]
	Contradiction diag.Code = "F002"

	// CannotSurvive is reported for a workload that the loss of a node or zone
	// stops or robs of its data, however many nodes there are.
	//
	// Example:
	//	[{"id": "/db", "kind": "service", "replicas": 1, "containers": [{"name": "main", "cpu": "100m", "memory": "64Mi"}],
	//	  "constraints": [{"attribute": "@zone", "rule": "in", "values": ["us-east-1a"], "source": "@zone IS us-east-1a"}]},
	//	 {"id": "/web", "kind": "service", "replicas": 2, "containers": [{"name": "main", "cpu": "100m", "memory": "64Mi"}]}]
	//	target: {survive: zone}
	CannotSurvive diag.Code = "F003"

	// NoPrice is reported when the price list is of another region than the target.
	//
	// Example:
	//	target: {region: eu-north-1}
	NoPrice diag.Code = "F004"

	// NoType is reported when policy leaves no instance type to choose from.
	//
	// Example:
	//	target: {families: [c], minGeneration: 99}
	NoType diag.Code = "F005"

	// HostsInferred is reported when nobody says what machines run today: they
	// are priced as the types that they look like.
	//
	// Example:
	//	hosts: [{"name": "10.0.0.1", "cpu": "1", "memory": "2873Mi"}]
	HostsInferred diag.Code = "F006"

	// HostsUnknown is reported when today's machines look like no type that is
	// known: nothing can be said of what is saved.
	//
	// Example:
	//	costs: {hosts: [{type: zx81.medium, count: 2}]}
	HostsUnknown diag.Code = "F007"

	// NoPlace is reported for a constraint that names hosts of the old world, or
	// what no node has: the workload is planned without it.
	//
	// Example:
	//	[{"id": "/graphite", "kind": "service", "replicas": 1, "containers": [{"name": "main", "cpu": "100m", "memory": "64Mi"}],
	//	  "constraints": [{"attribute": "hostname", "rule": "in", "values": ["10.0.0.1"], "source": "hostname CLUSTER 10.0.0.1"}]}]
	NoPlace diag.Code = "F008"

	// StaysBehind is reported for a workload whose data lies on the machine: a
	// copy starts again elsewhere, and the data does not follow.
	//
	// Example:
	//	[{"id": "/cache", "kind": "service", "replicas": 1, "containers": [{"name": "main", "cpu": "100m", "memory": "64Mi"}],
	//	  "volumes": [{"name": "data", "kind": "host", "hostPath": "/var/data"}]}]
	StaysBehind diag.Code = "F009"

	// ZoneBound is reported for a workload whose disk stays in its zone, where
	// policy asks for survival of a zone.
	//
	// Example:
	//	[{"id": "/db", "kind": "service", "replicas": 1, "containers": [{"name": "main", "cpu": "100m", "memory": "64Mi"}],
	//	  "volumes": [{"name": "data", "kind": "persistent", "size": "10Gi"}]}]
	//	target: {survive: zone}
	ZoneBound diag.Code = "F010"

	// TooTight is reported where pods together need more CPU than a node has
	// more often than policy allows, and no further node helps.
	//
	// No example; a Tail that never relents is needed. The package's test has one.
	TooTight diag.Code = "F011"

	// NotPlaced is reported for workloads that the scheduler could not place,
	// or not place again, with any number of nodes that was tried.
	//
	// No example; the search ends there only where constraints of several
	// workloads defeat each other.
	NotPlaced diag.Code = "F012"

	// DiskDecides is reported where the disks of nodes are what makes them many.
	//
	// Example:
	//	[{"id": "/log", "kind": "service", "replicas": 8, "containers": [{"name": "main", "cpu": "10m", "memory": "16Mi", "disk": "10Gi"}]}]
	DiskDecides diag.Code = "F013"
)
