//go:build unix

package hostproc

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/goparty-dev/party/internal/child"
)

// Process is a host that was started. Its methods are safe for concurrent use.
type Process struct {
	// set by Start, then read-only
	conn   net.Conn
	child  *child.Child
	exited chan struct{}
	reason Reason // set before exited is closed
}

// Start starts a host. The error is about the start itself; whatever the
// program does is told by Exited and Reason.
func Start(opts Options) (*Process, error) {
	conn, theirs, err := pair()
	if err != nil {
		return nil, fmt.Errorf("join the host: %w", err)
	}
	defer theirs.Close()

	var last tail
	out := &lines{each: opts.Stdout}
	errOut := &lines{each: func(line string) {
		last.add(line)
		if opts.Stderr != nil && opts.Output == nil {
			opts.Stderr(line)
		}
	}}
	cmd := exec.Command(opts.Binary)
	cmd.Dir = opts.Dir
	cmd.Env = append(append([]string{}, opts.Env...), EnvFD+"=3")
	cmd.ExtraFiles = []*os.File{theirs}
	cmd.Stdout, cmd.Stderr = out, errOut
	if opts.Output != nil {
		cmd.Stdout, cmd.Stderr = opts.Output, &tee{opts.Output, errOut}
	}
	c, err := child.Start(cmd)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("start the host: %w", err), conn.Close())
	}
	p := &Process{conn: conn, child: c, exited: make(chan struct{})}
	started := time.Now()
	go func() {
		<-c.Exited()
		out.flush()
		errOut.flush()
		p.reason = explain(c, &last, opts.Source)
		p.reason.Uptime = time.Since(started)
		close(p.exited)
	}()
	return p, nil
}

// Conn is this process's end of the link. Whoever takes it closes it.
func (p *Process) Conn() net.Conn { return p.conn }

// PID is the process's number, and that of its group.
func (p *Process) PID() int { return p.child.PID }

// Exited is closed when the process and its group are gone.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Reason says how the process ended. It may be called when Exited is closed.
func (p *Process) Reason() Reason { return p.reason }

// Kill ends the process and its group, unless they have ended, waits until
// they are gone, and closes the link.
func (p *Process) Kill() {
	p.child.Kill()
	<-p.exited
	_ = p.conn.Close() // it may be closed, or broken; both are fine
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

// explain puts together what is known of a process's end.
func explain(c *child.Child, log *tail, source string) Reason {
	r := Reason{Summary: strings.TrimPrefix(c.How(), "it "), Log: log.last}
	state := c.State()
	if len(log.panic) == 0 || state == nil {
		return r
	}
	// Go's own end has status 2, or SIGABRT if the user asks for a core; with any other the
	// word was only printed.
	ws, ok := state.Sys().(syscall.WaitStatus)
	if state.ExitCode() == 2 || ok && ws.Signaled() && ws.Signal() == syscall.SIGABRT {
		r.Log = log.panic
		r.Panic, r.Pos, r.Func = readPanic(log.panic, source)
	}
	return r
}
