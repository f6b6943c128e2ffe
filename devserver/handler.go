package devserver

import (
	_ "embed"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/goparty-dev/party/internal/platform"
)

// patience bounds how long a request waits for the very first code. A build from a cold
// cache can take that long; a build that has failed is answered at once.
const patience = 30 * time.Second

//go:embed overlay.js
var overlayScript []byte

// handler serves the dev server's own paths, and everything else from the
// platform as soon as there has been a host.
type handler struct {
	access   access
	board    *board
	platform http.Handler
	done     <-chan struct{} // closed when the server stops
	patience time.Duration
	log      func(platform.RequestInfo) // what the platform has not seen; may be nil
}

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if name, ok := strings.CutPrefix(r.URL.Path, "/_party/"); ok {
		h.own(w, r, name)
		return
	}
	began := time.Now()
	if s, ok := h.wait(r); !ok {
		h.unavailable(w, r, s)
		if h.log != nil {
			h.log(platform.RequestInfo{Method: r.Method, Path: r.URL.Path, Status: http.StatusServiceUnavailable, Duration: time.Since(began)})
		}
		return
	}
	h.platform.ServeHTTP(w, r)
}

// wait reports whether there has ever been a host, waiting for one that is on its way. Afterwards
// waiting is the platform's affair.
func (h *handler) wait(r *http.Request) (Status, bool) {
	var late <-chan time.Time
	for {
		s, changed := h.board.read()
		switch {
		case s.Served:
			return s, true
		case s.Phase != "building":
			return s, false
		}
		if late == nil {
			timer := time.NewTimer(h.patience)
			defer timer.Stop()
			late = timer.C
		}
		select {
		case <-changed:
		case <-late:
			return s, false
		case <-r.Context().Done():
			return s, false
		case <-h.done:
			return s, false
		}
	}
}

// unavailable says why there is nothing to serve: to people as a page that
// changes into the real one by itself.
func (h *handler) unavailable(w http.ResponseWriter, r *http.Request, s Status) {
	head := w.Header()
	head.Set("Cache-Control", "no-store")
	head.Set("Retry-After", "1")
	// The text has sources in it: for those only who may see them.
	shown := h.access.allowed(r)
	if shown && strings.Contains(r.Header.Get("Accept"), "text/html") {
		head.Set("Content-Type", "text/html; charset=utf-8")
		w.WriteHeader(http.StatusServiceUnavailable)
		_ = waitingPage.Execute(w, s) // the client has gone, if it fails
		return
	}
	text := "there is no code to serve this yet\n"
	if shown {
		text += s.text()
	}
	http.Error(w, text, http.StatusServiceUnavailable)
}

func (h *handler) own(w http.ResponseWriter, r *http.Request, name string) {
	head := w.Header()
	head.Set("Cache-Control", "no-store")
	head.Set("X-Content-Type-Options", "nosniff")
	if !h.access.allowed(r) {
		http.Error(w, "not for this Host or Origin: open the page as http://localhost", http.StatusForbidden)
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		head.Set("Allow", "GET, HEAD")
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	if origin := r.Header.Get("Origin"); origin != "" {
		head.Set("Access-Control-Allow-Origin", origin)
		head.Set("Vary", "Origin")
	}
	switch name {
	case "overlay.js":
		head.Set("Content-Type", "text/javascript; charset=utf-8")
		_, _ = w.Write(overlayScript) // the client has gone, if it fails
	case "status":
		head.Set("Content-Type", "application/json")
		s, _ := h.board.read()
		_, _ = w.Write(append(s.json(), '\n')) // as above
	case "events":
		h.events(w, r)
	default:
		http.NotFound(w, r)
	}
}

// heartbeat keeps intermediaries from closing a quiet stream.
const heartbeat = 15 * time.Second

// events sends the status whenever it changes, as server-sent events.
func (h *handler) events(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	out := http.NewResponseController(w)
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	var sent string
	for {
		s, changed := h.board.read()
		if now := string(s.json()); now != sent {
			sent = now
			if _, err := fmt.Fprintf(w, "data: %s\n\n", now); err != nil {
				return
			}
		}
		if out.Flush() != nil {
			return
		}
		select {
		case <-changed:
		case <-beat.C:
			if _, err := fmt.Fprint(w, ": still here\n\n"); err != nil {
				return
			}
		case <-r.Context().Done():
			return
		case <-h.done:
			return
		}
	}
}
