package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/tranship/tranship/lab/load/acked"
	"github.com/tranship/tranship/lab/load/verify"
)

// check is the command verify. Its status is 1 when anything is missing or double.
func check(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("load verify", flag.ContinueOnError)
	dsn := f.String("dsn", "postgres://telemetry@10.200.0.1:5432/telemetry?sslmode=disable", "the database")
	file := f.String("acked", "acked.txt", "file of acknowledged readings")
	from := f.String("since", "", "runs and consumers that began since, such as 2024-01-01T00:00:00Z; default: all")
	settle := f.Duration("settle", 10*time.Second, "how long the notifier may take to send what is left")
	if err := f.Parse(args); err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	since := time.Unix(0, 0)
	if *from != "" {
		var err error
		if since, err = time.Parse(time.RFC3339Nano, *from); err != nil {
			return fmt.Errorf("%w: -since: %w", errUsage, err)
		}
	}
	acknowledged, err := acked.Read(*file)
	if err != nil {
		return err
	}
	c, err := pgx.Connect(ctx, *dsn)
	if err != nil {
		return fmt.Errorf("connect to the database: %w", err)
	}
	defer func() { _ = c.Close(context.WithoutCancel(ctx)) }()
	r, err := verify.Read(ctx, c, acknowledged, since, *settle)
	if err != nil {
		return err
	}
	if err := print(r); err != nil || r.Good {
		return err
	}
	return errors.New("something is missing, double, altered or out of order")
}
