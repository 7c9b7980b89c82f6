// Package oldworld is a double of the old world: Mesos, Marathon, Metronome and a marathon-lb, in one process that really
// runs tasks. It says so by every version that it tells ("oldworld" is its build), and by /lab/v1.
//
// Input: addresses, agents, images, a folder for state. Output: the interfaces of all four, running tasks, a load
// balancer's configuration. It never touches a process that it has not started itself.
//
// doc.go of package mesos tells how tasks run and where images are; package conformance tells what of the real interfaces is
// kept, and what is left out.
package oldworld

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tranship/tranship/lab/oldworld/edge"
	"github.com/tranship/tranship/lab/oldworld/fault"
	"github.com/tranship/tranship/lab/oldworld/marathon"
	v2 "github.com/tranship/tranship/lab/oldworld/marathon/v2"
	"github.com/tranship/tranship/lab/oldworld/master"
	"github.com/tranship/tranship/lab/oldworld/mesos"
	"github.com/tranship/tranship/lab/oldworld/metronome"
)

// Config says what world to make.
type Config struct {
	Address   string // of the masters
	Marathon  int    // ports
	Metronome int
	Mesos     int
	State     string // folder
	Agents    []mesos.Agent
	Images    mesos.Images
	Faults    fault.Faults // at the first start
	Said      bool         // they hold also if an earlier life had others
	Edge      edge.Config
	Executor  []string // how to start an executor, before the task's folder
	Env       []string // for every process
	StopIn    time.Duration
	Log       *log.Logger
}

// World is all of it.
type World struct {
	config    Config
	faults    *fault.Switch
	cluster   *mesos.Cluster
	marathon  *marathon.Marathon
	metronome *metronome.Metronome
	edge      *edge.Edge
	listeners []net.Listener
	servers   []*http.Server
}

// New reads state and takes the addresses. It starts nothing.
func New(c Config) (*World, error) {
	w := &World{config: c}
	var err error
	if w.faults, err = fault.New(filepath.Join(c.State, "faults.json"), c.Faults, c.Said); err != nil {
		return nil, err
	}
	if w.cluster, err = mesos.New(c.State, c.Agents, c.Images, mesos.Options{
		Name: "oldworld", Executor: c.Executor, Env: c.Env, StopIn: c.StopIn, Log: c.Log.Printf,
		Drain: func(task string) { w.edge.Drain(task) },
	}); err != nil {
		return nil, err
	}
	at := func(port int) string { return net.JoinHostPort(c.Address, strconv.Itoa(port)) }
	if w.marathon, err = marathon.New(c.State, w.cluster, marathon.Options{
		Address: at(c.Marathon), Log: c.Log.Printf,
		Faults: func() marathon.Faults {
			f := w.faults.Now()
			return marathon.Faults{NoRestart: !f.RestartFailed, Slow: f.Slow()}
		},
	}); err != nil {
		return nil, err
	}
	if w.metronome, err = metronome.New(c.State, w.cluster, metronome.Options{Address: at(c.Metronome), Log: c.Log.Printf}); err != nil {
		return nil, err
	}
	c.Edge.Log, c.Edge.Env = c.Log.Printf, c.Env
	w.edge = edge.New(c.Edge, w.marathon)
	operator := w.faults.Operator(operated{w})
	if err := w.listen(at(c.Marathon), w.faults.Around("marathon", v2.Handler(w.marathon), operator)); err != nil {
		return nil, err
	}
	if err := w.listen(at(c.Metronome), w.faults.Around("metronome", metronome.Handler(w.metronome), operator)); err != nil {
		return nil, err
	}
	if err := w.listen(at(c.Mesos), w.faults.Around("mesos", master.Handler(w.cluster, at(c.Mesos)), operator)); err != nil {
		return nil, err
	}
	for _, a := range c.Agents {
		if err := w.listen(net.JoinHostPort(a.Address, strconv.Itoa(a.Port)), w.faults.Around("mesos", master.AgentHandler(w.cluster, a), operator)); err != nil {
			return nil, err
		}
	}
	return w, nil
}

func (w *World) listen(at string, h http.Handler) error {
	l, err := net.Listen("tcp", at)
	if err != nil {
		w.close()
		return fmt.Errorf("listen: %w", err)
	}
	w.listeners = append(w.listeners, l)
	w.servers = append(w.servers, &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ErrorLog: w.config.Log})
	return nil
}

func (w *World) close() {
	for _, l := range w.listeners {
		_ = l.Close() // it was only held
	}
}

// Run is the old world until ctx ends; then its tasks are stopped, and all has ended when it returns.
func (w *World) Run(ctx context.Context) error {
	base := context.WithoutCancel(ctx)
	mesosCtx, stopMesos := context.WithCancel(base)
	defer stopMesos()
	edgeCtx, stopEdge := context.WithCancel(base)
	defer stopEdge()
	var below, above errgroup.Group
	below.Go(func() error { return w.cluster.Run(mesosCtx) })
	below.Go(func() error { return w.edge.Run(edgeCtx) })
	above.Go(func() error { return w.marathon.Run(ctx) })
	above.Go(func() error { return w.metronome.Run(ctx) })
	for i, s := range w.servers {
		s.BaseContext = func(net.Listener) context.Context { return ctx }
		above.Go(func() error {
			if err := s.Serve(w.listeners[i]); !errors.Is(err, http.ErrServerClosed) {
				return fmt.Errorf("serve: %w", err)
			}
			return nil
		})
	}
	<-ctx.Done()
	for _, s := range w.servers {
		_ = s.Close() // streams of events never end by themselves
	}
	err := above.Wait()
	stopMesos()
	stopEdge()
	return errors.Join(err, below.Wait())
}

// operated is what the operator's calls reach.
type operated struct{ w *World }

func (o operated) OfApp(app string) []string {
	var ids []string
	for _, t := range o.w.marathon.Tasks(func(id string) bool { return id == app }) {
		ids = append(ids, t.ID)
	}
	return ids
}

func (o operated) Lose(task string) error  { return o.w.cluster.Lose(task) }
func (o operated) Crash(task string) error { return o.w.cluster.Crash(task) }
