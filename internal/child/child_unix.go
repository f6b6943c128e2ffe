//go:build unix

package child

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// Child is a process that was started. Its methods are safe for concurrent use.
type Child struct {
	// set by Start, then read-only
	PID    int
	exited chan struct{}
	how    string // set before exited is closed, as what follows
	state  *os.ProcessState
}

// Start starts a command, which must not be used otherwise. The error is about the start itself. What the command
// prints is written by the time Exited is closed, unless a grandchild keeps the output open.
//
// On other systems than Linux, a killed parent does not end its children: they have to notice by themselves.
func Start(cmd *exec.Cmd) (*Child, error) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = new(syscall.SysProcAttr)
	}
	bind(cmd.SysProcAttr)
	// A grandchild in a group of its own may keep the output open for good.
	cmd.WaitDelay = 500 * time.Millisecond
	c := &Child{exited: make(chan struct{})}
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
		c.PID = cmd.Process.Pid
		failed <- nil
		// What it left behind is best killed before the leader is reaped, while its number surely means this group.
		// There is mostly nobody.
		ended := await(c.PID)
		if ended {
			_ = syscall.Kill(-c.PID, syscall.SIGKILL)
		}
		err := cmd.Wait()
		if !ended {
			_ = syscall.Kill(-c.PID, syscall.SIGKILL)
		}
		c.how, c.state = explain(cmd, err), cmd.ProcessState
		close(c.exited)
	}()
	if err := <-failed; err != nil {
		return nil, err
	}
	return c, nil
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
			Stdin: cmd.Stdin, Stdout: cmd.Stdout, Stderr: cmd.Stderr, SysProcAttr: cmd.SysProcAttr, WaitDelay: cmd.WaitDelay,
		}
	}
}

// Exited is closed when the process is gone.
func (c *Child) Exited() <-chan struct{} { return c.exited }

// How says how the process has ended, once Exited is closed.
func (c *Child) How() string {
	<-c.exited
	return c.how
}

// State is how the process has ended, once Exited is closed; nil if it is lost.
func (c *Child) State() *os.ProcessState {
	<-c.exited
	return c.state
}

// Ask sends SIGTERM to the process, unless it has ended.
func (c *Child) Ask() {
	select {
	case <-c.exited:
	default:
		_ = syscall.Kill(c.PID, syscall.SIGTERM) // it may have gone this moment
	}
}

// Kill ends the process and its group, unless they have ended, and waits until they are gone.
func (c *Child) Kill() {
	select {
	case <-c.exited:
	default:
		_ = syscall.Kill(-c.PID, syscall.SIGKILL) // as above
		<-c.exited
	}
}

func explain(cmd *exec.Cmd, err error) string {
	if cmd.ProcessState == nil {
		return fmt.Sprintf("it is lost: %v", err)
	}
	if ws, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && ws.Signaled() {
		return fmt.Sprintf("it was killed by signal %d (%s)", ws.Signal(), ws.Signal())
	}
	return fmt.Sprintf("it exited with status %d", cmd.ProcessState.ExitCode())
}
