//go:build !party_host

package server

import (
	"fmt"
	"net/http"

	"github.com/goparty-dev/party/internal/admin"
)

// Admin returns a handler for whoever operates the server, to be served on an address that clients
// cannot reach: it shows what the process holds in memory.
//
//	/metrics       Prometheus' text format; the names are in docs/metrics.md
//	/healthz       200 as long as the process answers
//	/readyz        200 if the server can serve, else 503 with the reason: it drains, or its store does not work
//	/debug/pprof/  profiles, for go tool pprof
func (s *Server) Admin() http.Handler { return admin.Handler(s.platform) }

// listenAdmin listens, and serves from then on. With an empty address there is nothing to serve.
func (s *Server) listenAdmin(addr string, o *orders) (*admin.Server, error) {
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
	return admin.Serve(l, h), nil
}
