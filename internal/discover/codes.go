package discover

import "github.com/tranship/tranship/internal/base/diag"

// Codes of the input as a whole.
const (
	// UnreadableFile is reported for a file that cannot be opened or read.
	UnreadableFile diag.Code = "D001"

	// BrokenSyntax is reported where a file's JSON or YAML ends or goes wrong.
	// What is whole before that place is read.
	//
	// Example:
	//	[{"id": "/a", "cmd": "true"}, {"id": "/b", "cmd":
	BrokenSyntax diag.Code = "D002"

	// NotADefinition is reported for a file of no shape that tranship reads.
	//
	// Example:
	//	{"colour": "green"}
	NotADefinition diag.Code = "D003"

	// DuplicateKey is reported for a key that stands twice in one object.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "cpus": 1, "cpus": 2}
	DuplicateKey diag.Code = "D004"

	// DuplicateID is reported for the second definition of a workload.
	//
	// Example:
	//	[{"id": "/a", "cmd": "true"}, {"id": "/a", "cmd": "false"}]
	DuplicateID diag.Code = "D005"

	// UnknownKey is the ledger's code for a key that no schema has.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "favouriteColour": "green"}
	UnknownKey diag.Code = "D006"

	// WrongType is reported for a field whose value has another type than the
	// source's schema asks for; the field is left out, the rest is read.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "labels": {"team": ["a", "b"]}}
	WrongType diag.Code = "D007"

	// EmptyValue is the ledger's code for null, {} or [] that asks for nothing.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "labels": {}}
	EmptyValue diag.Code = "D008"

	// LabelKept is the ledger's code for a label without a meaning to the platform.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "labels": {"team": "till"}}
	LabelKept diag.Code = "D009"

	// SecretValue is the ledger's code for a value that is a secret by the name
	// of its variable. It stays in the snapshot.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "env": {"DB_PASSWORD": "not-here"}}
	SecretValue diag.Code = "D010"

	// CredentialInURL is the ledger's code for a URL with user and password.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "labels": {"repo": "https://me:not-here@git.example.com/x"}}
	CredentialInURL diag.Code = "D011"

	// EvidenceOnly is the ledger's code for what tells how things ran.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "tasksRunning": 2, "tasks": [{"id": "a.1"}]}
	EvidenceOnly diag.Code = "D012"

	// NotReadYet is reported for a dialect that tranship knows and cannot read yet.
	//
	// Example:
	//	{"name": "report", "schedule": "R/2015-01-01T00:00:00Z/PT24H", "command": "true"}
	NotReadYet diag.Code = "D013"

	// OutOfRange is reported for a number outside what its field allows; the
	// field is left out, the rest is read.
	//
	// Example:
	//	{"id": "/a", "cmd": "true", "cpus": -1}
	OutOfRange diag.Code = "D014"

	// AnswerMissing is reported for an answer that capture could not get. It
	// comes from snapshot.json, so no definition raises it.
	AnswerMissing diag.Code = "D015"

	// AnswerChanged is reported for a file of a snapshot that is not as it was
	// captured. It comes from snapshot.json, so no definition raises it.
	AnswerChanged diag.Code = "D016"
)
