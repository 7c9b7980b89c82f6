package cluster

import "github.com/tranship/tranship/internal/base/diag"

// Codes of rendering. They are reported by render, not by discover, so their
// examples are tests of the packages that report them.
const (
	// UnknownVersion is reported for a --kube-version that is no version.
	UnknownVersion diag.Code = "R101"

	// NameChanged is reported when a workload's own name cannot be its name in
	// the cluster: it is too long, or taken.
	NameChanged diag.Code = "R102"

	// AddressInManyNamespaces is reported when the workloads behind one virtual
	// address are in several namespaces.
	AddressInManyNamespaces diag.Code = "R103"

	// SkippedByPolicy is reported for a workload that tranship.yaml leaves out.
	SkippedByPolicy diag.Code = "R104"

	// ReplacedByOperator is reported for a framework's scheduler.
	ReplacedByOperator diag.Code = "R105"

	// PartOfOldPlatform is reported for a load balancer of the old platform and
	// the like.
	PartOfOldPlatform diag.Code = "R106"

	// NothingRuns is reported for a workload without a container.
	NothingRuns diag.Code = "R107"

	// NoImage is reported for a container without an image where tranship.yaml
	// names no base image.
	NoImage diag.Code = "R110"

	// UnfitVariable is reported for a variable whose name the target's version
	// does not take.
	UnfitVariable diag.Code = "R111"

	// UnfitImage is reported for an image's name that no registry has.
	UnfitImage diag.Code = "R112"

	// UserByName is reported for a user whose number nobody has said.
	UserByName diag.Code = "R113"

	// ReferencesSecretInText is reported for a secret that is used and of which
	// nothing is known.
	UnknownSecret diag.Code = "R114"

	// HostPath is reported for a path of the old machines that is kept.
	HostPath diag.Code = "R115"

	// RepeatedMount is reported for a second volume at the same path.
	RepeatedMount diag.Code = "R116"

	// UnfitValue is reported for a value that Kubernetes would refuse.
	UnfitValue diag.Code = "R117"

	// NeedsPrivilege is reported for a workload that asks for more than a
	// namespace's baseline allows.
	NeedsPrivilege diag.Code = "R118"

	// PortTaken is reported when two ports of a workload have the same number.
	PortTaken diag.Code = "R119"

	// UnusedCheck is reported for a check that cannot be a probe.
	UnusedCheck diag.Code = "R120"

	// NotDownloadable is reported for an artifact that the init container's
	// tools cannot fetch.
	NotDownloadable diag.Code = "R121"

	// NoPlaces is reported for a constraint for which no values are known.
	NoPlaces diag.Code = "R122"

	// NoTimeZone is reported for a schedule's time zone on a target without them.
	NoTimeZone diag.Code = "R123"

	// UnfitSchedule is reported for a schedule that Kubernetes does not read.
	UnfitSchedule diag.Code = "R124"

	// StaticVolume is reported for an existing volume whose handle somebody
	// must fill in.
	StaticVolume diag.Code = "R125"

	// ConfigFromFile is reported for a configuration whose text is in a file
	// beside the definition.
	ConfigFromFile diag.Code = "R126"

	// LiteralAddress is reported for a virtual address that is a bare IP.
	LiteralAddress diag.Code = "R127"

	// RouteLost is reported for a route, or a part of it, that the edge cannot
	// carry.
	RouteLost diag.Code = "R130"

	// RouteChanged is reported for a part of a route that the edge carries
	// another way.
	RouteChanged diag.Code = "R131"

	// CertificateNeeded is reported for a certificate that somebody must bring.
	CertificateNeeded diag.Code = "R132"

	// PublicPort is reported for a TCP port of the edge that becomes a load
	// balancer of its own.
	PublicPort diag.Code = "R133"

	// AutoscalerLost is reported for a trigger that a HorizontalPodAutoscaler
	// has not.
	AutoscalerLost diag.Code = "R140"

	// LabelsTooLong is reported when a workload's labels do not fit into
	// annotations.
	LabelsTooLong diag.Code = "R141"
)
