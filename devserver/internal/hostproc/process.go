//go:build unix

package hostproc

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// Process is a host that was started. Its methods are safe for concurrent use.
type Process struct {
	// set by Start, then read-only
	conn    net.Conn
	pid     int
	started time.Time
	exited  chan struct{}
	reason  Reason // set before exited is closed
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
		if opts.Stderr != nil {
			opts.Stderr(line)
		}
	}}
	cmd := exec.Command(opts.Binary)
	cmd.Dir = opts.Dir
	cmd.Env = append(append([]string{}, opts.Env...), EnvFD+"=3")
	cmd.ExtraFiles = []*os.File{theirs}
	cmd.Stdout, cmd.Stderr = out, errOut
	cmd.SysProcAttr = attributes()
	// A grandchild in a group of its own may keep the output open for good.
	cmd.WaitDelay = 500 * time.Millisecond

	p := &Process{conn: conn, started: time.Now(), exited: make(chan struct{})}
	failed := make(chan error, 1)
	go func() {
		// Linux kills the child when the thread that started it ends, so that
		// thread is kept for as long as the child lives.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := cmd.Start(); err != nil {
			failed <- err
			return
		}
		p.pid = cmd.Process.Pid
		failed <- nil
		// Best before the leader is reaped, while its number surely means this group.
		// There is mostly nobody left to kill.
		ended := await(p.pid)
		if ended {
			_ = syscall.Kill(-p.pid, syscall.SIGKILL)
		}
		err := cmd.Wait()
		if !ended {
			_ = syscall.Kill(-p.pid, syscall.SIGKILL)
		}
		out.flush()
		errOut.flush()
		p.reason = explain(cmd.ProcessState, err, &last, opts.Source)
		p.reason.Uptime = time.Since(p.started)
		close(p.exited)
	}()
	if err := <-failed; err != nil {
		return nil, errors.Join(fmt.Errorf("start the host: %w", err), conn.Close())
	}
	return p, nil
}

// Conn is this process's end of the link. Whoever takes it closes it.
func (p *Process) Conn() net.Conn { return p.conn }

// PID is the process's number, and that of its group.
func (p *Process) PID() int { return p.pid }

// Exited is closed when the process and its group are gone.
func (p *Process) Exited() <-chan struct{} { return p.exited }

// Reason says how the process ended. It may be called when Exited is closed.
func (p *Process) Reason() Reason { return p.reason }

// Kill ends the process and its group, unless they have ended, waits until
// they are gone, and closes the link.
func (p *Process) Kill() {
	select {
	case <-p.exited:
	default:
		_ = syscall.Kill(-p.pid, syscall.SIGKILL) // it may have gone this moment
		<-p.exited
	}
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
func explain(state *os.ProcessState, err error, log *tail, source string) Reason {
	r := Reason{Log: log.last}
	if state == nil {
		r.Summary = fmt.Sprintf("is lost: %v", err)
		return r
	}
	ws, ok := state.Sys().(syscall.WaitStatus)
	if ok && ws.Signaled() {
		r.Summary = fmt.Sprintf("was killed by signal %d (%s)", ws.Signal(), ws.Signal())
	} else {
		r.Summary = fmt.Sprintf("exited with status %d", state.ExitCode())
	}
	// Go's own end has status 2, or SIGABRT if the user asks for a core; with any other the
	// word was only printed.
	if len(log.panic) > 0 && (state.ExitCode() == 2 || ok && ws.Signaled() && ws.Signal() == syscall.SIGABRT) {
		r.Log = log.panic
		r.Panic, r.Pos, r.Func = readPanic(log.panic, source)
	}
	return r
}
