package marathon

import "github.com/tranship/tranship/internal/base/diag"

// Codes of what is run, and in what.
const (
	// NoImage is reported for an app that ran on the agent's own files.
	//
	// Example:
	//	{"id": "/a", "cmd": "true"}
	NoImage diag.Code = "M130"

	// Image is the ledger's code for an image with a tag or digest.
	//
	// Example:
	//	{"id": "/a", "container": {"docker": {"image": "x:1"}}}
	Image diag.Code = "M131"

	// MutableTag is the ledger's code for an image whose tag is meant to move.
	//
	// Example:
	//	{"id": "/a", "container": {"docker": {"image": "x"}}}
	MutableTag diag.Code = "M132"

	// Engine is the ledger's code for the container engine.
	//
	// Example:
	//	{"id": "/a", "container": {"type": "MESOS", "docker": {"image": "x:1"}}}
	Engine diag.Code = "M133"

	// AppC is reported for an image in the appc format.
	//
	// Example:
	//	{"id": "/a", "container": {"type": "MESOS", "appc": {"image": "x"}}}
	AppC diag.Code = "M134"

	// PullPolicy is the ledger's code for pulling at each start.
	//
	// Example:
	//	{"id": "/a", "container": {"docker": {"image": "x:1", "forcePullImage": true}}}
	PullPolicy diag.Code = "M135"

	// Privileged is the ledger's code for all rights of the machine.
	//
	// Example:
	//	{"id": "/a", "container": {"docker": {"image": "x:1", "privileged": true}}}
	Privileged diag.Code = "M136"

	// BothCommands is reported where cmd and args stand side by side.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "args": ["false"]}
	BothCommands diag.Code = "M137"

	// Executor is reported for an executor of the app's own.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "executor": "/opt/mine"}
	Executor diag.Code = "M138"

	// Terminal is the ledger's code for a terminal.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "tty": true}
	Terminal diag.Code = "M139"

	// User is the ledger's code for the user that the app runs as.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "user": "nobody"}
	User diag.Code = "M140"
)

// Codes of volumes.
const (
	// VolumePath is the ledger's code for where a volume is mounted.
	//
	// Example:
	//	{"id": "/a", "container": {"docker": {"image": "x:1"}, "volumes": [{"containerPath": "/d", "hostPath": "/d", "mode": "RO"}]}}
	VolumePath diag.Code = "M141"

	// VolumeMode is the ledger's code for whether a volume may be written to.
	//
	// Example:
	//	{"id": "/a", "container": {"docker": {"image": "x:1"}, "volumes": [{"containerPath": "/d", "hostPath": "/d", "mode": "RO"}]}}
	VolumeMode diag.Code = "M142"

	// HostPath is the ledger's code for a path of the agent.
	//
	// Example:
	//	{"id": "/a", "container": {"docker": {"image": "x:1"}, "volumes": [{"containerPath": "/d", "hostPath": "/d", "mode": "RO"}]}}
	HostPath diag.Code = "M143"

	// DockerSocket is reported for the Docker daemon's socket.
	//
	// Example:
	//	{"id": "/a", "container": {"docker": {"image": "x:1"},
	//	  "volumes": [{"containerPath": "/var/run/docker.sock", "hostPath": "/var/run/docker.sock", "mode": "RW"}]}}
	DockerSocket diag.Code = "M144"

	// SandboxPath is the ledger's code for a folder of the sandbox.
	//
	// Example:
	//	{"id": "/a", "container": {"docker": {"image": "x:1"}, "volumes": [{"containerPath": "/d", "hostPath": "d", "mode": "RW"}]}}
	SandboxPath diag.Code = "M145"

	// SecretFile is the ledger's code for a secret that is seen as a file.
	//
	// Example:
	//	{"id": "/a", "secrets": {"s": {"source": "a/s"}}, "container": {"docker": {"image": "x:1"}, "volumes": [{"containerPath": "/s", "secret": "s"}]}}
	SecretFile diag.Code = "M146"

	// BadMount is reported for a volume at a path that cannot be mounted at.
	//
	// Example:
	//	{"id": "/a", "container": {"docker": {"image": "x:1"}, "volumes": [{"containerPath": "/", "hostPath": "/d", "mode": "RW"}]}}
	BadMount diag.Code = "M147"
)

