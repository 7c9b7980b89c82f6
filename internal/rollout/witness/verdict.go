package witness

import (
	"fmt"
	"time"
)

// Verdict is what the witness says.
type Verdict string

// The verdicts.
const (
	Pass    Verdict = "pass"
	Fail    Verdict = "fail"
	Unknown Verdict = "unknown" // too little is known to say either
)

// A Judgement is a verdict with its reason.
type Judgement struct {
	Verdict Verdict `json:"verdict"`
	Why     string  `json:"why"`
	// Marks that passed in the window.
	Marks int64 `json:"marks"`
}

// Judge fails on a single acknowledged record that is missing or there twice,
// whenever that was found. It passes if at least so many marks passed in the
// window before now, and is unknown while fewer did, or while nothing could be
// read for longer than a record may take to be readable.
func (t *Tally) Judge(now time.Time, window time.Duration, least int64) Judgement {
	sum, open := t.Sum()
	j := Judgement{Verdict: Pass, Marks: t.Recent(now, window)}
	j.Why = fmt.Sprintf("%d sent, %d acknowledged, %d stored, %d missing, %d duplicated, %d to be read", sum.Sent, sum.Acknowledged, sum.Stored, sum.Missing, sum.Duplicated, open)
	blind := t.Blind(now)
	switch {
	case sum.Missing > 0 || sum.Duplicated > 0:
		j.Verdict = Fail
		if len(t.bad) > 0 {
			f := t.bad[0]
			j.Why += fmt.Sprintf("; the first is %s: mark %d of %s, sent at %s", f.What, f.Sequence, f.Device, f.At.UTC().Format(time.RFC3339))
		}
	case sum.Acknowledged == 0:
		j.Verdict = Unknown
		j.Why += "; no write was acknowledged"
	case blind > 2*t.settle+nextRead:
		j.Verdict = Unknown
		j.Why += fmt.Sprintf("; nothing could be read for %s", blind.Round(time.Second))
	case j.Marks < least:
		j.Verdict = Unknown
		j.Why += fmt.Sprintf("; %d passed in the last %s, %d are needed", j.Marks, window, least)
	}
	return j
}
