//go:build !party_host

package server

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// unixPrefix begins an address that is the path of a Unix socket: "unix:/run/app.sock".
const unixPrefix = "unix:"

// Who may connect to a Unix socket: the proxy before the server, in the server's group, and who operates it.
const (
	publicSocket  fs.FileMode = 0o660
	privateSocket fs.FileMode = 0o600
)

// maxSocketPath is what every system allows for the path of a socket, less what binding it in a folder of its own takes.
const maxSocketPath = 85

// listen listens on "host:port", or on "unix:PATH" with a socket file of that mode.
func listen(addr string, mode fs.FileMode) (net.Listener, error) {
	path, isUnix := strings.CutPrefix(addr, unixPrefix)
	if !isUnix {
		return net.Listen("tcp", addr)
	}
	return listenUnix(path, mode)
}

// listenUnix puts a socket at path. One that is there and that nobody listens on is replaced; everything else that is
// there stays. Nobody can connect before the socket has its mode: it is made in a folder that nobody else may enter.
func listenUnix(path string, mode fs.FileMode) (net.Listener, error) {
	switch {
	case path == "":
		return nil, errors.New("listen unix: the path of the socket is missing: want unix:PATH")
	case len(path) > maxSocketPath:
		return nil, fmt.Errorf("listen unix: the path %s is longer than the %d bytes that are certain to work for a socket", path, maxSocketPath)
	}
	if err := vacant(path); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(filepath.Dir(path), ".s*")
	if err != nil {
		return nil, fmt.Errorf("listen unix: %w", err)
	}
	defer os.RemoveAll(dir)
	made := filepath.Join(dir, "s")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: made, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("listen unix: %w", err)
	}
	l.SetUnlinkOnClose(false) // it moves
	u := &unixListener{UnixListener: l, path: path}
	err = os.Chmod(made, mode)
	if err == nil {
		u.file, err = os.Lstat(made)
	}
	if err == nil {
		err = os.Rename(made, path)
	}
	if err != nil {
		return nil, fmt.Errorf("listen unix: %w", errors.Join(err, l.Close()))
	}
	return u, nil
}

// vacant says why no socket can be put at path.
func vacant(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("listen unix: %w", err)
	case info.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("listen unix: %s is there and is no socket", path)
	}
	conn, err := net.DialTimeout("unix", path, 5*time.Second)
	switch {
	case err == nil:
		conn.Close()
		return fmt.Errorf("listen unix: another server listens on %s", path)
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, fs.ErrNotExist):
		return nil // left behind, or just gone
	}
	return fmt.Errorf("listen unix: is %s in use? %w", path, err)
}

// unixListener is a listener whose socket file goes with it, unless another process is to keep it.
type unixListener struct {
	*net.UnixListener
	path string
	file fs.FileInfo // nil: it stays
}

// adopt takes a listener over that an earlier program has opened for an address.
func adopt(l net.Listener, addr string) (net.Listener, error) {
	ul, isUnix := l.(*net.UnixListener)
	if !isUnix {
		return l, nil
	}
	ul.SetUnlinkOnClose(false)
	path := strings.TrimPrefix(addr, unixPrefix)
	file, err := os.Lstat(path)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("take over %s: %w", addr, err), l.Close())
	}
	return &unixListener{UnixListener: ul, path: path, file: file}, nil
}

// keep returns a descriptor that keeps listening when l is closed, also in a program that this process becomes.
func keep(l net.Listener) (fd int, err error) {
	if ul, ok := l.(*unixListener); ok {
		ul.file = nil
	}
	filer, ok := l.(interface{ File() (*os.File, error) })
	if !ok {
		return 0, fmt.Errorf("the listener on %v cannot be passed on", l.Addr())
	}
	f, err := filer.File()
	if err != nil {
		return 0, fmt.Errorf("pass the listener on %v on: %w", l.Addr(), err)
	}
	return inheritable(f)
}

// Addr returns where the socket is now.
func (l *unixListener) Addr() net.Addr { return &net.UnixAddr{Name: l.path, Net: "unix"} }

// Close removes the socket file too, unless it is another server's meanwhile.
func (l *unixListener) Close() error {
	err := l.UnixListener.Close()
	if err != nil {
		return err
	}
	if now, err := os.Lstat(l.path); err != nil || !os.SameFile(now, l.file) {
		return nil // nothing of ours is there
	}
	return os.Remove(l.path)
}

// shown is an address as one would dial it.
func shown(a net.Addr) string {
	if a.Network() == "unix" {
		return unixPrefix + a.String()
	}
	return "http://" + a.String()
}

// clientFor returns a client, and the root of URLs to use it with, for a server that listens on addr.
func clientFor(addr string) (*http.Client, string) {
	path, isUnix := strings.CutPrefix(addr, unixPrefix)
	if !isUnix {
		return http.DefaultClient, "http://" + addr
	}
	return &http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		},
		DisableKeepAlives: true,
	}}, "http://server"
}
