package platform

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/goparty-dev/party/internal/manifest"
)

// proxies are those before this server whose word is taken for who the client is and what it asked for.
type proxies struct {
	unix     bool // whoever comes by a Unix socket
	networks []netip.Prefix
}

// newProxies returns nil if there are none.
func newProxies(list []string) (*proxies, error) {
	if len(list) == 0 {
		return nil, nil
	}
	out := new(proxies)
	for _, s := range list {
		networks, err := manifest.ProxyNetworks(s)
		if err != nil {
			return nil, err
		}
		out.unix = out.unix || s == manifest.ProxyUnix
		out.networks = append(out.networks, networks...)
	}
	return out, nil
}

// believe returns the request as the client made it, if a trusted proxy has passed it on: RemoteAddr is the client's
// address, Host the host that it asked for, and TLS is set if it came by HTTPS. Else it returns r. The headers stay.
func (p *proxies) believe(r *http.Request) *http.Request {
	if p == nil || !p.trusts(r) {
		return r
	}
	r = r.WithContext(r.Context()) // whoever has the other one sees the connection
	if addr, ok := p.client(r.Header.Values("X-Forwarded-For")); ok {
		r.RemoteAddr = net.JoinHostPort(addr.String(), "0") // its port is not known
	}
	if host := last(r.Header.Values("X-Forwarded-Host")); host != "" {
		r.Host = host
	}
	switch last(r.Header.Values("X-Forwarded-Proto")) {
	case "https", "wss":
		if r.TLS == nil {
			r.TLS = &tls.ConnectionState{HandshakeComplete: true}
		}
	case "http", "ws":
		r.TLS = nil
	}
	return r
}

// trusts reports whether it is a trusted proxy that is connected.
func (p *proxies) trusts(r *http.Request) bool {
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok && local.Network() == "unix" {
		return p.unix
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && p.contains(peer.Addr())
}

func (p *proxies) contains(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	return slices.ContainsFunc(p.networks, func(n netip.Prefix) bool { return n.Contains(a) })
}

// client finds the client in X-Forwarded-For, to which each proxy has added whom it talked to. From the end, the first
// that is no trusted proxy is the client: what stands before it, the client may have written itself.
func (p *proxies) client(header []string) (client netip.Addr, ok bool) {
	entries := strings.Split(strings.Join(header, ","), ",")
	for _, e := range slices.Backward(entries) {
		a, err := address(strings.TrimSpace(e))
		if err != nil {
			break // the proxy behind it is the last one that is known
		}
		client, ok = a, true
		if !p.contains(a) {
			break
		}
	}
	return client, ok
}

// address reads an address with or without a port.
func address(s string) (netip.Addr, error) {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap(), nil
	}
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	return a.Unmap(), err
}

// last returns the last element of a header that may be a list: what the nearest proxy says.
func last(header []string) string {
	if len(header) == 0 {
		return ""
	}
	s := header[len(header)-1]
	return strings.TrimSpace(s[strings.LastIndexByte(s, ',')+1:])
}