// Codes of ports.
const (
	// PortNumber is the ledger's code for a port that the program listens on.
	//
	// Example:
	//	{"id": "/a", "networks": [{"mode": "container/bridge"}], "container": {"docker": {"image": "x:1"}, "portMappings": [{"containerPort": 80}]}}
	PortNumber diag.Code = "M160"

	// DynamicPort is the ledger's code for a port that Marathon chose.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "portDefinitions": [{"port": 0}]}
	DynamicPort diag.Code = "M161"

	// HostPort is the ledger's code for a port of the agent.
	//
	// Example:
	//	{"id": "/a", "networks": [{"mode": "container/bridge"}],
	//	 "container": {"docker": {"image": "x:1"}, "portMappings": [{"containerPort": 80, "hostPort": 80}]}}
	HostPort diag.Code = "M162"

	// ServicePort is the ledger's code for a port of load balancers.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "portDefinitions": [{"port": 10001}]}
	ServicePort diag.Code = "M163"

	// RequiredPorts is the ledger's code for requirePorts.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "ports": [8080], "requirePorts": true}
	RequiredPorts diag.Code = "M164"

	// PortName is the ledger's code for a port's name.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "portDefinitions": [{"port": 0, "name": "http"}]}
	PortName diag.Code = "M165"

	// Protocol is the ledger's code for a port's protocol.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "portDefinitions": [{"port": 0, "protocol": "udp"}]}
	Protocol diag.Code = "M166"

	// PortNetwork is the ledger's code for the networks that a port is bound to.
	//
	// Example:
	//	{"id": "/a", "networks": [{"name": "a"}, {"name": "b"}],
	//	 "container": {"docker": {"image": "x:1"}, "portMappings": [{"containerPort": 80, "networkNames": ["a"]}]}}
	PortNetwork diag.Code = "M167"

	// PortLabel is the ledger's code for a label of a port.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "portDefinitions": [{"port": 0, "labels": {"team": "till"}}]}
	PortLabel diag.Code = "M168"

	// VirtualAddress is the ledger's code for a named virtual address.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "portDefinitions": [{"port": 0, "labels": {"VIP_0": "/a:80"}}]}
	VirtualAddress diag.Code = "M169"

	// AddressIP is the ledger's code for a virtual IP address.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "portDefinitions": [{"port": 0, "labels": {"VIP_0": "11.1.2.3:80"}}]}
	AddressIP diag.Code = "M170"

	// BadVIP is reported for a virtual address that is no name and port.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "portDefinitions": [{"port": 0, "labels": {"VIP_0": "nothing"}}]}
	BadVIP diag.Code = "M171"

	// NoSuchPort is reported for a check at a port that the app does not have.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "healthChecks": [{"protocol": "HTTP", "portIndex": 7}]}
	NoSuchPort diag.Code = "M172"
)

// Codes of checks.
const (
	// HealthCheck is the ledger's code for what a probe takes over.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "healthChecks": [{"protocol": "HTTP", "path": "/health"}]}
	HealthCheck diag.Code = "M180"

	// NeverKills is the ledger's code for a check that never kills.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "healthChecks": [{"protocol": "HTTP", "maxConsecutiveFailures": 0}]}
	NeverKills diag.Code = "M181"

	// KillsAtOnce is the ledger's code for a check whose first failure kills.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "healthChecks": [{"protocol": "MESOS_TCP", "maxConsecutiveFailures": 0}]}
	KillsAtOnce diag.Code = "M182"

	// SeveralChecks is the ledger's code for more checks than probes.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "healthChecks": [{"protocol": "HTTP", "path": "/a"}, {"protocol": "TCP"}]}
	SeveralChecks diag.Code = "M183"

	// LoopbackCheck is the ledger's code for a check from inside.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "healthChecks": [{"protocol": "MESOS_HTTP", "path": "/health"}]}
	LoopbackCheck diag.Code = "M184"

	// CheckCommand is the ledger's code for a command whose quotes were escaped twice.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "healthChecks": [{"protocol": "COMMAND", "command": {"value": "test \\\"a\\\" = \\\"a\\\""}}]}
	CheckCommand diag.Code = "M185"

	// NoCommand is reported for a COMMAND check without a command.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "healthChecks": [{"protocol": "COMMAND"}]}
	NoCommand diag.Code = "M186"

	// CheckPort is the ledger's code for the port of a check.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "healthChecks": [{"protocol": "TCP", "portIndex": 0}]}
	CheckPort diag.Code = "M187"

	// CheckGrace is the ledger's code for the time in which failures do not count.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "healthChecks": [{"protocol": "TCP", "gracePeriodSeconds": 30}]}
	CheckGrace diag.Code = "M188"

	// CheckTime is the ledger's code for a check's interval and timeout.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "healthChecks": [{"protocol": "TCP", "intervalSeconds": 10}]}
	CheckTime diag.Code = "M189"

	// CheckDelay is the ledger's code for the time before the first check.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "healthChecks": [{"protocol": "MESOS_TCP", "delaySeconds": 10}]}
	CheckDelay diag.Code = "M190"

	// CheckFamily is the ledger's code for the family of a check's address.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "healthChecks": [{"protocol": "MESOS_TCP", "ipProtocol": "IPv6"}]}
	CheckFamily diag.Code = "M191"

	// CheckUnused is the ledger's code for what a check of that kind ignores.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "healthChecks": [{"protocol": "TCP", "path": "/health"}]}
	CheckUnused diag.Code = "M192"

	// AdvisoryCheck is the ledger's code for a check that changed nothing.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "check": {"tcp": {"portIndex": 0}}}
	AdvisoryCheck diag.Code = "M193"

	// Readiness is the ledger's code for a check that held back a deployment.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "portDefinitions": [{"port": 0, "name": "http-api"}], "readinessChecks": [{"path": "/ready"}]}
	Readiness diag.Code = "M194"
)
