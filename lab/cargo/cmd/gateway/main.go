// Command gateway takes readings from devices. In: INGEST_URL. Out: what package gateway answers. It never talks to the
// database.
package main

import (
	"context"
	"errors"
	"os"

	"github.com/tranship/tranship/lab/cargo/gateway"
	"github.com/tranship/tranship/lab/cargo/service"
)

func main() {
	os.Exit(service.Main("gateway", func(ctx context.Context, p service.Process) error {
		url := p.Getenv("INGEST_URL")
		if url == "" {
			return errors.New("INGEST_URL: is not set")
		}
		// Ready does not ask for ingest: were it away, nothing would be won by the gateways leaving as well.
		s := service.New(p.Config, p.Log, p.Faults, func() error { return nil })
		s.Handle("POST /v1/readings", gateway.New(url, p.Log))
		return s.Run(ctx)
	}))
}
