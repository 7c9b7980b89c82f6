package witness

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// ProofVersion is that of the proof's file.
const ProofVersion = 1

// A Proof is what became of the marks of one unit while one mover ran.
type Proof struct {
	Version int       `json:"version"`
	Unit    string    `json:"unit"`
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	Sum     Count     `json:"sum"`
	// Unread marks were acknowledged and could not be read yet.
	Unread  int           `json:"unread"`
	Devices []DeviceProof `json:"devices"`
	// Findings are the first marks that are missing or duplicated.
	Findings []Finding `json:"findings,omitempty"`
	// Journal is the hash of the move's journal when the proof was made.
	Journal string `json:"journal,omitempty"`
}

// DeviceProof is one device's marks, minute by minute.
type DeviceProof struct {
	Device string `json:"device"`
	Sum    Count  `json:"sum"`
	// Stored are the sequence numbers that were acknowledged and found once.
	Stored  []Range  `json:"stored"`
	Minutes []Minute `json:"minutes"`
}

// A Minute of one device, by when its marks were sent.
type Minute struct {
	At time.Time `json:"at"`
	Count
}

// Proof gives the proof as it stands.
func (t *Tally) Proof(unit, journal string, now time.Time) Proof {
	p := Proof{Version: ProofVersion, Unit: unit, From: t.began.UTC(), To: now.UTC(), Journal: journal, Findings: slices.Clone(t.bad), Devices: []DeviceProof{}}
	p.Sum, p.Unread = t.Sum()
	for _, x := range t.devices {
		d := DeviceProof{Device: x.name, Stored: append([]Range{}, x.stored...), Minutes: []Minute{}}
		for _, m := range slices.SortedFunc(maps.Keys(x.minutes), cmp.Compare[int64]) {
			c := *x.minutes[m]
			d.Sum.add(c)
			d.Minutes = append(d.Minutes, Minute{At: time.Unix(m*60, 0).UTC(), Count: c})
		}
		p.Devices = append(p.Devices, d)
	}
	return p
}
