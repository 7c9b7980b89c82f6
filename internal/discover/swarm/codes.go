package swarm

import "github.com/tranship/tranship/internal/base/diag"

// Codes of Compose and stack files.
const (
	// ProjectName is the ledger's code for the project's name.
	//
	// Example:
	//	name: shop
	//	services: {a: {image: x}}
	ProjectName diag.Code = "C101"

	// ProjectTaken is reported where another file has services of the same names.
	ProjectTaken diag.Code = "C102"

	// Image is the ledger's code for which image runs, and when it is pulled.
	//
	// Example:
	//	services: {a: {image: x, pull_policy: always}}
	Image diag.Code = "C103"

	// Build is the ledger's code for an image that Compose builds.
	//
	// Example:
	//	services: {a: {build: .}}
	Build diag.Code = "C104"

	// NoImage is reported for a service with neither an image nor a build.
	//
	// Example:
	//	services: {a: {tty: true}}
	NoImage diag.Code = "C105"

	// Command is the ledger's code for what runs in the container.
	//
	// Example:
	//	services: {a: {image: x, command: run --fast}}
	Command diag.Code = "C106"

	// Setting is the ledger's code for a setting that pods have too.
	//
	// Example:
	//	services: {a: {image: x, tty: true}}
	Setting diag.Code = "C107"

	// User is the ledger's code for users and groups.
	//
	// Example:
	//	services: {a: {image: x, user: web}}
	User diag.Code = "C108"

	// Variable is the ledger's code for a variable that is carried as it is.
	//
	// Example:
	//	services: {a: {image: x, environment: {COLOUR: green}}}
	Variable diag.Code = "C109"

	// ShellVariable is the ledger's code for a variable that comes from the shell of who deploys.
	//
	// Example:
	//	services: {a: {image: x, environment: [COLOUR]}}
	ShellVariable diag.Code = "C110"

	// SecretVariable is the ledger's code for a variable that holds a secret.
	//
	// Example:
	//	services: {a: {image: x, environment: {DB_PASSWORD: not-here}}}
	SecretVariable diag.Code = "C111"

	// SecretInText is reported for a secret in a command, label or config; it is taken out.
	//
	// Example:
	//	services: {a: {image: x, command: "run --password ${DB_PASSWORD}"}}
	SecretInText diag.Code = "C112"

	// EnvFile is the ledger's code for a file of variables.
	//
	// Example:
	//	services: {a: {image: x, env_file: [{path: a.env, required: false}]}}
	EnvFile diag.Code = "C113"

	// MissingFile is reported for a file that is not in the snapshot.
	//
	// Example:
	//	services: {a: {image: x, env_file: a.env}}
	MissingFile diag.Code = "C114"

	// UnusableFile is reported for a file that is not what it should be.
	//
	// Example:
	//	include: [.]
	//	services: {a: {image: x}}
	UnusableFile diag.Code = "C115"

	// EndlessInclude is reported for a file that includes or extends itself.
	//
	// Example:
	//	include: [compose.yaml]
	//	services: {a: {image: x}}
	EndlessInclude diag.Code = "C116"

	// Merged is the ledger's code for what is included or extended.
	//
	// Example:
	//	services: {a: {image: x}, b: {extends: a}}
	Merged diag.Code = "C117"

	// UnsetVariable is reported for a variable without value and default.
	//
	// Example:
	//	services: {a: {image: "x:${TAG}"}}
	UnsetVariable diag.Code = "C118"

	// BadTemplate is reported for a dollar that starts no variable.
	//
	// Example:
	//	services: {a: {image: x, command: "echo ${"}}
	BadTemplate diag.Code = "C119"

	// RefusedValue is reported for a value that its key does not take; the field is left out.
	//
	// Example:
	//	services: {a: {image: x, ports: [http]}}
	RefusedValue diag.Code = "C120"

	// Extension is the ledger's code for an extension key that nothing refers to.
	//
	// Example:
	//	x-team: till
	//	services: {a: {image: x}}
	Extension diag.Code = "C121"

	// Overridden is the ledger's code for a value that another takes the place of.
	//
	// Example:
	//	x-a: &a {image: y}
	//	services: {a: {<<: *a, image: x}}
	Overridden diag.Code = "C122"

	// Alias is the ledger's code for an alias of several fields.
	//
	// Example:
	//	x-a: &a {image: y}
	//	services: {a: *a}
	Alias diag.Code = "C123"

	// NoBehaviour is the ledger's code for what changes nothing that runs.
	//
	// Example:
	//	version: "3"
	//	services: {a: {image: x}}
	NoBehaviour diag.Code = "C124"

	// NotCarried is the ledger's code for what Kubernetes has no place for.
	//
	// Example:
	//	services: {a: {image: x, stop_signal: SIGINT}}
	NotCarried diag.Code = "C125"

	// Tuning is the ledger's code for tuning of the kernel that pods do not have.
	//
	// Example:
	//	services: {a: {image: x, ulimits: {nofile: 1024}}}
	Tuning diag.Code = "C126"

	// Logging is the ledger's code for log drivers.
	//
	// Example:
	//	services: {a: {image: x, logging: {driver: gelf}}}
	Logging diag.Code = "C127"

	// ProfileOnly is reported for a service that runs only with a profile.
	//
	// Example:
	//	services: {a: {image: x, profiles: [debug]}}
	ProfileOnly diag.Code = "C128"

	// SecurityOption is the ledger's code for security options and kernel parameters.
	//
	// Example:
	//	services: {a: {image: x, security_opt: ["seccomp:unconfined"]}}
	SecurityOption diag.Code = "C129"

	// HostNamespace is the ledger's code for what is shared with the machine.
	//
	// Example:
	//	services: {a: {image: x, pid: host}}
	HostNamespace diag.Code = "C130"

	// PublishedPort is the ledger's code for a port that is open to the outside.
	//
	// Example:
	//	services: {a: {image: x, ports: ["80:80"]}}
	PublishedPort diag.Code = "C131"

	// ExposedPort is the ledger's code for a port inside.
	//
	// Example:
	//	services: {a: {image: x, expose: ["80"]}}
	ExposedPort diag.Code = "C132"

	// JoinedNetwork is the ledger's code for a network that a service joins.
	//
	// Example:
	//	services: {a: {image: x, networks: [back]}}
	//	networks: {back: }
	JoinedNetwork diag.Code = "C133"

	// NetworkAlias is the ledger's code for a further name of a service.
	//
	// Example:
	//	services: {a: {image: x, container_name: web}}
	NetworkAlias diag.Code = "C134"

	// NetworkDetail is the ledger's code for settings of a container network.
	//
	// Example:
	//	services: {a: {image: x}}
	//	networks: {back: {driver: overlay}}
	NetworkDetail diag.Code = "C135"

	// NetworkMode is the ledger's code for whose network a service has.
	//
	// Example:
	//	services: {a: {image: x, network_mode: host}}
	NetworkMode diag.Code = "C136"

	// StartOrder is the ledger's code for what a service waits for.
	//
	// Example:
	//	services: {a: {image: x, depends_on: [b]}, b: {image: x}}
	StartOrder diag.Code = "C137"

	// UnknownService is reported for a service that is named and not there.
	//
	// Example:
	//	services: {a: {image: x, depends_on: [b]}}
	UnknownService diag.Code = "C138"

	// MountedVolume is the ledger's code for a volume in a service.
	//
	// Example:
	//	services: {a: {image: x, volumes: ["/srv:/srv"]}}
	MountedVolume diag.Code = "C141"

	// VolumeClass is the ledger's code for what is behind a named volume.
	//
	// Example:
	//	services: {a: {image: x, volumes: ["data:/srv"]}}
	//	volumes: {data: {driver: rexray}}
	VolumeClass diag.Code = "C142"

	// VolumeDetail is the ledger's code for how a volume is mounted.
	//
	// Example:
	//	services: {a: {image: x}}
	//	volumes: {v: {driver: rexray}}
	VolumeDetail diag.Code = "C143"

	// MemoryVolume is the ledger's code for a volume in memory.
	//
	// Example:
	//	services: {a: {image: x, tmpfs: /run}}
	MemoryVolume diag.Code = "C144"

	// FileBeside is reported for files beside the definition that a service is shown.
	//
	// Example:
	//	services: {a: {image: x, volumes: ["./a.conf:/a.conf"]}}
	FileBeside diag.Code = "C145"

	// DockerSocket is reported for a service that talks to Docker.
	//
	// Example:
	//	services: {a: {image: x, volumes: ["/var/run/docker.sock:/var/run/docker.sock"]}}
	DockerSocket diag.Code = "C146"

	// GrantedConfig is the ledger's code for a config in a service, and its content.
	//
	// Example:
	//	services: {a: {image: x, configs: [c]}}
	//	configs: {c: {content: green}}
	GrantedConfig diag.Code = "C151"

	// GrantedSecret is the ledger's code for a secret in a service.
	//
	// Example:
	//	services: {a: {image: x, secrets: [c]}}
	//	secrets: {c: {external: true}}
	GrantedSecret diag.Code = "C152"

	// GrantedFile is the ledger's code for where and how a config or secret is shown.
	//
	// Example:
	//	services: {a: {image: x, secrets: [{source: c, target: d}]}}
	//	secrets: {c: {external: true}}
	GrantedFile diag.Code = "C153"

	// GrantSource is the ledger's code for where a config or secret comes from.
	//
	// Example:
	//	services: {a: {image: x, secrets: [c]}}
	//	secrets: {c: {external: true}}
	GrantSource diag.Code = "C154"

	// Undeclared is reported for a config or secret that is granted and not declared.
	//
	// Example:
	//	services: {a: {image: x, secrets: [c]}}
	Undeclared diag.Code = "C155"

	// Templated is the ledger's code for a config or secret that Swarm fills in.
	//
	// Example:
	//	services: {a: {image: x, configs: [c]}}
	//	configs: {c: {file: c, template_driver: golang}}
	Templated diag.Code = "C156"

	// HealthCheck is the ledger's code for the health check.
	//
	// Example:
	//	services: {a: {image: x, healthcheck: {test: curl localhost}}}
	HealthCheck diag.Code = "C161"

	// NoHealthCheck is the ledger's code for a health check that is turned off or the image's own.
	//
	// Example:
	//	services: {a: {image: x, healthcheck: {disable: true}}}
	NoHealthCheck diag.Code = "C162"

	// Mode is the ledger's code for how a service runs.
	//
	// Example:
	//	services: {a: {image: x, deploy: {mode: global}}}
	Mode diag.Code = "C171"

	// Replicas is the ledger's code for the number of copies.
	//
	// Example:
	//	services: {a: {image: x, deploy: {replicas: 2}}}
	Replicas diag.Code = "C172"

	// UpdateBatch is the ledger's code for how a new version comes.
	//
	// Example:
	//	services: {a: {image: x, deploy: {update_config: {parallelism: 2}}}}
	UpdateBatch diag.Code = "C173"

	// UpdateFailure is the ledger's code for what happens when an update fails.
	//
	// Example:
	//	services: {a: {image: x, deploy: {update_config: {failure_action: rollback}}}}
	UpdateFailure diag.Code = "C174"

	// Restart is the ledger's code for whether a copy is started again.
	//
	// Example:
	//	services: {a: {image: x, restart: on-failure}}
	Restart diag.Code = "C175"

	// EndpointMode is the ledger's code for how copies are found.
	//
	// Example:
	//	services: {a: {image: x, deploy: {endpoint_mode: dnsrr}}}
	EndpointMode diag.Code = "C176"

	// Placement is the ledger's code for where copies run.
	//
	// Example:
	//	services: {a: {image: x, deploy: {placement: {constraints: [node.labels.disk == ssd]}}}}
	Placement diag.Code = "C181"

	// PinnedToHost is the ledger's code for copies bound to machines or managers.
	//
	// Example:
	//	services: {a: {image: x, deploy: {placement: {constraints: [node.role == manager]}}}}
	PinnedToHost diag.Code = "C182"

	// Processor is the ledger's code for processors.
	//
	// Example:
	//	services: {a: {image: x, cpus: 0.5}}
	Processor diag.Code = "C183"

	// Memory is the ledger's code for memory.
	//
	// Example:
	//	services: {a: {image: x, mem_limit: 64m}}
	Memory diag.Code = "C184"

	// Device is the ledger's code for devices.
	//
	// Example:
	//	services: {a: {image: x, devices: [/dev/fuse]}}
	Device diag.Code = "C185"
)
