package field

import "github.com/tranship/tranship/internal/base/diag"

// Codes of docker run's flags.
const (
	// ParameterCarried is the ledger's code for a flag that a pod has too.
	//
	// Example:
	//	{"id": "/a", "container": {"docker": {"image": "x:1", "parameters": [{"key": "hostname", "value": "a"}]}}}
	ParameterCarried diag.Code = "F171"

	// ParameterHarmless is the ledger's code for a flag that means nothing to
	// the program.
	//
	// Example:
	//	{"id": "/a", "container": {"docker": {"image": "x:1", "parameters": [{"key": "name", "value": "a"}]}}}
	ParameterHarmless diag.Code = "F172"

	// ParameterLost is the ledger's code for a flag that a pod has no field for.
	//
	// Example:
	//	{"id": "/a", "container": {"docker": {"image": "x:1", "parameters": [{"key": "ulimit", "value": "nofile=4096"}]}}}
	ParameterLost diag.Code = "F173"

	// ParameterChoice is the ledger's code for a flag that a person must look at.
	//
	// Example:
	//	{"id": "/a", "container": {"docker": {"image": "x:1", "parameters": [{"key": "log-driver", "value": "syslog"}]}}}
	ParameterChoice diag.Code = "F174"

	// ParameterVolume is the ledger's code for a volume among the flags.
	//
	// Example:
	//	{"id": "/a", "container": {"docker": {"image": "x:1", "parameters": [{"key": "volume", "value": "/data:/data:ro"}]}}}
	ParameterVolume diag.Code = "F175"

	// ParameterTwice is the ledger's code for a flag that says again, or
	// otherwise, what the definition itself says.
	//
	// Example:
	//	{"id": "/a", "env": {"A": "1"}, "container": {"docker": {"image": "x:1", "parameters": [{"key": "env", "value": "A=2"}]}}}
	ParameterTwice diag.Code = "F176"

	// ParameterUnknown is reported for a flag that tranship does not know.
	//
	// Example:
	//	{"id": "/a", "container": {"docker": {"image": "x:1", "parameters": [{"key": "colour", "value": "green"}]}}}
	ParameterUnknown diag.Code = "F177"

	// BadParameter is reported for a flag whose value docker run would refuse.
	//
	// Example:
	//	{"id": "/a", "container": {"docker": {"image": "x:1", "parameters": [{"key": "add-host", "value": "nowhere"}]}}}
	BadParameter diag.Code = "F178"
)
