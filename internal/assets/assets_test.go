package assets_test

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/goparty-dev/party/internal/assets"
)

var files = fstest.MapFS{
	"index.html":                 {Data: []byte("<h1>home</h1>")},
	"404.html":                   {Data: []byte("<h1>none</h1>")},
	"sub/index.html":             {Data: []byte("sub")},
	"a b.txt":                    {Data: []byte("spaced")},
	"app.js":                     {Data: []byte("app()")},
	"chunk-ABCDEFG2.js":          {Data: []byte("no chunk")},
	"dist/index.js":              {Data: []byte("entry")},
	"dist/chunk-ABCDEFG2.js":     {Data: []byte("chunk")},
	"dist/chunk-ABCDEFG2.js.map": {Data: []byte("{}")},
	"dist/chunk-abcdefg2.js":     {Data: []byte("chunk")},
	".env":                       {Data: []byte("secret")},
	".git/config":                {Data: []byte("secret")},
	"sub/.hidden/x.txt":          {Data: []byte("secret")},
	"node_modules/m/index.js":    {Data: []byte("secret")},
	"empty.txt":                  {},
}

// unanswered is a status that no server sends.
const unanswered = 999

// ask asks Asset, then Navigation, then NotFound, as the platform does; the status is unanswered when none of them has.
func ask(s *assets.Server, method, target string, header ...string) *http.Response {
	r := httptest.NewRequest(method, target, nil)
	for n := 0; n < len(header); n += 2 {
		r.Header.Set(header[n], header[n+1])
	}
	w := httptest.NewRecorder()
	if !s.Asset(w, r) && !s.Navigation(w, r) && !s.NotFound(w, r) {
		w.Code = unanswered
	}
	return w.Result()
}

