package server_test

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/goparty-dev/party/runtime/server"
)

func TestStaticFiles(t *testing.T) {
	files := fstest.MapFS{
		"index.html":        {Data: []byte("<p>index")},
		"sub/index.html":    {Data: []byte("<p>sub")},
		"app.js":            {Data: []byte("js")},
		"a b/ü.txt":         {Data: []byte("odd name")},
		"404.html":          {Data: []byte("<p>not here")},
		".env":              {Data: []byte("secret")},
		".git/config":       {Data: []byte("secret")},
		"node_modules/x.js": {Data: []byte("secret")},
		"big.bin":           {Data: []byte("0123456789")},
	}
	hs := start(t, server.Rooms(script{request: say("room")}.define("chat")), server.Assets(files))
	for _, test := range []struct {
		path   string
		status int
		body   string
		kind   string
	}{
		{"/", 200, "<p>index", "text/html; charset=utf-8"},
		{"/index.html", 200, "<p>index", "text/html; charset=utf-8"},
		{"/sub/", 200, "<p>sub", "text/html; charset=utf-8"},
		{"/sub", 404, "<p>not here", "text/html; charset=utf-8"},
		{"/app.js", 200, "js", "text/javascript; charset=utf-8"},
		{"/app.js?v=2", 200, "js", "text/javascript; charset=utf-8"},
		{"/a%20b/%C3%BC.txt", 200, "odd name", "text/plain; charset=utf-8"},
		{"/.env", 404, "<p>not here", "text/html; charset=utf-8"},
		{"/%2Eenv", 404, "<p>not here", "text/html; charset=utf-8"},
		{"/.git/config", 404, "<p>not here", "text/html; charset=utf-8"},
		{"/sub/../.env", 404, "<p>not here", "text/html; charset=utf-8"},
		{"/sub/..%2F.env", 404, "<p>not here", "text/html; charset=utf-8"},
		{"/node_modules/x.js", 404, "<p>not here", "text/html; charset=utf-8"},
		{"//app.js", 404, "<p>not here", "text/html; charset=utf-8"},
		{"/nothing.js", 404, "<p>not here", "text/html; charset=utf-8"},
		{"/party/x", 200, "room", "text/plain; charset=utf-8"},
	} {
		t.Run(test.path, func(t *testing.T) {
			got := visit(t, hs.URL+test.path)
			got.check(t, test.status, test.body)
			if kind := got.header.Get("Content-Type"); kind != test.kind {
				t.Errorf("got type %q, want %q", kind, test.kind)
			}
			if head := fetch(t, "HEAD", hs.URL+test.path, ""); head.status != test.status || head.body != "" {
				t.Errorf("HEAD: got %d %q", head.status, head.body)
			}
		})
	}
	fetch(t, "POST", hs.URL+"/app.js", "").check(t, 404, "Not found\n")
	got := visit(t, hs.URL+"/big.bin", "Range", "bytes=2-4")
	got.check(t, 206, "234")
}

func TestETag(t *testing.T) {
	files := fstest.MapFS{"app.js": {Data: []byte("one")}}
	hs := start(t, server.Rooms(script{}.define("chat")), server.Assets(files))
	first := visit(t, hs.URL+"/app.js")
	tag := first.header.Get("ETag")
	if tag == "" || strings.HasPrefix(tag, "W/") {
		t.Fatalf("got ETag %q", tag)
	}
	visit(t, hs.URL+"/app.js", "If-None-Match", tag).check(t, 304, "")
	visit(t, hs.URL+"/app.js", "If-None-Match", `"other"`).check(t, 200, "one")
	files["app.js"] = &fstest.MapFile{Data: []byte("two"), ModTime: time.Unix(1, 0)}
	visit(t, hs.URL+"/app.js", "If-None-Match", tag).check(t, 200, "two")
}

func TestSinglePageApp(t *testing.T) {
	files := fstest.MapFS{"index.html": {Data: []byte("app")}, "app.js": {Data: []byte("js")}}
	hs := start(t, server.Rooms(script{request: say("room")}.define("chat")), server.Assets(files), server.SinglePageApp())
	for _, test := range []struct {
		path   string
		mode   string
		status int
		body   string
	}{
		{"/", "", 200, "app"},
		{"/users/ada", "", 200, "app"},
		{"/users/ada.html", "", 200, "app"},
		{"/picture.png", "navigate", 200, "app"},
		{"/picture.png", "no-cors", 404, "Not found\n"},
		{"/app.js", "", 200, "js"},
		{"/party/x", "navigate", 200, "room"},
		{"/parties/nope/x", "navigate", 404, "party not found\n"},
	} {
		visit(t, hs.URL+test.path, "Sec-Fetch-Mode", test.mode).check(t, test.status, test.body)
	}
}
