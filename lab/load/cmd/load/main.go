// Command load drives the cargo and counts: load run sends, load verify reads the database afterwards. In: flags. Out:
// JSON on standard output. It never repairs what it finds.
//
//	load run -duration 10m -acked acked.txt -control 127.0.0.1:9400
//	load verify -dsn postgres://... -acked acked.txt
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	err := errUsage
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "run":
			err = run(ctx, os.Args[2:])
		case "verify":
			err = check(ctx, os.Args[2:])
		}
	}
	switch {
	case err == nil:
	case errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage):
		fmt.Fprintln(os.Stderr, "load: "+err.Error())
		os.Exit(2)
	default:
		fmt.Fprintln(os.Stderr, "load: "+err.Error())
		os.Exit(1)
	}
}

var errUsage = errors.New("usage: load run|verify [flags]; load run -h lists them")

func print(report any) error {
	out := json.NewEncoder(os.Stdout)
	out.SetIndent("", "  ")
	if err := out.Encode(report); err != nil {
		return fmt.Errorf("print report: %w", err)
	}
	return nil
}
