package platform

import (
	"bufio"
	"io"
	"net"
	"net/http"
)

// statusWriter notices the status of a response, and puts CORS headers over those that it has itself.
type statusWriter struct {
	http.ResponseWriter
	status int
	cors   map[string]string
}

func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
		for k, v := range w.cors {
			if k == "Vary" {
				w.Header().Add(k, v)
			} else {
				w.Header().Set(k, v)
			}
		}
	}
	w.ResponseWriter.WriteHeader(status)
}

// begin says 200 aloud: a router around the server may have a 404 ready for what its routes do not have.
func (w *statusWriter) begin() {
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
}

func (w *statusWriter) Write(b []byte) (int, error) {
	w.begin()
	return w.ResponseWriter.Write(b)
}

// ReadFrom lets the kernel copy a file.
func (w *statusWriter) ReadFrom(r io.Reader) (int64, error) {
	w.begin()
	return io.Copy(w.ResponseWriter, r)
}

func (w *statusWriter) Flush() {
	w.begin()
	_ = http.NewResponseController(w.ResponseWriter).Flush() // what cannot flush sends at the end
}

// Hijack is for the WebSockets of whoever answers what is not ours; many libraries look for it, and not below Unwrap.
func (w *statusWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(w.ResponseWriter).Hijack()
	if err == nil && w.status == 0 {
		w.status = http.StatusSwitchingProtocols
	}
	return conn, rw, err
}

// Unwrap is for http.ResponseController.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *statusWriter) code() int {
	if w.status == 0 {
		return http.StatusOK
	}
	return w.status
}

func requestID(w http.ResponseWriter) string { return w.Header().Get("X-Request-Id") }
