package normal

import "github.com/tranship/tranship/internal/base/diag"

// Codes of fields that exclude each other.
const (
	// BothPortMappings is reported where container.docker.portMappings stands
	// beside container.portMappings; the newer one is read.
	//
	// Example:
	//	{"id": "/a", "container": {"docker": {"image": "x:1", "network": "BRIDGE",
	//	  "portMappings": [{"containerPort": 80}]}, "portMappings": [{"containerPort": 81}]}}
	BothPortMappings diag.Code = "M150"

	// BothNetworks is reported where ipAddress or container.docker.network
	// stands beside networks; the newer one is read.
	//
	// Example:
	//	{"id": "/a", "networks": [{"mode": "host"}], "container": {"docker": {"image": "x:1", "network": "BRIDGE"}}}
	BothNetworks diag.Code = "M151"

	// BothFetch is reported where uris stands beside fetch; fetch is read.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "uris": ["http://x/a.tgz"], "fetch": [{"uri": "http://x/b.tgz"}]}
	BothFetch diag.Code = "M152"

	// DiscoveryPorts is reported where ipAddress.discovery.ports stands beside
	// port mappings or a Docker container; the mappings are read.
	//
	// Example:
	//	{"id": "/a", "ipAddress": {"discovery": {"ports": [{"number": 80, "name": "http"}]}},
	//	 "container": {"type": "DOCKER", "docker": {"image": "x:1"}}}
	DiscoveryPorts diag.Code = "M153"

	// UnknownCheck is reported for a health check with an unknown protocol;
	// the check is left out.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "healthChecks": [{"protocol": "GOPHER"}]}
	UnknownCheck diag.Code = "M154"
)
