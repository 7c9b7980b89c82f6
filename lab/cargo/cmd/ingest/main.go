// Command ingest writes readings. In: DATABASE_URL, DB_CONNECTIONS (8). Out: what package ingest answers. It never
// changes a table.
package main

import (
	"context"
	"os"

	"github.com/tranship/tranship/lab/cargo/ingest"
	"github.com/tranship/tranship/lab/cargo/service"
	"github.com/tranship/tranship/lab/cargo/store"
)

func main() {
	os.Exit(service.Main("ingest", func(ctx context.Context, p service.Process) error {
		connections := 8
		if err := service.Count(p.Getenv, "DB_CONNECTIONS", &connections); err != nil {
			return err
		}
		db, err := store.Open(ctx, p.Config.DatabaseURL, connections)
		if err != nil {
			return err
		}
		defer db.Close()
		go db.Watch(ctx)
		s := service.New(p.Config, p.Log, p.Faults, db.Reached)
		s.Handle("POST /v1/readings", ingest.New(db, p.Config.World, p.Log))
		return s.Run(ctx)
	}))
}
