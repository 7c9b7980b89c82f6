package probe

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"

	"github.com/tranship/tranship/internal/plan/policy"
	"github.com/tranship/tranship/internal/rollout/witness"
)

// A Marker is runner.Marker by requests of the policy.
type Marker struct{ asker }

// NewMarker makes a marker. It asks nothing yet.
func NewMarker(opts Options) (*Marker, error) {
	a, err := newAsker(opts)
	return &Marker{a}, err
}

// mark is what a witness' texts are filled with.
type mark struct {
	Device   string
	Sequence int64
	Before   int64 // the sequence before, for interfaces that page after one
	At       string
}

func of(m witness.Mark) mark {
	return mark{m.Device, m.Sequence, m.Sequence - 1, m.At.UTC().Format("2006-01-02T15:04:05.000Z07:00")}
}

// Write implements runner.Marker. An answer with another status than those that
// acknowledge is an answer: nothing was promised.
func (k *Marker) Write(ctx context.Context, w policy.MoveWitness, m witness.Mark) (bool, error) {
	r, err := k.send(ctx, w.Write, http.MethodPost, m, false)
	if err != nil {
		return false, fmt.Errorf("write mark %d of %s: %w", m.Sequence, m.Device, err)
	}
	return acknowledges(w.Write, r.status), nil
}

// Read implements runner.Marker.
func (k *Marker) Read(ctx context.Context, w policy.MoveWitness, m witness.Mark) (int, error) {
	n, err := k.read(ctx, w, m)
	if err != nil {
		return 0, fmt.Errorf("read mark %d of %s: %w", m.Sequence, m.Device, err)
	}
	return n, nil
}

func (k *Marker) read(ctx context.Context, w policy.MoveWitness, m witness.Mark) (int, error) {
	// A device's name stands for itself in the expression.
	x := of(m)
	x.Device, x.At = regexp.QuoteMeta(x.Device), regexp.QuoteMeta(x.At)
	text, err := fill(w.Read.Count, x)
	if err != nil {
		return 0, err
	}
	count, err := regexp.Compile(text)
	if err != nil {
		return 0, refused("count", err)
	}
	r, err := k.send(ctx, w.Read, http.MethodGet, m, true)
	switch {
	case err != nil:
		return 0, err
	case !acknowledges(w.Read, r.status):
		return 0, fmt.Errorf("answered %d", r.status)
	case w.Read.Count == "":
		return 1, nil
	}
	return len(count.FindAllIndex(r.body, -1)), nil
}

func acknowledges(r policy.WitnessRequest, status int) bool {
	if len(r.Acknowledged) == 0 {
		return status >= 200 && status <= 299
	}
	return slices.Contains(r.Acknowledged, status)
}

func (k *Marker) send(ctx context.Context, r policy.WitnessRequest, method string, m witness.Mark, body bool) (reply, error) {
	ctx, cancel := k.within(ctx)
	defer cancel()
	q := question{method: r.Method, header: map[string]string{}}
	if q.method == "" {
		q.method = method
	}
	x := of(m)
	var err error
	if q.url, err = fill(r.URL, x); err != nil {
		return reply{}, err
	}
	if q.body, err = fill(r.Body, x); err != nil {
		return reply{}, err
	}
	for name, text := range r.Header {
		if q.header[name], err = fill(text, x); err != nil {
			return reply{}, err
		}
	}
	return k.ask(ctx, q, body)
}
