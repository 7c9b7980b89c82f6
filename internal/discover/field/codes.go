package field

import "github.com/tranship/tranship/internal/base/diag"

// Codes of the fields that the dialects of Mesos share.
const (
	// Variable is the ledger's code for a variable that is carried as it is.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true", "env": {"COLOUR": "green"}}}
	Variable diag.Code = "F101"

	// VariableFromSecret is the ledger's code for a variable that refers to a
	// declared secret.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true", "env": {"KEY": {"secret": "k"}}, "secrets": {"k": {"source": "a/k"}}}}
	VariableFromSecret diag.Code = "F102"

	// VariableName is the ledger's code for a variable whose name Kubernetes
	// may refuse. Without any usable name it is reported and left out.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true", "env": {"2nd colour": "green"}}}
	VariableName diag.Code = "F103"

	// DeclaredSecret is the ledger's code for the source of a declared secret.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true", "secrets": {"k": {"source": "a/k"}}}}
	DeclaredSecret diag.Code = "F104"

	// UndeclaredSecret is reported for a secret that is used and not declared.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true", "env": {"KEY": {"secret": "k"}}}}
	UndeclaredSecret diag.Code = "F105"

	// PullCredential is the ledger's code for the credential of a registry.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true", "artifacts": [{"uri": "file:///etc/docker.tar.gz"}]}}
	PullCredential diag.Code = "F106"

	// Fetched is the ledger's code for a file that an init container fetches.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true", "artifacts": [{"uri": "https://example.com/x.zip"}]}}
	Fetched diag.Code = "F111"

	// ArtifactOption is the ledger's code for how a fetched file is treated.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true", "artifacts": [{"uri": "https://example.com/x", "executable": true}]}}
	ArtifactOption diag.Code = "F112"

	// NoArchive is the ledger's code for extract on a file that is no archive.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true", "artifacts": [{"uri": "https://example.com/x.jar", "extract": true}]}}
	NoArchive diag.Code = "F113"

	// ArtifactCache is the ledger's code for the fetcher's cache.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true", "artifacts": [{"uri": "https://example.com/x", "cache": true}]}}
	ArtifactCache diag.Code = "F114"

	// ArtifactOnHost is reported for a file that is fetched from the host's disk.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true", "artifacts": [{"uri": "file:///opt/tool.zip"}]}}
	ArtifactOnHost diag.Code = "F115"

	// ArtifactScheme is the ledger's code for a URI that needs a tool of its own.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true", "artifacts": [{"uri": "hdfs://names/x"}]}}
	ArtifactScheme diag.Code = "F116"

	// ArtifactCredential is the ledger's code for a fetched URI with a credential.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true", "artifacts": [{"uri": "https://me:not-here@example.com/x"}]}}
	ArtifactCredential diag.Code = "F117"

	// ArtifactPath is reported for a fetched file that leaves the sandbox.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c", "artifacts": [{"uri": "https://example.com/x", "destPath": "/etc/x"}]}]}
	ArtifactPath diag.Code = "F118"

	// Placement is the ledger's code for a constraint that Kubernetes has too.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true", "placement": {"constraints": [{"attribute": "disk", "operator": "IS", "value": "ssd"}]}}}
	Placement diag.Code = "F121"

	// PlacementByPattern is the ledger's code for a constraint by a pattern.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true", "placement": {"constraints": [{"attribute": "rack", "operator": "LIKE", "value": "r[1-3]"}]}}}
	PlacementByPattern diag.Code = "F122"

	// PlacementSpread is the ledger's code for copies that are spread evenly.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c"}], "scheduling": {"placement": {"constraints": [{"fieldName": "rack", "operator": "GROUP_BY", "value": "3"}]}}}
	PlacementSpread diag.Code = "F123"

	// PlacementAtMost is the ledger's code for a bound of copies a value.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c"}], "scheduling": {"placement": {"constraints": [{"fieldName": "rack", "operator": "MAX_PER", "value": "2"}]}}}
	PlacementAtMost diag.Code = "F124"

	// PinnedToHost is the ledger's code for a constraint that names machines.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true", "placement": {"constraints": [{"attribute": "hostname", "operator": "IS", "value": "10.0.0.7"}]}}}
	PinnedToHost diag.Code = "F125"

	// PlaceName is the ledger's code for a zone or region of the old world.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true", "placement": {"constraints": [{"attribute": "@zone", "operator": "IS", "value": "us-west-2a"}]}}}
	PlaceName diag.Code = "F126"

	// BadConstraint is reported for a constraint that Mesos would not know.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true", "placement": {"constraints": [{"attribute": "rack", "operator": "NEAR", "value": "1"}]}}}
	BadConstraint diag.Code = "F127"

	// UnusedValue is the ledger's code for a value that the operator ignores.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c"}], "scheduling": {"placement": {"constraints": [{"fieldName": "rack", "operator": "UNIQUE", "value": "2"}]}}}
	UnusedValue diag.Code = "F128"

	// CPURequest is the ledger's code for processors.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true", "cpus": 0.5}}
	CPURequest diag.Code = "F131"

	// MemoryRequest is the ledger's code for memory.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true", "mem": 64}}
	MemoryRequest diag.Code = "F132"

	// DiskRequest is the ledger's code for disk.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true", "disk": 64}}
	DiskRequest diag.Code = "F133"

	// GPURequest is the ledger's code for graphics processors.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true", "gpus": 1}}
	GPURequest diag.Code = "F134"

	// ResourceLimit is the ledger's code for a limit apart from the request.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c", "resourceLimits": {"cpus": "unlimited"}}]}
	ResourceLimit diag.Code = "F135"

	// VolumeSize is the ledger's code for a volume's size.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c"}], "volumes": [{"name": "v", "persistent": {"size": 10}}]}
	VolumeSize diag.Code = "F141"

	// VolumeClass is the ledger's code for what chooses a storage class.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c"}], "volumes": [{"name": "v", "persistent": {"size": 10, "type": "mount"}}]}
	VolumeClass diag.Code = "F142"

	// VolumeDisk is the ledger's code for a constraint on the host's disk.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c"}], "volumes": [{"name": "v", "persistent": {"size": 1, "constraints": [["path", "LIKE", "/ssd.*"]]}}]}
	VolumeDisk diag.Code = "F143"

	// ExternalVolume is the ledger's code for a storage provider's volume.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c"}], "volumes": [{"name": "v", "external": {"name": "data", "provider": "dvdi"}}]}
	ExternalVolume diag.Code = "F144"

	// CSIVolume is the ledger's code for a volume by a CSI driver.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c"}], "volumes": [{"name": "v", "external": {"name": "vol-1", "provider": "csi"}}]}
	CSIVolume diag.Code = "F145"

	// VolumeSecret is the ledger's code for a secret of a volume's driver.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c"}], "volumes": [{"name": "v", "external": {"name": "d", "provider": "dvdi", "options": {"dvdi/password": "not-here"}}}]}
	VolumeSecret diag.Code = "F146"

	// HostNetwork is the ledger's code for a workload on the host's network.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true", "networks": [{"mode": "host"}]}}
	HostNetwork diag.Code = "F151"

	// BridgeNetwork is the ledger's code for ports mapped from the host's.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true", "networks": [{"mode": "container/bridge"}]}}
	BridgeNetwork diag.Code = "F152"

	// NetworkName is the ledger's code for a container network.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true", "networks": [{"mode": "container", "name": "blue"}]}}
	NetworkName diag.Code = "F153"

	// NetworkUnused is the ledger's code for what the host's network ignores.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true", "networks": [{"mode": "host", "name": "blue"}]}}
	NetworkUnused diag.Code = "F154"

	// Seccomp is the ledger's code for the filter on system calls.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c", "linuxInfo": {"seccomp": {"unconfined": true}}}]}
	Seccomp diag.Code = "F155"

	// SharedMemory is the ledger's code for shared memory and its size.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c", "linuxInfo": {"ipcInfo": {"mode": "PRIVATE", "shmSize": 64}}}]}
	SharedMemory diag.Code = "F156"

	// Words is the ledger's code for a text that a container is started or
	// checked with.
	//
	// Example:
	//	{"id": "a", "run": {"cmd": "true"}}
	Words diag.Code = "F161"

	// LostHost is the ledger's code for what becomes of a copy on a lost host.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c"}], "scheduling": {"unreachableStrategy": "disabled"}}
	LostHost diag.Code = "F162"

	// KillOrder is the ledger's code for which copy goes first.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c"}], "scheduling": {"killSelection": "OLDEST_FIRST"}}
	KillOrder diag.Code = "F163"

	// Capacity is the ledger's code for how many copies there are while a new
	// version comes in.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c"}], "scheduling": {"upgrade": {"minimumHealthCapacity": 0.5}}}
	Capacity diag.Code = "F164"

	// Backoff is the ledger's code for delays between starts.
	//
	// Example:
	//	{"id": "/a", "containers": [{"name": "c"}], "scheduling": {"backoff": {"backoff": 5}}}
	Backoff diag.Code = "F165"
)
