package devserver

import (
	"context"
	"fmt"
	"net"
	"net/http"

	"github.com/goparty-dev/party/internal/admin"
	"github.com/goparty-dev/party/internal/platform"
)

// listenAdmin listens on the address for whoever operates the server; nil if there is none.
func listenAdmin(ctx context.Context, addr string) (net.Listener, error) {
	if addr == "" {
		return nil, nil
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("--admin %q is not an address: want host:port, as in 127.0.0.1:9090", addr)
	}
	if host == "" {
		host = "127.0.0.1"
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(host, port))
	if err != nil {
		return nil, fmt.Errorf("%w: choose another address with --admin", err)
	}
	return l, nil
}

// serveAdmin serves what a built binary serves with --admin, to those who may see what is below /_party/: a page of
// another site is not to read profiles by a name of its own for this machine.
func serveAdmin(l net.Listener, p *platform.Platform) *admin.Server {
	host, _, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		host = ""
	}
	may, h := access{host}, admin.Handler(p)
	return admin.Serve(l, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !may.allowed(r) {
			http.Error(w, "metrics and profiles are shown under this machine's own names only", http.StatusForbidden)
			return
		}
		h.ServeHTTP(w, r)
	}))
}
