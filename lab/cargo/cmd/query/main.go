// Command query reads readings. In: DATABASE_URL, DB_CONNECTIONS (8), RANGE_CONCURRENCY (2), RANGE_QUEUE (256),
// LEGACY_RANGE=1 for the story's bad behaviour. Out: what package query answers. It never writes.
package main

import (
	"context"
	"os"

	"github.com/tranship/tranship/lab/cargo/query"
	"github.com/tranship/tranship/lab/cargo/service"
	"github.com/tranship/tranship/lab/cargo/store"
)

func main() {
	os.Exit(service.Main("query", func(ctx context.Context, p service.Process) error {
		o := query.Options{Legacy: p.Getenv("LEGACY_RANGE") == "1", Ranges: 2, Queue: 256}
		connections := 8
		for name, to := range map[string]*int{"DB_CONNECTIONS": &connections, "RANGE_CONCURRENCY": &o.Ranges, "RANGE_QUEUE": &o.Queue} {
			if err := service.Count(p.Getenv, name, to); err != nil {
				return err
			}
		}
		// Long reads never take the connections that short ones need.
		db, err := store.Open(ctx, p.Config.DatabaseURL, connections+o.Ranges)
		if err != nil {
			return err
		}
		defer db.Close()
		go db.Watch(ctx)
		s := service.New(p.Config, p.Log, p.Faults, db.Reached)
		query.New(db, p.Log, o).Routes(s.Handle)
		return s.Run(ctx)
	}))
}
