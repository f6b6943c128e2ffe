//go:build !party_host

package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// readyTime bounds the look at the store for /readyz.
const readyTime = 2 * time.Second

// Admin returns a handler for whoever operates the server, to be served on an address that clients
// cannot reach: it shows what the process holds in memory.
//
//	/metrics       Prometheus' text format; the names are in docs/metrics.md
//	/healthz       200 as long as the process answers
//	/readyz        200 if the server can serve, else 503 with the reason: it drains, or its store does not work
//	/debug/pprof/  profiles, for go tool pprof
func (s *Server) Admin() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), readyTime)
		defer cancel()
		if err := s.platform.Ready(ctx); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ready")
	})
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		// If writing fails, whoever asked has gone.
		if s.platform.WriteMetrics(w) == nil {
			_ = writeProcess(w)
		}
	})
	mux.HandleFunc("GET /debug/pprof/{$}", listProfiles)
	mux.HandleFunc("GET /debug/pprof/{name}", serveProfile)
	return mux
}

// adminServer is what serves Admin beside the program's own address.
type adminServer struct {
	listener net.Listener
	http     *http.Server
	served   chan error
}

// listenAdmin listens, and serves from then on. With an empty address there is nothing to serve.
func (s *Server) listenAdmin(addr string, o *orders) (*adminServer, error) {
	if addr == "" {
		return nil, nil
	}
	h, err := s.adminHandler(o)
	if err != nil {
		return nil, err
	}
	l, err := listen(addr, privateSocket)
	if err != nil {
		return nil, fmt.Errorf("%w: choose another address with --admin", err)
	}
	a := &adminServer{l, &http.Server{
		Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(slog.Default().Handler(), slog.LevelDebug),
	}, make(chan error, 1)}
	go func() { a.served <- a.http.Serve(l) }()
	return a, nil
}

// close cuts everything off: it is the last thing that a program does. It may be called on nil.
func (a *adminServer) close() error {
	if a == nil {
		return nil
	}
	err := a.http.Close()
	if served := <-a.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, fmt.Errorf("serve --admin: %w", served))
	}
	return err
}
