package devserver

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func newHandler(t *testing.T, host string) *handler {
	t.Helper()
	done := make(chan struct{})
	t.Cleanup(func() { close(done) })
	platform := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, "platform") })
	return &handler{access: access{host}, board: newBoard(), platform: platform, done: done, patience: patience}
}

func ask(h http.Handler, target string, header http.Header) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for k, v := range header {
		r.Header[k] = v
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestWhoMaySeeTheDevServersOwnPaths(t *testing.T) {
	for _, tt := range []struct {
		listen, host, origin string
		want                 int
	}{
		{"", "localhost:1999", "", 200},
		{"", "LOCALHOST:1999", "", 200},
		{"", "localhost", "", 200},
		{"", "app.localhost:1999", "", 200},
		{"", "127.0.0.1:1999", "", 200},
		{"", "127.8.9.1:1999", "", 200},
		{"", "[::1]:1999", "", 200},
		{"", "[::1]", "", 200},
		{"", "localhost:1999", "http://localhost:1999", 200},
		{"", "localhost:1999", "http://localhost:5173", 200},
		{"", "localhost:1999", "http://127.0.0.1:3000", 200},

		{"", "evil.example:1999", "", 403}, // resolves to 127.0.0.1
		{"", "localhost.evil.example:1999", "", 403},
		{"", "evil.example:1999", "http://evil.example:1999", 403},
		{"", "192.168.1.5:1999", "", 403},
		{"", "", "", 403},
		{"", "localhost:1999", "http://evil.example", 403},
		{"", "localhost:1999", "https://localhost.evil.example", 403},
		{"", "localhost:1999", "null", 403},
		{"", "localhost:1999", "file://", 403},
		{"", "localhost:1999", "http://%zz", 403},

		{"0.0.0.0", "192.168.1.5:1999", "", 200},
		{"0.0.0.0", "192.168.1.5:1999", "http://192.168.1.5:1999", 200},
		{"0.0.0.0", "192.168.1.5:1999", "http://192.168.1.6:1999", 403},
		{"0.0.0.0", "evil.example:1999", "", 403},
		{"devbox.lan", "devbox.lan:1999", "http://devbox.lan:1999", 200},
		{"127.0.0.1", "192.168.1.5:1999", "", 403},
	} {
		for _, path := range []string{"overlay.js", "status", "events"} {
			t.Run(strings.Join([]string{tt.listen, tt.host, tt.origin, path}, " "), func(t *testing.T) {
				h := newHandler(t, tt.listen)
				r := httptest.NewRequest(http.MethodGet, "/_party/"+path, nil)
				if path == "events" {
					r.Method = http.MethodHead // the access check is the same, and it ends at once
					r = r.WithContext(ended(t))
				}
				r.Host = tt.host
				if tt.origin != "" {
					r.Header.Set("Origin", tt.origin)
				}
				w := httptest.NewRecorder()
				h.ServeHTTP(w, r)
				if w.Code != tt.want {
					t.Errorf("status %d, want %d", w.Code, tt.want)
				}
				allow := w.Header().Get("Access-Control-Allow-Origin")
				if tt.want == 200 && allow != tt.origin || tt.want != 200 && allow != "" {
					t.Errorf("allowed origin %q for %q", allow, tt.origin)
				}
			})
		}
	}
}

func TestOwnPaths(t *testing.T) {
	h := newHandler(t, "")
	local := "http://localhost:1999"
	if w := ask(h, local+"/_party/overlay.js", nil); !strings.HasPrefix(w.Header().Get("Content-Type"), "text/javascript") || w.Body.Len() == 0 {
		t.Errorf("overlay: %v", w.Result())
	}
	var s Status
	if w := ask(h, local+"/_party/status", nil); json.Unmarshal(w.Body.Bytes(), &s) != nil || s.Phase != "building" || s.Problems == nil {
		t.Errorf("status: %s", w.Body)
	}
	if w := ask(h, local+"/_party/other", nil); w.Code != http.StatusNotFound {
		t.Errorf("unknown path: %d", w.Code)
	}
	r := httptest.NewRequest(http.MethodPost, local+"/_party/status", nil)
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, r); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", w.Code)
	}
}

