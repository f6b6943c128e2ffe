package platform

import (
	"net/http"
	"net/url"
	"strings"
)

// stripHeaders removes what only the platform itself may say.
func stripHeaders(h http.Header) {
	for name := range h {
		if strings.HasPrefix(name, "X-Party-") || strings.HasPrefix(name, "X-Partykit-") {
			delete(h, name)
		}
	}
}

// cors prepares the configured headers for the answer, and answers a preflight. It reports whether it did.
func (p *Platform) cors(w *statusWriter, r *http.Request) bool {
	if p.opts.CORS == nil {
		return false
	}
	w.cors = p.opts.CORS.For(r.Header.Get("Origin"))
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusOK)
		return true
	}
	return false
}

// originAllowed decides about an upgrade by the page that asks for it. A page
// of another origin may connect when the browser added nothing that speaks
// for the user; with cookies or credentials its origin must be listed.
func (p *Platform) originAllowed(r *http.Request) bool {
	origin := r.Header.Get("Origin")
	if origin == "" || (r.Header.Get("Cookie") == "" && r.Header.Get("Authorization") == "") {
		return true
	}
	u, err := url.Parse(origin)
	if err != nil {
		return false
	}
	if strings.EqualFold(u.Host, r.Host) {
		return true
	}
	if p.opts.Dev && isLoopback(u.Hostname()) {
		return true
	}
	for _, o := range p.opts.Origins {
		if o == "*" || strings.EqualFold(strings.TrimSuffix(o, "/"), origin) {
			return true
		}
	}
	return false
}

func isLoopback(host string) bool {
	return host == "localhost" || host == "127.0.0.1" || host == "::1" || strings.HasSuffix(host, ".localhost")
}

// fullURL is the URL of an upgrade as the client dialled it.
func fullURL(r *http.Request) string {
	scheme := "ws"
	if r.TLS != nil {
		scheme = "wss"
	}
	return scheme + "://" + r.Host + r.URL.RequestURI()
}

// stored is what a room is shown of an upgrade request, as long as the client waits.
func stored(r *http.Request) *http.Request {
	return (&http.Request{
		Method: r.Method, URL: r.URL, Proto: r.Proto, ProtoMajor: r.ProtoMajor, ProtoMinor: r.ProtoMinor,
		Header: r.Header, Host: r.Host, RemoteAddr: r.RemoteAddr, RequestURI: r.RequestURI, Body: http.NoBody,
	}).WithContext(r.Context())
}
