package sqlite_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/goparty-dev/party/runtime/storage"
	"github.com/goparty-dev/party/runtime/storage/sqlite"
)

// TestLogStaysShort writes far more than the log should hold, while others read.
func TestLogStaysShort(t *testing.T) {
	dir := t.TempDir()
	s, err := sqlite.Open(file(dir), sqlite.Options{}.WithLogPages(1024))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	fence := claim(t, s, lobby)
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := s.List(context.Background(), lobby, storage.Range{Limit: 2}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	writeLots(t, s, fence, 20)
	close(stop)
	readers.Wait()
	if size := logSize(t, dir); size > 6<<20 {
		t.Errorf("the log has %d KiB after 20 MiB were written, want 4 MiB or little more", size>>10)
	}
}

// TestLogRecovers has somebody keep the log from being emptied for a while.
func TestLogRecovers(t *testing.T) {
	dir := t.TempDir()
	var logs bytes.Buffer // written by the committer, read when the store is closed
	s, err := sqlite.Open(file(dir), sqlite.Options{Logger: slog.New(slog.NewTextHandler(&logs, nil))}.WithLogPages(1024))
	if err != nil {
		t.Fatal(err)
	}
	n := visit(t, dir)
	n.rows(`BEGIN`)
	n.rows(`SELECT * FROM meta`)
	fence := claim(t, s, lobby)
	writeLots(t, s, fence, 7)
	if size := logSize(t, dir); size < 7<<20 {
		t.Errorf("the log has %d KiB, with a reader that needs all of it", size>>10)
	}
	n.rows(`ROLLBACK`)
	writeLots(t, s, fence, 4)
	if size := logSize(t, dir); size > 4<<20 {
		t.Errorf("the log still has %d KiB when the reader has gone", size>>10)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(logs.String(), "cannot empty the store's write-ahead log") {
		t.Errorf("nothing was logged about it: %q", logs.String())
	}
}

// writeLots writes so many MiB.
func writeLots(t *testing.T, s storage.Store, fence storage.Fence, mib int) {
	t.Helper()
	for n := range mib {
		value := strings.Repeat(strconv.Itoa(n%10), 1<<20)
		commit(t, s, storage.Commit{Room: lobby, Fence: fence, Ops: []storage.Op{put("big", value)}})
	}
}

func logSize(t *testing.T, dir string) int64 {
	t.Helper()
	info, err := os.Stat(file(dir) + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}
