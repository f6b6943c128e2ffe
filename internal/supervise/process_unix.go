//go:build unix

package supervise

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
}

// startProcess starts a binary as a host. The error is about the start itself.
//
// No host outlives its use: it has a process group of its own, which is killed
// with it, and it ends when this process ends, however that happens.
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
	cmd.SysProcAttr = attributes()
	// A grandchild in a group of its own may keep the output open for good.
	cmd.WaitDelay = 500 * time.Millisecond

	p := &process{conn: conn, exited: make(chan struct{})}
	failed := make(chan error, 1)
	go func() {
		// Linux kills the child when the thread that started it ends, so that
		// thread is kept for as long as the child lives.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := launch(cmd); err != nil {
			failed <- err
			return
		}
		p.pid = cmd.Process.Pid
		failed <- nil
		err := cmd.Wait()
		_ = syscall.Kill(-p.pid, syscall.SIGKILL) // what it left behind; mostly there is nothing
		p.reason = explain(cmd.ProcessState, err, log)
		close(p.exited)
	}()
	if err := <-failed; err != nil {
		return nil, errors.Join(fmt.Errorf("start the host: %w", err), conn.Close())
	}
	return p, nil
}

// launch starts a command whose binary may just have been written: a child that was forked
// meanwhile holds it open for writing until its own exec.
func launch(cmd *exec.Cmd) error {
	for wait := time.Millisecond; ; wait *= 2 {
		err := cmd.Start()
		if !errors.Is(err, syscall.ETXTBSY) || wait > time.Second {
			return err
		}
		time.Sleep(wait)
		*cmd = exec.Cmd{
			Path: cmd.Path, Args: cmd.Args, Dir: cmd.Dir, Env: cmd.Env, ExtraFiles: cmd.ExtraFiles,
			Stdout: cmd.Stdout, Stderr: cmd.Stderr, SysProcAttr: cmd.SysProcAttr, WaitDelay: cmd.WaitDelay,
		}
	}
}

// kill ends the process and its group, unless they have ended, and waits until they are gone.
func (p *process) kill() {
	select {
	case <-p.exited:
	default:
		_ = syscall.Kill(-p.pid, syscall.SIGKILL) // it may have gone this moment
		<-p.exited
	}
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

// explain says how a process has ended.
func explain(state *os.ProcessState, err error, log *tail) string {
	if state == nil {
		return fmt.Sprintf("it is lost: %v", err)
	}
	text := fmt.Sprintf("it exited with status %d", state.ExitCode())
	if ws, ok := state.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		text = fmt.Sprintf("it was killed by signal %d (%s)", ws.Signal(), ws.Signal())
	}
	if said := log.text(); said != "" {
		text += ", and said:\n" + said
	}
	return text
}