func TestEventsFollowTheStatus(t *testing.T) {
	h := newHandler(t, "")
	srv := httptest.NewServer(h)
	defer srv.Close()
	resp, err := http.Get(srv.URL + "/_party/events")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewScanner(resp.Body)
	next := func() Status {
		t.Helper()
		for lines.Scan() {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				var s Status
				if err := json.Unmarshal([]byte(data), &s); err != nil {
					t.Fatal(err)
				}
				return s
			}
		}
		t.Fatalf("the stream has ended: %v", lines.Err())
		return Status{}
	}
	first := next()
	h.board.post(Status{Phase: "failed", Problems: []Problem{{Title: "Build failed", Message: "x"}}})
	if s := next(); s.Phase != "failed" || len(s.Problems) != 1 || s.Assets != first.Assets {
		t.Errorf("got %+v", s)
	}
	h.board.assetsChanged()
	if s := next(); s.Assets == first.Assets || s.Phase != "failed" {
		t.Errorf("got %+v", s)
	}
}

func TestBeforeThereIsCode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHandler(t, "")
		const local = "http://localhost:1999/"
		begin := time.Now()
		if w := ask(h, local, nil); w.Code != http.StatusServiceUnavailable || time.Since(begin) != patience {
			t.Errorf("status %d after %v, want 503 after %v", w.Code, time.Since(begin), patience)
		}

		// A request that waits is served when there is code.
		served := make(chan *httptest.ResponseRecorder)
		go func() { served <- ask(h, local, nil) }()
		synctest.Wait()
		h.board.post(Status{Phase: "ready", Serving: true, Served: true})
		if w := <-served; w.Code != http.StatusOK || w.Body.String() != "platform" {
			t.Errorf("got %d %q", w.Code, w.Body)
		}
		// From then on waiting is not ours.
		h.board.post(Status{Phase: "crashed", Served: true})
		if w := ask(h, local, nil); w.Code != http.StatusOK {
			t.Errorf("with code that has crashed: %d", w.Code)
		}

		h.board.post(Status{Phase: "failed", Problems: []Problem{{Title: "Build failed", Place: "a.go:1:2", Message: "<b> is wrong", Detail: "  x"}}})
		w := ask(h, local, http.Header{"Accept": {"text/html,*/*"}})
		if body := w.Body.String(); w.Code != http.StatusServiceUnavailable || !strings.Contains(body, "&lt;b&gt; is wrong") || !strings.Contains(body, "data-until-serving") {
			t.Errorf("page: %d\n%s", w.Code, body)
		}
		if w := ask(h, local, nil); w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "a.go:1:2: <b> is wrong\n  x") {
			t.Errorf("text: %d\n%s", w.Code, w.Body)
		}
		if w := ask(h, "http://evil.example/", http.Header{"Accept": {"text/html"}}); w.Code != http.StatusServiceUnavailable || strings.Contains(w.Body.String(), "wrong") {
			t.Errorf("for another host: %d\n%s", w.Code, w.Body)
		}
	})
}

func TestAddOverlay(t *testing.T) {
	tag := string(overlayTag) + "\n"
	for page, want := range map[string]string{
		"<body>x</body></html>":          "<body>x" + tag + "</body></html>",
		"<BODY>x</BODY >\n":              "<BODY>x" + tag + "</BODY >\n",
		"<p>no body":                     "<p>no body" + tag,
		"":                               tag,
		"'</body>' <body>İ</body> \xff ": "'</body>' <body>İ" + tag + "</body> \xff ",
	} {
		if got := string(addOverlay([]byte(page))); got != want {
			t.Errorf("addOverlay(%q) = %q, want %q", page, got, want)
		}
	}
}

// ended is a context that has ended.
func ended(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
