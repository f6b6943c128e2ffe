//go:build unix

package server_test

import (
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestFiveVersionsBeforeACrowd goes through versions while a crowd talks: a good one, one that crashes, one that cannot
// migrate data, one that is killed in the middle of the hand-over to it, and one before which the version that gives the rooms
// away is. Nobody may lose a message, get one twice, or be cut off.
func TestFiveVersionsBeforeACrowd(t *testing.T) {
	s := newSite(t)
	for _, v := range []string{"v1", "v2", "crashing", "unable", "v4", "v5"} {
		install(t, s.file(v), v)
	}
	s.start(s.file("v1"), "--probation", "4s")
	c := s.crowd()
	const kept = "handed over" // the rooms that live; others sleep through it
	s.want(0, kept, "upgrade", "v2", "--data", "data")
	s.want(1, "crashed on probation", "upgrade", "crashing", "--data", "data")
	s.want(1, "could not migrate the data of", "upgrade", "unable", "--data", "data")
	s.serves("v2")

	upgrade, _ := s.midway("v4")
	s.kill(s.host())
	if out, err := upgrade(); err == nil || !strings.Contains(out, "crashed on probation") {
		t.Errorf("the version that was killed: %v\n%s", err, out)
	}
	s.serves("v2")
	upgrade, old := s.midway("v5")
	s.kill(old)
	if out, err := upgrade(); err != nil || !strings.Contains(out, "proven") {
		t.Errorf("the version that gets the rooms of one that is killed: %v\n%s", err, out)
	}
	s.serves("v5")
	s.want(0, kept, "rollback", "--data", "data")
	s.serves("v2")
	c.finish()
	s.stop()
}

// midway asks for an upgrade, and returns when the new version has begun to get rooms: then old is the process
// that gives them away. end waits for what becomes of the upgrade.
func (s *site) midway(version string) (end func() (out string, err error), old int) {
	s.t.Helper()
	old = s.host()
	cmd := s.command(s.file("v1"), "upgrade", version, "--data", "data")
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for deadline := time.Now().Add(3 * patience); s.host() == old; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("version %s does not get rooms", version)
		}
	}
	return func() (string, error) {
		select {
		case err := <-ended:
			return out.String(), err
		case <-time.After(6 * patience):
			kill(cmd)
			return out.String(), fmt.Errorf("the upgrade to %s does not end", version)
		}
	}, old
}

func kill(cmd *exec.Cmd) { _ = cmd.Process.Kill() }

// kill ends a process, which may be gone already, with SIGKILL.
func (s *site) kill(pid int) { _ = syscall.Kill(pid, syscall.SIGKILL) }

// TestThePlatformIsKilledInAHandOver ends everything with SIGKILL while rooms move. The connections are
// lost, which nothing can help; what anybody was told of is there after a restart.
func TestThePlatformIsKilledInAHandOver(t *testing.T) {
	s := newSite(t)
	install(t, s.file("v1"), "v1")
	install(t, s.file("v2"), "v2")
	s.start(s.file("v1"))
	c := s.crowd()
	for deadline := time.Now().Add(3 * patience); ; time.Sleep(time.Millisecond) { // until there is something to lose
		if heard, _, _ := c.members[0].state(); heard > 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("nobody hears anything")
		}
	}
	_, host := s.midway("v2")
	s.signal(syscall.SIGKILL)
	within(t, s.gone, "the server to end")
	acknowledged := c.cut()
	for deadline := time.Now().Add(3 * patience); syscall.Kill(host, 0) == nil; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("a host has outlived its platform")
		}
	}

	s.start(s.file("v1"))
	s.serves("v1") // the other one was on probation
	c.checkStored(s.url)
	t.Logf("%d messages were acknowledged", acknowledged)
	s.want(1, "there is no version before this one", "rollback", "--data", "data")
	s.want(0, "handed over", "upgrade", "v2", "--no-wait", "--data", "data")
	c.checkStored(s.url)
	s.serves("v2")
	s.stop()
}

// TestARoomThatCannotBeMigrated is one among others that can: the version stays, and everybody hears of the room.
func TestARoomThatCannotBeMigrated(t *testing.T) {
	s := newSite(t)
	for _, v := range []string{"v1", "picky", "v3"} {
		install(t, s.file(v), v)
	}
	s.start(s.file("v1"), "--probation", "5s")
	for _, room := range []string{"a", "b", "poisoned"} {
		fetch(t, "POST", s.url+"/parties/tally/"+room+"?who=me&what=1", "").check(t, 200, "v1")
	}
	s.want(0, "handed over", "upgrade", "picky", "--no-wait", "--data", "data")
	for _, room := range []string{"a", "b"} {
		fetch(t, "POST", s.url+"/parties/tally/"+room+"?who=me&what=1", "").check(t, 200, "picky")
	}
	if got := visit(t, s.url+"/parties/tally/poisoned"); got.status != 500 {
		t.Errorf("the room: got %d %s", got.status, got.body)
	}
	s.await("the data of a room cannot be migrated; it is as it was")
	s.await("version proven version=" + s.id("picky"))
	s.want(0, "rooms whose data it cannot migrate: 1\n  tally/poisoned: migrate the room's data to version 2: this data is strange", "status", "--data", "data")
	s.serves("picky")
	s.want(0, "handed over", "upgrade", "v3", "--no-wait", "--data", "data")
	visit(t, s.url+"/parties/tally/poisoned?stored").check(t, 200, "n 1\nof me 1\n")
	s.stop()
}
