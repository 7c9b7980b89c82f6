package pod

import "github.com/tranship/tranship/internal/base/diag"

// Codes of pods.
const (
	// NoID is reported for a pod without an id.
	//
	// Example:
	//	{"containers": [{"name": "c"}], "networks": [{"mode": "host"}]}
	NoID diag.Code = "B101"

	// NoContainers is reported for a pod without a container, which is left out.
	//
	// Example:
	//	{"id": "/a", "containers": []}
	NoContainers diag.Code = "B102"

	// Named is the ledger's code for a pod's id.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c"}]}
	Named diag.Code = "B103"

	// Version is the ledger's code for the time of the definition.
	//
	// Example:
	//	{"id": "/a", "version": "2017-01-03T17:36:39.389Z", "containers": [{"name": "c"}]}
	Version diag.Code = "B104"

	// Role is the ledger's code for the role that a pod is charged to.
	//
	// Example:
	//	{"id": "/a", "role": "dev", "containers": [{"name": "c"}]}
	Role diag.Code = "B105"

	// ExecutorShare is the ledger's code for what Mesos' executor took.
	//
	// Example:
	//	{"id": "/a", "executorResources": {"cpus": 0.1}, "containers": [{"name": "c"}]}
	ExecutorShare diag.Code = "B106"

	// SharedCgroup is the ledger's code for containers that share one cgroup.
	//
	// Example:
	//	{"id": "/a", "legacySharedCgroups": true, "containers": [{"name": "c"}]}
	SharedCgroup diag.Code = "B107"

	// User is the ledger's code for the user that a container runs as.
	//
	// Example:
	//	{"id": "/a", "user": "www-data", "containers": [{"name": "c"}]}
	User diag.Code = "B108"

	// ScalingKind is the ledger's code for the kind of scaling.
	//
	// Example:
	//	{"id": "/a", "scaling": {"kind": "fixed"}, "containers": [{"name": "c"}]}
	ScalingKind diag.Code = "B109"

	// Instances is the ledger's code for the number of copies.
	//
	// Example:
	//	{"id": "/a", "scaling": {"instances": 2}, "containers": [{"name": "c"}]}
	Instances diag.Code = "B110"

	// AcceptedRole is the ledger's code for a role whose hosts a pod ran on.
	//
	// Example:
	//	{"id": "/a", "scheduling": {"placement": {"acceptedResourceRoles": ["slave_public"]}}, "containers": [{"name": "c"}]}
	AcceptedRole diag.Code = "B111"

	// Seen is the ledger's code for how a copy ran at the time of the snapshot.
	//
	// Example:
	//	{"id": "/a", "spec": {"id": "/a", "containers": [{"name": "c"}]}, "instances": [{"id": "a.1", "status": "STABLE"}]}
	Seen diag.Code = "B112"

	// KillGrace is the ledger's code for the time between asking to stop and killing.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c", "lifecycle": {"killGracePeriodSeconds": 60}}]}
	KillGrace diag.Code = "B113"

	// BadVolume is reported for a volume without a name of its own.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c"}], "volumes": [{"name": "v"}, {"name": "v"}]}
	BadVolume diag.Code = "B114"

	// VolumeName is the ledger's code for a volume's name.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c"}], "volumes": [{"name": "v"}]}
	VolumeName diag.Code = "B115"

	// HostPath is the ledger's code for a folder of the host.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c"}], "volumes": [{"name": "v", "host": "/data"}]}
	HostPath diag.Code = "B116"

	// SandboxPath is the ledger's code for a folder of the sandbox.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c"}], "volumes": [{"name": "v", "host": "data"}]}
	SandboxPath diag.Code = "B117"

	// SecretFile is the ledger's code for a secret that is shown as a file.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c"}], "secrets": {"k": {"source": "a/k"}}, "volumes": [{"name": "v", "secret": "k"}]}
	SecretFile diag.Code = "B118"

	// BadMount is reported for a mount that cannot be.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c", "volumeMounts": [{"name": "v", "mountPath": "/v"}]}]}
	BadMount diag.Code = "B119"

	// VolumeMount is the ledger's code for a mount.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c", "volumeMounts": [{"name": "v", "mountPath": "v"}]}], "volumes": [{"name": "v"}]}
	VolumeMount diag.Code = "B120"

	// ContainerName is the ledger's code for a container's name; it is reported for one that
	// has none of its own.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c"}]}
	ContainerName diag.Code = "B121"

	// SharedFate is the ledger's code for containers that lived and died together.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c"}, {"name": "d"}]}
	SharedFate diag.Code = "B122"

	// Terminal is the ledger's code for a container's terminal.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c", "tty": true}]}
	Terminal diag.Code = "B123"

	// Image is the ledger's code for an image.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c", "image": {"kind": "DOCKER", "id": "nginx:1"}}]}
	Image diag.Code = "B124"

	// ImageKind is the ledger's code for what kind an image or container is.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c", "image": {"kind": "DOCKER", "id": "nginx:1"}}]}
	ImageKind diag.Code = "B125"

	// PullPolicy is the ledger's code for when an image is pulled.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c", "image": {"id": "nginx:1", "forcePull": true}}]}
	PullPolicy diag.Code = "B126"

	// BothCommands is reported for a command in both forms.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c", "exec": {"command": {"shell": "true", "argv": ["true"]}}}]}
	BothCommands diag.Code = "B127"

	// Entrypoint is the ledger's code for whether the image's entrypoint runs.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c", "exec": {"command": {"shell": "true"}, "overrideEntrypoint": true}}]}
	Entrypoint diag.Code = "B128"

	// ContainerLabel is the ledger's code for a container's label.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c", "labels": {"team": "till"}}]}
	ContainerLabel diag.Code = "B129"

	// Overridden is the ledger's code for a variable that all containers set themselves.
	//
	// Example:
	//	{"id": "/a", "environment": {"COLOUR": "green"}, "containers": [{"name": "c", "environment": {"COLOUR": "red"}}]}
	Overridden diag.Code = "B130"

	// PortName is the ledger's code for an endpoint's name.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c", "endpoints": [{"name": "web", "hostPort": 0}]}]}
	PortName diag.Code = "B131"

	// PortNumber is the ledger's code for the port that a program listens on.
	//
	// Example:
	//	{"id": "/a", "networks": [{"mode": "container"}], "containers": [{"name": "c", "endpoints": [{"name": "web", "containerPort": 80}]}]}
	PortNumber diag.Code = "B132"

	// PortUnused is the ledger's code for a port that the host's network ignores.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c", "endpoints": [{"name": "web", "containerPort": 80, "hostPort": 80}]}]}
	PortUnused diag.Code = "B133"

	// DynamicPort is the ledger's code for a port that was chosen at each start.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c", "endpoints": [{"name": "web", "hostPort": 0}]}]}
	DynamicPort diag.Code = "B134"

	// HostPort is the ledger's code for a port of the host.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c", "endpoints": [{"name": "web", "hostPort": 80}]}]}
	HostPort diag.Code = "B135"

	// PortNetwork is the ledger's code for a port that some networks serve.
	//
	// Example:
	//	{"id": "/a", "networks": [{"name": "x"}], "containers": [{"name": "c", "endpoints": [{"name": "web", "containerPort": 80, "networkNames": ["x"]}]}]}
	PortNetwork diag.Code = "B136"

	// PortTwice is reported for two endpoints at one port.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c", "endpoints": [{"name": "web", "hostPort": 80}, {"name": "www", "hostPort": 80}]}]}
	PortTwice diag.Code = "B137"

	// Protocol is the ledger's code for an endpoint's protocol.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c", "endpoints": [{"name": "web", "hostPort": 80, "protocol": ["http"]}]}]}
	Protocol diag.Code = "B138"

	// PortLabel is the ledger's code for an endpoint's label.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c", "endpoints": [{"name": "web", "hostPort": 80, "labels": {"team": "till"}}]}]}
	PortLabel diag.Code = "B139"

	// VirtualAddress is the ledger's code for an endpoint's virtual address.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c", "endpoints": [{"name": "web", "hostPort": 80, "labels": {"VIP_0": "/a:80"}}]}]}
	VirtualAddress diag.Code = "B140"

	// CheckQuestion is the ledger's code for what a check asks.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c", "endpoints": [{"name": "web", "hostPort": 80}], "healthCheck": {"http": {"endpoint": "web", "path": "/up"}}}]}
	CheckQuestion diag.Code = "B141"

	// CheckPeriod is the ledger's code for how often a check asks, and how long it waits.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c", "healthCheck": {"exec": {"command": {"shell": "true"}}, "intervalSeconds": 5}}]}
	CheckPeriod diag.Code = "B142"

	// CheckGrace is the ledger's code for the time in which failures do not count.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c", "healthCheck": {"exec": {"command": {"shell": "true"}}, "gracePeriodSeconds": 5}}]}
	CheckGrace diag.Code = "B143"

	// CheckFailures is the ledger's code for how many failures end a copy.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c", "healthCheck": {"exec": {"command": {"shell": "true"}}, "maxConsecutiveFailures": 2}}]}
	CheckFailures diag.Code = "B144"

	// Advisory is the ledger's code for a check that changed nothing by itself.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c", "check": {"exec": {"command": {"shell": "true"}}}}]}
	Advisory diag.Code = "B145"

	// BadCheck is reported for a check that asks nothing, or more than one thing.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c", "healthCheck": {"intervalSeconds": 5}}]}
	BadCheck diag.Code = "B146"

	// NoEndpoint is reported for a check of an endpoint that is not there.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c", "healthCheck": {"tcp": {"endpoint": "web"}}}]}
	NoEndpoint diag.Code = "B147"

	// SameAgain is the ledger's code for a definition that was read before.
	//
	// Example:
	//	[{"id": "/a", "containers": [{"name": "c"}]}, {"id": "/a", "containers": [{"name": "c"}]}]
	SameAgain diag.Code = "B148"

	// NoImage is reported for containers without an image.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c"}]}
	NoImage diag.Code = "B149"
)
