package socketio

import (
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Handshake is how a socket came to be: the request of its connection, and
// what the client sent as auth.
type Handshake struct {
	Headers http.Header
	Query   url.Values // of the connection, decoded
	Auth    Value      // an object; {} when none was sent
	Time    time.Time  // of the connect
	Address string     // IP address of the client
	XDomain bool       // the request names an origin
	Secure  bool       // over TLS
	URL     string     // path and query of the request
}

func newHandshake(r *http.Request, uri string, auth Value, at time.Time) *Handshake {
	h := &Handshake{Auth: auth, Time: at, Secure: strings.HasPrefix(uri, "wss:")}
	if r == nil {
		return h
	}
	h.Headers, h.Query, h.URL = r.Header, r.URL.Query(), r.URL.RequestURI()
	h.XDomain = r.Header.Get("Origin") != ""
	var err error
	if h.Address, _, err = net.SplitHostPort(r.RemoteAddr); err != nil {
		h.Address = r.RemoteAddr
	}
	return h
}

// MarshalJSON writes the handshake as the Node server does.
func (h *Handshake) MarshalJSON() ([]byte, error) {
	headers := make(map[string]string, len(h.Headers))
	for k, v := range h.Headers {
		headers[strings.ToLower(k)] = strings.Join(v, ", ")
	}
	query := make(map[string]any, len(h.Query))
	for k, v := range h.Query {
		query[k] = v
		if len(v) == 1 {
			query[k] = v[0]
		}
	}
	return marshal(struct {
		Headers map[string]string `json:"headers"`
		Time    string            `json:"time"`
		Address string            `json:"address"`
		XDomain bool              `json:"xdomain"`
		Secure  bool              `json:"secure"`
		Issued  int64             `json:"issued"`
		URL     string            `json:"url"`
		Query   map[string]any    `json:"query"`
		Auth    Value             `json:"auth"`
	}{
		headers, h.Time.Format("Mon Jan 02 2006 15:04:05 GMT-0700 (MST)"), h.Address, h.XDomain, h.Secure,
		h.Time.UnixMilli(), h.URL, query, h.Auth,
	})
}
