// Hub is what the benchmark measures rooms against: what a good Go programmer
// writes by hand with net/http and gorilla/websocket. It has rooms by name,
// direct writes, prepared broadcasts, small buffers, and an append log whose
// syncs are shared by all that wait. It has nothing else: no limits, no turns,
// no back-pressure, no hibernation, no reading of what was stored.
package main

import (
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/goparty-dev/party/bench/internal/probe"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:0", "address to listen on, `host:port`")
	data := flag.String("data", "data", "`folder` of the append log")
	flag.Parse()
	if err := run(*addr, *data); err != nil {
		fmt.Fprintln(os.Stderr, "hub:", err)
		os.Exit(1)
	}
}

func run(addr, data string) error {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return err
	}
	log, err := openLog(filepath.Join(data, "hub.log"))
	if err != nil {
		return err
	}
	h := &hub{log: log, rooms: make(map[string]*room)}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	fmt.Printf("listening on http://%s\n", l.Addr())
	return http.Serve(l, h)
}

// ServeHTTP answers on /parties/:party/:room, as the rooms do.
func (h *hub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	key, ok := strings.CutPrefix(r.URL.Path, "/parties/")
	party, _, found := strings.Cut(key, "/")
	switch {
	case strings.HasPrefix(r.URL.Path, probe.Path):
		probe.Handler(w, r)
	case !ok || !found:
		http.NotFound(w, r)
	case r.Header.Get("Upgrade") != "":
		h.connect(w, r, party, h.room(key))
	default:
		h.room(key).requests.Add(1)
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		io.WriteString(w, "hello from a room\n")
	}
}
