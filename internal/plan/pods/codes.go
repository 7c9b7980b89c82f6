package pods

import "github.com/tranship/tranship/internal/base/diag"

// Codes of `plan pack`. Each example is the file that is packed.
const (
	// NotPods is reported for a file that cannot be read as pods; what stands
	// before the place is packed.
	//
	// Example:
	//	{"pods": [{"name": "a", "cpuMilli": 100}, {"name":
	NotPods diag.Code = "K101"

	// UnknownField is reported for a field that means nothing here: it was
	// mistyped, or something is asked for that cannot be given.
	//
	// Example:
	//	{"pods": [{"name": "a", "cpuMilli": 100, "cpuLimit": 200}]}
	UnknownField diag.Code = "K102"

	// BadNumber is reported for a size or count that is below zero, too large or
	// no number; its pod is left out.
	//
	// Example:
	//	{"pods": [{"name": "a", "cpuMilli": -100}]}
	BadNumber diag.Code = "K103"

	// NameTwice is reported for pods of the same name; the first are packed.
	//
	// Example:
	//	{"pods": [{"name": "a", "cpuMilli": 100}, {"name": "a", "cpuMilli": 200}]}
	NameTwice diag.Code = "K104"

	// NoName is reported for pods without a name; they are left out.
	//
	// Example:
	//	{"pods": [{"cpuMilli": 100}]}
	NoName diag.Code = "K105"

	// FitsNowhere is reported for pods that no allowed type has room for.
	//
	// Example:
	//	{"pods": [{"name": "a", "cpuMilli": 500000}]}
	FitsNowhere diag.Code = "K106"

	// NoTypes is reported when no type of the price list may be bought.
	//
	// Example:
	//	{"pods": [{"name": "a", "cpuMilli": 100}], "daemonset": {"cpuMilli": 900000}}
	NoTypes diag.Code = "K107"

	// KeyTwice is reported for a key that stands twice; the last one counts.
	//
	// Example:
	//	{"pods": [{"name": "a", "cpuMilli": 100, "cpuMilli": 200}]}
	KeyTwice diag.Code = "K108"
)
