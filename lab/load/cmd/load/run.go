package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/tranship/tranship/lab/load/acked"
	"github.com/tranship/tranship/lab/load/drive"
	"github.com/tranship/tranship/lab/load/tally"
)

// report is what a run ends with.
type report struct {
	Begun        time.Time       `json:"begun"`
	Ended        time.Time       `json:"ended"`
	Devices      int             `json:"devices"`
	Acknowledged int64           `json:"acknowledged"` // of all runs with the same file
	Stats        tally.Stats     `json:"stats"`
	Failures     []drive.Failure `json:"failures,omitempty"` // the first
	Timeline     []tally.Stats   `json:"timeline,omitempty"`
}

func run(ctx context.Context, args []string) error {
	o := drive.Options{}
	f := flag.NewFlagSet("load run", flag.ContinueOnError)
	f.StringVar(&o.Gateway, "gateway", "http://10.200.0.1:8001", "where devices push")
	f.StringVar(&o.Query, "query", "http://10.200.0.1:8003", "where users read")
	f.IntVar(&o.Devices, "devices", 2000, "how many devices")
	f.StringVar(&o.Prefix, "prefix", "dev-", "what the devices' names begin with")
	f.Float64Var(&o.Rates.Write, "write", 450, "readings pushed a second")
	f.Float64Var(&o.Rates.Last, "last", 60, "reads of a device's last reading a second")
	f.Float64Var(&o.Rates.Page, "page", 15, "reads of a page a second")
	f.Float64Var(&o.Rates.Range, "range", 1, "long reads a second")
	f.DurationVar(&o.Timeout, "timeout", 30*time.Second, "of one request; a long read has five times as long")
	f.DurationVar(&o.Again, "again", 500*time.Millisecond, "pause before a failed reading is sent again")
	f.Uint64Var(&o.Seed, "seed", 1, "of which device is read when")
	f.DurationVar(&o.Range.Span, "range-span", time.Minute, "how long the long reads are")
	f.DurationVar(&o.Range.Step, "range-step", 0, "downsampled to steps of this length; 0: readings as they are")
	from := f.String("range-from", "", "where long reads begin, such as 2024-01-01T00:00:00Z; default: as long ago as they are long")
	duration := f.Duration("duration", 0, "how long; 0: until SIGTERM or POST /stop")
	file := f.String("acked", "acked.txt", "file of acknowledged readings; one that is there is gone on with")
	control := f.String("control", "", "address at which the driver can be asked while it runs, such as 127.0.0.1:9400")
	bound := f.Duration("late", 20*time.Millisecond, "a request begun later than this was late by the driver's fault")
	timeline := f.Bool("timeline", false, "report each second too")
	if err := f.Parse(args); err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	if *from != "" {
		var err error
		if o.Range.From, err = time.Parse(time.RFC3339, *from); err != nil {
			return fmt.Errorf("%w: -range-from: %w", errUsage, err)
		}
	}
	log, err := acked.Open(*file)
	if err != nil {
		return err
	}
	counts := tally.New(*bound)
	driver, err := drive.New(o, counts, log)
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	if *duration > 0 {
		ctx, stop = context.WithTimeout(ctx, *duration)
		defer stop()
	}
	begun := time.Now()
	if *control != "" {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", *control)
		if err != nil {
			return fmt.Errorf("listen for control: %w", err)
		}
		s := &http.Server{Handler: drive.NewControl(driver, begun, stop).Handler(), ReadHeaderTimeout: 5 * time.Second}
		go func() { _ = s.Serve(l) }()
		defer func() { _ = s.Close() }()
		fmt.Fprintf(os.Stderr, "load: control at http://%s\n", l.Addr())
	}
	if err := keep(ctx, driver, log); err != nil {
		return err
	}
	r := report{
		Begun: begun.UTC(), Ended: time.Now().UTC(), Devices: o.Devices, Acknowledged: driver.Acknowledged(),
		Stats: counts.All(), Failures: driver.Failures(),
	}
	if *timeline {
		r.Timeline = counts.Timeline(begun, r.Ended)
	}
	return print(r)
}

// keep runs the driver, and notes five times a second what was acknowledged.
func keep(ctx context.Context, driver *drive.Driver, log *acked.File) error {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		driver.Run(ctx)
	}()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for going := true; going; {
		select {
		case <-ended:
			going = false
		case <-tick.C:
		}
		if err := log.Write(driver.Progress); err != nil {
			return err
		}
	}
	return log.Close()
}
