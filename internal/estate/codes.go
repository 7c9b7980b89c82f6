package estate

import "github.com/tranship/tranship/internal/base/diag"

// Inconsistent is reported when an estate breaks one of its invariants.
const Inconsistent diag.Code = "E001"
