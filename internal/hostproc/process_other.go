//go:build !unix

package hostproc

import (
	"errors"
	"net"
)

// ErrUnsupported says that this system has no way to hand a socket to a child process.
var ErrUnsupported = errors.New("hosts in processes of their own need a Unix system; on Windows use WSL")

// Process is never made on this system.
type Process struct{}

// Start fails with ErrUnsupported.
func Start(Options) (*Process, error) { return nil, ErrUnsupported }

func (p *Process) Conn() net.Conn          { return nil }
func (p *Process) PID() int                { return 0 }
func (p *Process) Exited() <-chan struct{} { return nil }
func (p *Process) Reason() Reason          { return Reason{} }
func (p *Process) Kill()                   {}
