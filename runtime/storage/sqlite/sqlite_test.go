package sqlite_test

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/goparty-dev/party/runtime/storage"
	"github.com/goparty-dev/party/runtime/storage/sqlite"
	"github.com/goparty-dev/party/runtime/storage/storagetest"
	driver "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

func TestStore(t *testing.T) {
	storagetest.RunDurable(t, func(t *testing.T, dir string) storage.Store { return open(t, dir) })
}

// Some tests start this program again, as the process that is killed or in the way.
func TestMain(m *testing.M) {
	if role := os.Getenv(childRole); role != "" {
		os.Exit(runChild(role))
	}
	os.Exit(m.Run())
}

var (
	lobby = storage.Room{Party: "chat", Name: "lobby"}
	noon  = time.Date(2030, 6, 1, 12, 0, 0, 0, time.UTC)
)

func file(dir string) string { return filepath.Join(dir, "party.db") }

// open opens the store in a folder and closes it when the test ends.
func open(t testing.TB, dir string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(file(dir), sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil && !errors.Is(err, storage.ErrClosed) {
			t.Error(err)
		}
	})
	return s
}

func claim(t testing.TB, s storage.Store, room storage.Room) storage.Fence {
	t.Helper()
	c, err := s.Claim(context.Background(), room)
	if err != nil {
		t.Fatal(err)
	}
	return c.Fence
}

func put(key, value string) storage.Op { return storage.Op{Key: key, Value: []byte(value)} }

// begin commits and returns where the outcome will be.
func begin(s storage.Store, c storage.Commit) <-chan error {
	done := make(chan error, 1)
	s.Commit(c, func(err error) { done <- err })
	return done
}

func commit(t testing.TB, s storage.Store, c storage.Commit) {
	t.Helper()
	if err := <-begin(s, c); err != nil {
		t.Fatal(err)
	}
}

// holds compares everything in a room.
func holds(t *testing.T, s storage.Store, room storage.Room, want map[string]string) {
	t.Helper()
	entries, err := s.List(context.Background(), room, storage.Range{})
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string]string)
	for _, e := range entries {
		got[e.Key] = string(e.Value)
	}
	if diff := cmp.Diff(got, want, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("room %q differs (-got +want):\n%s", room, diff)
	}
}

// neighbour is another connection to the database, like that of a person with a shell.
type neighbour struct {
	t    testing.TB
	conn *driver.Conn
}

func visit(t testing.TB, dir string) *neighbour {
	t.Helper()
	conn, err := driver.OpenConn(file(dir), driver.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
	})
	return &neighbour{t, conn}
}

func (n *neighbour) do(script string) {
	n.t.Helper()
	if err := sqlitex.ExecuteScript(n.conn, script, nil); err != nil {
		n.t.Fatalf("%s: %v", script, err)
	}
}

// rows returns the rows that a query finds, as text.
func (n *neighbour) rows(query string) [][]string {
	n.t.Helper()
	rows, err := texts(n.conn, query)
	if err != nil {
		n.t.Fatalf("%s: %v", query, err)
	}
	return rows
}

func texts(conn *driver.Conn, query string) (rows [][]string, err error) {
	err = sqlitex.ExecuteTransient(conn, query, &sqlitex.ExecOptions{ResultFunc: func(stmt *driver.Stmt) error {
		row := make([]string, stmt.ColumnCount())
		for i := range row {
			row[i] = stmt.ColumnText(i)
		}
		rows = append(rows, row)
		return nil
	}})
	return rows, err
}

// stall keeps everything that is committed from now on pending, in one group,
// until it is let go.
func stall(t *testing.T, s *sqlite.Store, n *neighbour) (letGo func()) {
	t.Helper()
	release := make(chan struct{})
	// The settler waits in the first callback, and the committer, two groups later, for the settler.
	for _, done := range []func(error){func(error) { <-release }, func(error) {}, func(error) {}} {
		room := storage.Room{Party: "stall", Name: rand.Text()}
		s.Commit(storage.Commit{Room: room, Fence: claim(t, s, room), Ops: []storage.Op{put("", "")}}, done)
		until(func() bool { return len(n.rows(`SELECT 1 FROM rooms WHERE name = '`+room.Name+`'`)) > 0 })
	}
	return func() { close(release) }
}

// until waits for a state that nothing tells of.
func until(reached func() bool) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !reached() {
		<-tick.C
	}
}
