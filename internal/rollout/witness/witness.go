// Package witness counts marked records: sent, acknowledged, stored, missing,
// duplicated. It takes what happened to each mark and gives a proof. It never
// sends or reads one: who does hands in what came back.
package witness

import "time"

// A Mark is one record that nobody but the witness writes.
type Mark struct {
	Device   string    `json:"device"`
	Sequence int64     `json:"sequence"` // from 1, per device, without gaps
	At       time.Time `json:"at"`       // when it was sent
}