func body(t *testing.T, resp *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestWhichFile(t *testing.T) {
	for _, c := range []struct {
		name, method, target string
		spa                  bool
		header               []string
		status               int
		body                 string
	}{
		{name: "root", target: "/", status: 200, body: "<h1>home</h1>"},
		{name: "file", target: "/app.js", status: 200, body: "app()"},
		{name: "head", method: "HEAD", target: "/app.js", status: 200},
		{name: "percent-decoded", target: "/a%20b.txt", status: 200, body: "spaced"},
		{name: "empty", target: "/empty.txt", status: 200},
		{name: "query", target: "/app.js?v=1", status: 200, body: "app()"},
		{name: "folder with slash", target: "/sub/", status: 200, body: "sub"},
		{name: "folder without slash", target: "/sub", status: 404, body: "<h1>none</h1>"},
		{name: "slash after a file", target: "/app.js/", status: 404, body: "<h1>none</h1>"},
		{name: "missing, head", method: "HEAD", target: "/none", status: 404},
		{name: "post", method: "POST", target: "/app.js", status: unanswered},
		{name: "dot file", target: "/.env", status: 404, body: "<h1>none</h1>"},
		{name: "dot folder", target: "/.git/config", status: 404, body: "<h1>none</h1>"},
		{name: "dot folder inside", target: "/sub/.hidden/x.txt", status: 404, body: "<h1>none</h1>"},
		{name: "dot, encoded", target: "/%2Eenv", status: 404, body: "<h1>none</h1>"},
		{name: "node_modules", target: "/node_modules/m/index.js", status: 404, body: "<h1>none</h1>"},
		{name: "climbing", target: "/sub/..%2f.env", status: 404, body: "<h1>none</h1>"},
		{name: "double slash", target: "/sub//index.html", status: 404, body: "<h1>none</h1>"},

		{name: "spa: no extension", spa: true, target: "/users/ada", status: 200, body: "<h1>home</h1>"},
		{name: "spa: unknown extension", spa: true, target: "/users/ada.lovelace", status: 200, body: "<h1>home</h1>"},
		{name: "spa: html", spa: true, target: "/users.html", status: 200, body: "<h1>home</h1>"},
		{name: "spa: known extension", spa: true, target: "/none.js", status: 404, body: "<h1>none</h1>"},
		{name: "spa: known extension, upper case", spa: true, target: "/none.PNG", status: 404, body: "<h1>none</h1>"},
		{name: "spa: known extension, navigation", spa: true, target: "/none.js", header: []string{"Sec-Fetch-Mode", "navigate"}, status: 200, body: "<h1>home</h1>"},
		{name: "spa: what exists", spa: true, target: "/app.js", header: []string{"Sec-Fetch-Mode", "navigate"}, status: 200, body: "app()"},
		{name: "spa: post", spa: true, method: "POST", target: "/users/ada", status: unanswered},
	} {
		s := assets.New(assets.Options{Files: files, SinglePageApp: c.spa})
		if c.method == "" {
			c.method = "GET"
		}
		resp := ask(s, c.method, c.target, c.header...)
		if got := body(t, resp); resp.StatusCode != c.status || got != c.body {
			t.Errorf("%s: %s %s: got %d %q, want %d %q", c.name, c.method, c.target, resp.StatusCode, got, c.status, c.body)
		}
	}
	if resp := ask(assets.New(assets.Options{SinglePageApp: true}), "GET", "/"); resp.StatusCode != unanswered {
		t.Errorf("without files: got %d, want no answer", resp.StatusCode)
	}
}

func TestETags(t *testing.T) {
	s := assets.New(assets.Options{Files: files})
	first := ask(s, "GET", "/app.js")
	tag := first.Header.Get("ETag")
	if len(tag) < 10 || tag[0] != '"' {
		t.Errorf("ETag %q, want a strong one", tag)
	}
	for _, have := range []string{tag, `W/` + tag, `"other", ` + tag, "*"} {
		resp := ask(s, "GET", "/app.js", "If-None-Match", have)
		if resp.StatusCode != 304 || body(t, resp) != "" || resp.Header.Get("ETag") != tag || resp.Header.Get("Cache-Control") != "no-cache" {
			t.Errorf("If-None-Match %s: got %d, %v", have, resp.StatusCode, resp.Header)
		}
	}
	if resp := ask(s, "GET", "/app.js", "If-None-Match", `"other"`); resp.StatusCode != 200 {
		t.Errorf("with another tag: got %d, want 200", resp.StatusCode)
	}
	if other := ask(s, "GET", "/").Header.Get("ETag"); other == tag {
		t.Errorf("two files have the ETag %s", tag)
	}
	if again := ask(assets.New(assets.Options{Files: files}), "GET", "/app.js").Header.Get("ETag"); again != tag {
		t.Errorf("another server: ETag %s, want %s", again, tag)
	}
}

func TestRanges(t *testing.T) {
	s := assets.New(assets.Options{Files: files})
	tag := ask(s, "GET", "/app.js").Header.Get("ETag")
	for _, c := range []struct {
		header []string
		status int
		body   string
		part   string
	}{
		{[]string{"Range", "bytes=1-2"}, 206, "pp", "bytes 1-2/5"},
		{[]string{"Range", "bytes=-2"}, 206, "()", "bytes 3-4/5"},
		{[]string{"Range", "bytes=9-"}, 416, "invalid range: failed to overlap\n", "bytes */5"},
		{[]string{"Range", "bytes=1-2", "If-Range", tag}, 206, "pp", "bytes 1-2/5"},
		{[]string{"Range", "bytes=1-2", "If-Range", `"other"`}, 200, "app()", ""},
	} {
		resp := ask(s, "GET", "/app.js", c.header...)
		if got := body(t, resp); resp.StatusCode != c.status || got != c.body || resp.Header.Get("Content-Range") != c.part {
			t.Errorf("%v: got %d %q %q, want %d %q %q", c.header, resp.StatusCode, got, resp.Header.Get("Content-Range"), c.status, c.body, c.part)
		}
	}
}

func TestCaching(t *testing.T) {
	seconds := func(n int) *int { return &n }
	const immutable = "public, max-age=31536000, immutable"
	for _, c := range []struct {
		browser, edge *int
		hashed        string
		target, want  string
	}{
		{target: "/app.js", want: "no-cache"},
		{browser: seconds(60), target: "/app.js", want: "public, max-age=60"},
		{browser: seconds(0), target: "/app.js", want: "public, max-age=0"},
		{edge: seconds(300), target: "/app.js", want: "public, max-age=0, must-revalidate, s-maxage=300"},
		{browser: seconds(60), edge: seconds(300), target: "/", want: "public, max-age=60, s-maxage=300"},
		{browser: seconds(60), target: "/none", want: "no-cache"}, // 404.html
		{hashed: "dist", target: "/dist/chunk-ABCDEFG2.js", want: immutable},
		{hashed: "dist", target: "/dist/chunk-ABCDEFG2.js.map", want: immutable},
		{hashed: "dist", browser: seconds(60), target: "/dist/chunk-ABCDEFG2.js", want: immutable},
		{hashed: "dist", target: "/dist/index.js", want: "no-cache"},
		{hashed: "dist", target: "/dist/chunk-abcdefg2.js", want: "no-cache"},
		{hashed: "dist", target: "/chunk-ABCDEFG2.js", want: "no-cache"},
		{target: "/dist/chunk-ABCDEFG2.js", want: "no-cache"},
	} {
		s := assets.New(assets.Options{Files: files, BrowserTTL: c.browser, EdgeTTL: c.edge, Hashed: c.hashed})
		if got := ask(s, "GET", c.target).Header.Get("Cache-Control"); got != c.want {
			t.Errorf("%s: got Cache-Control %q, want %q", c.target, got, c.want)
		}
	}
}

// The machine's tables say something else, and are not asked.
func TestTypes(t *testing.T) {
	for _, ext := range []string{".js", ".wasm", ".strange"} {
		if err := mime.AddExtensionType(ext, "text/wrong"); err != nil {
			t.Fatal(err)
		}
	}
	want := map[string]string{
		".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8",
		".html": "text/html; charset=utf-8", ".HTML": "text/html; charset=utf-8", ".svg": "image/svg+xml", ".wasm": "application/wasm", ".json": "application/json",
		".webmanifest": "application/manifest+json", ".woff2": "font/woff2", ".map": "application/json", ".txt": "text/plain; charset=utf-8",
		".ico": "image/vnd.microsoft.icon", ".png": "image/png", ".jpg": "image/jpeg", ".webp": "image/webp", ".avif": "image/avif",
		".strange": "text/plain; charset=utf-8", "": "text/plain; charset=utf-8", // looked at
	}
	for ext, want := range want {
		s := assets.New(assets.Options{Files: fstest.MapFS{"file" + ext: {Data: []byte("plain")}}})
		if got := ask(s, "GET", "/file"+ext).Header.Get("Content-Type"); got != want {
			t.Errorf("%q: got %q, want %q", ext, got, want)
		}
	}
}

// counted counts how many bytes are read from a file system.
type counted struct {
	fs.FS
	read atomic.Int64
}

type countedFile struct {
	fs.File
	of *counted
}

func (c *counted) Open(name string) (fs.File, error) {
	f, err := c.FS.Open(name)
	if err != nil {
		return nil, err
	}
	return &countedFile{f, c}, nil
}

func (f *countedFile) Read(b []byte) (int, error) {
	n, err := f.File.Read(b)
	f.of.read.Add(int64(n))
	return n, err
}

func (f *countedFile) Seek(offset int64, whence int) (int64, error) {
	return f.File.(io.Seeker).Seek(offset, whence)
}

// A file is read for its ETag once, and again when it has changed; a part of it is read alone.
func TestFilesAreHashedOnce(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "big.bin")
	old := time.Now().Add(-time.Hour)
	put := func(data []byte, at time.Time) {
		t.Helper()
		if err := os.WriteFile(name, data, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(name, at, at); err != nil {
			t.Fatal(err)
		}
	}
	const size = 4 << 20
	put(bytes.Repeat([]byte("x"), size), old)
	from := &counted{FS: os.DirFS(dir)}
	s := assets.New(assets.Options{Files: from})
	read := func(want int64, header ...string) string {
		t.Helper()
		from.read.Store(0)
		tag := ask(s, "GET", "/big.bin", header...).Header.Get("ETag")
		if got := from.read.Load(); got < want || got > want+1024 {
			t.Errorf("read %d bytes, want %d", got, want)
		}
		return tag
	}
	tag := read(size+10, "Range", "bytes=0-9")
	read(10, "Range", "bytes=0-9")
	read(0, "If-None-Match", tag)
	put(bytes.Repeat([]byte("y"), size), old.Add(time.Minute))
	if changed := read(size+10, "Range", "bytes=0-9"); changed == tag {
		t.Errorf("the changed file has the ETag %s of the old one", tag)
	}
	// What has just changed may do so again without being noticed.
	put(bytes.Repeat([]byte("z"), size), time.Now())
	read(size+10, "Range", "bytes=0-9")
	read(size+10, "Range", "bytes=0-9")
}

func TestEditedPages(t *testing.T) {
	s := assets.New(assets.Options{Files: files, Edit: func(b []byte) []byte { return append(bytes.Clone(b), "!"...) }})
	plain := assets.New(assets.Options{Files: files})
	for target, want := range map[string]string{"/": "<h1>home</h1>!", "/none": "<h1>none</h1>!", "/app.js": "app()"} {
		if got := body(t, ask(s, "GET", target)); got != want {
			t.Errorf("%s: got %q, want %q", target, got, want)
		}
	}
	if a, b := ask(s, "GET", "/").Header.Get("ETag"), ask(plain, "GET", "/").Header.Get("ETag"); a == b {
		t.Errorf("the edited page has the ETag %s of the one that is not", a)
	}
}

func TestRead(t *testing.T) {
	s := assets.New(assets.Options{Files: files})
	if data, err := s.Read("/app.js"); err != nil || string(data) != "app()" {
		t.Errorf("got %q, %v", data, err)
	}
	for _, name := range []string{"", "app.js", "/", "/sub", "/none", "/.env", "/sub/../app.js", "/node_modules/m/index.js"} {
		if data, err := s.Read(name); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%q: got %q, %v, want %v", name, data, err, fs.ErrNotExist)
		}
	}
}

// Whatever a path is, it is answered with a file that may be served, or not at all.
func FuzzPaths(f *testing.F) {
	for name := range files {
		f.Add("/" + name)
	}
	f.Add("/sub/..%2f..%2f.env")
	f.Add("//\x00/.env")
	s := assets.New(assets.Options{Files: files})
	f.Fuzz(func(t *testing.T, path string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.URL.Path = path
		w := httptest.NewRecorder()
		if s.Asset(w, r) && (w.Code != 200 || strings.Contains(w.Body.String(), "secret")) {
			t.Errorf("%q: got %d %q", path, w.Code, w.Body)
		}
	})
}
