package marathon

import "github.com/tranship/tranship/internal/base/diag"

// Codes of definitions as a whole.
const (
	// NoID is reported for an app without an id, as a part of an app is. It is
	// called after its file.
	//
	// Example:
	//	{"instances": 3, "cmd": "true"}
	NoID diag.Code = "M101"

	// NotAnApp is reported for what stands among definitions and is none.
	//
	// Example:
	//	{"apps": [{"id": "/a", "cmd": "true"}, "nothing"]}
	NotAnApp diag.Code = "M102"

	// SameAgain is the ledger's code for a definition that was read before.
	//
	// Example:
	//	[{"id": "/a", "cmd": "true"}, {"id": "/a", "cmd": "true"}]
	SameAgain diag.Code = "M103"

	// Identity is the ledger's code for the app's id.
	//
	// Example:
	//	{"id": "/a", "cmd": "true"}
	Identity diag.Code = "M104"

	// Version is the ledger's code for the definition's version.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "version": "2020-01-01T00:00:00.000Z"}
	Version diag.Code = "M105"

	// StoreURLs is the ledger's code for Marathon's old artifact store.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "storeUrls": ["http://x/a"]}
	StoreURLs diag.Code = "M106"

	// Ignored is the ledger's code for what Marathon itself passed over.
	//
	// Example:
	//	{"id": "/a", "ports": [10000], "container": {"docker": {"image": "x:1", "network": "BRIDGE",
	//	  "portMappings": [{"containerPort": 80}]}}}
	Ignored diag.Code = "M107"

	// Replaced is reported for a scheduler or a part of the old platform, with
	// what takes its place.
	//
	// Example:
	//	{"id": "/kafka", "cmd": "true", "labels": {"DCOS_PACKAGE_NAME": "kafka", "DCOS_PACKAGE_IS_FRAMEWORK": "true"}}
	Replaced diag.Code = "M108"

	// ReplacedSetting is the ledger's code for a setting of such an app.
	//
	// Example:
	//	{"id": "/kafka", "cmd": "true", "labels": {"DCOS_PACKAGE_NAME": "kafka", "DCOS_PACKAGE_IS_FRAMEWORK": "true"}}
	ReplacedSetting diag.Code = "M109"

	// Package is the ledger's code for a label of DC/OS' package manager.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "labels": {"DCOS_PACKAGE_NAME": "hello"}}
	Package diag.Code = "M110"

	// PackageRecord is the ledger's code for the package manager's own record.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "labels": {"DCOS_PACKAGE_METADATA": "e30="}}
	PackageRecord diag.Code = "M111"
)

// Codes of groups.
const (
	// GroupName is the ledger's code for a group's id.
	//
	// Example:
	//	{"id": "/shop", "apps": [{"id": "cart", "cmd": "true"}]}
	GroupName diag.Code = "M115"

	// Dependency is the ledger's code for what an app or group depends on.
	//
	// Example:
	//	[{"id": "/a", "cmd": "true", "dependencies": ["/b"]}, {"id": "/b", "cmd": "true"}]
	Dependency diag.Code = "M116"

	// EnforceRole is the ledger's code for a group that is charged to a role.
	//
	// Example:
	//	{"id": "/shop", "enforceRole": true, "apps": []}
	EnforceRole diag.Code = "M117"

	// GroupScale is the ledger's code for an order to scale a group.
	//
	// Example:
	//	{"id": "/shop", "scaleBy": 2, "apps": [{"id": "cart", "cmd": "true"}]}
	GroupScale diag.Code = "M118"
)

// Codes of copies and where they run.
const (
	// Instances is the ledger's code for the number of copies.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "instances": 2}
	Instances diag.Code = "M120"

	// Singleton is the ledger's code for an app of one copy at most.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "labels": {"MARATHON_SINGLE_INSTANCE_APP": "true"}}
	Singleton diag.Code = "M121"

	// Autoscaled is the ledger's code for the labels of an autoscaler.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "labels": {"use_marathon_autoscaler": "1", "max_instances": "5"}}
	Autoscaled diag.Code = "M122"

	// Role is the ledger's code for the role that the app is charged to.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "role": "shop"}
	Role diag.Code = "M123"

	// AcceptedRole is the ledger's code for whose resources the app took.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "acceptedResourceRoles": ["slave_public"]}
	AcceptedRole diag.Code = "M124"

	// KillGrace is the ledger's code for the time between asking and killing.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "taskKillGracePeriodSeconds": 30}
	KillGrace diag.Code = "M125"

	// Residency is the ledger's code for a field without effect.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "residency": {"taskLostBehavior": "WAIT_FOREVER"}}
	Residency diag.Code = "M126"

	// NoNetwork is the ledger's code for an app without a network.
	//
	// Example:
	//	{"id": "/a", "container": {"docker": {"image": "x:1", "network": "NONE"}}}
	NoNetwork diag.Code = "M127"
)
