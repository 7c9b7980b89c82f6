// Package fake holds both worlds as state in memory: one type for each
// interface of package runner, with knobs for faults. It takes acts and gives
// what the real adapter would give, by the clock that it is handed. It never
// waits, starts a goroutine or reads a clock of its own, so a whole move runs
// in virtual time.
package fake

import "time"

// Clock tells the time of the world that is played.
type Clock func() time.Time
