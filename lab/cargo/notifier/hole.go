package notifier

// hole is a place in the row of ids that is empty: an event whose transaction has taken its id and has not committed, or
// one that was rolled back and never comes. A transaction has its number before its event has an id (package ingest writes
// readings first), so once every transaction is over whose number was given before the hole was seen, the hole stays.
type hole struct {
	at     int64  // the id that is missing; 0: none
	until  uint64 // a number given after the hole was first seen; 0: not asked for yet
	oldest uint64 // the oldest transaction that ran when last looked
}

// before gives the ids that may be sent: those with no hole before them but such as stay empty. seen are the ids after
// position in their order, and oldest the first transaction that still ran, both of one snapshot.
func (h *hole) before(seen []int64, position int64, oldest uint64) []int64 {
	if oldest < h.oldest {
		// Numbers only grow: these are another server's, and the hole is looked at anew.
		*h = hole{}
	}
	h.oldest = oldest
	next := position + 1
	for i, id := range seen {
		if id == next {
			next++
			continue
		}
		if h.at != next {
			h.at, h.until = next, 0
		}
		if h.until == 0 || oldest < h.until {
			return seen[:i]
		}
		next = id + 1
	}
	h.at, h.until = 0, 0
	return seen
}

// unasked tells whether the hole needs a number.
func (h *hole) unasked() bool { return h.at != 0 && h.until == 0 }
