package sqlite_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/goparty-dev/party/runtime/storage"
	"github.com/goparty-dev/party/runtime/storage/sqlite"
)

// Environment of a child: what it is to do, and where.
const (
	childRole = "PARTY_SQLITE_TEST_CHILD"
	childDir  = "PARTY_SQLITE_TEST_DIR"
)

// child is this program, started again.
type child struct {
	cmd   *exec.Cmd
	stdin io.Closer
	lines *bufio.Scanner // what it writes
}

func spawn(t *testing.T, role, dir string) *child {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childRole+"="+role, childDir+"="+dir)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return &child{cmd, stdin, bufio.NewScanner(stdout)}
}

// kill kills the child with SIGKILL, as a power cut would as far as the process is concerned.
func (c *child) kill() { c.cmd.Process.Kill() }

// runChild is main in a child. It ends when it is killed or its standard input does.
func runChild(role string) int {
	s, err := sqlite.Open(file(os.Getenv(childDir)), sqlite.Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	switch role {
	case "hold":
		fmt.Println("open")
	case "write":
		for _, room := range crashRooms {
			if err := writeTurns(s, room); err != nil {
				fmt.Fprintln(os.Stderr, err)
				return 1
			}
		}
	}
	io.Copy(io.Discard, os.Stdin)
	return 0
}

var crashRooms = []storage.Room{
	{Party: "chat", Name: "a"}, {Party: "chat", Name: "b"}, {Party: "game", Name: "a"}, {Party: "game", Name: "b"},
}

// writeTurns writes one turn after the other to a room, some of them at a time, from
// where the last process has got to, and acknowledges each on standard output.
func writeTurns(s *sqlite.Store, room storage.Room) error {
	c, err := s.Claim(context.Background(), room)
	if err != nil {
		return err
	}
	last, err := lastTurn(s, room)
	if err != nil {
		return err
	}
	// The first turns are all on their way before what follows one of them: or it overtakes them.
	begun := make(chan struct{})
	var next func(n int)
	next = func(n int) {
		s.Commit(crashTurn(room, c.Fence, n), func(err error) {
			if err != nil {
				fmt.Fprintf(os.Stderr, "turn %d: %v\n", n, err)
				os.Exit(1)
			}
			// One write, so that a kill leaves no half of an acknowledgement.
			fmt.Fprintf(os.Stdout, "%s %d\n", room, n)
			<-begun
			next(n + ahead)
		})
	}
	for n := range ahead {
		next(last + 1 + n)
	}
	close(begun)
	return nil
}

// ahead is how many turns of a room are written at a time.
const ahead = 3

// crashTurn is the turn with a number: the keys a to d have its number, a log
// has it as a key, and the alarm is that many seconds after noon.
func crashTurn(room storage.Room, fence storage.Fence, n int) storage.Commit {
	c := storage.Commit{Room: room, Fence: fence, Alarm: storage.SetAlarm, AlarmAt: alarmOf(n)}
	for _, key := range []string{"a", "b", "c", "d"} {
		c.Ops = append(c.Ops, put(key, strconv.Itoa(n)))
	}
	return withLog(c, n)
}
