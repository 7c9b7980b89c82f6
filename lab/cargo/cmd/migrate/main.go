// Command migrate makes the cargo's tables and, when asked, seeds old readings. In: DATABASE_URL; flags. Out: tables, rows.
// It never takes a row away.
package main

import (
	"context"
	"errors"
	"flag"
	"log/slog"
	"os"
	"time"

	"github.com/tranship/tranship/lab/cargo/schema"
	"github.com/tranship/tranship/lab/cargo/service"
	"github.com/tranship/tranship/lab/cargo/store"
)

func main() {
	seed := flag.Int64("seed", 0, "readings to seed")
	devices := flag.Int64("devices", 1000, "devices that the seeded readings are of")
	from := flag.String("from", "2024-01-01T00:00:00Z", "time of the first seeded reading")
	days := flag.Int("days", 30, "days that the seeded readings are spread over")
	flag.Parse()
	os.Exit(service.Main("migrate", func(ctx context.Context, p service.Process) error {
		begin, err := time.Parse(time.RFC3339, *from)
		if err != nil || *seed < 0 || *devices < 1 || *days < 1 {
			return errors.New("usage: migrate [-seed N] [-devices N] [-from 2024-01-01T00:00:00Z] [-days N]")
		}
		db, err := store.Open(ctx, p.Config.DatabaseURL, 1)
		if err != nil {
			return err
		}
		defer db.Close()
		if err := schema.Create(ctx, db); err != nil || *seed == 0 {
			return err
		}
		span := schema.Span{From: begin, To: begin.AddDate(0, 0, *days)}
		return schema.Seed(ctx, db, *seed, *devices, span, func(done int64) {
			p.Log.Info("seeded", slog.Int64("readings", done))
		})
	}))
}
