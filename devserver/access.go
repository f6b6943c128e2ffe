package devserver

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
)

// access decides who may see what is below /_party/: sources and stacks.
type access struct {
	host string // that the server was told to listen on; "" for loopback
}

// allowed reports whether a request was addressed to this server by a name
// that only it can have, and comes from a page of its own or of this machine.
// A name of somebody else's that resolves to loopback (DNS rebinding) is refused.
func (a access) allowed(r *http.Request) bool {
	if !a.known(hostname(r.Host)) {
		return false
	}
	origin := r.Header.Get("Origin")
	if origin == "" {
		return true
	}
	u, err := url.Parse(origin)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return false
	}
	return strings.EqualFold(u.Host, r.Host) || isLoopback(u.Hostname())
}

func (a access) known(name string) bool {
	if isLoopback(name) || a.host != "" && strings.EqualFold(name, a.host) {
		return true
	}
	// Whoever listens for other machines is called by its address; an address cannot be rebound.
	_, err := netip.ParseAddr(name)
	return a.host != "" && !isLoopback(a.host) && err == nil
}

func isLoopback(name string) bool {
	if addr, err := netip.ParseAddr(name); err == nil {
		return addr.Unmap().IsLoopback()
	}
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	return name == "localhost" || strings.HasSuffix(name, ".localhost")
}

// hostname takes the port and the brackets away from a Host header.
func hostname(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return strings.TrimSuffix(strings.TrimPrefix(hostport, "["), "]")
}
