//go:build !party_host

package server

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/goparty-dev/party/internal/durable"
	"github.com/goparty-dev/party/internal/operate"
)

// tokenFile is the name of the file below a data folder with the token for orders by --admin.
const tokenFile = "admin.token"

// maxBinary is how large a program may be that is uploaded.
const maxBinary = 1 << 30

// remote takes the orders of the control socket on the --admin address, from those who have the token. Browsers are none of
// them: they send no Authorization header of their own accord, and say where they come from.
type remote struct {
	// set by newRemote, then read-only
	sp      *split
	control *control
	token   [sha256.Size]byte // its hash: comparing takes as long for any length
	limit   int64

	receiving sync.Mutex // held during an upload
}

// adminHandler is Admin, and for a server that can be upgraded the orders.
func (s *Server) adminHandler(o *orders) (http.Handler, error) {
	if o == nil {
		return s.Admin(), nil
	}
	token, err := readToken(filepath.Join(s.split.dataDir, tokenFile))
	if err != nil {
		return nil, err
	}
	r := &remote{sp: s.split, control: o.control, token: sha256.Sum256([]byte(token)), limit: maxBinary}
	mux := http.NewServeMux()
	mux.Handle("/", s.Admin())
	for pattern, h := range map[string]http.HandlerFunc{
		"GET " + operate.StatusPath:    o.control.status,
		"POST " + operate.UpgradePath:  r.upgrade,
		"POST " + operate.RollbackPath: o.control.rollback,
	} {
		mux.Handle(pattern, r.guard(h))
	}
	return mux, nil
}

// readToken reads the token, or makes one if there is none. It is the server's user's alone.
func readToken(path string) (string, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		token := rand.Text()
		if err := durable.WriteFile(path, []byte(token+"\n"), 0o600); err != nil {
			return "", fmt.Errorf("make the token for --admin: %w", err)
		}
		return token, nil
	}
	if err != nil {
		return "", fmt.Errorf("token for --admin: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return "", fmt.Errorf("token for --admin: others may read %s: chmod 600 it, or remove it to get a new one", path)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("token for --admin: %w", err)
	}
	token := strings.TrimSpace(string(data))
	if len(token) < 20 {
		return "", fmt.Errorf("token for --admin: %s has fewer than 20 characters: remove it to get a new one", path)
	}
	return token, nil
}

// guard lets in who has the token and is no browser.
func (r *remote) guard(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get("Origin") != "" || req.Header.Get("Sec-Fetch-Site") != "" {
			http.Error(w, "orders are not taken from web pages", http.StatusForbidden)
			return
		}
		token, ok := strings.CutPrefix(req.Header.Get("Authorization"), "Bearer ")
		sum := sha256.Sum256([]byte(token))
		if !ok || subtle.ConstantTimeCompare(sum[:], r.token[:]) != 1 {
			w.Header().Set("WWW-Authenticate", `Bearer realm="admin"`)
			http.Error(w, "send the token in "+tokenFile+" of the data folder: Authorization: Bearer TOKEN", http.StatusUnauthorized)
			return
		}
		h.ServeHTTP(w, req)
	})
}

// upgrade takes the new program as the body, or as ?binary=PATH below the data folder.
func (r *remote) upgrade(w http.ResponseWriter, req *http.Request) {
	if !r.receiving.TryLock() {
		http.Error(w, "another program is being uploaded", http.StatusConflict)
		return
	}
	path, status, err := r.receive(w, req)
	r.receiving.Unlock()
	if err != nil {
		http.Error(w, err.Error(), status)
		return
	}
	defer os.Remove(path)
	r.control.upgrade(w, req, path)
}

// receive writes the program to a file of its own. With an error, status is the answer.
func (r *remote) receive(w http.ResponseWriter, req *http.Request) (path string, status int, err error) {
	from := http.MaxBytesReader(w, req.Body, r.limit)
	if name := req.URL.Query().Get("binary"); name != "" {
		f, err := r.open(name)
		if err != nil {
			return "", http.StatusBadRequest, fmt.Errorf("binary: %w", err)
		}
		defer f.Close()
		from = f
	}
	to, err := os.CreateTemp(filepath.Join(r.sp.dataDir, versionsFolder), "tmp-upload-*")
	if err != nil {
		return "", http.StatusInternalServerError, err
	}
	n, err := io.Copy(to, from)
	if err = errors.Join(err, to.Close()); err == nil && n > 0 {
		return to.Name(), 0, nil
	}
	os.Remove(to.Name())
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return "", http.StatusRequestEntityTooLarge, fmt.Errorf("the program is larger than %d bytes", r.limit)
	case err != nil:
		return "", http.StatusInternalServerError, err
	}
	return "", http.StatusBadRequest, errors.New("there is no program: send it as the body, or name a file below the data folder, ?binary=PATH")
}

// open opens a file below the data folder, wherever links in the path lead.
func (r *remote) open(name string) (*os.File, error) {
	root, err := os.OpenRoot(r.sp.dataDir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	f, err := root.Open(name)
	if err != nil {
		return nil, err
	}
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(err, f.Close(), fmt.Errorf("%s is no file", name))
	}
	return f, nil
}
