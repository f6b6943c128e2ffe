//go:build unix

package supervise

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"

	"github.com/goparty-dev/party/internal/child"
)

// hostFD names the environment variable that gives a host its end of the link; the
// program's Main reads it.
const hostFD = "PARTY_HOST_FD"

// process is a host that was started. Its methods are safe for concurrent use.
type process struct {
	// set by startProcess, then read-only
	conn   net.Conn
	pid    int
	exited chan struct{}
	reason string // set before exited is closed
	child  *child.Child
}

// startProcess starts a binary as a host. The error is about the start itself. No host outlives its
// use: where the system does not end it with this process, the end of the link does.
func startProcess(binary, dir string, env []string, output *os.File) (*process, error) {
	conn, theirs, err := pair()
	if err != nil {
		return nil, fmt.Errorf("join the host: %w", err)
	}
	defer theirs.Close()
	log := &tail{pass: output}
	cmd := exec.Command(binary)
	cmd.Dir, cmd.Env = dir, append(append([]string{}, env...), hostFD+"=3")
	cmd.ExtraFiles = []*os.File{theirs}
	cmd.Stdout, cmd.Stderr = output, log
	c, err := child.Start(cmd)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the host: %w", err), conn.Close())
	}
	p := &process{conn: conn, pid: c.PID, exited: make(chan struct{}), child: c}
	go func() {
		p.reason = c.How()
		if said := log.text(); said != "" {
			p.reason += ", and said:\n" + said
		}
		close(p.exited)
	}()
	return p, nil
}

// kill ends the process and its group, unless they have ended, and waits until they are gone.
func (p *process) kill() {
	p.child.Kill()
	<-p.exited
}

// pair makes the two ends of a link: a connection and a file for the child.
func pair() (net.Conn, *os.File, error) {
	syscall.ForkLock.RLock()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err == nil {
		syscall.CloseOnExec(fds[0])
		syscall.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	ours, theirs := os.NewFile(uintptr(fds[0]), "link"), os.NewFile(uintptr(fds[1]), "link")
	conn, err := net.FileConn(ours) // a copy
	if err := errors.Join(err, ours.Close()); err != nil {
		return nil, nil, errors.Join(err, theirs.Close())
	}
	return conn, theirs, nil
}
