package mesos

import "github.com/tranship/tranship/internal/base/diag"

// Codes of what tells how things ran.
const (
	// HostSeen is the ledger's code for what describes a machine of the source.
	//
	// Example:
	//	{"slaves": [{"id": "S0", "hostname": "10.0.1.5", "active": true, "resources": {"cpus": 4, "mem": 14019}}]}
	HostSeen diag.Code = "A101"

	// AttributeSeen is the ledger's code for an agent's attribute, zone or region.
	//
	// Example:
	//	{"slaves": [{"id": "S0", "hostname": "10.0.1.5", "attributes": {"rack": "r1"}}]}
	AttributeSeen diag.Code = "A102"

	// NamelessAgent is reported for an agent without host name and ID.
	//
	// Example:
	//	{"slaves": [{"active": true}]}
	NamelessAgent diag.Code = "A103"

	// BadEvidence is reported for an amount or attribute that cannot be read.
	//
	// Example:
	//	{"slaves": [{"id": "S0", "hostname": "10.0.1.5", "resources": {"cpus": "many"}}]}
	BadEvidence diag.Code = "A104"

	// RunningSeen is the ledger's code for what tells of a running task.
	//
	// Example:
	//	{"tasks": [{"id": "a.b8db9f73-562f-11e4-a088-c20493233aa5", "framework_id": "F0", "slave_id": "S0",
	//	            "state": "TASK_RUNNING"}]}
	RunningSeen diag.Code = "A111"

	// DigestSeen is the ledger's code for a running task that shows which image
	// a definition stands for. (Its definition is read by another reader, so the
	// example is a test of its own.)
	DigestSeen diag.Code = "A112"

	// QuotaSeen is the ledger's code for the bound of a role.
	//
	// Example:
	//	{"type": "GET_QUOTA", "get_quota": {"status": {"infos": [
	//	  {"configs": [{"role": "dev", "limits": {"cpus": {"value": 2}}}]}]}}}
	QuotaSeen diag.Code = "A120"

	// FrameworkSeen is the ledger's code for a framework that was registered.
	//
	// Example:
	//	{"frameworks": [{"id": "F0", "name": "marathon", "active": true}], "slaves": []}
	FrameworkSeen diag.Code = "A130"

	// UndefinedFramework is reported for a framework that was running while no
	// definition that was read stands for its scheduler.
	//
	// Example:
	//	{"frameworks": [{"id": "F0", "name": "cassandra", "active": true, "role": "db"}], "slaves": []}
	UndefinedFramework diag.Code = "A131"

	// Throttling is the ledger's code for the flag by which agents hold tasks to
	// their share of CPU time.
	//
	// Example:
	//	{"flags": {"cgroups_enable_cfs": "true", "hostname": "10.0.1.5"}}
	Throttling diag.Code = "A140"

	// MixedFlags is reported when agents' flags disagree about CPU time and it
	// is not known whose they are.
	//
	// Example:
	//	{"flags": {"cgroups_enable_cfs": "true"}}
	//	{"flags": {"cgroups_enable_cfs": "false"}}
	MixedFlags diag.Code = "A141"

	// PlatformSeen is the ledger's code for the version of DC/OS.
	//
	// Example:
	//	{"version": "2.2", "dcos-variant": "open", "bootstrap-id": "0"}
	PlatformSeen diag.Code = "A142"

	// EnvPrefix is reported when a Marathon puts a prefix before the names of
	// the variables that it sets.
	//
	// Example:
	//	{"name": "marathon", "version": "1.8.222", "elected": true, "frameworkId": "F0",
	//	 "marathon_config": {"env_vars_prefix": "MARATHON_"}}
	EnvPrefix diag.Code = "A143"
)
