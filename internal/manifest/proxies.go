package manifest

import (
	"fmt"
	"net/netip"
)

// Words for proxies in TrustedProxies.
const (
	ProxyUnix     = "unix"     // whoever may open the Unix socket that the server listens on
	ProxyLoopback = "loopback" // 127.0.0.0/8 and ::1
)

const proxyMust = `"unix", "loopback", an IP address or a network such as "10.0.0.0/8"`

// ProxyNetworks reads one of TrustedProxies. For ProxyUnix there are no networks.
func ProxyNetworks(s string) ([]netip.Prefix, error) {
	switch s {
	case ProxyUnix:
		return nil, nil
	case ProxyLoopback:
		return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}, nil
	}
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		a = a.Unmap()
		return []netip.Prefix{netip.PrefixFrom(a, a.BitLen())}, nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil || p.Addr().Is4In6() {
		return nil, fmt.Errorf("%q is not a proxy: it must be %s", s, proxyMust)
	}
	return []netip.Prefix{p.Masked()}, nil
}

func proxyRule(s string) string {
	if _, err := ProxyNetworks(s); err != nil {
		return proxyMust
	}
	return ""
}
