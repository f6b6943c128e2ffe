//go:build unix

package hostbuild

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func waitForPID(t *testing.T, file string) int {
	t.Helper()
	var pid int
	until(t, "the child's process id", func() bool {
		data, _ := os.ReadFile(file)
		if !strings.HasSuffix(string(data), "\n") {
			return false
		}
		pid, _ = strconv.Atoi(strings.TrimSpace(string(data)))
		return pid > 0
	})
	return pid
}

// waitForEnd accepts a zombie: who reaps orphans is not ours to say.
func waitForEnd(t *testing.T, pid int) {
	t.Helper()
	until(t, "the child's end", func() bool {
		if syscall.Kill(pid, 0) != nil {
			return true
		}
		stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
		_, rest, _ := strings.Cut(string(stat), ") ")
		return err == nil && strings.HasPrefix(rest, "Z")
	})
}

func TestCancelEndsTheTools(t *testing.T) {
	dir := module(t)
	// A go command that starts a child and hangs.
	tool := filepath.Join(t.TempDir(), "go")
	pipe := filepath.Join(t.TempDir(), "child")
	write(t, filepath.Dir(tool), "go", "#!/bin/sh\nif [ \"$1\" = env ]; then echo '{}'; exit; fi\nsleep 600 &\necho $! > "+pipe+"\nwait\n")
	if err := os.Chmod(tool, 0o755); err != nil {
		t.Fatal(err)
	}
	b := newBuilder(t, dir)
	b.opts.Go = tool
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := b.Build(ctx)
		done <- err
	}()
	pid := waitForPID(t, pipe)
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("build: %v, want context.Canceled", err)
	}
	waitForEnd(t, pid)
}

// until waits for a state of another process, which nothing announces.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.After(60 * time.Second)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited in vain for %s", what)
		}
	}
}
