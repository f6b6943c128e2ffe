//go:build unix

package child

import (
	"bufio"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestMain is also a parent that starts a child, says its number, and waits to be killed.
func TestMain(m *testing.M) {
	if os.Getenv("CHILD_TEST_PARENT") != "" {
		c, err := Start(exec.Command("sleep", "600"))
		if err != nil {
			panic(err)
		}
		os.Stdout.WriteString(strconv.Itoa(c.PID) + "\n")
		select {}
	}
	os.Exit(m.Run())
}

func TestHow(t *testing.T) {
	for script, want := range map[string]string{
		"exit 0": "it exited with status 0", "exit 3": "it exited with status 3", "kill -USR1 $$": "it was killed by signal 10 (user defined signal 1)",
	} {
		c, err := Start(exec.Command("sh", "-c", script))
		if err != nil {
			t.Fatal(err)
		}
		if got := c.How(); got != want {
			t.Errorf("%s: got %q, want %q", script, got, want)
		}
		c.Kill() // does nothing any more
		c.Ask()
	}
	if _, err := Start(exec.Command("/nonexistent")); err == nil {
		t.Error("a program that is not there was started")
	}
}

// printed makes what a command prints readable, also when it has ended.
func printed(t *testing.T, cmd *exec.Cmd) *bufio.Reader {
	t.Helper()
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); out.Close() })
	cmd.Stdout = out
	return bufio.NewReader(in)
}

func TestAsk(t *testing.T) {
	cmd := exec.Command("sh", "-c", `trap 'echo bye; exit 7' TERM; echo up; while :; do sleep 0.01; done`)
	lines := printed(t, cmd)
	c, err := Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	if line, err := lines.ReadString('\n'); line != "up\n" {
		t.Fatalf("got %q, %v", line, err)
	}
	c.Ask()
	if line, err := lines.ReadString('\n'); line != "bye\n" {
		t.Errorf("got %q, %v", line, err)
	}
	if got := c.How(); got != "it exited with status 7" {
		t.Errorf("got %q", got)
	}
}

func TestKillEndsTheGroup(t *testing.T) {
	cmd := exec.Command("sh", "-c", "sleep 600 & echo $!; wait")
	lines := printed(t, cmd)
	c, err := Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	line, err := lines.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	c.Kill()
	waitGone(t, strings.TrimSpace(line))
}

func TestChildDiesWithItsParent(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("only Linux ends children")
	}
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), "CHILD_TEST_PARENT=1")
	lines := printed(t, parent)
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := lines.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	parent.Wait() // it was killed
	waitGone(t, strings.TrimSpace(line))
}

// waitGone waits until a process has ended; one that nobody waits for counts as ended.
func waitGone(t *testing.T, number string) {
	t.Helper()
	pid, err := strconv.Atoi(number)
	if err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		stat, err := os.ReadFile("/proc/" + number + "/stat")
		if err != nil && syscall.Kill(pid, 0) != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
	}
	t.Errorf("process %d is still there", pid)
}
