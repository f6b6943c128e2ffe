package devserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"syscall"
)

// tries is how many ports after the wanted one are tried.
const tries = 100

// listen opens the port on host or, when that is empty, on the loopback
// addresses of this machine. Without exact the next free port will do as well.
func listen(ctx context.Context, host string, port int, exact bool) (listeners []net.Listener, got int, err error) {
	hosts := []string{host}
	if host == "" {
		hosts = []string{"127.0.0.1", "::1"}
	}
	for n := 0; ; n++ {
		p := port + n
		if port == 0 {
			p = 0 // any; what is free on one address may be taken on another
		}
		listeners, got, err = listenAll(ctx, hosts, p)
		switch {
		case err == nil:
			return listeners, got, nil
		case !errors.Is(err, syscall.EADDRINUSE), n >= tries, p >= 65535:
			return nil, 0, fmt.Errorf("listen on port %d: %w", p, err)
		case exact && port != 0:
			return nil, 0, fmt.Errorf("port %d is taken: stop what is listening there, or choose another with --port", port)
		}
	}
}

// listenAll listens on all hosts or on none. A loopback address that this machine
// does not have is left out as long as there is another.
func listenAll(ctx context.Context, hosts []string, port int) ([]net.Listener, int, error) {
	var all []net.Listener
	var missing error
	for _, h := range hosts {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", net.JoinHostPort(h, strconv.Itoa(port)))
		if err != nil && len(hosts) > 1 && (errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT)) {
			missing = err
			continue
		}
		if err != nil {
			for _, l := range all {
				err = errors.Join(err, l.Close())
			}
			return nil, 0, err
		}
		all = append(all, l)
		port = l.Addr().(*net.TCPAddr).Port
	}
	if len(all) == 0 {
		return nil, 0, missing
	}
	return all, port, nil
}
