package marathon

import (
	"encoding/json"
	"maps"
	"slices"
	"sync"
	"time"
)

// Event is one of the event bus: its type, and what is sent.
type Event struct {
	Type string
	Data []byte
}

// hub hands events to those who listen. One who does not keep up is dropped, as Marathon does.
type hub struct {
	mu        sync.Mutex
	listeners map[*Listener]bool
}

// Listener is one who hears events. C is closed when it has been dropped.
type Listener struct {
	C     chan Event
	types []string
}

const backlog = 1000

func (h *hub) listen(types []string) *Listener {
	l := &Listener{C: make(chan Event, backlog), types: types}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.listeners == nil {
		h.listeners = map[*Listener]bool{}
	}
	h.listeners[l] = true
	return l
}

func (h *hub) drop(l *Listener) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.listeners[l] {
		delete(h.listeners, l)
		close(l.C)
	}
}

func (h *hub) publish(kind string, fields map[string]any) {
	all := maps.Clone(fields)
	if all == nil {
		all = map[string]any{}
	}
	all["eventType"], all["timestamp"] = kind, Stamp(time.Now())
	data, err := json.Marshal(all)
	if err != nil {
		return // made of what has been read from JSON
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for l := range h.listeners {
		if len(l.types) > 0 && !slices.Contains(l.types, kind) {
			continue
		}
		select {
		case l.C <- Event{Type: kind, Data: data}:
		default:
			delete(h.listeners, l)
			close(l.C)
		}
	}
}

// Stamp writes a time as Marathon does.
func Stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }
