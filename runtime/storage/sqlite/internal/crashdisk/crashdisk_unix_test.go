//go:build unix

package crashdisk_test

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"github.com/goparty-dev/party/runtime/storage/sqlite/internal/crashdisk"
)

// TestRecord compares what has been recorded with the files themselves, in both ways in which SQLite keeps a journal.
func TestRecord(t *testing.T) {
	for _, mode := range []string{"wal", "delete", "truncate"} {
		dir := t.TempDir()
		d, err := crashdisk.Watch(dir)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := sqlite.OpenConn(filepath.Join(dir, "a.db"), sqlite.OpenReadWrite, sqlite.OpenCreate)
		if err != nil {
			t.Fatal(err)
		}
		script := "PRAGMA journal_mode = " + mode + "; CREATE TABLE t (n, text);"
		for n := range 50 {
			script += fmt.Sprintf("INSERT INTO t VALUES (%d, '%s');", n, strings.Repeat("x", n*50))
		}
		script += "PRAGMA wal_checkpoint(TRUNCATE); DELETE FROM t WHERE n > 5; VACUUM; INSERT INTO t VALUES (99, 'end')"
		for query := range strings.SplitSeq(script, ";") {
			if err := sqlitex.ExecuteTransient(conn, query, nil); err != nil {
				t.Fatalf("%s: %s: %v", mode, query, err)
			}
		}
		same(t, mode, dir, d)
		if err := conn.Close(); err != nil {
			t.Fatal(err)
		}
		same(t, mode+", closed", dir, d)
		d.Close()
	}
}

// same compares the files with what a replay of all steps makes of them.
func same(t *testing.T, what, dir string, d *crashdisk.Disk) {
	t.Helper()
	var r crashdisk.Replay
	for _, s := range d.Steps() {
		r.Step(s)
	}
	got, want := r.Killed(), make(crashdisk.Image)
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if strings.HasSuffix(f.Name(), "-shm") {
			continue
		}
		if want[f.Name()], err = os.ReadFile(filepath.Join(dir, f.Name())); err != nil {
			t.Fatal(err)
		}
	}
	if len(want) == 0 || d.Len() < 100 {
		t.Errorf("%s: %d files after %d steps", what, len(want), d.Len())
	}
	if !maps.EqualFunc(got, want, bytes.Equal) {
		t.Errorf("%s: recorded %q, there are %q, or their content differs", what, slices.Sorted(maps.Keys(got)), slices.Sorted(maps.Keys(want)))
	}
}

func replay(steps ...crashdisk.Step) *crashdisk.Replay {
	r := new(crashdisk.Replay)
	for _, s := range steps {
		s.File = "f"
		r.Step(s)
	}
	return r
}

// TestPowerCut looks at all that a power cut may leave of one file.
func TestPowerCut(t *testing.T) {
	a, b := bytes.Repeat([]byte("a"), 1024), bytes.Repeat([]byte("b"), 1024)
	create := crashdisk.Step{Kind: crashdisk.Create}
	flush := crashdisk.Step{Kind: crashdisk.Sync, Names: true}
	for _, test := range []struct {
		name  string
		steps []crashdisk.Step
		must  func(f []byte, there bool) bool
		some  map[string]func(f []byte, there bool) bool // each has to come up
	}{
		{
			"what is synced stays", []crashdisk.Step{create, {Kind: crashdisk.Write, Data: a}, flush, {Kind: crashdisk.Write, Offset: 1024, Data: b}},
			func(f []byte, there bool) bool { return there && len(f) >= 1024 && bytes.Equal(f[:1024], a) },
			map[string]func(f []byte, there bool) bool{
				"nothing more": func(f []byte, _ bool) bool { return len(f) == 1024 },
				"all":          func(f []byte, _ bool) bool { return len(f) == 2048 && bytes.Equal(f[1024:], b) },
				"the later sector only": func(f []byte, _ bool) bool {
					return len(f) == 2048 && f[1024] == 0 && bytes.Equal(f[1536:], b[:512])
				},
				"part of a sector": func(f []byte, _ bool) bool { return len(f)%512 != 0 },
			},
		},
		{
			"an unsynced name may go", []crashdisk.Step{create, {Kind: crashdisk.Write, Data: a}},
			func([]byte, bool) bool { return true },
			map[string]func(f []byte, there bool) bool{
				"gone":  func(_ []byte, there bool) bool { return !there },
				"there": func(_ []byte, there bool) bool { return there },
			},
		},
		{
			"the later of two writes is never older", []crashdisk.Step{create, {Kind: crashdisk.Write, Data: a}, flush, {Kind: crashdisk.Write, Data: b}, {Kind: crashdisk.Truncate, Offset: 512}},
			func(f []byte, there bool) bool { return there && len(f) >= 512 },
			map[string]func(f []byte, there bool) bool{
				"cut only": func(f []byte, _ bool) bool { return len(f) == 512 && f[0] == 'a' },
				"both":     func(f []byte, _ bool) bool { return len(f) == 512 && f[0] == 'b' },
			},
		},
		{
			"a failed sync forgets", []crashdisk.Step{create, flush, {Kind: crashdisk.Write, Data: a}, {Kind: crashdisk.Sync, Failed: true}, {Kind: crashdisk.Sync}},
			func(f []byte, there bool) bool { return there },
			map[string]func(f []byte, there bool) bool{
				"nothing": func(f []byte, _ bool) bool { return len(f) == 0 },
				"all":     func(f []byte, _ bool) bool { return bytes.Equal(f, a) },
			},
		},
	} {
		rng := rand.New(rand.NewPCG(1, 2))
		r, seen := replay(test.steps...), make(map[string]bool)
		for range 2000 {
			f, there := r.PowerCut(rng)["f"]
			if !test.must(f, there) {
				t.Fatalf("%s: %d bytes, there: %v", test.name, len(f), there)
			}
			for name, is := range test.some {
				seen[name] = seen[name] || is(f, there)
			}
		}
		for name := range test.some {
			if !seen[name] {
				t.Errorf("%s: %q never came up", test.name, name)
			}
		}
	}
}
