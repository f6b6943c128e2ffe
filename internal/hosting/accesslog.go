//go:build unix

package hosting

import (
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/goparty-dev/party/internal/hosting/api"
)

// note adds a line about a request or a socket to the app's log.
func (a *app) note(v *visit, kind string) {
	if *a.settings().NoRequests {
		return
	}
	r := v.request
	l := api.LogLine{
		Kind: kind, Method: r.Method, URL: a.host.shown(r), Status: v.status, IP: clientIP(r),
		Conn: r.URL.Query().Get("_pk"), Headers: shownHeaders(r.Header), Outcome: v.outcome(),
	}
	l.Party, l.Room = roomOf(r.URL.EscapedPath())
	if kind != api.KindOpen {
		l.MS = float64(time.Since(v.began).Microseconds()) / 1000
	}
	if v.err != nil && !v.cut {
		l.Message = v.err.Error()
	}
	a.log.Add(l)
}

func (v *visit) outcome() api.Outcome {
	switch {
	case v.cut && v.request.Context().Err() != nil:
		return api.Canceled
	case v.cut || v.status >= 500:
		return api.Err
	}
	return api.OK
}

// clientIP is the address that asks.
func clientIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// roomOf returns the room in a path as it came, with the usual prefix.
func roomOf(path string) (party, room string) {
	parts := strings.SplitN(strings.TrimPrefix(path, "/"), "/", 4)
	switch {
	case len(parts) >= 3 && parts[0] == "parties":
		return decoded(parts[1]), decoded(parts[2])
	case len(parts) >= 2 && parts[0] == "party":
		return "", decoded(parts[1])
	}
	return "", ""
}

// decoded is a part of a path as rooms are called.
func decoded(part string) string {
	if name, err := url.PathUnescape(part); err == nil {
		return strings.ToValidUTF8(name, "\uFFFD")
	}
	return part
}

const mask = "***"

// shown is the URL of a request as it may be kept: what is in the query may be a secret, except the connection's ID.
func (h *Host) shown(r *http.Request) string {
	u := url.URL{Scheme: "https", Host: r.Host, Path: r.URL.Path, RawPath: r.URL.RawPath}
	if h.mode == plainHTTP {
		u.Scheme = "http"
	}
	if r.URL.RawQuery != "" {
		var parts []string
		for part := range strings.SplitSeq(r.URL.RawQuery, "&") {
			name, _, valued := strings.Cut(part, "=")
			switch {
			case name == "_pk":
			case valued:
				part = name + "=" + mask
			default:
				part = mask // a query of one word may be a token too
			}
			parts = append(parts, part)
		}
		u.RawQuery = strings.Join(parts, "&")
	}
	return u.String()
}

// secretHeaders are told as masked.
var secretHeaders = map[string]bool{"Authorization": true, "Cookie": true, "Proxy-Authorization": true, "Sec-Websocket-Protocol": true}

// shownHeaders are those of a request as they may be told.
func shownHeaders(h http.Header) map[string]string {
	out := make(map[string]string, len(h))
	for name, values := range h {
		lower := strings.ToLower(name)
		if secretHeaders[name] || strings.Contains(lower, "token") || strings.Contains(lower, "secret") || strings.Contains(lower, "key") && name != "Sec-Websocket-Key" {
			out[name] = mask
			continue
		}
		out[name] = strings.Join(values, ", ")
	}
	return out
}
