// Package partytest runs rooms in a test: in memory, without ports, with
// clients that are function calls. It works inside testing/synctest, where
// alarms and timers take no time.
//
// It is for tests of room types. It is not for load tests: see the benchmarks of the project.
package partytest

import (
	"context"
	"encoding/json"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/goparty-dev/party/internal/manifest"
	"github.com/goparty-dev/party/internal/platform"
	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/storage"
	"github.com/goparty-dev/party/runtime/storage/memory"
)

// Server runs an app for the length of a test. It is an http.Handler.
type Server struct {
	t        testing.TB
	platform *platform.Platform
}

// Option changes the server.
type Option func(*options)

type options struct {
	vars   map[string]any
	assets fs.FS
	logger *slog.Logger
	idle   time.Duration
	store  storage.Store
	crons  map[string]string
}

// Vars are the variables that rooms see.
func Vars(vars map[string]any) Option { return func(o *options) { o.vars = vars } }

// Assets are the static files.
func Assets(files fs.FS) Option { return func(o *options) { o.assets = files } }

// Crons are the schedules of cron functions, by their names. Without them none runs.
func Crons(schedules map[string]string) Option { return func(o *options) { o.crons = schedules } }

// Logger is where rooms log. Default: the test's log.
func Logger(l *slog.Logger) Option { return func(o *options) { o.logger = l } }

// Idle is how long a room must be idle to be dropped from memory. Default 10 s.
func Idle(d time.Duration) Option { return func(o *options) { o.idle = d } }

// Store is where rooms write. Default: a store in memory of the server's own.
func Store(s storage.Store) Option { return func(o *options) { o.store = s } }

// New runs an app until the test ends.
func New(t testing.TB, app *party.App, opts ...Option) *Server {
	t.Helper()
	o := options{
		idle:   10 * time.Second,
		logger: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	for _, opt := range opts {
		opt(&o)
	}
	if o.store == nil {
		o.store = memory.New()
	}
	vars, err := json.Marshal(o.vars)
	if err != nil {
		t.Fatalf("partytest: encode variables: %v", err)
	}
	host, err := party.NewHost(app, party.HostOptions{Vars: vars, IdleAfter: o.idle, Logger: o.logger})
	if err != nil {
		t.Fatalf("partytest: %v", err)
	}
	if _, err := o.store.Migrate(t.Context(), app.Migrations); err != nil {
		t.Fatalf("partytest: %v", err)
	}
	limits := manifest.DefaultLimits()
	limits.Idle = o.idle
	p, err := platform.New(platform.Options{Store: o.store, Logger: o.logger, Assets: o.assets, Limits: limits, Crons: o.crons})
	if err != nil {
		t.Fatalf("partytest: %v", err)
	}
	p.SetHost(host)
	s := &Server{t: t, platform: p}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := p.Shutdown(ctx); err != nil {
			t.Errorf("partytest: shut down: %v", err)
		}
	})
	return s
}

// Rooms makes an app of room types, for New.
func Rooms(defs ...party.Definition) *party.App { return &party.App{Rooms: defs} }

// ServeHTTP implements http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.platform.ServeHTTP(w, r) }

// Request sends a request and returns the complete response. body may be empty.
func (s *Server) Request(method, target, body string) *http.Response {
	s.t.Helper()
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(method, target, strings.NewReader(body)))
	return w.Result()
}

// Hibernate drops a room from memory, as idleness would, once its running
// turns have ended. Connections stay. A room type that does not hibernate comes back at
// once if it has connections, as after a reload.
func (s *Server) Hibernate(partyName, room string) {
	s.t.Helper()
	if err := s.platform.Hibernate(s.t.Context(), storage.Room{Party: partyName, Name: room}); err != nil {
		s.t.Fatalf("partytest: %v", err)
	}
}

// FireAlarm runs a room's OnAlarm now, however far away its alarm is. The test
// fails if none is set.
func (s *Server) FireAlarm(partyName, room string) {
	s.t.Helper()
	set, err := s.platform.FireAlarm(s.t.Context(), storage.Room{Party: partyName, Name: room})
	if err != nil {
		s.t.Fatalf("partytest: %v", err)
	}
	if !set {
		s.t.Fatalf("partytest: room %s/%s has no alarm", partyName, room)
	}
}
