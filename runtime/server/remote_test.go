//go:build !party_host

package server

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestUploadsAreLimited(t *testing.T) {
	dir := t.TempDir()
	versions := filepath.Join(dir, versionsFolder)
	if err := os.Mkdir(versions, 0o700); err != nil {
		t.Fatal(err)
	}
	r := &remote{sp: &split{dataDir: dir}, limit: 10}
	ask := func(body string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		r.upgrade(w, httptest.NewRequest("POST", "/upgrade", strings.NewReader(body)))
		return w
	}
	if w := ask("eleven byte"); w.Code != http.StatusRequestEntityTooLarge || !strings.Contains(w.Body.String(), "larger than 10 bytes") {
		t.Errorf("too large: got %d %s", w.Code, w.Body)
	}
	if w := ask(""); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "there is no program") {
		t.Errorf("nothing: got %d %s", w.Code, w.Body)
	}
	r.receiving.Lock()
	if w := ask("x"); w.Code != http.StatusConflict {
		t.Errorf("a second one: got %d %s", w.Code, w.Body)
	}
	if left, err := os.ReadDir(versions); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestToken(t *testing.T) {
	path := filepath.Join(t.TempDir(), tokenFile)
	token, err := readToken(path)
	info, err2 := os.Stat(path)
	if err := errors.Join(err, err2); err != nil || len(token) < 20 || info.Mode().Perm() != 0o600 {
		t.Fatalf("a new token: %q in %v, %v", token, info, err)
	}
	if again, err := readToken(path); err != nil || again != token {
		t.Errorf("once more: %q, %v", again, err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := readToken(path); err == nil || !strings.Contains(err.Error(), "others may read") || strings.Contains(err.Error(), token) {
		t.Errorf("a token that others may read: %v", err)
	}
	if err := errors.Join(os.Chmod(path, 0o600), os.WriteFile(path, []byte("\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := readToken(path); err == nil || !strings.Contains(err.Error(), "fewer than 20") {
		t.Errorf("an empty token: %v", err)
	}
}
