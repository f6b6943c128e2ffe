//go:build !party_host

package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"

	"github.com/goparty-dev/party/internal/platform"
	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/storage"
	"github.com/goparty-dev/party/runtime/storage/memory"
	"github.com/goparty-dev/party/runtime/storage/sqlite"
)

// Server serves rooms. It is an http.Handler, for a mux of its own or
// somebody else's; its methods are safe for concurrent use.
type Server struct {
	platform *platform.Platform
	store    storage.Store
	owned    bool   // the store is closed with the server
	split    *split // nil if the host is in this process
}

// New makes a server. At least one room type is needed, by Rooms or App.
// Without Data or Store, what rooms write is kept in memory only.
func New(opts ...Option) (*Server, error) {
	var c config
	for _, o := range opts {
		o(&c)
	}
	if len(c.app.Rooms) == 0 {
		return nil, errors.New("server: no room types: use server.Rooms or server.App")
	}
	for name := range c.platform.Crons {
		if !slices.ContainsFunc(c.app.Crons, func(h party.CronHook) bool { return h.Name == name }) {
			return nil, fmt.Errorf("server: there is no cron function %q to run on a schedule", name)
		}
	}
	if c.split != nil {
		return newSplit(&c)
	}
	var vars []byte
	if len(c.vars) > 0 {
		var err error
		if vars, err = json.Marshal(c.vars); err != nil {
			return nil, errors.New("server: the variables cannot be encoded as JSON") // without their values
		}
	}
	host, err := party.NewHost(&c.app, party.HostOptions{Vars: vars, Dev: c.platform.Dev, IdleAfter: c.platform.Limits.Idle, Logger: c.platform.Logger})
	if err != nil {
		return nil, fmt.Errorf("server: %w", err)
	}
	s := &Server{store: c.platform.Store}
	if s.store == nil {
		if s.store, err = openStore(c.dataDir); err != nil {
			return nil, err
		}
		s.owned = true
	}
	c.platform.Store = s.store
	if _, err := s.store.Migrate(context.Background(), c.app.Migrations); err != nil {
		return nil, errors.Join(fmt.Errorf("server: %w", err), s.closeStore())
	}
	if s.platform, err = platform.New(c.platform); err != nil {
		return nil, errors.Join(fmt.Errorf("server: %w", err), s.closeStore())
	}
	s.platform.SetHost(host)
	return s, nil
}

// StoreFile is the name of the database below a data folder.
const StoreFile = "party.db"

func openStore(dir string) (storage.Store, error) {
	if dir == "" {
		return memory.New(), nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	return sqlite.Open(filepath.Join(dir, StoreFile), sqlite.Options{})
}

// ServeHTTP implements http.Handler: room URLs first, then assets and the functions
// outside rooms, then the fallback.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.platform.ServeHTTP(w, r) }

// Middleware returns a handler that answers what the server has an answer to, rooms,
// assets and the functions outside rooms, and hands everything else to next. It has the form that
// routers take, as in chi's r.Use(rooms.Middleware). The option Fallback has no effect on it.
//
// What stands in front of a server and wraps the http.ResponseWriter must let
// WebSockets through: its wrapper needs a Hijack or an Unwrap method.
func (s *Server) Middleware(next http.Handler) http.Handler { return s.platform.Before(next) }

// Shutdown ends the server in good order: new requests get 503, sockets are
// closed with 1012, rooms finish their turns, and what they wrote is durable
// when it returns nil. When ctx ends first, the rest is cut off. A program's own routes behind
// Middleware or Fallback, and the assets in front of them, go on, unless there is a fetch function.
func (s *Server) Shutdown(ctx context.Context) error {
	err := s.platform.Shutdown(ctx)
	s.split.close(ctx)
	return errors.Join(err, s.closeStore())
}

func (s *Server) closeStore() error {
	if !s.owned {
		return nil
	}
	return s.store.Close()
}
