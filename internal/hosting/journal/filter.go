package journal

import (
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"

	"github.com/goparty-dev/party/internal/hosting/api"
)

// Filter returns whether a line is what a query wants. self is the address that asks.
func Filter(q *api.LogQuery, self string) func(*api.LogLine) bool {
	search := strings.ToLower(q.Search)
	ips := make([]string, len(q.IPs))
	for n, ip := range q.IPs {
		if ip == "self" {
			ip = self
		}
		ips[n] = canonical(ip)
	}
	return func(l *api.LogLine) bool {
		switch {
		case len(q.Kinds) > 0 && !slices.Contains(q.Kinds, l.Kind),
			len(q.Outcomes) > 0 && !slices.Contains(q.Outcomes, l.Outcome),
			len(q.Methods) > 0 && !slices.Contains(q.Methods, l.Method),
			len(q.Conns) > 0 && (l.Conn == "" || !slices.Contains(q.Conns, l.Conn)),
			len(ips) > 0 && (l.IP == "" || !slices.Contains(ips, canonical(l.IP))),
			search != "" && !strings.Contains(strings.ToLower(l.Message), search) && !strings.Contains(strings.ToLower(l.URL), search):
			return false
		}
		for _, h := range q.Headers {
			if !hasHeader(l.Headers, h) {
				return false
			}
		}
		return q.Sampling <= 0 || q.Sampling >= 1 || rand.Float64() < q.Sampling
	}
}

func hasHeader(headers map[string]string, want api.HeaderMatch) bool {
	for name, value := range headers {
		if strings.EqualFold(name, want.Name) && (want.Value == "" || strings.Contains(strings.ToLower(value), strings.ToLower(want.Value))) {
			return true
		}
	}
	return false
}

// canonical is an address in the one form in which it is compared.
func canonical(ip string) string {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return ip
	}
	return addr.Unmap().String()
}
