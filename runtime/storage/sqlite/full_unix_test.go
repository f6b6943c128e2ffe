//go:build unix

package sqlite_test

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/goparty-dev/party/runtime/storage"
)

// limited says that this process may have its file sizes limited.
const limited = "PARTY_SQLITE_TEST_LIMITED"

// TestDiskFull runs out of space, and gets it back. A limit on the size of files does
// for the disk; as it is one on the whole process, the test runs in a child.
func TestDiskFull(t *testing.T) {
	if os.Getenv(limited) == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestDiskFull$", "-test.v")
		cmd.Env = append(os.Environ(), limited+"=1")
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS: TestDiskFull") {
			t.Errorf("in a child: %v\n%s", err, out)
		}
		return
	}
	s := open(t, t.TempDir())
	other := storage.Room{Party: "chat", Name: "other"}
	fence, otherFence := claim(t, s, lobby), claim(t, s, other)
	commit(t, s, storage.Commit{Room: lobby, Fence: fence, Ops: []storage.Op{put("a", "1")}})

	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &limit); err != nil {
		t.Fatal(err)
	}
	set := func(size uint64) {
		t.Helper()
		l := limit
		l.Cur = size
		if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &l); err != nil {
			t.Fatal(err)
		}
	}
	set(256 << 10)
	err := <-begin(s, storage.Commit{Room: lobby, Fence: fence, Ops: []storage.Op{put("a", "2"), put("big", strings.Repeat("x", 1<<20))}})
	if err == nil || errors.Is(err, storage.ErrFenced) {
		t.Errorf("commit to a full disk: got error %v, want the cause", err)
	}
	t.Logf("error: %v", err)
	if err := <-begin(s, storage.Commit{Room: lobby, Fence: fence}); !errors.Is(err, storage.ErrFenced) {
		t.Errorf("commit after a failed one: got error %v, want %v", err, storage.ErrFenced)
	}
	holds(t, s, lobby, map[string]string{"a": "1"})
	// What fits can be written all the same.
	commit(t, s, storage.Commit{Room: other, Fence: otherFence, Ops: []storage.Op{put("a", "1")}})

	set(uint64(limit.Cur))
	big := map[string]string{"a": "3", "big": strings.Repeat("y", 1<<20)}
	c := storage.Commit{Room: lobby, Fence: claim(t, s, lobby)}
	for k, v := range big {
		c.Ops = append(c.Ops, put(k, v))
	}
	commit(t, s, c)
	holds(t, s, lobby, big)
	holds(t, s, other, map[string]string{"a": "1"})
}
