// Package gateway takes readings from devices and hands them to ingest. In: readings. Out: 202 once ingest has committed
// them. It never keeps a reading, and never says 202 of one that is not stored.
package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/tranship/tranship/lab/cargo/reading"
	"github.com/tranship/tranship/lab/cargo/service"
)

const (
	// attempt is longer than ingest itself waits for its database, so that its answer is heard.
	attempt  = 12 * time.Second
	patience = 20 * time.Second
)

// Gateway forwards to one ingest.
type Gateway struct {
	url    string
	client *http.Client
	log    *slog.Logger
}

// New makes a gateway for the ingest at the base URL.
func New(ingest string, log *slog.Logger) *Gateway {
	return &Gateway{
		url: strings.TrimSuffix(ingest, "/") + "/v1/readings", log: log,
		client: &http.Client{Timeout: attempt, Transport: &http.Transport{
			DialContext:         (&net.Dialer{Timeout: 2 * time.Second}).DialContext,
			MaxIdleConnsPerHost: 256,
			// Before the proxy in front of ingest would close them.
			IdleConnTimeout: 8 * time.Second,
		}},
	}
}

// Accepted is the answer to a device.
type Accepted struct {
	Accepted int `json:"accepted"`
}

func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		service.Refuse(w, http.StatusBadRequest, err)
		return
	}
	batch, err := reading.Parse(body)
	if err != nil {
		service.Refuse(w, http.StatusBadRequest, err)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	world, err := g.forward(ctx, body, len(batch))
	w.Header().Set("X-Ingest-World", world)
	if err != nil {
		if r.Context().Err() == nil {
			g.log.Error("reading not accepted", slog.String("device", batch[0].Device), slog.Int64("seq", batch[0].Seq), slog.Any("err", err))
		}
		service.Refuse(w, http.StatusBadGateway, err)
		return
	}
	service.Answer(w, http.StatusAccepted, Accepted{len(batch)})
}

// errAgain marks what may be sent again: the reading's name makes that harmless.
var errAgain = errors.New("not answered by ingest")

// forward sends until ingest has answered, and tells which world that was in.
func (g *Gateway) forward(ctx context.Context, body []byte, readings int) (string, error) {
	for wait := 10 * time.Millisecond; ; wait = min(2*wait, 320*time.Millisecond) {
		world, err := g.send(ctx, body, readings)
		if err == nil || !errors.Is(err, errAgain) {
			return world, err
		}
		select {
		case <-ctx.Done():
			return world, err
		case <-time.After(wait/2 + rand.N(wait/2)):
		}
	}
}

func (g *Gateway) send(ctx context.Context, body []byte, readings int) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, g.url, bytes.NewReader(body))
	if err != nil {
		return "", fmt.Errorf("ask ingest: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := g.client.Do(r)
	if err != nil {
		return "", fmt.Errorf("%w: %w", errAgain, err)
	}
	defer answer.Body.Close()
	world := answer.Header.Get("X-World")
	text, err := io.ReadAll(io.LimitReader(answer.Body, 1<<16))
	if err != nil {
		return world, fmt.Errorf("%w: %w", errAgain, err)
	}
	switch answer.StatusCode {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return world, fmt.Errorf("%w: status %d", errAgain, answer.StatusCode)
	case http.StatusOK:
	default:
		return world, fmt.Errorf("ingest answers %d: %.200s", answer.StatusCode, text)
	}
	// 200 alone is no promise: only its own words are.
	var stored struct {
		Stored *int `json:"stored"`
	}
	if err := json.Unmarshal(text, &stored); err != nil || stored.Stored == nil || *stored.Stored != readings {
		return world, fmt.Errorf("ingest answers 200 and not that %d readings are stored: %.200s", readings, text)
	}
	return world, nil
}
