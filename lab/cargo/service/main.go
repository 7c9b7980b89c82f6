package service

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/tranship/tranship/lab/cargo/fault"
)

// Process is what a program's own part is given.
type Process struct {
	Config Config
	Log    *slog.Logger
	Faults *fault.Switch
	Getenv func(string) string
}

// Main runs a program until it ends or is asked to (SIGTERM, SIGINT), and gives its exit status. A fault from the
// environment, LAB_FAULT, or from the file that FAULT_FILE names is on before the program's own part begins.
func Main(name string, run func(context.Context, Process) error) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	c, err := FromEnv(name, os.Getenv)
	log := c.Log()
	if err == nil {
		faults := fault.NewSwitch(func() {
			log.Error("ends, as a fault says")
			os.Exit(1)
		})
		if text := os.Getenv("LAB_FAULT"); text != "" {
			var f fault.Fault
			if f, err = fault.Parse(strings.NewReader(text)); err == nil {
				log.Warn("a fault is on from the start", slog.String("fault", text))
				faults.Set(f)
			}
		}
		if file := os.Getenv("FAULT_FILE"); file != "" {
			go faults.Follow(ctx, file, func(err error) { log.Error("fault not read", slog.Any("err", err)) })
		}
		if err == nil {
			err = run(ctx, Process{Config: c, Log: log, Faults: faults, Getenv: os.Getenv})
		}
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		log.Error("ends", slog.Any("err", err))
		return 1
	}
	return 0
}
