package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"
)

// scriptedToken is the one that scripted hosts know.
const scriptedToken = "tok-123"

// scriptedHost answers as a script says, for what a real host does not do on demand.
type scriptedHost struct {
	mu      sync.Mutex
	answers map[string][]scriptedAnswer // by METHOD PATH; the last one is given again and again
	asked   []string                    // METHOD PATH?QUERY BODY
	blobs   []string                    // paths that have been put
}

type scriptedAnswer struct {
	Status int               `json:"status"` // default 200
	JSON   json.RawMessage   `json:"json"`
	Lines  []json.RawMessage `json:"lines"` // of a stream
	Cut    bool              `json:"cut"`   // the connection breaks after that
}

type hostsKey struct{}

// cmdScriptedHost starts a host that answers as FILE says, and sets $NAME_url. Blobs it takes without being told.
func cmdScriptedHost(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: scripted-host NAME FILE")
	}
	h := &scriptedHost{}
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[1])), &h.answers))
	srv := httptest.NewServer(h)
	ts.Defer(srv.Close)
	ts.Value(hostsKey{}).(map[string]*scriptedHost)[args[0]] = h
	ts.Setenv(args[0]+"_url", srv.URL)
}

// cmdAsked prints what a scripted host has been asked since the last time.
func cmdAsked(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: asked NAME")
	}
	h := ts.Value(hostsKey{}).(map[string]*scriptedHost)[args[0]]
	if h == nil {
		ts.Fatalf("there is no scripted host %s", args[0])
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	fmt.Fprintln(ts.Stdout(), strings.Join(h.asked, "\n"))
	h.asked = nil
}

func (h *scriptedHost) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	isBlob := strings.Contains(r.URL.Path, "/blobs/")
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // a client that goes away
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	line := r.Method + " " + r.URL.RequestURI()
	if len(body) > 0 && !isBlob {
		line += " " + string(body)
	}
	h.asked = append(h.asked, line)
	if r.Header.Get("Authorization") != "Bearer "+scriptedToken {
		w.WriteHeader(http.StatusUnauthorized)
		io.WriteString(w, `{"error": {"code": "unauthorized", "message": "the token is not known"}}`)
		return
	}
	if isBlob {
		switch has := slices.Contains(h.blobs, r.URL.Path); {
		case r.Method == http.MethodPut:
			h.blobs = append(h.blobs, r.URL.Path)
			w.WriteHeader(http.StatusNoContent)
		case !has:
			w.WriteHeader(http.StatusNotFound)
		}
		return
	}
	key := r.Method + " " + r.URL.Path
	answers := h.answers[key]
	if len(answers) == 0 {
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprintf(w, `{"error": {"code": "not-found", "message": "nothing is scripted for %s"}}`, key)
		return
	}
	if len(answers) > 1 {
		h.answers[key] = answers[1:]
	}
	answers[0].give(w)
}

func (a *scriptedAnswer) give(w http.ResponseWriter) {
	if a.Status != 0 {
		w.WriteHeader(a.Status)
	}
	w.Write(a.JSON)
	for _, line := range a.Lines {
		fmt.Fprintf(w, "%s\n", line)
	}
	if a.Cut {
		http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}
}
