package fake

import (
	"cmp"
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/rollout"
	"github.com/tranship/tranship/internal/rollout/witness"
)

// Marker stands in for a service that keeps the witness' records: runner.Marker.
type Marker struct {
	faults
	now  Clock
	opts MarkerOptions

	mu     sync.Mutex
	stored map[marked][]time.Time // from when each copy can be read
	ills   []MarkIllness
	mute   time.Time // until when nothing can be read
}

// MarkerOptions say how the service behaves. With the zero value a record can be
// read at once.
type MarkerOptions struct {
	// Delay is how long a record takes to be readable.
	Delay time.Duration
}

type marked struct {
	url, device string
	sequence    int64
}

// A MarkIllness is what befalls one write.
type MarkIllness string

// The illnesses.
const (
	LosesMark   MarkIllness = "loses"   // acknowledged, and not kept
	DoublesMark MarkIllness = "doubles" // acknowledged, and kept twice
	RefusesMark MarkIllness = "refuses" // an answer that promises nothing, and not kept
)

// NewMarker gives a service without records.
func NewMarker(now Clock, opts MarkerOptions) *Marker {
	return &Marker{now: now, opts: opts, stored: map[marked][]time.Time{}}
}

// Ail has that befall the next n writes. A write whose answer is lost is TearNext's.
func (m *Marker) Ail(n int, what MarkIllness) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for range n {
		m.ills = append(m.ills, what)
	}
}

// Mute has every read fail until then, while writes go on.
func (m *Marker) Mute(until time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.mute = until
}

// Forget loses what was kept, as a restore from yesterday does.
func (m *Marker) Forget() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.stored)
}

// Write implements runner.Marker.
func (m *Marker) Write(ctx context.Context, w policy.MoveWitness, mark witness.Mark) (bool, error) {
	now := m.now()
	torn, err := m.begin(ctx, now, fmt.Sprintf("write mark %d of %s", mark.Sequence, mark.Device))
	if err != nil {
		return false, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	copies := 1
	if len(m.ills) > 0 {
		ill := m.ills[0]
		m.ills = m.ills[1:]
		switch ill {
		case LosesMark:
			copies = 0
		case DoublesMark:
			copies = 2
		case RefusesMark:
			return false, torn
		}
	}
	k := marked{w.Write.URL, mark.Device, mark.Sequence}
	for range copies {
		m.stored[k] = append(m.stored[k], now.Add(m.opts.Delay))
	}
	return torn == nil, torn
}

// Read implements runner.Marker.
func (m *Marker) Read(ctx context.Context, w policy.MoveWitness, mark witness.Mark) (int, error) {
	now := m.now()
	call := fmt.Sprintf("read mark %d of %s", mark.Sequence, mark.Device)
	torn, err := m.begin(ctx, now, call)
	if err != nil || torn != nil {
		return 0, cmp.Or(err, torn)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if now.Before(m.mute) {
		return 0, fmt.Errorf("%s: %w", call, ErrUnreachable)
	}
	n := 0
	for _, at := range m.stored[marked{w.Write.URL, mark.Device, mark.Sequence}] {
		if !now.Before(at) {
			n++
		}
	}
	return n, nil
}

// Prober stands in for asking a world directly: runner.Prober. Whatever was not
// set answers as it should.
type Prober struct {
	faults
	now Clock

	mu      sync.Mutex
	wrong   map[string]string         // by check's name: why its answer is wrong
	answers map[string]rollout.Answer // of identity, by address
	values  map[string]float64        // by query
}

// NewProber gives a world in which every answer is right.
func NewProber(now Clock) *Prober {
	return &Prober{now: now, wrong: map[string]string{}, answers: map[string]rollout.Answer{}, values: map[string]float64{}}
}

// Wrong has a check's answer be wrong, for that reason; "" makes it right.
func (p *Prober) Wrong(check, why string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if why == "" {
		delete(p.wrong, check)
		return
	}
	p.wrong[check] = why
}

// Say has an address answer that when it is asked who it is.
func (p *Prober) Say(address string, a rollout.Answer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answers[address] = a
}

// Value has a query have a value. One that was never given has none.
func (p *Prober) Value(query string, v float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.values[query] = v
}

// Check implements runner.Prober.
func (p *Prober) Check(ctx context.Context, c policy.MoveCheck, address string) (rollout.Answer, error) {
	torn, err := p.begin(ctx, p.now(), "check "+c.Name+" at "+address)
	if err != nil || torn != nil {
		return rollout.Answer{}, cmp.Or(err, torn)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	why := p.wrong[c.Name]
	return rollout.Answer{OK: why == "", Why: why}, nil
}

// Identity implements runner.Prober.
func (p *Prober) Identity(ctx context.Context, id policy.MoveIdentity, address string) (rollout.Answer, error) {
	torn, err := p.begin(ctx, p.now(), "ask who is at "+address)
	if err != nil || torn != nil {
		return rollout.Answer{}, cmp.Or(err, torn)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if a, ok := p.answers[address]; ok {
		return a, nil
	}
	a := rollout.Answer{World: id.Target, OK: true}
	if address == id.Compare {
		a.World = id.Source
	}
	if id.VersionHeader != "" {
		a.Version = "1"
	}
	return a, nil
}

// Query implements runner.Prober.
func (p *Prober) Query(ctx context.Context, _, query string) (float64, bool, error) {
	torn, err := p.begin(ctx, p.now(), "query "+query)
	if err != nil || torn != nil {
		return 0, false, cmp.Or(err, torn)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	v, ok := p.values[query]
	return v, ok, nil
}
