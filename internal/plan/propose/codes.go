package propose

import "github.com/tranship/tranship/internal/base/diag"

// Codes of planning.
const (
	// BadDate is reported when --as-of is no date.
	BadDate diag.Code = "P001"

	// NoSuchWorkload is reported when policy names a workload that is not there.
	NoSuchWorkload diag.Code = "P002"
)
