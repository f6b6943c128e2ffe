package sqlite_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/goparty-dev/party/runtime/storage"
	"github.com/goparty-dev/party/runtime/storage/sqlite"
)

func TestLocked(t *testing.T) {
	dir := t.TempDir()
	c := spawn(t, "hold", dir)
	defer c.cmd.Wait()
	defer c.kill()
	if !c.lines.Scan() {
		t.Fatal("the child did not open the store")
	}
	_, err := sqlite.Open(file(dir), sqlite.Options{})
	if !errors.Is(err, storage.ErrLocked) {
		t.Fatalf("Open while a child has the store open: got error %v, want %v", err, storage.ErrLocked)
	}
	for _, want := range []string{file(dir), strconv.Itoa(c.cmd.Process.Pid), "--persist"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error %q does not mention %q", err, want)
		}
	}
	c.kill()
	c.cmd.Wait()
	s := open(t, dir)

	// The same process is in its own way too.
	if _, err := sqlite.Open(file(dir), sqlite.Options{}); !errors.Is(err, storage.ErrLocked) {
		t.Errorf("second Open: got error %v, want %v", err, storage.ErrLocked)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, dir)
}

// TestDamaged opens files that are not sound stores. Each must be refused and stay as it is.
func TestDamaged(t *testing.T) {
	tests := []struct {
		name   string
		damage func(db []byte) []byte // of a sound store
		script string                 // instead, what a neighbour does
		want   error
	}{
		{"not a database", func([]byte) []byte { return []byte(strings.Repeat("my shopping list\n", 100)) }, "", storage.ErrCorrupt},
		{"a short text", func([]byte) []byte { return []byte("hello") }, "", storage.ErrCorrupt},
		{"no header", func(db []byte) []byte { return append(make([]byte, 100), db[100:]...) }, "", storage.ErrCorrupt},
		{"zeros", func(db []byte) []byte { return make([]byte, len(db)) }, "", storage.ErrCorrupt},
		{"truncated", func(db []byte) []byte { return db[:len(db)/2/4096*4096] }, "", storage.ErrCorrupt},
		{"truncated within a page", func(db []byte) []byte { return db[:len(db)/2+123] }, "", storage.ErrCorrupt},
		{"only the header", func(db []byte) []byte { return db[:100] }, "", storage.ErrCorrupt},
		{"overwritten schema", func(db []byte) []byte { return overwrite(db, 100, 4096) }, "", storage.ErrCorrupt},
		{"overwritten tables", func(db []byte) []byte { return overwrite(db, 4096, 5*4096) }, "", storage.ErrCorrupt},
		{"overwritten entries", func(db []byte) []byte { return overwrite(db, len(db)-6*4096, len(db)) }, "", storage.ErrCorrupt},
		{"another program's database", nil, `DROP TABLE meta; CREATE TABLE recipes (name)`, storage.ErrCorrupt},
		{"a missing table", nil, `DROP TABLE entries`, storage.ErrCorrupt},
		{"no version", nil, `DELETE FROM meta`, storage.ErrCorrupt},
		{"a newer store", nil, `UPDATE meta SET value = 3 WHERE key = 'schema'`, storage.ErrNewer},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			fill(t, dir)
			if test.script != "" {
				visit(t, dir).do(test.script)
			} else {
				db, err := os.ReadFile(file(dir))
				if err != nil {
					t.Fatal(err)
				}
				write(t, file(dir), test.damage(db))
			}
			refuse(t, dir, test.want)
		})
	}
}

// TestDamagedWithLog has a damaged file beside a sound log, which the store
// must not empty into it, or remove.
func TestDamagedWithLog(t *testing.T) {
	for _, test := range []struct {
		name   string
		damage func(path string) error
	}{
		{"overwritten", func(path string) error {
			db, err := os.ReadFile(path)
			return errors.Join(err, os.WriteFile(path, overwrite(db, 0, 4096), 0o600))
		}},
		{"empty", func(path string) error { return os.Truncate(path, 0) }},
		{"missing", os.Remove},
	} {
		t.Run(test.name, func(t *testing.T) {
			source, dir := t.TempDir(), t.TempDir()
			fill(t, source)
			s := open(t, source)
			commit(t, s, storage.Commit{Room: lobby, Fence: claim(t, s, lobby), Ops: []storage.Op{put("new", "value")}})
			for _, suffix := range []string{"", "-wal"} {
				content, err := os.ReadFile(file(source) + suffix)
				if err != nil {
					t.Fatal(err)
				}
				write(t, file(dir)+suffix, content)
			}
			if err := test.damage(file(dir)); err != nil {
				t.Fatal(err)
			}
			refuse(t, dir, storage.ErrCorrupt)
		})
	}
}

func TestUnwritable(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "file"), nil)
	for _, path := range []string{filepath.Join(dir, "file", "party.db"), filepath.Join(dir, "file", "deeper", "party.db"), dir} {
		s, err := sqlite.Open(path, sqlite.Options{})
		if err == nil {
			s.Close()
			t.Errorf("Open(%q) succeeded", path)
		} else if !strings.Contains(err.Error(), path) {
			t.Errorf("Open(%q): the error %q does not mention the path", path, err)
		}
	}
}

func TestOpenMakesTheFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	s := open(t, dir)
	commit(t, s, storage.Commit{Room: lobby, Fence: claim(t, s, lobby), Ops: []storage.Op{put("a", "1")}})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(file(dir) + "-wal"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Close left the log: %v", err)
	}
	holds(t, open(t, dir), lobby, map[string]string{"a": "1"})
}

// fill makes a store of some hundred pages.
func fill(t *testing.T, dir string) {
	t.Helper()
	s := open(t, dir)
	c := storage.Commit{Room: lobby, Fence: claim(t, s, lobby)}
	for n := range 1000 {
		c.Ops = append(c.Ops, put(strconv.Itoa(n), strings.Repeat("x", 500)))
	}
	commit(t, s, c)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// refuse opens a store that is to be refused, with a message that helps, and left alone.
func refuse(t *testing.T, dir string, want error) {
	t.Helper()
	before := contents(t, dir)
	s, err := sqlite.Open(file(dir), sqlite.Options{})
	if err == nil {
		s.Close()
		t.Fatal("Open succeeded")
	}
	if !errors.Is(err, want) {
		t.Errorf("got error %v, want %v", err, want)
	}
	for _, text := range []string{file(dir), "--persist"} {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("the error %q does not mention %q", err, text)
		}
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("the error %q has several lines", err)
	}
	after := contents(t, dir)
	for _, suffix := range []string{"", "-wal"} {
		if !bytes.Equal(after[suffix], before[suffix]) {
			t.Errorf("Open changed %q: %d bytes, before %d", file(dir)+suffix, len(after[suffix]), len(before[suffix]))
		}
	}
}

// contents reads the database and its log, as far as they are there.
func contents(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	found := make(map[string][]byte)
	for _, suffix := range []string{"", "-wal"} {
		content, err := os.ReadFile(file(dir) + suffix)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		found[suffix] = content
	}
	return found
}

func overwrite(db []byte, from, to int) []byte {
	for i := from; i < to; i++ {
		db[i] = 0xa5
	}
	return db
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}
