//go:build unix

package hosting

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/goparty-dev/party/internal/hosting/api"
)

// holdTime is how long a request waits for an app that is being started, before it is told to come again.
const holdTime = 5 * time.Second

// counts are what the host sees of an app's traffic.
type counts struct {
	requests, faults, refused, sockets atomic.Int64
	open                               atomic.Int64
}

func transport(socket string) *http.Transport {
	return &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", socket)
		},
		DisableCompression: true, MaxIdleConns: 0, MaxIdleConnsPerHost: 256, IdleConnTimeout: 90 * time.Second,
	}
}

// Handler answers what clients ask: requests for apps by their host names, and the API under its own.
func (h *Host) Handler() http.Handler {
	asks := h.api()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := hostName(r.Host)
		if a := h.lookUp(name); a != nil {
			a.serve(w, r)
			return
		}
		if h.isAdmin(name) {
			asks.ServeHTTP(w, r)
			return
		}
		http.Error(w, "there is no app at this host name", http.StatusNotFound)
	})
}

// serve passes a request on to the app.
func (a *app) serve(w http.ResponseWriter, r *http.Request) {
	a.counts.requests.Add(1)
	if s := a.awaitRunning(r.Context()); s.state != api.Running && s.state != api.Deploying {
		a.counts.refused.Add(1)
		a.unavailable(w, s)
		return
	}
	if most := *a.settings().BodyBytes; most > 0 {
		r.Body = http.MaxBytesReader(w, r.Body, most)
	}
	v := &visit{app: a, request: r, began: time.Now()}
	proxy := &httputil.ReverseProxy{
		Rewrite: v.rewrite, Transport: a.transport, FlushInterval: -1,
		ModifyResponse: v.answered, ErrorHandler: v.failed,
		ErrorLog: slog.NewLogLogger(a.host.log.Handler(), slog.LevelDebug),
	}
	defer func() {
		if p := recover(); p != nil { // http.ErrAbortHandler: the answer was cut off
			v.cut = true
			v.over()
			panic(p)
		}
		v.over()
	}()
	proxy.ServeHTTP(w, r)
}

// awaitRunning waits a while for an app that is being started.
func (a *app) awaitRunning(ctx context.Context) status {
	s := a.status()
	if s.state != api.Starting {
		return s
	}
	timer := time.NewTimer(holdTime)
	defer timer.Stop()
	for s.state == api.Starting {
		select {
		case <-s.turned:
		case <-timer.C:
			return s
		case <-ctx.Done():
			return s
		}
		s = a.status()
	}
	return s
}

func (a *app) unavailable(w http.ResponseWriter, s status) {
	text, wait := a.name+" is not running", 60
	switch s.state {
	case api.Crashed:
		wait = max(1, int(time.Until(s.retryAt).Seconds()+1))
		text = fmt.Sprintf("%s has crashed and is started again: try again in %d seconds", a.name, wait)
	case api.Starting:
		text, wait = a.name+" is being started: try again in a moment", 1
	}
	w.Header().Set("Retry-After", strconv.Itoa(wait))
	http.Error(w, text, http.StatusServiceUnavailable)
}

// visit is one request on its way to an app and back.
type visit struct {
	app     *app
	request *http.Request // as it came
	began   time.Time
	status  int
	cut     bool
	err     error
}

// rewrite tells the app who asks. What the client says of that is dropped.
func (v *visit) rewrite(p *httputil.ProxyRequest) {
	p.SetURL(&url.URL{Scheme: "http", Host: "app"})
	p.Out.Host = p.In.Host
	p.Out.Header.Del("X-Real-Ip") // the others are not in it: ReverseProxy leaves them out before this
	p.SetXForwarded()
}

func (v *visit) answered(resp *http.Response) error {
	v.status = resp.StatusCode
	if resp.StatusCode == http.StatusSwitchingProtocols {
		v.app.counts.sockets.Add(1)
		v.app.counts.open.Add(1)
		v.app.note(v, api.KindOpen)
	}
	return nil
}

func (v *visit) failed(w http.ResponseWriter, r *http.Request, err error) {
	v.err = err
	if r.Context().Err() != nil {
		v.cut = true
		return // nobody reads the answer
	}
	if tooLong := (*http.MaxBytesError)(nil); errors.As(err, &tooLong) {
		v.status = http.StatusRequestEntityTooLarge
		http.Error(w, fmt.Sprintf("the body is larger than %d bytes", tooLong.Limit), v.status)
		return
	}
	v.status = http.StatusServiceUnavailable
	w.Header().Set("Retry-After", "1")
	http.Error(w, v.app.name+" does not answer: try again in a moment", v.status)
}

// over is called when the request is done with, or its socket closed.
func (v *visit) over() {
	if v.status == http.StatusSwitchingProtocols {
		v.app.counts.open.Add(-1)
		v.app.note(v, api.KindClose)
		return
	}
	if v.status >= 500 {
		v.app.counts.faults.Add(1)
	}
	v.app.note(v, api.KindRequest)
}
