package cluster

import "github.com/tranship/tranship/internal/base/diag"

// Codes of rendering. A test of package manifest takes each example the whole
// way from the definition to the objects.
const (
	// UnknownVersion is reported for a --kube-version that is no version.
	//
	// No example: it is an option of the command line.
	UnknownVersion diag.Code = "R101"

	// NameChanged is reported when a workload's own name cannot be its name in
	// the cluster: it is too long, or taken.
	//
	// Example:
	//	[{"id": "/x/a/b", "cmd": "true"}, {"id": "/x/a-b", "cmd": "true"}]
	NameChanged diag.Code = "R102"

	// AddressInManyNamespaces is reported when the workloads behind one virtual
	// address are in several namespaces.
	//
	// Example:
	//	[{"id": "/a/x", "networks": [{"mode": "container/bridge"}], "cmd": "true", "container": {"portMappings": [{"containerPort": 80, "labels": {"VIP_0": "/v:80"}}]}},
	//	 {"id": "/b/x", "networks": [{"mode": "container/bridge"}], "cmd": "true", "container": {"portMappings": [{"containerPort": 80, "labels": {"VIP_0": "/v:80"}}]}}]
	AddressInManyNamespaces diag.Code = "R103"

	// SkippedByPolicy is reported for a workload that tranship.yaml leaves out.
	//
	// No example: tranship.yaml says so, not a definition.
	SkippedByPolicy diag.Code = "R104"

	// ReplacedByOperator is reported for a framework's scheduler.
	//
	// Example:
	//	{"id": "/kafka", "cmd": "true", "labels": {"DCOS_PACKAGE_IS_FRAMEWORK": "true", "DCOS_PACKAGE_NAME": "kafka"}}
	ReplacedByOperator diag.Code = "R105"

	// PartOfOldPlatform is reported for a load balancer of the old platform and
	// the like.
	//
	// Example:
	//	{"id": "/marathon-lb", "args": ["sse", "--group", "external"],
	//	 "container": {"type": "DOCKER", "docker": {"image": "mesosphere/marathon-lb:v1.15.0"}}}
	PartOfOldPlatform diag.Code = "R106"

	// NothingRuns is reported for a workload without a container.
	//
	// No example: every reader gives what runs a container.
	NothingRuns diag.Code = "R107"

	// NoImage is reported for a container without an image where tranship.yaml
	// names no base image.
	//
	// Example:
	//	{"id": "/a", "cmd": "true"}
	NoImage diag.Code = "R110"

	// UnfitVariable is reported for a variable whose name the target's version
	// does not take.
	//
	// No example: readers mend such names; an estate made by hand can have them.
	UnfitVariable diag.Code = "R111"

	// UserByName is reported for a user whose number nobody has said.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "user": "app"}
	UserByName diag.Code = "R113"

	// UnknownSecret is reported for a secret that somebody else must make: one that
	// pulls images, or of which nothing is known.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "secrets": {"pull": {"source": "a/pull"}},
	//	 "container": {"type": "MESOS", "docker": {"image": "i", "pullConfig": {"secret": "pull"}}}}
	UnknownSecret diag.Code = "R114"

	// HostPath is reported for a path of the old machines that is kept.
	//
	// Example:
	//	{"id": "/a", "cmd": "true",
	//	 "container": {"type": "MESOS", "volumes": [{"containerPath": "/x", "hostPath": "/srv", "mode": "RW"}]}}
	HostPath diag.Code = "R115"

	// RepeatedMount is reported for a second volume at the same path.
	//
	// No example: readers leave the second one out.
	RepeatedMount diag.Code = "R116"

	// UnfitValue is reported for a value that Kubernetes would refuse.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "container": {"type": "DOCKER", "docker": {"image": "i", "parameters": [
	//	 {"key": "dns", "value": "10.0.0.1"}, {"key": "dns", "value": "10.0.0.2"},
	//	 {"key": "dns", "value": "10.0.0.3"}, {"key": "dns", "value": "10.0.0.4"}]}}}
	UnfitValue diag.Code = "R117"

	// NeedsPrivilege is reported for a workload that asks for more than a
	// namespace's baseline allows.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "container": {"type": "DOCKER",
	//	 "docker": {"image": "i", "parameters": [{"key": "sysctl", "value": "net.core.somaxconn=1024"}]}}}
	NeedsPrivilege diag.Code = "R118"

	// PortTaken is reported when two ports of a workload have the same number.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "networks": [{"mode": "container/bridge"}],
	//	 "container": {"portMappings": [{"containerPort": 80}, {"containerPort": 80}]}}
	PortTaken diag.Code = "R119"

	// UnusedCheck is reported for a check that cannot be a probe.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "portDefinitions": [{"port": 0}], "healthChecks": [
	//	 {"protocol": "HTTP", "path": "/a"}, {"protocol": "HTTP", "path": "/b"}]}
	UnusedCheck diag.Code = "R120"

	// NotDownloadable is reported for an artifact that the init container's
	// tools cannot fetch.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "fetch": [{"uri": "s3://bucket/file"}]}
	NotDownloadable diag.Code = "R121"

	// NoPlaces is reported for a constraint for which no values are known.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "constraints": [["rack", "LIKE", "r[12]"]]}
	NoPlaces diag.Code = "R122"

	// NoTimeZone is reported for a schedule's time zone on a target without them.
	//
	// No example: it takes a target before 1.27.
	NoTimeZone diag.Code = "R123"

	// UnfitSchedule is reported for a schedule that Kubernetes does not read.
	//
	// No example: the reader of jobs leaves such schedules out.
	UnfitSchedule diag.Code = "R124"

	// StaticVolume is reported for an existing volume whose handle somebody
	// must fill in.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "container": {"type": "MESOS", "volumes": [{"containerPath": "/x", "mode": "RW",
	//	 "external": {"name": "v", "provider": "dvdi", "size": 1, "options": {"dvdi/driver": "rexray"}}}]}}
	StaticVolume diag.Code = "R125"

	// ConfigFromFile is reported for a configuration whose text is in a file
	// beside the definition.
	//
	// Example:
	//	services:
	//	  web: {image: i, configs: [{source: site, target: /etc/site}]}
	//	configs: {site: {file: ./site.conf}}
	ConfigFromFile diag.Code = "R126"

	// LiteralAddress is reported for a virtual address that is a bare IP.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "networks": [{"mode": "container/bridge"}],
	//	 "container": {"portMappings": [{"containerPort": 80, "labels": {"VIP_0": "10.1.2.3:80"}}]}}
	LiteralAddress diag.Code = "R127"

	// RouteLost is reported for a route, or a part of it, that the edge cannot
	// carry.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "portDefinitions": [{"port": 10000}],
	//	 "labels": {"HAPROXY_GROUP": "external", "HAPROXY_0_VHOST": "a.example.com", "HAPROXY_0_AUTH": "staff:ann:not-here"}}
	RouteLost diag.Code = "R130"

	// RouteChanged is reported for a part of a route that the edge carries
	// another way.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "portDefinitions": [{"port": 10000}],
	//	 "labels": {"HAPROXY_GROUP": "external", "HAPROXY_0_VHOST": "a.example.com", "HAPROXY_0_STICKY": "true"}}
	RouteChanged diag.Code = "R131"

	// CertificateNeeded is reported for a certificate that somebody must bring.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "portDefinitions": [{"port": 10000}],
	//	 "labels": {"HAPROXY_GROUP": "external", "HAPROXY_0_VHOST": "a.example.com"}}
	CertificateNeeded diag.Code = "R132"

	// PublicPort is reported for a TCP port of the edge that becomes a load
	// balancer of its own.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "portDefinitions": [{"port": 10000}],
	//	 "labels": {"HAPROXY_GROUP": "external", "HAPROXY_0_MODE": "tcp"}}
	PublicPort diag.Code = "R133"

	// AutoscalerLost is reported for a trigger that a HorizontalPodAutoscaler
	// has not.
	//
	// No example yet: no reader finds such triggers.
	AutoscalerLost diag.Code = "R140"

	// LabelsTooLong is reported when a workload's labels do not fit into
	// annotations.
	//
	// No example: it takes labels of more than 250 KiB.
	LabelsTooLong diag.Code = "R141"
)
