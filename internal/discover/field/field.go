// Package field reads the single fields that the dialects of Mesos share:
// typed values, variables, artifacts, constraints, secrets. It takes a value
// of a definition and gives a piece of the estate, with a ledger entry for
// each leaf. It never drops more than the one field that it cannot read.
package field

import (
	"math"
	"strconv"
	"strings"

	"github.com/tranship/tranship/internal/base/diag"
	"github.com/tranship/tranship/internal/base/jsonpos"
	"github.com/tranship/tranship/internal/base/ledger"
	"github.com/tranship/tranship/internal/discover"
	"github.com/tranship/tranship/internal/estate"
)

// A Scope is where fields are read: one definition of one file.
type Scope struct {
	B    *discover.Builder
	File string
	ID   estate.Name
	Kind string // in diagnostics: "app", "pod", "job"
}

// Report gives a diagnostic about the definition at v.
func (s Scope) Report(code diag.Code, sev diag.Severity, v *jsonpos.Value, problem, hint string) {
	s.B.Report(diag.Diagnostic{
		Code: code, Severity: sev, Pos: v.Pos(s.File), Subject: discover.Subject(s.Kind, s.ID), Problem: problem, Hint: hint,
	})
}

// Note enters v, or every leaf below it that has no entry yet.
func (s Scope) Note(v *jsonpos.Value, verdict ledger.Verdict, code diag.Code, target, reason string) {
	s.B.Note(s.File, s.ID, v, discover.Ruling{Verdict: verdict, Code: code, Target: target, Reason: reason})
}

// Empty enters v as asking for nothing if it is null, {} or [], and reports so.
func (s Scope) Empty(v *jsonpos.Value) bool {
	if v == nil {
		return true
	}
	if v.IsNull() || (v.Kind() == jsonpos.Object || v.Kind() == jsonpos.Array) && v.IsLeaf() {
		s.Note(v, ledger.Informational, discover.EmptyValue, "", "asks for nothing")
		return true
	}
	return false
}

// wrong reports a value of another type than want and enters it as dropped.
func (s Scope) wrong(v *jsonpos.Value, want string) {
	s.Report(discover.WrongType, diag.Error, v, "field "+v.Pointer()+" is "+v.Kind().String()+", not "+want,
		"the field was left out and the rest was read; correct it at the source")
	s.Note(v, ledger.Dropped, discover.WrongType, "", "is "+v.Kind().String()+", not "+want+", and was left out")
}

// Is reports whether v has the kind; null and absent values have none and are
// noted, a wrong kind is a diagnostic.
func (s Scope) Is(v *jsonpos.Value, kind jsonpos.Kind) bool {
	if v.IsNull() {
		s.Empty(v)
		return false
	}
	if v.Kind() != kind {
		s.wrong(v, kind.String())
		return false
	}
	return true
}

// String gives a string's text. Numbers and booleans are taken as their text,
// as Marathon did for labels and variables.
func (s Scope) String(v *jsonpos.Value) (string, bool) {
	switch v.Kind() {
	case jsonpos.String, jsonpos.Number, jsonpos.Bool:
		return v.Text(), true
	case jsonpos.Null:
		s.Empty(v)
	default:
		s.wrong(v, "a string")
	}
	return "", false
}

// Number gives a finite number; a string that spells one is taken too.
func (s Scope) Number(v *jsonpos.Value) (float64, bool) {
	switch v.Kind() {
	case jsonpos.Number, jsonpos.String:
		f, err := strconv.ParseFloat(v.Text(), 64)
		if err == nil && !math.IsInf(f, 0) && !math.IsNaN(f) {
			return f, true
		}
		s.wrong(v, "a number")
	case jsonpos.Null:
		s.Empty(v)
	default:
		s.wrong(v, "a number")
	}
	return 0, false
}

// Int gives a whole number between low and high.
func (s Scope) Int(v *jsonpos.Value, low, high int) (int, bool) {
	f, ok := s.Number(v)
	if !ok {
		return 0, false
	}
	if f != math.Trunc(f) || f < float64(low) || f > float64(high) {
		s.Report(discover.OutOfRange, diag.Error, v,
			"field "+v.Pointer()+" is "+v.Text()+", not a whole number from "+strconv.Itoa(low)+" to "+strconv.Itoa(high),
			"the field was left out and the rest was read; correct it at the source")
		s.Note(v, ledger.Dropped, discover.OutOfRange, "", "is out of range and was left out")
		return 0, false
	}
	return int(f), true
}

// Bool gives a boolean; the strings "true" and "false" are taken too.
func (s Scope) Bool(v *jsonpos.Value) (value, ok bool) {
	switch v.Kind() {
	case jsonpos.Bool, jsonpos.String:
		if b, err := strconv.ParseBool(v.Text()); err == nil {
			return b, true
		}
		s.wrong(v, "a boolean")
	case jsonpos.Null:
		s.Empty(v)
	default:
		s.wrong(v, "a boolean")
	}
	return false, false
}

// outOfRange reports a value beyond what its field allows and enters it as dropped.
func (s Scope) outOfRange(v *jsonpos.Value, want string) {
	s.Report(discover.OutOfRange, diag.Error, v, "field "+v.Pointer()+" is "+v.Text()+", not "+want,
		"the field was left out and the rest was read; correct it at the source")
	s.Note(v, ledger.Dropped, discover.OutOfRange, "", "is out of range and was left out")
}

// Choice gives the word among words that v spells, whatever the case. Another
// word is reported and left out, as a value of the wrong type is.
func (s Scope) Choice(v *jsonpos.Value, words ...string) (string, bool) {
	if v.IsNull() {
		s.Empty(v)
		return "", false
	}
	if v.Kind() == jsonpos.String {
		for _, w := range words {
			if strings.EqualFold(w, v.Text()) {
				return w, true
			}
		}
	}
	s.wrong(v, "one of "+strings.Join(words, ", "))
	return "", false
}

// Share gives a number from 0 to 1.
func (s Scope) Share(v *jsonpos.Value) (float64, bool) {
	f, ok := s.Number(v)
	if ok && (f < 0 || f > 1) {
		s.outOfRange(v, "a number from 0 to 1")
		return 0, false
	}
	return f, ok
}

// Positive gives a number that is not negative and at most limit.
func (s Scope) Positive(v *jsonpos.Value, limit float64) (float64, bool) {
	f, ok := s.Number(v)
	if ok && (f < 0 || f > limit) {
		s.outOfRange(v, "a number from 0 up")
		return 0, false
	}
	return f, ok
}
