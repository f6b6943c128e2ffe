//go:build unix

package hosting

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"time"
)

// APISocket is the Unix socket at which a host with a folder Options.Run answers the API, and nothing else, whatever its
// host names and certificates are. It is for those who are on the machine already, by SSH for one. They may all
// connect, as they may to a port; it takes a token all the same.
func APISocket(run string) string { return filepath.Join(run, "api.sock") }

// listenLocal listens on the socket of the API.
func listenLocal(run string) (net.Listener, error) {
	path := APISocket(run)
	if conn, err := net.DialTimeout("unix", path, time.Second); err == nil {
		return nil, errors.Join(fmt.Errorf("another party host uses %s: choose another folder with --run", run), conn.Close())
	}
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	l, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o666); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}
