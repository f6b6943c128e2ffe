// Package assets serves static files over HTTP: which file a path means, its type, how long it may be kept,
// and whether the client has it already.
//
// It is for files that their authors publish, as a folder or embedded in the program. It is not for what
// users upload: every file below the root can be read by everybody, except those whose path has a
// part that begins with a dot or is node_modules.
package assets

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

// Options say what is served and how. All are optional.
type Options struct {
	// Files are the assets, below the root. Nil serves nothing.
	Files fs.FS
	// SinglePageApp has Navigation answer with /index.html.
	SinglePageApp bool
	// BrowserTTL and EdgeTTL are for how many seconds a browser, and a cache between it and the server, may keep a file without asking.
	// Nil: they ask every time, and get the file only if it has changed.
	BrowserTTL, EdgeTTL *int
	// Hashed is the folder of what a bundler has written, with a hash of the content in some names:
	// slash-separated, without slashes at its ends. Such files can be kept for ever. Empty: none can.
	Hashed string
	// Edit, if set, may change a page, a file whose name ends in .html, before it is sent.
	Edit func(page []byte) []byte
}

// Server serves assets. It is safe for concurrent use.
type Server struct {
	opts    Options
	caching string // Cache-Control of what has no hash in its name
	tags    tags
}

// New makes a server.
func New(o Options) *Server {
	return &Server{opts: o, caching: cacheControl(o.BrowserTTL, o.EdgeTTL)}
}

// Asset answers a GET or a HEAD with the file that the path means, if there is one: the
// path itself, or index.html below it if it ends with a slash. It reports whether it has answered.
func (s *Server) Asset(w http.ResponseWriter, r *http.Request) bool {
	name := r.URL.Path
	if strings.HasSuffix(name, "/") {
		name += "index.html"
	}
	return s.serve(w, r, name)
}

// Navigation answers what Asset has not with /index.html, if that is wanted and the request looks as if a
// browser opens a page: it says so, or the path ends in .html or in no extension that is known.
func (s *Server) Navigation(w http.ResponseWriter, r *http.Request) bool {
	if !s.opts.SinglePageApp {
		return false
	}
	ext := path.Ext(r.URL.Path)
	if r.Header.Get("Sec-Fetch-Mode") != "navigate" && ext != ".html" && types[strings.ToLower(ext)] != "" {
		return false
	}
	return s.serve(w, r, "/index.html")
}

// NotFound answers a GET or a HEAD with /404.html and the status 404, if there is such a page.
func (s *Server) NotFound(w http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	data, err := s.Read("/404.html")
	if err != nil {
		return false
	}
	h := w.Header()
	h.Set("Content-Type", types[".html"])
	h.Set("Cache-Control", "no-cache")
	w.WriteHeader(http.StatusNotFound)
	if r.Method == http.MethodGet {
		_, _ = w.Write(s.edited(data)) // the client has gone, if it fails
	}
	return true
}

// Read returns a whole file by its path, which begins with a slash. The error is
// fs.ErrNotExist if there is no such file, or one that is never served.
func (s *Server) Read(name string) ([]byte, error) {
	f, info, err := s.open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close() // it was only read
	data := make([]byte, 0, info.Size()+1)
	b := bytes.NewBuffer(data)
	if _, err := b.ReadFrom(f); err != nil {
		return nil, fmt.Errorf("read asset %q: %w", name, err)
	}
	return b.Bytes(), nil
}

// open opens a file that may be served.
func (s *Server) open(name string) (fs.File, fs.FileInfo, error) {
	missing := &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	inside, ok := strings.CutPrefix(name, "/")
	if s.opts.Files == nil || !ok || !fs.ValidPath(inside) || hidden(inside) {
		return nil, nil, missing
	}
	f, err := s.opts.Files.Open(inside)
	if err != nil {
		return nil, nil, missing // whatever the reason: for a client there is no such file
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return nil, nil, errors.Join(missing, f.Close())
	}
	return f, info, nil
}

// hidden reports whether a path has a part that is never served.
func hidden(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if strings.HasPrefix(part, ".") || part == "node_modules" {
			return true
		}
	}
	return false
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request, name string) bool {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return false
	}
	f, info, err := s.open(name)
	if err != nil {
		return false
	}
	defer f.Close() // it was only read
	content, tag, err := s.content(f, info, name)
	if err != nil {
		return false
	}
	h := w.Header()
	h.Set("ETag", tag)
	h.Set("Cache-Control", s.caching)
	if s.hashed(name) {
		h.Set("Cache-Control", forEver)
	}
	if t := types[strings.ToLower(path.Ext(name))]; t != "" {
		h.Set("Content-Type", t)
	}
	// Without a name, what has no type here is looked at, and the tables of the machine are not asked.
	http.ServeContent(w, r, "", time.Time{}, content)
	return true
}

// content returns what is to be sent of a file, and its ETag.
func (s *Server) content(f fs.File, info fs.FileInfo, name string) (io.ReadSeeker, string, error) {
	seeker, ok := f.(io.ReadSeeker)
	if !ok || s.opts.Edit != nil && strings.HasSuffix(name, ".html") {
		data, err := io.ReadAll(f)
		if err != nil {
			return nil, "", err
		}
		if strings.HasSuffix(name, ".html") {
			data = s.edited(data)
		}
		tag, err := tagOf(bytes.NewReader(data))
		return bytes.NewReader(data), tag, err
	}
	tag, err := s.tags.of(name, info, seeker)
	return seeker, tag, err
}

func (s *Server) edited(page []byte) []byte {
	if s.opts.Edit == nil {
		return page
	}
	return s.opts.Edit(page)
}
