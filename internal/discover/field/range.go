package field

import (
	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover"
)

// outOfRange reports a value beyond what its field allows and enters it as dropped.
func (s Scope) outOfRange(v *jsonpos.Value, want string) {
	s.Report(discover.OutOfRange, diag.Error, v, "field "+v.Pointer()+" is "+v.Text()+", not "+want,
		"the field was left out and the rest was read; correct it at the source")
	s.Note(v, ledger.Dropped, discover.OutOfRange, "", "is out of range and was left out")
}
