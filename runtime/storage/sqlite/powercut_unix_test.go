//go:build unix

package sqlite_test

import (
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/goparty-dev/party/runtime/storage"
	"github.com/goparty-dev/party/runtime/storage/sqlite"
	"github.com/goparty-dev/party/runtime/storage/sqlite/internal/crashdisk"
	"github.com/goparty-dev/party/runtime/storage/storagetest"
	driver "zombiezen.com/go/sqlite"
)

var crashSeed = flag.Uint64("crash.seed", 0, "repeat the crash tests of this seed, whole")

// crashBudget is how long a crash test goes on looking at crashes, once it has seen the least it wants to.
const crashBudget = 3 * time.Second

// tinyLog has a store empty its log often, so that crashes meet that too.
func tinyLog() sqlite.Options {
	return sqlite.Options{Logger: slog.New(slog.DiscardHandler)}.WithLogPages(40)
}

func seeded(t *testing.T) *rand.Rand {
	seed := *crashSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("repeat with -crash.seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// scratch is a folder in memory, if the system has such: what is in it need not outlive anything.
func scratch(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "party")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// live makes a history of a store in a watched folder.
func live(t *testing.T, rng *rand.Rand, things int) (*crashdisk.Disk, *storagetest.History) {
	t.Helper()
	dir := scratch(t)
	d, err := crashdisk.Watch(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	s, err := sqlite.Open(file(dir), tinyLog())
	if err != nil {
		t.Fatal(err)
	}
	h := storagetest.NewHistory(rng, s)
	h.Mark = d.Len
	h.Reopen = func() (storage.Store, error) {
		if err := s.Close(); err != nil {
			return nil, err
		}
		s, err = sqlite.Open(file(dir), tinyLog())
		return s, err
	}
	if err := h.Run(things); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return d, h
}

// TestEveryCrash looks at what a killed process and a power cut leave after every step that
// the store takes on the disk.
func TestEveryCrash(t *testing.T) {
	rng := seeded(t)
	d, h := live(t, rng, 150)
	steps := d.Steps()
	dir := scratch(t)
	look := func(what string, n int, image crashdisk.Image) {
		t.Helper()
		if err := checkImage(dir, image, h, n); err != nil {
			t.Fatalf("%s after step %d of %d, %s of %q: %v", what, n, len(steps), steps[n-1].Kind, steps[n-1].File, err)
		}
	}
	begun, kinds := time.Now(), make(map[crashdisk.Kind]int)
	// Every step when a seed is repeated, else as many as there is time for, spread evenly.
	stride := 1
	for offset := range 16 {
		if *crashSeed == 0 {
			stride = 16
		}
		if offset == stride || offset > 0 && time.Since(begun) > crashBudget {
			break
		}
		var r crashdisk.Replay
		for n, s := range steps {
			r.Step(s)
			if n%stride != offset {
				continue
			}
			kinds[s.Kind]++
			look("kill", n+1, r.Killed())
			for range 3 {
				look("power cut", n+1, r.PowerCut(rng))
			}
		}
	}
	t.Logf("crashes after these steps, of %d: %v", len(steps), kinds)
}

// checkImage opens the store that a crash has left.
func checkImage(dir string, image crashdisk.Image, h *storagetest.History, at int) (err error) {
	if err := image.Store(dir); err != nil {
		return err
	}
	s, err := sqlite.Open(file(dir), tinyLog())
	if err != nil {
		return err
	}
	defer func() {
		if closing := s.Close(); err == nil {
			err = closing
		}
	}()
	if err := h.Check(s, at); err != nil {
		return err
	}
	return sound(dir)
}

// sound looks for what no client of the store could see.
func sound(dir string) error {
	conn, err := driver.OpenConn(file(dir), driver.OpenReadWrite)
	if err != nil {
		return err
	}
	defer conn.Close()
	for query, want := range map[string]string{
		`PRAGMA integrity_check`: "ok",
		`SELECT count(*) FROM entries WHERE room NOT IN (SELECT id FROM rooms)`:                                                      "0",
		`SELECT count(*) FROM rooms WHERE alarm IS NULL AND id NOT IN (SELECT room FROM entries)`:                                    "0",
		`SELECT count(*) FROM migrations WHERE number <> (SELECT count(*) FROM migrations AS m WHERE m.number <= migrations.number)`: "0",
	} {
		rows, err := texts(conn, query)
		if err != nil {
			return err
		}
		if len(rows) != 1 || rows[0][0] != want {
			return fmt.Errorf("%s: %v, want %s", query, rows, want)
		}
	}
	return nil
}
