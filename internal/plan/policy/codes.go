package policy

import "github.com/tranship/tranship/internal/base/diag"

// Codes of tranship.yaml.
const (
	// BrokenFile is reported when the file is not one YAML object.
	BrokenFile diag.Code = "Y001"

	// UnknownField is reported for a key that the file does not have.
	UnknownField diag.Code = "Y002"

	// WrongValue is reported for a value of another type or none of those allowed.
	WrongValue diag.Code = "Y003"
)
