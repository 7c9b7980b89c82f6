package wave

import "github.com/tranship/tranship/internal/base/diag"

// Codes of the waves. Each example is an estate with a policy's spec.
const (
	// Cycle is reported for workloads that need each other; they move together.
	//
	// Example:
	//	{"workloads": [{"id": "/a"}, {"id": "/b"}],
	//	 "dependencies": [{"from": "/a", "to": "/b"}, {"from": "/b", "to": "/a"}]}
	Cycle diag.Code = "P003"

	// NoSuchPilot is reported when policy begins with a workload that is not
	// there or does not move; one is chosen by risk.
	//
	// Example:
	//	{"workloads": [{"id": "/a"}], "spec": {"waves": {"pilot": "/b"}}}
	NoSuchPilot diag.Code = "P060"

	// RiskyPilot is reported when policy begins with a workload that is a bad
	// pilot: it keeps data, may not run twice, calls names that lead nowhere or
	// has no traffic.
	//
	// Example:
	//	{"workloads": [{"id": "/a", "replicas": 1, "stateful": true}], "spec": {"waves": {"pilot": "/a"}}}
	RiskyPilot diag.Code = "P061"

	// BadStart is reported when policy begins on no date, or before the plan's own.
	//
	// Example:
	//	{"workloads": [{"id": "/a"}], "spec": {"waves": {"start": "1970-01-01"}}}
	BadStart diag.Code = "P062"

	// SoakTakesLonger is reported when waves would begin before the source
	// copies of the one before are gone: they are set further apart.
	//
	// Example:
	//	{"workloads": [{"id": "/a"}, {"id": "/b"}], "spec": {"waves": {"size": 1, "days": 2, "soakDays": 5}}}
	SoakTakesLonger diag.Code = "P063"

	// LongCalendar is reported when the waves take more than a year.
	//
	// Example:
	//	{"workloads": [{"id": "/a"}, {"id": "/b"}], "spec": {"waves": {"size": 1, "days": 400}}}
	LongCalendar diag.Code = "P064"

	// HostsUnseen is reported when it was not seen what runs where: source hosts
	// then stay until the last wave.
	//
	// Example:
	//	{"workloads": [{"id": "/a", "replicas": 1}], "hosts": [{"name": "h1"}]}
	HostsUnseen diag.Code = "P065"

	// HostsStay is reported for source hosts that are needed after the last
	// wave, because policy leaves out what runs on them.
	//
	// Example:
	//	{"workloads": [{"id": "/a", "replicas": 1}, {"id": "/b", "replicas": 1, "running": {"instances": 1, "hosts": ["h1"]}}],
	//	 "hosts": [{"name": "h1"}], "spec": {"workloads": {"/b": {"skip": true}}}}
	HostsStay diag.Code = "P066"
)
