// Command rollup aggregates one window and ends. In: DATABASE_URL, ROLLUP_WINDOW (START/END, default the last full minute),
// ROLLUP_HOLD (0s, how long the run is kept alive after its work). Out: rows. It never asks whether it should run.
package main

import (
	"context"
	"log/slog"
	"os"
	"time"

	"github.com/tranship/tranship/lab/cargo/rollup"
	"github.com/tranship/tranship/lab/cargo/service"
	"github.com/tranship/tranship/lab/cargo/store"
)

func main() {
	os.Exit(service.Main("rollup", func(ctx context.Context, p service.Process) error {
		r := rollup.Runner{World: p.Config.World, Host: p.Config.Host, Version: p.Config.Version}
		if err := service.Duration(p.Getenv, "ROLLUP_HOLD", &r.Hold); err != nil {
			return err
		}
		window := rollup.LastMinute(time.Now())
		if text := p.Getenv("ROLLUP_WINDOW"); text != "" {
			var err error
			if window, err = rollup.ParseWindow(text); err != nil {
				return err
			}
		}
		db, err := store.Open(ctx, p.Config.DatabaseURL, 2)
		if err != nil {
			return err
		}
		defer db.Close()
		id, devices, err := rollup.Run(ctx, db, window, r)
		if err != nil {
			return err
		}
		p.Log.Info("aggregated", slog.String("run", id), slog.Time("from", window.From), slog.Time("to", window.To), slog.Int64("devices", devices))
		return nil
	}))
}
