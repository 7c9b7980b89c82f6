package bill

import "github.com/tranship/tranship/internal/base/diag"

// Codes of the bill. Each example is an estate with a policy's spec, today's
// machines and the pools that were chosen.
const (
	// TodayUnknown is reported when it is not known what machines run today or
	// what they cost: no saving is claimed.
	//
	// Example:
	//	{"pools": [{"name": "general", "type": "m6g.large", "price": 0.077, "nodes": 3}]}
	TodayUnknown diag.Code = "P070"

	// NoPrice is reported for a machine of today or a node of tomorrow whose type
	// has no price in the list.
	//
	// Example:
	//	{"machines": [{"type": "x9.huge", "count": 3}], "pools": [{"name": "general", "type": "m6g.large", "price": 0.077, "nodes": 3}]}
	NoPrice diag.Code = "P071"

	// TomorrowUnknown is reported when no nodes were chosen: no saving is claimed.
	//
	// Example:
	//	{"machines": [{"type": "m5.large", "count": 15, "price": 0.096}]}
	TomorrowUnknown diag.Code = "P072"

	// UnknownVersion is reported for a version of Kubernetes of which it is not
	// known how long it is supported.
	//
	// Example:
	//	{"spec": {"target": {"kubernetes": "1.99"}}}
	UnknownVersion diag.Code = "P073"

	// SupportEnds is reported when the control plane will cost more within half a
	// year of the move, or does already.
	//
	// Example:
	//	{"spec": {"target": {"kubernetes": "1.29"}}}
	SupportEnds diag.Code = "P074"

	// SizeUnknown is reported for volumes whose size nobody declared: their cost
	// is not in the bill.
	//
	// Example:
	//	{"workloads": [{"id": "/db", "kind": "service", "replicas": 1, "volumes": [{"name": "data", "kind": "persistent"}]}]}
	SizeUnknown diag.Code = "P075"

	// WishMissed is reported when less is saved than spec.costs.wished asks for,
	// or the bill becomes dearer;
	// the plan says what would have to give.
	//
	// Example:
	//	{"machines": [{"type": "m5.large", "count": 4, "price": 0.096}], "spec": {"costs": {"wished": 0.4}},
	//	 "pools": [{"name": "general", "type": "m6g.large", "price": 0.077, "nodes": 3}]}
	WishMissed diag.Code = "P076"

	// OtherRegion is reported when the nodes stand in another region than that
	// of the list prices of what is paid beside them.
	//
	// Example:
	//	{"region": "eu-west-1"}
	OtherRegion diag.Code = "P077"
)
