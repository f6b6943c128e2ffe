package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/goparty-dev/party/runtime/storage"
	"github.com/goparty-dev/party/runtime/storage/sqlite"
)

func TestBackupAndRestore(t *testing.T) {
	dir, other := t.TempDir(), t.TempDir()
	copied := filepath.Join(other, "backup.db")
	if err := sqlite.Backup(context.Background(), file(dir), copied); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Backup without a store: got error %v, want %v", err, fs.ErrNotExist)
	}
	s := open(t, dir)
	commit(t, s, storage.Commit{Room: lobby, Fence: claim(t, s, lobby), Ops: []storage.Op{put("a", "1"), put("b", "2")}})
	// While it is in use.
	if err := sqlite.Backup(context.Background(), file(dir), copied); err != nil {
		t.Fatal(err)
	}
	if err := sqlite.Backup(context.Background(), file(dir), copied); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Backup over a file: got error %v, want %v", err, fs.ErrExist)
	}
	commit(t, s, storage.Commit{Room: lobby, Fence: claim(t, s, lobby), Ops: []storage.Op{put("a", "later")}})
	if err := sqlite.Restore(copied, file(dir), sqlite.RestoreOptions{Replace: true}); !errors.Is(err, storage.ErrLocked) {
		t.Errorf("Restore over a store in use: got error %v, want %v", err, storage.ErrLocked)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := sqlite.Restore(copied, file(dir), sqlite.RestoreOptions{}); !errors.Is(err, sqlite.ErrExists) {
		t.Errorf("Restore over a store: got error %v, want %v", err, sqlite.ErrExists)
	}
	s = open(t, dir)
	holds(t, s, lobby, map[string]string{"a": "later", "b": "2"})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}

	if err := sqlite.Restore(copied, file(dir), sqlite.RestoreOptions{Replace: true}); err != nil {
		t.Fatal(err)
	}
	holds(t, open(t, dir), lobby, map[string]string{"a": "1", "b": "2"})
	// What was there is a store still.
	replaced := filepath.Join(t.TempDir(), "again.db")
	if err := sqlite.Restore(file(dir)+".replaced", replaced, sqlite.RestoreOptions{}); err != nil {
		t.Fatal(err)
	}
	s, err := sqlite.Open(replaced, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	holds(t, s, lobby, map[string]string{"a": "later", "b": "2"})
}

// TestRestoreKeepsTheLogOfAKilledServer replaces a store whose log was never emptied.
func TestRestoreKeepsTheLogOfAKilledServer(t *testing.T) {
	dir, crashed := t.TempDir(), t.TempDir()
	s := open(t, dir)
	commit(t, s, storage.Commit{Room: lobby, Fence: claim(t, s, lobby), Ops: []storage.Op{put("a", "in the log")}})
	for _, suffix := range []string{"", "-wal"} {
		data, err := os.ReadFile(file(dir) + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file(crashed)+suffix, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	copied := filepath.Join(t.TempDir(), "backup.db")
	if err := sqlite.Backup(context.Background(), file(dir), copied); err != nil {
		t.Fatal(err)
	}
	if err := sqlite.Restore(copied, file(crashed), sqlite.RestoreOptions{Replace: true}); err != nil {
		t.Fatal(err)
	}
	again := filepath.Join(t.TempDir(), "again.db")
	if err := sqlite.Restore(file(crashed)+".replaced", again, sqlite.RestoreOptions{}); err != nil {
		t.Fatal(err)
	}
	r, err := sqlite.Open(again, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	holds(t, r, lobby, map[string]string{"a": "in the log"})
}

func TestRestoreRefusesWhatIsNoBackup(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(t.TempDir(), "party.db")
	for name, content := range map[string]string{"empty": "", "text": "hello, this is not a database, but a text that is long enough"} {
		from := filepath.Join(dir, name)
		if err := os.WriteFile(from, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := sqlite.Restore(from, path, sqlite.RestoreOptions{}); !errors.Is(err, storage.ErrCorrupt) {
			t.Errorf("%s: got error %v, want %v", name, err, storage.ErrCorrupt)
		}
	}
	if err := sqlite.Restore(filepath.Join(dir, "none"), path, sqlite.RestoreOptions{}); err == nil {
		t.Error("a file that is not there: got no error")
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a refused backup has left a store: %v", err)
	}
}

// TestBackupIsOneMoment backs up while turns move a unit from one key to another: every copy must have all of them.
func TestBackupIsOneMoment(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	fence := claim(t, s, lobby)
	const total = 1000
	commit(t, s, storage.Commit{Room: lobby, Fence: fence, Ops: []storage.Op{put("a", fmt.Sprint(total)), put("b", "0")}})
	ctx, stop := context.WithCancel(context.Background())
	var writing sync.WaitGroup
	var begun, once = make(chan struct{}), sync.Once{}
	writing.Go(func() {
		for n := 1; n <= total && ctx.Err() == nil; n++ {
			commit(t, s, storage.Commit{Room: lobby, Fence: fence, Ops: []storage.Op{put("a", fmt.Sprint(total-n)), put("b", fmt.Sprint(n))}})
			once.Do(func() { close(begun) })
		}
	})
	<-begun
	defer writing.Wait()
	defer stop()
	for n := range 5 {
		copied := filepath.Join(t.TempDir(), "copy.db")
		if err := sqlite.Backup(context.Background(), file(dir), copied); err != nil {
			t.Fatal(err)
		}
		c, err := sqlite.Open(copied, sqlite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.Get(context.Background(), lobby, []string{"a", "b"})
		if err != nil {
			t.Fatal(err)
		}
		var a, b int
		fmt.Sscan(string(got["a"]), &a)
		fmt.Sscan(string(got["b"]), &b)
		if a+b != total || b == 0 {
			t.Errorf("backup %d has %d and %d, want a sum of %d", n, a, b, total)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}
