package drive

import (
	"slices"
	"sync"
	"time"
)

// Failure is one request that failed.
type Failure struct {
	At      time.Time `json:"at"`
	Class   string    `json:"class"`
	World   string    `json:"world"`
	Outcome string    `json:"outcome"`
	Device  string    `json:"device,omitempty"`
	Seq     int64     `json:"seq,omitempty"`
	Error   string    `json:"error"`
}

// mostFailures are kept; all are counted.
const mostFailures = 500

type failures struct {
	mu  sync.Mutex
	all []Failure
}

func (f *failures) add(one Failure) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.all) < mostFailures {
		f.all = append(f.all, one)
	}
}

// Failures are the first that there were.
func (d *Driver) Failures() []Failure {
	d.failures.mu.Lock()
	defer d.failures.mu.Unlock()
	return slices.Clone(d.failures.all)
}
