package party

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/goparty-dev/party/internal/link"
)

// response is the http.ResponseWriter of OnRequest. What is written leaves with the commit of
// its part of the turn: at an Await or at the end.
type response struct {
	i      *instance
	seq    uint64
	header http.Header
	status int // 0 until WriteHeader
	sent   bool
	done   bool
	body   []byte
}

var _ http.Flusher = (*response)(nil)

func (w *response) Header() http.Header {
	if w.header == nil {
		w.header = make(http.Header)
	}
	return w.header
}

func (w *response) WriteHeader(status int) {
	if status < 100 || status > 999 {
		panic(fmt.Sprintf("party: invalid status %d", status)) // as net/http does
	}
	if w.status == 0 && status >= 200 {
		w.status = status
	}
}

func (w *response) Write(p []byte) (int, error) {
	if w.done {
		return 0, http.ErrHandlerTimeout
	}
	w.WriteHeader(http.StatusOK)
	w.body = append(w.body, p...)
	return len(p), nil
}

func (w *response) WriteString(s string) (int, error) {
	if w.done {
		return 0, http.ErrHandlerTimeout
	}
	w.WriteHeader(http.StatusOK)
	w.body = append(w.body, s...)
	return len(s), nil
}

// Flush hands over what has been written, the headers at least. It leaves at the next Await or at
// the end of the turn, when the writes before it are durable.
func (w *response) Flush() {
	w.WriteHeader(http.StatusOK)
	w.emit(false)
}

func (w *response) emit(final bool) {
	if w.done {
		return
	}
	e := link.Effect{Op: link.Respond, Ref: w.seq, Data: string(w.body), Final: final}
	w.body = w.body[:0]
	if !w.sent {
		if w.status == 0 {
			w.status = http.StatusOK
		}
		w.sent = true
		e.Code, e.Header = w.status, w.header
		if !final { // room code may still change it
			e.Header = w.header.Clone()
		}
	}
	w.done = final
	w.i.emit(e)
}

func (w *response) finish() { w.emit(true) }

// fail turns the response into an error that names the failure as id. If part of it has left,
// the platform breaks it off.
func (w *response) fail(id string, err error) {
	e := link.Effect{
		Op: link.Respond, Ref: w.seq, Final: true, Code: http.StatusInternalServerError,
		Data: w.i.host.errorText(id, err), Header: errorHeader(),
	}
	e.Header.Set(requestID, id)
	if w.sent {
		e.Code = -e.Code
	}
	w.done = true
	w.i.emit(e)
}

// requestID is the header that tells a client how the log names its failed request.
const requestID = "X-Request-Id"

func errorHeader() http.Header { return http.Header{"Content-Type": {"text/plain; charset=utf-8"}} }

func (i *instance) respondError(seq uint64, status int, text string) {
	i.emit(link.Effect{Op: link.Respond, Ref: seq, Final: true, Code: status, Data: text, Header: errorHeader()})
}

// errorText is what a client may read of a failure: all of it in dev, else only how the log names it.
func (h *Host) errorText(id string, err error) string {
	if !h.dev {
		return "internal error, request " + id + "\n"
	}
	var p *PanicError
	if errors.As(err, &p) {
		return fmt.Sprintf("%v\n\n%s", err, p.Stack)
	}
	return err.Error() + "\n"
}
