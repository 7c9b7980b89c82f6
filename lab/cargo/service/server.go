package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/tranship/tranship/lab/cargo/fault"
)

// Server serves one API.
type Server struct {
	config   Config
	log      *slog.Logger
	faults   *fault.Switch
	ready    func() error
	draining atomic.Bool
	api      *http.ServeMux
	handler  http.Handler
	metrics  *metrics
}

// New makes a server; ready says why the service cannot serve, nil if it can. It starts nothing.
func New(c Config, log *slog.Logger, faults *fault.Switch, ready func() error) *Server {
	s := &Server{config: c, log: log, faults: faults, ready: ready, api: http.NewServeMux(), metrics: newMetrics(c)}
	root := http.NewServeMux()
	root.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { Answer(w, http.StatusOK, struct{}{}) })
	root.HandleFunc("GET /ready", s.answerReady)
	root.Handle("GET /metrics", s.metrics.handler())
	root.Handle("/", s.api)
	s.handler = s.identify(root)
	return s
}

// Handle adds a route of the API: measured, and under the faults that are switched on.
func (s *Server) Handle(pattern string, h http.Handler) {
	s.api.Handle(pattern, s.metrics.measure(pattern, s.faults.Around(h)))
}

// Handler is all that the server answers, for tests.
func (s *Server) Handler() http.Handler { return s.handler }

// Run serves until ctx ends, then tells that it is not ready, goes on for the drain time, finishes what it has begun
// and returns.
func (s *Server) Run(ctx context.Context) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", s.config.Listen)
	if err != nil {
		return fmt.Errorf("listen for the API: %w", err)
	}
	// Idle connections live longer here than in any proxy before us: who closes last is never the one that was
	// just sent a request.
	server := &http.Server{Handler: s.handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 5 * time.Minute, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelWarn)}
	ended := make(chan error, 2)
	go func() { ended <- server.Serve(listener) }()
	var admin *http.Server
	if s.config.FaultListen != "" {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", s.config.FaultListen)
		if err != nil {
			_ = server.Close()
			return fmt.Errorf("listen for faults: %w", err)
		}
		admin = &http.Server{Handler: s.faults.Handler(), ReadHeaderTimeout: 10 * time.Second}
		go func() { ended <- admin.Serve(l) }()
		defer func() { _ = admin.Close() }()
	}
	s.log.Info("serving", slog.String("address", listener.Addr().String()), slog.String("faults", s.config.FaultListen))
	select {
	case err := <-ended:
		_ = server.Close()
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	s.draining.Store(true)
	s.log.Info("draining")
	time.Sleep(min(s.config.Drain, s.config.Grace))
	// The context that brought us here has ended; what is left of the grace is for requests under way.
	rest, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.config.Grace-min(s.config.Drain, s.config.Grace))
	defer cancel()
	if err := server.Shutdown(rest); err != nil && !errors.Is(err, http.ErrServerClosed) {
		_ = server.Close()
		return fmt.Errorf("requests outlived the grace: %w", err)
	}
	s.log.Info("ended")
	return nil
}

// identify says in each answer who gave it, and while draining asks clients to leave after their answer: idle
// connections are left alone, as one closed at the instant in which it is used again would lose a request.
func (s *Server) identify(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-World", s.config.World)
		h.Set("X-Version", s.config.Version)
		h.Set("X-Instance", s.config.Instance)
		if s.draining.Load() {
			h.Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

func (s *Server) answerReady(w http.ResponseWriter, _ *http.Request) {
	why := error(nil)
	switch {
	case s.draining.Load():
		why = errors.New("draining")
	case s.faults.Now().NotReady:
		why = errors.New("a fault is switched on")
	default:
		why = s.ready()
	}
	if why != nil {
		Refuse(w, http.StatusServiceUnavailable, why)
		return
	}
	Answer(w, http.StatusOK, struct{}{})
}

// Answer writes body as JSON.
func Answer(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		status, text = http.StatusInternalServerError, []byte(`{"error":"answer cannot be written"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(text, '\n')) // a client that has gone is told nothing
}

// Refuse answers with the reason why there is no other answer.
func Refuse(w http.ResponseWriter, status int, why error) {
	Answer(w, status, struct {
		Error string `json:"error"`
	}{why.Error()})
}
