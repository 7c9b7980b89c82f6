// Command notifier sends events in their order. In: DATABASE_URL. Out: what package notifier writes, and health on the API's
// port. It never runs a second consumer.
package main

import (
	"context"
	"os"

	"golang.org/x/sync/errgroup"

	"github.com/tranship/tranship/lab/cargo/notifier"
	"github.com/tranship/tranship/lab/cargo/service"
	"github.com/tranship/tranship/lab/cargo/store"
)

func main() {
	os.Exit(service.Main("notifier", func(ctx context.Context, p service.Process) error {
		db, err := store.Open(ctx, p.Config.DatabaseURL, 4)
		if err != nil {
			return err
		}
		defer db.Close()
		go db.Watch(ctx)
		both, ctx := errgroup.WithContext(ctx)
		both.Go(func() error { return service.New(p.Config, p.Log, p.Faults, db.Reached).Run(ctx) })
		both.Go(func() error {
			return notifier.New(db, p.Log, notifier.Consumer{World: p.Config.World, Host: p.Config.Host}).Run(ctx)
		})
		return both.Wait()
	}))
}
