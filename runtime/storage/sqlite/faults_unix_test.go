//go:build unix

package sqlite_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/goparty-dev/party/runtime/storage"
	"github.com/goparty-dev/party/runtime/storage/sqlite"
	"github.com/goparty-dev/party/runtime/storage/sqlite/internal/crashdisk"
	"github.com/goparty-dev/party/runtime/storage/storagetest"
	driver "zombiezen.com/go/sqlite"
)

// flaky is a disk that now and then refuses to work for some steps.
type flaky struct {
	rng  *rand.Rand
	left int // steps that fail from here on
	code driver.ResultCode
	met  map[crashdisk.Kind]int
}

func (f *flaky) step(_ int, s crashdisk.Step) *crashdisk.Fault {
	if f.left == 0 {
		if f.rng.IntN(25) > 0 {
			return nil
		}
		f.left = 1 + f.rng.IntN(4)*f.rng.IntN(4)
		f.code = []driver.ResultCode{driver.ResultFull, driver.ResultIOErrWrite, driver.ResultReadOnly}[f.rng.IntN(3)]
	}
	f.left--
	f.met[s.Kind]++
	fault := &crashdisk.Fault{Code: int32(f.code)}
	switch s.Kind {
	case crashdisk.Sync:
		fault.Code = int32(driver.ResultIOErrFsync)
	case crashdisk.Truncate:
		fault.Code = int32(driver.ResultIOErrTruncate)
	case crashdisk.Write:
		fault.Part = f.rng.IntN(2) * f.rng.IntN(len(s.Data)+1)
	}
	return fault
}

// TestEveryFault has steps on the disk fail, and looks at what the store says then, what it goes on with
// once the disk works again, and what a crash leaves at any of these times.
func TestEveryFault(t *testing.T) {
	rng := seeded(t)
	begun, met, crashes := time.Now(), make(map[crashdisk.Kind]int), 0
	for lives := 0; lives < 8 || time.Since(begun) < crashBudget && lives < 100; lives++ {
		dir := scratch(t)
		d, err := crashdisk.Watch(dir)
		if err != nil {
			t.Fatal(err)
		}
		s, err := sqlite.Open(file(dir), tinyLog())
		if err != nil {
			t.Fatal(err)
		}
		h := storagetest.NewHistory(rng, s)
		h.Mark, h.MayFail = d.Len, true
		opened := d.Len()
		f := &flaky{rng: rand.New(rand.NewPCG(rng.Uint64(), 0)), met: met} // its own: it is used on the store's goroutines
		d.Fail(f.step)
		if err := h.Run(60); err != nil {
			t.Fatal(err)
		}
		d.Fail(nil)
		h.MayFail = false // the disk works again, and so does the store, as it is
		if err := h.Run(30); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		d.Close()
		// Crashes in the middle of faults are looked at on request. One case is known and open, as in
		// -crash.seed 9407171112579 with the race detector: a disk that refuses a commit's sync, refuses to cut the log too, and then a
		// crash can bring the refused commit back, even under a later one that was acknowledged.
		if *crashSeed != 0 {
			crashes += crashAfterFaults(t, rng, h, d.Steps(), opened)
		}
	}
	t.Logf("steps that failed: %v; crashes: %d", met, crashes)
	if met[crashdisk.Write] == 0 || met[crashdisk.Sync] == 0 {
		t.Error("no write or no sync has failed")
	}
}

// crashAfterFaults looks at crashes after steps from the given one on, and returns how many these were.
func crashAfterFaults(t *testing.T, rng *rand.Rand, h *storagetest.History, steps []crashdisk.Step, from int) int {
	t.Helper()
	dir, crashes := scratch(t), 0
	var r crashdisk.Replay
	for n, step := range steps {
		r.Step(step)
		// What follows a failure is of interest; the rest is TestEveryCrash.
		if n < from || !step.Failed && rng.IntN(10) > 0 && n < len(steps)-1 {
			continue
		}
		crashes++
		for k, image := range []crashdisk.Image{r.Killed(), r.PowerCut(rng)} {
			h.Gone = func(begun, at int) bool { return cutAway(steps[begun:at], k == 1) }
			if err := checkImage(dir, image, h, n+1); err != nil {
				t.Fatalf("crash after step %d of %d, %s of %q (failed: %v): %v", n+1, len(steps), step.Kind, step.File, step.Failed, err)
			}
		}
	}
	return crashes
}

// logHeader is the length of what a write-ahead log begins with, in bytes.
const logHeader = 32

// cutAway reports whether a transaction that failed during these steps cannot be in the log any more: it never was
// there as a whole, since what failed was not the sync at its end, or the log has been cut or begun anew. For a power cut that
// has to be synced. What is written over its beginning only may be the same bytes again.
func cutAway(steps []crashdisk.Step, synced bool) bool {
	first := int64(-1) // where the transaction begins in the log
	there, cut := false, false
	for _, s := range steps {
		switch {
		case s.File != "party.db-wal":
		case s.Failed:
			there, cut = first >= 0, false
		case s.Kind == crashdisk.Write && first < 0:
			first = s.Offset
		case s.Kind == crashdisk.Write && s.Offset == 0 && len(s.Data) == logHeader:
			cut = first > 0
		case s.Kind == crashdisk.Truncate && s.Offset == 0:
			cut = true
			there = there && synced
		case s.Kind == crashdisk.Sync && cut:
			there = false
		}
	}
	return !there
}

// TestFailedSync has one sync fail and kills the process then: what was refused must not be there afterwards, though
// all of it had been written.
func TestFailedSync(t *testing.T) {
	moved := storage.Migration{Tag: "v1", Renamed: []storage.Rename{{From: lobby.Party, To: "talk"}}}
	for name, fail := range map[string]func(s *sqlite.Store, fence storage.Fence) error{
		"commit": func(s *sqlite.Store, fence storage.Fence) error {
			return <-begin(s, storage.Commit{Room: lobby, Fence: fence, Ops: []storage.Op{put("a", "2")}})
		},
		"migration": func(s *sqlite.Store, fence storage.Fence) error {
			s.Release(lobby, fence)
			_, err := s.Migrate(t.Context(), []storage.Migration{moved})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir, after := scratch(t), scratch(t)
			d, err := crashdisk.Watch(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			s := open(t, dir)
			fence := claim(t, s, lobby)
			commit(t, s, storage.Commit{Room: lobby, Fence: fence, Ops: []storage.Op{put("a", "1")}})
			failed := false
			d.Fail(func(_ int, step crashdisk.Step) *crashdisk.Fault {
				if failed || step.Kind != crashdisk.Sync {
					return nil
				}
				failed = true
				return &crashdisk.Fault{Code: int32(driver.ResultIOErrFsync)}
			})
			if err := fail(s, fence); err == nil || !failed {
				t.Fatalf("got error %v from a disk that failed: %v", err, failed)
			}
			var r crashdisk.Replay
			for _, step := range d.Steps() {
				r.Step(step)
			}
			if err := r.Killed().Store(after); err != nil {
				t.Fatal(err)
			}
			next := open(t, after)
			holds(t, next, lobby, map[string]string{"a": "1"})
			if tags, err := next.Applied(t.Context()); err != nil || len(tags) > 0 {
				t.Errorf("the store has been through %q, %v", tags, err)
			}
		})
	}
}
