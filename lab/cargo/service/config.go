// Package service is the frame that every server of the cargo stands in: configuration from the environment, liveness
// and readiness, identity in each answer, metrics, and an end that lets no request fall. In: the environment and a
// handler. Out: a process that a scheduler can run. It never knows what its service is for.
package service

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"time"
)

// Config is what the environment says of a process.
type Config struct {
	Name     string
	Version  string // what X-Version tells
	World    string // what X-World tells
	Host     string // where the process runs, as its scheduler names the place
	Instance string // which copy it is
	Listen   string // address of the API
	// FaultListen is the address where faults are switched, apart from the API; empty when there is none.
	FaultListen string
	DatabaseURL string
	// Drain is how long the process goes on serving after it was asked to end, so that whoever sends traffic sees that
	// it is not ready any more. Grace is the whole time from the asking to the end.
	Drain, Grace time.Duration
}

// FromEnv reads the configuration of the service called name.
func FromEnv(name string, getenv func(string) string) (Config, error) {
	c := Config{
		Name: name, Version: or(getenv("VERSION"), "1"), World: World(getenv),
		Host: getenv("HOST"), Instance: or(getenv("MESOS_TASK_ID"), getenv("HOSTNAME")),
		DatabaseURL: getenv("DATABASE_URL"), Drain: 3 * time.Second, Grace: 12 * time.Second,
	}
	if c.Host == "" {
		// A process without a name of its host is still a process: the records then say so.
		c.Host, _ = os.Hostname()
	}
	c.Instance = or(c.Instance, c.Host+"/"+strconv.Itoa(os.Getpid()))
	// Agents of the lab's old world are addresses of one machine: a task listens on its own agent's, as two agents may
	// give out the same port.
	address := ""
	if c.World == Mesos && net.ParseIP(getenv("HOST")) != nil {
		address = getenv("HOST")
	}
	port := or(getenv("PORT0"), getenv("PORT"), "8080")
	if err := checkPort(port); err != nil {
		return c, fmt.Errorf("PORT0 or PORT: %w", err)
	}
	c.Listen = net.JoinHostPort(address, port)
	if port := or(getenv("FAULT_PORT"), getenv("PORT1")); port != "" {
		if err := checkPort(port); err != nil {
			return c, fmt.Errorf("FAULT_PORT or PORT1: %w", err)
		}
		c.FaultListen = net.JoinHostPort(address, port)
	}
	for _, d := range []struct {
		name string
		to   *time.Duration
	}{{"DRAIN", &c.Drain}, {"GRACE", &c.Grace}} {
		if err := Duration(getenv, d.name, d.to); err != nil {
			return c, err
		}
	}
	return c, nil
}

// The worlds that a process can find itself in.
const (
	Mesos      = "mesos"
	Kubernetes = "kubernetes"
	None       = "none"
)

// World tells who runs the process, from the variables that each scheduler sets by itself.
func World(getenv func(string) string) string {
	switch {
	case getenv("MESOS_TASK_ID") != "":
		return Mesos
	case getenv("KUBERNETES_SERVICE_HOST") != "":
		return Kubernetes
	}
	return None
}

// Duration replaces what is at to by the variable's value, if it has one.
func Duration(getenv func(string) string, name string, to *time.Duration) error {
	text := getenv(name)
	if text == "" {
		return nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return fmt.Errorf("%s: %q is no duration such as 3s", name, text)
	}
	*to = d
	return nil
}

// Count replaces what is at to by the variable's value, if it has one.
func Count(getenv func(string) string, name string, to *int) error {
	text := getenv(name)
	if text == "" {
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		return fmt.Errorf("%s: %q is no number above zero", name, text)
	}
	*to = n
	return nil
}

// Log writes one JSON object a line to standard error, each with the process' identity.
func (c Config) Log() *slog.Logger {
	return slog.New(slog.NewJSONHandler(os.Stderr, nil)).With(
		slog.String("service", c.Name), slog.String("version", c.Version),
		slog.String("world", c.World), slog.String("instance", c.Instance))
}

func checkPort(text string) error {
	if n, err := strconv.Atoi(text); err != nil || n < 0 || n > 65535 {
		return fmt.Errorf("%q is no port", text)
	}
	return nil
}

func or(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
