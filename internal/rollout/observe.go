package rollout

import (
	"time"

	"github.com/tranship/tranship/internal/base/hist"
	"github.com/tranship/tranship/internal/base/unit"
)

// Copies is what one world runs of a workload, as it was seen.
type Copies struct {
	// Version of the definition that runs.
	Version string `json:"version,omitempty"`
	// Wanted by the definition, Running, and Ready to serve. A job's copies are
	// its active runs; Wanted is then 1 while its schedule is on, else 0.
	Wanted  int `json:"wanted"`
	Running int `json:"running"`
	Ready   int `json:"ready"`
	// Restarts and OOMKills since the copies were made.
	Restarts int `json:"restarts,omitempty"`
	OOMKills int `json:"oomKills,omitempty"`
	// Failing says why copies do not come up: "ImagePullBackOff: ...".
	Failing string `json:"failing,omitempty"`
	// Doomed: it will not come up by waiting (no such image, refused by quota).
	Doomed bool `json:"doomed,omitempty"`
	// Locked: a change is under way at the source.
	Locked bool `json:"locked,omitempty"`
	// Absent: the world has no such workload.
	Absent bool `json:"absent,omitempty"`
}

// Side is one world behind a route, as the front door counts it.
type Side struct {
	Servers int `json:"servers"`
	Up      int `json:"up"` // of Servers, by the front door's own checks
	// Weight is the share of new requests in percent, as it was set.
	Weight   int `json:"weight"`
	Sessions int `json:"sessions"` // open now
	// Requests and Errors since the counters began. Errors are answers of 500 and
	// above, connections that could not be made, and answers that broke off.
	Requests int64 `json:"requests"`
	Errors   int64 `json:"errors"`
	// Latency of the answers since the observer began, from the last byte of the
	// request to the end of the answer. Nil where it cannot be had.
	Latency *hist.Hist `json:"-"`
}

// Flow is the traffic of a route.
type Flow struct {
	At     time.Time `json:"at"`
	Source Side      `json:"source"`
	Target Side      `json:"target"`
	// Uncounted: the front door counts neither requests nor errors.
	Uncounted bool `json:"uncounted,omitempty"`
}

// Lag is how far a database's replica is behind.
type Lag struct {
	// Copied: the first copy of all tables is done, and changes follow.
	Copied bool       `json:"copied"`
	Bytes  unit.Bytes `json:"bytes"`
	// Tables that are not copied yet.
	Left []string `json:"left,omitempty"`
}

// Comparison is whether two copies of data agree.
type Comparison struct {
	Same bool  `json:"same"`
	Rows int64 `json:"rows,omitempty"`  // of the source
	Size int64 `json:"bytes,omitempty"` // of files
	// Different names up to ten places: "readings 4096..8191", "data/a.bin".
	Different []string `json:"different,omitempty"`
	Missing   int64    `json:"missing,omitempty"` // rows or files that the target lacks
	Extra     int64    `json:"extra,omitempty"`
	// Skipped is what cannot be copied, as sockets. It makes no difference.
	Skipped []string `json:"skipped,omitempty"`
}

// Answer is what one request to one world answered.
type Answer struct {
	World   string `json:"world"`
	Version string `json:"version,omitempty"`
	OK      bool   `json:"ok"`
	Why     string `json:"why,omitempty"`
}
