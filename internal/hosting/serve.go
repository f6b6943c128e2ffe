//go:build unix

package hosting

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// Addresses are where a host listens.
type Addresses struct {
	Clients string // URL of Options.Addr
	Plain   string // host:port; empty if there is none
	Metrics string // the same
}

// lastTime is how long answers may take that are under way when all apps have ended.
const lastTime = 5 * time.Second

// Serve listens and answers until ctx ends or a listener fails, then shuts the host down: apps end in good order, their
// sockets are closed with 1012. ready is told where it listens.
func (h *Host) Serve(ctx context.Context, ready func(Addresses)) error {
	s := &servers{log: h.log, failed: make(chan error, 4)}
	addresses, err := h.listen(s)
	if err != nil {
		s.close()
		return errors.Join(err, h.Shutdown())
	}
	for _, l := range s.all {
		go func() { s.failed <- l.http.Serve(l.listener) }()
	}
	ready(addresses)
	select {
	case <-ctx.Done():
	case err = <-s.failed:
	}
	for _, l := range s.all {
		l.listener.Close() // who comes now is to find the next host
	}
	err = errors.Join(err, h.Shutdown())
	last, cancel := context.WithTimeout(context.Background(), lastTime)
	defer cancel()
	for _, l := range s.all {
		if l.http.Shutdown(last) != nil {
			l.http.Close() // what streams without end is cut off
		}
	}
	return err
}

// servers are the listeners of a host.
type servers struct {
	log    *slog.Logger
	all    []listening
	failed chan error
}

type listening struct {
	http     *http.Server
	listener net.Listener
}

func (s *servers) close() {
	for _, l := range s.all {
		l.listener.Close()
	}
}

// add listens on an address.
func (s *servers) add(flag, addr string, conf *tls.Config, handler http.Handler) (net.Addr, error) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("%w: choose another address with %s", err, flag)
	}
	at := l.Addr()
	if conf != nil {
		l = tls.NewListener(l, conf)
	}
	s.serve(l, conf, handler)
	return at, nil
}

// serve adds a listener.
func (s *servers) serve(l net.Listener, conf *tls.Config, handler http.Handler) {
	s.all = append(s.all, listening{&http.Server{
		Handler: handler, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		TLSConfig: conf, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}, l})
}

func (h *Host) listen(s *servers) (Addresses, error) {
	var out Addresses
	conf, challenges, err := h.certificates()
	if err != nil {
		return out, err
	}
	at, err := s.add("--addr", h.opts.Addr, conf, h.Handler())
	if err != nil {
		return out, err
	}
	_, port, err := net.SplitHostPort(at.String())
	if err != nil {
		return out, err
	}
	h.mu.Lock()
	h.at = port
	h.mu.Unlock()
	scheme := "http://"
	if conf != nil {
		scheme = "https://"
	}
	out.Clients = scheme + at.String()
	if conf != nil && h.opts.Plain != "off" {
		var plain http.Handler = http.HandlerFunc(h.redirect)
		if challenges != nil {
			plain = challenges(plain)
		}
		at, err := s.add("--plain", h.opts.Plain, nil, plain)
		if err != nil {
			return out, err
		}
		out.Plain = at.String()
	}
	local, err := listenLocal(h.opts.Run)
	if err != nil {
		return out, fmt.Errorf("socket of the API: %w", err)
	}
	s.serve(local, nil, h.api())
	if h.opts.Metrics != "" {
		at, err := s.add("--metrics", h.opts.Metrics, nil, h.Admin())
		if err != nil {
			return out, err
		}
		out.Metrics = at.String()
	}
	return out, nil
}

// redirect sends who comes without TLS to the same place with it. A token that was sent is lost to who listens,
// so the API is not answered, and not redirected either.
func (h *Host) redirect(w http.ResponseWriter, r *http.Request) {
	name := hostName(r.Host)
	switch {
	case h.isAdmin(name):
		http.Error(w, "use https; a token that was sent without it should be revoked", http.StatusForbidden)
	case h.lookUp(name) == nil:
		http.Error(w, "there is no app at this host name", http.StatusNotFound)
	default:
		if port := h.port(); port != "443" {
			name = net.JoinHostPort(name, port)
		}
		http.Redirect(w, r, "https://"+name+r.URL.RequestURI(), http.StatusPermanentRedirect)
	}
}

// port is the one that clients use.
func (h *Host) port() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.at == "" {
		_, h.at, _ = net.SplitHostPort(h.opts.Addr) // it is listened on later
	}
	return h.at
}
