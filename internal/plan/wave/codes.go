package wave

import "github.com/tranship/tranship/internal/base/diag"

// Codes of the waves.
const (
	// Cycle is reported for workloads that need each other; they move together.
	Cycle diag.Code = "P003"
)
