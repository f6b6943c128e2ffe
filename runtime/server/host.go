package server

import (
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"

	"github.com/goparty-dev/party/internal/link"
	"github.com/goparty-dev/party/internal/link/stream"
	party "github.com/goparty-dev/party/runtime"
)

// HostFD is the environment variable that names the file descriptor of the
// link to a platform in another process. Main of a program that has it serves its rooms
// there, and opens nothing.
const HostFD = "PARTY_HOST_FD"

// serveHost serves app's rooms to the platform that started this process, and
// returns when the platform lets it go.
func serveHost(app *party.App) error {
	fd, err := strconv.Atoi(os.Getenv(HostFD))
	if err != nil {
		return fmt.Errorf("%s does not name a file descriptor", HostFD)
	}
	os.Unsetenv(HostFD) // processes that user code starts are no hosts
	f := os.NewFile(uintptr(fd), "link")
	conn, err := net.FileConn(f)
	f.Close()
	if err != nil {
		return fmt.Errorf("open the link: %w", err)
	}
	return stream.Serve(conn, func(init stream.Init) (link.Host, error) {
		return party.NewHost(app, party.HostOptions{Vars: init.Vars, Dev: init.Dev, IdleAfter: init.IdleAfter, Logger: slog.Default()})
	})
}
