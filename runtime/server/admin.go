//go:build !party_host

package server

import (
	"fmt"
	"net"
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
func (s *Server) listenAdmin(in *inheritance, addr string, o *orders) (*admin.Server, net.Listener, error) {
	if addr == "" {
		return nil, nil, nil
	}
	h, err := s.adminHandler(o)
	if err != nil {
		return nil, nil, err
	}
	l, err := in.listen("admin", addr, privateSocket)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: choose another address with --admin", err)
	}
	return admin.Serve(l, h), l, nil
}
