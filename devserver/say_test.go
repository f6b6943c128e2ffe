package devserver

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0.0 ms", 3200 * time.Microsecond: "3.2 ms", 412 * time.Millisecond: "412 ms",
		1500 * time.Millisecond: "1.5 s", 90 * time.Second: "1m30s",
	} {
		if got := span(d); got != want {
			t.Errorf("span(%d) = %q, want %q", d, got, want)
		}
	}
}

func TestShownHost(t *testing.T) {
	for host, want := range map[string]string{
		"": "localhost", "127.0.0.1": "localhost", "::1": "localhost", "0.0.0.0": "localhost", "::": "localhost",
		"192.168.1.5": "192.168.1.5", "devbox.lan": "devbox.lan",
	} {
		if got := shownHost(host); got != want {
			t.Errorf("shownHost(%q) = %q, want %q", host, got, want)
		}
	}
}

func TestBinariesOfKilledRunsAreRemoved(t *testing.T) {
	project := t.TempDir()
	all := filepath.Join(project, ".party", "build")
	// No process has a number that large.
	dead, living := filepath.Join(all, strconv.Itoa(1<<30)), filepath.Join(all, strconv.Itoa(os.Getppid()))
	for _, dir := range []string{dead, living} {
		write(t, filepath.Join(dir, "host-1"), "x")
	}
	if got, want := buildFolder(project), filepath.Join(all, strconv.Itoa(os.Getpid())); got != want {
		t.Errorf("folder %s, want %s", got, want)
	}
	if _, err := os.Stat(dead); !os.IsNotExist(err) {
		t.Errorf("the folder of a dead process is there (%v)", err)
	}
	if _, err := os.Stat(living); err != nil {
		t.Errorf("the folder of a living process is gone: %v", err)
	}
}
