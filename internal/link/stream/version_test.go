package stream

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/version")

// TestVersionCoversTheFrames notices changes of the files that say how frames
// look. Two processes that disagree about that must have different versions: a
// command that was built before the change meets a checkout from after it.
func TestVersionCoversTheFrames(t *testing.T) {
	files, err := filepath.Glob("codec*.go")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.New()
	for _, f := range append(files, "frame.go", "handshake.go", "socket.go") {
		if matched, _ := filepath.Match("*_test.go", f); matched {
			continue
		}
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		sum.Write(data)
	}
	got := fmt.Sprintf("%d %x\n", Version, sum.Sum(nil))
	path := filepath.Join("testdata", "version")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("files that say how frames look have changed: raise Version if the frames have, then run go test ./internal/link/stream -run Version -update\n got %swant %s", got, want)
	}
}
