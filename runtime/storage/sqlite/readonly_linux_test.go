package sqlite_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/goparty-dev/party/runtime/storage"
	"github.com/goparty-dev/party/runtime/storage/sqlite"
)

// nobody is a user who owns nothing.
const nobody = 65534

// ordinary has a function run with the rights of an ordinary user, whom a file's mode binds.
func ordinary(t *testing.T, f func()) {
	t.Helper()
	if os.Getuid() != 0 {
		f()
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlocked: the thread ends with its rights
		if err := syscall.Setfsuid(nobody); err != nil {
			t.Error(err)
			return
		}
		f()
	}()
	<-done
}

// TestReadOnly opens stores that the process may read and not write. That is an error which says what to do, and
// leaves everything as it is.
func TestReadOnly(t *testing.T) {
	for _, test := range []struct {
		name    string
		protect func(dir string) error
	}{
		{"the file", func(dir string) error {
			// The folder can be written: the lock is there, SQLite's files can be made.
			return errors.Join(os.Chmod(dir, 0o777), os.Chmod(file(dir)+".lock", 0o666), os.Chmod(file(dir), 0o444))
		}},
		{"the folder", func(dir string) error {
			return errors.Join(os.Remove(file(dir)+".lock"), os.Chmod(file(dir), 0o444), os.Chmod(dir, 0o555))
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			base, err := os.MkdirTemp("", "party")
			if err != nil {
				t.Fatal(err)
			}
			dir := filepath.Join(base, "data")
			t.Cleanup(func() {
				if err := errors.Join(os.Chmod(dir, 0o700), os.RemoveAll(base)); err != nil {
					t.Error(err)
				}
			})
			s := open(t, dir)
			commit(t, s, storage.Commit{Room: lobby, Fence: claim(t, s, lobby), Ops: []storage.Op{put("a", "1")}})
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			before, err := os.ReadFile(file(dir))
			if err := errors.Join(err, os.Chmod(base, 0o755), test.protect(dir)); err != nil {
				t.Fatal(err)
			}
			ordinary(t, func() {
				s, err := sqlite.Open(file(dir), sqlite.Options{})
				if err == nil {
					s.Close()
					t.Error("Open succeeded")
					return
				}
				if !errors.Is(err, storage.ErrReadOnly) {
					t.Errorf("got error %v, want %v", err, storage.ErrReadOnly)
				}
				for _, text := range []string{file(dir), "--persist", "write"} {
					if !strings.Contains(err.Error(), text) || strings.Contains(err.Error(), "\n") {
						t.Errorf("the error %q does not mention %q, or has several lines", err, text)
					}
				}
			})
			if after, err := os.ReadFile(file(dir)); err != nil || !bytes.Equal(after, before) {
				t.Errorf("Open changed the file: %d bytes, before %d, %v", len(after), len(before), err)
			}
			// Once it can be written, it is as it was.
			if err := errors.Join(os.Chmod(dir, 0o700), os.Chmod(file(dir), 0o600)); err != nil {
				t.Fatal(err)
			}
			holds(t, open(t, dir), lobby, map[string]string{"a": "1"})
		})
	}
}
