package fake

import (
	"fmt"
	"time"
)

// Write has an application write n rows to a side, which it refuses if it does
// not lead.
func (d *Database) Write(name, side string, n int) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	m := d.at(name)
	if m.leads != side {
		return fmt.Errorf("write to the %s of %s: it is read-only", side, name)
	}
	m.sides[side].rows += int64(n)
	m.sides[side].sequence += int64(n)
	if m.follows {
		m.changes = append(m.changes, change{d.now(), int64(n)})
	}
	return nil
}

// Rows counts what a side has.
func (d *Database) Rows(name, side string) int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.at(name).sides[side].rows
}

// Next gives the next number of a side's sequence.
func (d *Database) Next(name, side string) int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	h := d.at(name).sides[side]
	h.sequence++
	return h.sequence
}

// Leads tells which side applications may write to, empty for none.
func (d *Database) Leads(name string) string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.at(name).leads
}

// Follows reports whether there is anything of replication left.
func (d *Database) Follows(name string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.at(name).follows
}

// Spoil changes a row of one side behind replication's back; Mend undoes it.
func (d *Database) Spoil(name, side, row string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at(name).sides[side].spoilt[row] = true
}

// Mend undoes Spoil.
func (d *Database) Mend(name, side, row string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.at(name).sides[side].spoilt, row)
}

// Lose takes a row away from a side, as a loss of data would.
func (d *Database) Lose(name, side string, n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at(name).sides[side].rows -= int64(n)
}

// Stall has the follower stand still until then.
func (d *Database) Stall(name string, until time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at(name).stalled = until
}

// Busy has somebody write in one long transaction until then, so that writes
// cannot be held.
func (d *Database) Busy(name string, until time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at(name).busy = until
}

// Refuse has Replicate find the database unfit; nil lets it pass again.
func (d *Database) Refuse(name string, why error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at(name).refused = why
}

// KillAt has the next cutover's mover be killed at that instant.
func (d *Database) KillAt(at Instant) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.kill = at
}
