// Package admin is what whoever operates a server asks it: metrics, health and profiles, over HTTP
// on an address of their own.
//
// It is not for clients: profiles show what the process holds in memory.
package admin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Subject is what is asked.
type Subject interface {
	// Ready returns nil if the subject can serve.
	Ready(ctx context.Context) error
	// WriteMetrics writes its metrics in Prometheus' text format, version 0.0.4.
	WriteMetrics(w io.Writer) error
}

// readyTime bounds the look at the store for /readyz.
const readyTime = 2 * time.Second

// Handler answers for a subject:
//
//	/metrics       Prometheus' text format; the names are in docs/metrics.md
//	/healthz       200 as long as the process answers
//	/readyz        200 if the subject is ready, else 503 with the reason
//	/debug/pprof/  profiles, for go tool pprof
func Handler(s Subject) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyTime)
		defer cancel()
		if err := s.Ready(ctx); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ready")
	})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		// If writing fails, whoever asked has gone.
		if s.WriteMetrics(w) == nil {
			_ = writeProcess(w)
		}
	})
	mux.HandleFunc("GET /debug/pprof/{$}", listProfiles)
	mux.HandleFunc("GET /debug/pprof/{name}", serveProfile)
	return mux
}

// Server serves a Handler on a listener.
type Server struct {
	addr   net.Addr
	http   *http.Server
	served chan error
}

// Serve serves from now on. The listener is the server's.
func Serve(l net.Listener, h http.Handler) *Server {
	s := &Server{l.Addr(), &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(slog.Default().Handler(), slog.LevelDebug),
	}, make(chan error, 1)}
	go func() { s.served <- s.http.Serve(l) }()
	return s
}

// Addr is where it listens.
func (s *Server) Addr() net.Addr { return s.addr }

// Close cuts everything off: it is the last thing that a program does. It may be called on nil.
func (s *Server) Close() error {
	if s == nil {
		return nil
	}
	err := s.http.Close()
	if served := <-s.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, fmt.Errorf("serve --admin: %w", served))
	}
	return err
}
