package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/goparty-dev/party/internal/link"
	"github.com/goparty-dev/party/runtime/storage"
)

type (
	request  = http.Request
	response = http.Response
)

// loader is the part of a seat that answers questions.
type loader interface {
	Get(ctx context.Context, keys []string) (map[string][]byte, error)
	List(ctx context.Context, r storage.Range) ([]storage.Entry, error)
	Sync(ctx context.Context) error
}

// noSeat stands for the seat of a room that has been released, and for the
// lobby where there was none.
type noSeat struct{}

var (
	_ loader     = noSeat{}
	_ link.Lobby = noSeat{}
)

func (noSeat) Get(context.Context, []string) (map[string][]byte, error)     { return nil, errReleased }
func (noSeat) List(context.Context, storage.Range) ([]storage.Entry, error) { return nil, errReleased }
func (noSeat) Sync(context.Context) error                                   { return errReleased }
func (noSeat) Fetch(context.Context, storage.Room, *request) (*response, error) {
	return nil, errReleased
}
func (noSeat) Asset(context.Context, string) ([]byte, error) { return nil, errReleased }

// load is a question of the host that is being answered.
type load struct {
	h      *Host
	id     uint64
	cancel context.CancelFunc
	window *window
	out    *inbox[outgoing] // of a socket; else nil
}

// start runs work on a goroutine. Batches that came before have been applied,
// because the reader calls this in order.
func (h *Host) start(id uint64, work func(context.Context, *load)) {
	ctx, cancel := context.WithCancel(h.ctx)
	l := &load{h: h, id: id, cancel: cancel, window: newWindow(), out: newInbox[outgoing]()}
	h.mu.Lock()
	h.asks[id] = l
	h.mu.Unlock()
	h.loads.Go(func() {
		work(ctx, l)
		h.cancel(id)
	})
}

func (h *Host) cancel(id uint64) {
	h.mu.Lock()
	l := h.asks[id]
	delete(h.asks, id)
	h.mu.Unlock()
	if l != nil {
		l.cancel()
	}
}

// reply sends one frame that payload completes; what does not fit becomes an error.
func (l *load) reply(k kind, payload func([]byte) []byte) {
	w := l.h.w
	err := w.end(payload(appendUint(w.begin(k), l.id)))
	if tooLarge := sizeError(0); errors.As(err, &tooLarge) {
		w.end(appendError(appendUint(w.begin(kindDone), l.id), fmt.Errorf("load: %w", err)))
	}
	w.flush()
}

func (l *load) done(err error) {
	l.reply(kindDone, func(b []byte) []byte { return appendError(b, err) })
}

func (l *load) get(ctx context.Context, from loader, keys []string) {
	values, err := from.Get(ctx, keys)
	if err != nil {
		l.done(err)
		return
	}
	l.reply(kindValues, func(b []byte) []byte { return appendValues(b, values) })
}

func (l *load) list(ctx context.Context, from loader, r storage.Range) {
	entries, err := from.List(ctx, r)
	if err != nil {
		l.done(err)
		return
	}
	l.reply(kindEntries, func(b []byte) []byte { return appendEntries(b, entries) })
}

func (l *load) asset(ctx context.Context, from link.Lobby, path string) {
	data, err := from.Asset(ctx, path)
	if err != nil {
		l.done(err)
		return
	}
	l.reply(kindAsset, func(b []byte) []byte { return appendString(b, data) })
}

// fetch streams a response down, as far ahead of its reader as the window allows.
func (l *load) fetch(ctx context.Context, by link.Lobby, target storage.Room, r *request) {
	resp, err := by.Fetch(ctx, target, r.WithContext(ctx))
	if err != nil {
		l.done(err)
		return
	}
	defer resp.Body.Close()
	l.reply(kindHead, func(b []byte) []byte {
		return appendInt(appendHeader(appendInt(b, int64(resp.StatusCode)), resp.Header), resp.ContentLength)
	})
	buf := make([]byte, chunkSize)
	for {
		n, err := resp.Body.Read(buf)
		if l.chunks(ctx, buf[:n]) != nil {
			return // nobody reads on, or the stream has ended
		}
		if err != nil {
			if err == io.EOF {
				err = nil
			}
			l.reply(kindEOF, func(b []byte) []byte { return appendError(b, err) })
			return
		}
	}
}

func (l *load) chunks(ctx context.Context, data []byte) error {
	for len(data) > 0 {
		n, err := l.window.take(len(data), ctx.Done(), nil)
		if err != nil {
			return err
		}
		l.reply(kindChunk, func(b []byte) []byte { return appendString(b, data[:n]) })
		data = data[n:]
	}
	return nil
}
