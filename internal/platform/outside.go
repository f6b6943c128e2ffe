package platform

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/goparty-dev/party/internal/link"
	"github.com/goparty-dev/party/runtime/storage"
)

// serveOutside answers what addresses no room: the socket function, assets,
// the cron endpoint in dev, the fetch function, whoever comes next, 404.
func (p *Platform) serveOutside(w http.ResponseWriter, r *http.Request, rt *routes, next http.Handler) {
	if isUpgrade(r) && rt.info.Socket {
		if !p.originAllowed(r) {
			p.refuse(w, http.StatusForbidden, "origin not allowed: list it under \"origins\" in party.json\n")
			return
		}
		p.connect(w, r, link.Party{Name: link.SocketParty}, storage.Room{Party: link.SocketParty, Name: rand.Text()})
		return
	}
	if !isUpgrade(r) && p.assets.Asset(w, r) {
		return
	}
	if p.opts.Dev && r.URL.Path == "/__scheduled__" {
		p.runCron(w, r, rt)
		return
	}
	if !isUpgrade(r) && p.assets.Navigation(w, r) {
		return
	}
	if rt.info.Fetch {
		if r = p.buffered(w, r); r == nil {
			return
		}
		out, err := p.call(link.Call{Kind: link.CallFetch, Request: r}, w, r)
		switch {
		case err != nil:
			p.fail(w, r, err)
			return
		case out.Forward != nil:
			if isUpgrade(r) && !p.originAllowed(r) {
				p.refuse(w, http.StatusForbidden, "origin not allowed: list it under \"origins\" in party.json\n")
				return
			}
			p.forward(w, out.Pass, *out.Forward)
			return
		case out.Answered:
			return
		}
	}
	if next != nil {
		next.ServeHTTP(w, r)
		return
	}
	p.notFound(w, r)
}

// serveOthers answers, while the platform shuts down, what needs no user code of ours: assets and what next has. It reports
// whether it has. A fetch function might have answered before next, so with one everything else waits for the restart.
func (p *Platform) serveOthers(w http.ResponseWriter, r *http.Request, next http.Handler) bool {
	p.mu.Lock()
	rt := p.info
	p.mu.Unlock()
	if next == nil || rt == nil || rt.info.Fetch || rt.info.Socket && isUpgrade(r) {
		return false
	}
	stripHeaders(r.Header)
	path := r.URL.EscapedPath()
	if _, _, ok := p.matchEngine(rt, path); ok {
		return false
	}
	if _, key, err := p.match(rt, path); err != nil || key.Party != "" {
		return false
	}
	if isUpgrade(r) || !p.assets.Asset(w, r) && !p.assets.Navigation(w, r) {
		next.ServeHTTP(w, r)
	}
	return true
}

func (p *Platform) notFound(w http.ResponseWriter, r *http.Request) {
	if p.assets.NotFound(w, r) {
		return
	}
	p.refuse(w, http.StatusNotFound, "Not found\n")
}

// runCron runs a cron function by URL: any method on /__scheduled__?cron=name.
func (p *Platform) runCron(w http.ResponseWriter, r *http.Request, rt *routes) {
	name := r.URL.Query().Get("cron")
	for _, c := range rt.info.Crons {
		if c != name {
			continue
		}
		if _, err := p.call(link.Call{Kind: link.CallCron, Cron: name, At: time.Now()}, nil, nil); err != nil {
			p.fail(w, r, err)
			return
		}
		p.refuse(w, http.StatusOK, "ran cron "+name+": "+p.opts.Crons[name]+"\n")
		return
	}
	p.refuse(w, http.StatusNotFound, "there is no cron function of that name; there is: "+strings.Join(rt.info.Crons, ", ")+"\n")
}

// lobby is what code outside rooms reaches.
type lobby struct{ p *Platform }

// Fetch implements link.Lobby.
func (l lobby) Fetch(ctx context.Context, target storage.Room, r *http.Request) (*http.Response, error) {
	return l.p.fetch(ctx, target, r)
}

// Asset implements link.Lobby.
func (l lobby) Asset(_ context.Context, name string) ([]byte, error) { return l.p.assets.Read(name) }

// fetch sends a request to a room from inside: no hooks, and the room's own URL with the request's path behind it.
func (p *Platform) fetch(ctx context.Context, target storage.Room, r *http.Request) (*http.Response, error) {
	rt, err := p.routing(ctx)
	if err != nil {
		return nil, err
	}
	party, ok := rt.parties[target.Party]
	if !ok {
		return nil, errors.New("there is no party \"" + target.Party + "\"")
	}
	in := r.Clone(bare{ctx})
	in.URL = p.roomURL(target, r)
	in.RequestURI = in.URL.RequestURI()
	if in.Body == nil {
		in.Body = http.NoBody
	}
	w := newFetchWriter()
	go func() {
		defer context.AfterFunc(ctx, func() { w.writer.CloseWithError(ctx.Err()) })()
		defer w.end()
		p.request(w, in, party, target)
	}()
	select {
	case <-w.begun:
		return w.response(r), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// bare is a context without its values: they are the caller's own, and would
// not reach a room on another host either.
type bare struct{ context.Context }

func (bare) Value(any) any { return nil }

// fetchWriter turns what a room answers into a response for the caller.
type fetchWriter struct {
	header http.Header
	status int
	begun  chan struct{}
	reader *io.PipeReader
	writer *io.PipeWriter
}

func newFetchWriter() *fetchWriter {
	w := &fetchWriter{header: make(http.Header), begun: make(chan struct{})}
	w.reader, w.writer = io.Pipe()
	return w
}

func (w *fetchWriter) Header() http.Header { return w.header }

func (w *fetchWriter) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
		close(w.begun)
	}
}

func (w *fetchWriter) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.writer.Write(b)
}

func (w *fetchWriter) end() {
	v := recover()
	if v == http.ErrAbortHandler {
		w.WriteHeader(http.StatusInternalServerError)
		w.writer.CloseWithError(io.ErrUnexpectedEOF)
		return
	}
	w.WriteHeader(http.StatusOK)
	w.writer.Close()
	if v != nil {
		panic(v)
	}
}

func (w *fetchWriter) response(r *http.Request) *http.Response {
	return &http.Response{
		Status: strconv.Itoa(w.status) + " " + http.StatusText(w.status), StatusCode: w.status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.header.Clone(), Body: w.reader, ContentLength: -1, Request: r,
	}
}
