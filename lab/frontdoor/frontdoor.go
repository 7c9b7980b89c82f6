// Package frontdoor runs HAProxy in front of both worlds: one address for each service, one backend behind it, whose
// servers and weights are changed while it runs.
//
// Input: services and where they run today. Output: haproxy.cfg, a running HAProxy, its sockets. It writes the file once
// and never again while it is there: from then on the lines between its marks are the mover's.
package frontdoor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tranship/tranship/lab/process"
	"github.com/tranship/tranship/lab/tool"
)

// patience is how long HAProxy may take to answer on its socket.
const patience = 10 * time.Second

// Service is one way in.
type Service struct {
	Name   string
	Bind   string // address that clients use
	Source string // address in the old world
	Check  string // path that answers 200 when the service is well; empty: a connection is enough, and no HTTP is spoken
}

// Door is the proxy.
type Door struct {
	Table     process.Table
	Dir       string
	Namespace string
	Stats     string // address of the page, and of the metrics
	Services  []Service
}

// Config is the configuration's file, Socket the one that takes commands (level admin), Master the one that reloads.
func (d Door) Config() string { return filepath.Join(d.Dir, "haproxy.cfg") }

// Socket takes the commands of HAProxy's runtime API.
func (d Door) Socket() string { return filepath.Join(d.Dir, "admin.sock") }

// Master takes "reload": HAProxy starts anew from its file, with the same listeners, and the old process ends when its
// connections have.
func (d Door) Master() string { return filepath.Join(d.Dir, "master.sock") }

// Start writes the configuration where there is none, and runs HAProxy.
func (d Door) Start(ctx context.Context) error {
	if err := os.MkdirAll(d.Dir, 0o755); err != nil {
		return fmt.Errorf("start front door: %w", err)
	}
	if _, err := os.Stat(d.Config()); errors.Is(err, fs.ErrNotExist) {
		if err := os.WriteFile(d.Config()+".new", []byte(d.Text()), 0o644); err != nil {
			return fmt.Errorf("start front door: %w", err)
		}
		if _, err := tool.Run(ctx, "haproxy", "-c", "-q", "-f", d.Config()+".new"); err != nil {
			return err
		}
		if err := os.Rename(d.Config()+".new", d.Config()); err != nil {
			return fmt.Errorf("start front door: %w", err)
		}
	}
	const name = "haproxy"
	_, err := d.Table.Start(process.Spec{Name: name, Host: name, Namespace: d.Namespace, Dir: d.Dir, Args: []string{
		"haproxy", "-W", "-S", d.Master() + ",mode,600", "-f", d.Config(),
	}})
	if err != nil {
		return err
	}
	limit := time.Now().Add(patience)
	for {
		if _, err = Ask(ctx, d.Socket(), "show info"); err == nil {
			return nil
		}
		if r, ok, findErr := d.Table.Find(name); findErr != nil || !ok || !r.Alive() {
			return errors.Join(findErr, fmt.Errorf("haproxy ended:\n%s", d.Table.Tail(name)))
		}
		if time.Now().After(limit) {
			return fmt.Errorf("wait for haproxy: %w", err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Text is the configuration.
func (d Door) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, head, d.Socket(), d.Stats)
	for _, s := range d.Services {
		fmt.Fprintf(&b, "\nfrontend %[1]s\n    bind %[2]s\n    default_backend %[1]s\n", s.Name, s.Bind)
		if s.Check == "" {
			b.WriteString("    mode tcp\n    option tcplog\n")
		}
		fmt.Fprintf(&b, "\nbackend %s\n    balance roundrobin\n", s.Name)
		if s.Check == "" {
			b.WriteString(tcp)
		} else {
			fmt.Fprintf(&b, web, s.Check)
		}
		fmt.Fprintf(&b, "    server source %s weight 100 check inter 1s fall 2 rise 1\n", s.Source)
		fmt.Fprintf(&b, "    # tranship begin %[1]s\n    # tranship end %[1]s\n", s.Name)
	}
	return b.String()
}

// head is what holds for all. The ring keeps the lines of requests, from which latencies are read by `show events`;
// standard output, which goes to the log, gets what is wrong only. One thread is plenty, and two wake each other up.
const head = `global
    stats socket %s mode 600 level admin expose-fd listeners
    stats timeout 1m
    log ring@tranship local0 info
    log stdout format raw local0 notice
    maxconn 8000
    nbthread 1
    hard-stop-after 60s

ring tranship
    description "requests as they end"
    format raw
    maxlen 1024
    size 8388608

defaults
    mode http
    log global
    option httplog
    option dontlognull
    option log-separate-errors
    # Clients keep their connections, servers get one for each request: no request goes down a connection that a
    # server, about to be drained, closes at that moment.
    option http-server-close
    # A connection that is refused is tried again, the last time at another server. Nothing has been sent then, so
    # nothing is done twice.
    retries 3
    option redispatch 1
    timeout connect 1s
    timeout check 2s
    timeout queue 10s
    timeout http-request 10s
    timeout http-keep-alive 60s
    timeout client 120s
    timeout server 120s
    timeout tunnel 1h

frontend stats
    bind %s
    option dontlog-normal
    stats enable
    stats uri /stats
    stats refresh 5s
    http-request use-service prometheus-exporter if { path /metrics }
`

const web = `    option httpchk
    http-check send meth GET uri %s
    http-check expect status 200
`

// tcp closes what is open to a server that has gone down, so that clients of a database connect anew.
const tcp = `    mode tcp
    timeout server 1h
    default-server on-marked-down shutdown-sessions
`
