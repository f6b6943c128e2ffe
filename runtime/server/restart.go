//go:build !party_host

package server

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/goparty-dev/party/internal/admin"
	"github.com/goparty-dev/party/internal/release"
)

// A platform is restarted by turning this process into another program that goes on with the listeners: who connects
// meanwhile waits in their queue. Only one process can own the store, so the sockets cannot be kept.

// restartEnv is the environment variable by which a platform tells the program that it becomes what it inherits.
const restartEnv = "PARTY_RESTART"

// finishTime is for requests that are being answered when a platform is restarted.
const finishTime = 5 * time.Second

// inheritance is what a platform leaves to the program that it becomes.
type inheritance struct {
	Addr  int       `json:"addr"`            // descriptor of the listener of --addr
	Admin int       `json:"admin,omitempty"` // of --admin; 0: none
	Since time.Time `json:"since"`           // when the old one stopped accepting
	// From is the program to go back to if this one cannot start. Empty if that has happened.
	From string `json:"from,omitempty"`

	listeners map[string]net.Listener // by flag; those that nobody has taken yet
}

// inherited returns what an earlier platform in this process has left, or nil.
func inherited() (*inheritance, error) {
	value := os.Getenv(restartEnv)
	if value == "" {
		return nil, nil
	}
	os.Unsetenv(restartEnv)
	in := &inheritance{listeners: make(map[string]net.Listener)}
	if err := json.Unmarshal([]byte(value), in); err != nil {
		return nil, fmt.Errorf("%s: %w", restartEnv, err)
	}
	for name, fd := range map[string]int{"addr": in.Addr, "admin": in.Admin} {
		if fd == 0 {
			continue
		}
		f := os.NewFile(uintptr(fd), name)
		l, err := net.FileListener(f)
		if err = errors.Join(err, f.Close()); err != nil {
			return nil, fmt.Errorf("inherit the listener of --%s: %w", name, err)
		}
		in.listeners[name] = l
	}
	return in, nil
}

// listen returns the listener that was inherited for a flag, or makes one. It may be called on nil.
func (in *inheritance) listen(name, addr string, mode fs.FileMode) (net.Listener, error) {
	if in == nil || in.listeners[name] == nil {
		return listen(addr, mode)
	}
	l := in.listeners[name]
	delete(in.listeners, name)
	return adopt(l, addr)
}

// goBack turns this process back into the program that was there before, which this one cannot replace for a reason. It
// returns only if that fails, or there is none.
func (in *inheritance) goBack(reason error) error {
	if in == nil || in.From == "" {
		return reason
	}
	slog.Error("this version cannot start; the one before goes on", "err", reason)
	back := &inheritance{Since: in.Since}
	err := in.keepAll(back)
	if err == nil {
		err = back.become(in.From)
	}
	return errors.Join(reason, err)
}

func (in *inheritance) keepAll(back *inheritance) error {
	var err error
	if l := in.listeners["addr"]; l != nil {
		back.Addr, err = keep(l)
	}
	if l := in.listeners["admin"]; l != nil && err == nil {
		back.Admin, err = keep(l)
	}
	return err
}

// become turns this process into a program that inherits.
func (in *inheritance) become(binary string) error {
	value, err := json.Marshal(in)
	if err == nil {
		err = os.Setenv(restartEnv, string(value))
	}
	if err != nil {
		return err
	}
	return become(binary)
}

// errOtherLink says that a version speaks another version of the link.
var errOtherLink = errors.New("it cannot be put into the running server")

// restart asks for the platform to be restarted with a version, and returns at once.
func (sp *split) restart(r *release.Release) error {
	select {
	case sp.restarts <- r:
		return nil
	default:
		return errors.New("the server is being restarted")
	}
}

// restarts gives the version to restart with, when somebody asks for that. A server that cannot be upgraded gives none.
func (s *Server) restarts() <-chan *release.Release {
	if s.split == nil {
		return nil
	}
	return s.split.restarts
}

// serving is what a program serves with.
type serving struct {
	server   *Server
	public   net.Listener
	private  net.Listener // of admin
	http     *http.Server
	open     *openConns // of http
	orders   *orders
	admin    *admin.Server // nil: none
	finished <-chan error  // of http.Serve
}

// leaveTo ends everything but the listeners, and turns this process into a version. It returns an error only if that fails,
// and nil if ctx has ended meanwhile: then nothing is left but to exit.
func (v *serving) leaveTo(ctx context.Context, r *release.Release) error {
	in := &inheritance{Since: time.Now(), From: v.server.split.current()}
	var err error
	if in.Addr, err = keep(v.public); err != nil {
		return err
	}
	if v.admin != nil {
		if in.Admin, err = keep(v.private); err != nil {
			return err
		}
	}
	v.public.Close()
	<-v.finished
	drain, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	// First what is being answered, by rooms that still work; then the rooms.
	finish, stop := context.WithTimeout(drain, finishTime)
	v.open.finish(finish, v.http)
	stop()
	err = errors.Join(v.orders.close(), v.server.Shutdown(drain), v.http.Shutdown(drain), v.admin.Close())
	if err != nil {
		slog.Error("not all has ended well before the restart", "err", err)
	}
	if ctx.Err() != nil {
		return nil // somebody wants the server to stop
	}
	return in.become(r.Binary())
}

// openConns counts the connections of an http.Server that are not sockets.
type openConns struct{ n atomic.Int64 }

// count is for http.Server.ConnState.
func (o *openConns) count(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		o.n.Add(1)
	case http.StateHijacked, http.StateClosed:
		o.n.Add(-1)
	}
}

// finish waits until each connection that was accepted has had its answer, or ctx ends. http.Server.Shutdown will not do:
// from its beginning on, it drops every request that it reads.
func (o *openConns) finish(ctx context.Context, hs *http.Server) {
	hs.SetKeepAlivesEnabled(false) // which closes the idle ones
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for o.n.Load() > 0 && ctx.Err() == nil {
		<-tick.C
	}
}

// current is the program of the version to go back to: the last one that has proven itself.
func (sp *split) current() string {
	sp.mu.Lock()
	rec := sp.record
	sp.mu.Unlock()
	rec.Settle()
	if n := len(rec.Versions); n > 0 {
		if r, err := sp.folder.Get(rec.Versions[n-1].ID); err == nil {
			return r.Binary()
		}
	}
	return ""
}
