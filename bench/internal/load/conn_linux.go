package load

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"syscall"
	"time"
)

// Conn is one client. It belongs to the goroutine that runs its loop.
type Conn struct {
	N    int       // number, for the caller
	Sent time.Time // for the caller
	Next uint64    // for the caller

	fd   int
	rest []byte // the beginning of a message
}

// handshakeTimeout bounds the exchange of an upgrade.
const handshakeTimeout = 10 * time.Second

// Dial connects to an IPv4 address.
func Dial(addr netip.AddrPort) (*Conn, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	c := &Conn{fd: fd}
	sa := &syscall.SockaddrInet4{Port: int(addr.Port()), Addr: addr.Addr().As4()}
	if err := retry(func() error { return syscall.Connect(fd, sa) }); err != nil {
		c.Close()
		return nil, fmt.Errorf("dial %s: %w", addr, os.NewSyscallError("connect", err))
	}
	if err := syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1); err != nil {
		c.Close()
		return nil, os.NewSyscallError("setsockopt", err)
	}
	return c, nil
}

// DialWebSocket connects and upgrades. Frames that come with the 101 are kept for the loop.
func DialWebSocket(addr netip.AddrPort, path string) (*Conn, error) {
	c, err := Dial(addr)
	if err != nil {
		return nil, err
	}
	if err := c.upgrade(path); err != nil {
		c.Close()
		return nil, fmt.Errorf("upgrade %s: %w", path, err)
	}
	return c, nil
}

func (c *Conn) upgrade(path string) error {
	limit := syscall.NsecToTimeval(int64(handshakeTimeout))
	if err := syscall.SetsockoptTimeval(c.fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &limit); err != nil {
		return os.NewSyscallError("setsockopt", err)
	}
	request := "GET " + path + " HTTP/1.1\r\nHost: bench\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
	if err := c.Send([]byte(request)); err != nil {
		return err
	}
	var answer []byte
	buf := make([]byte, 1024)
	for {
		var n int
		err := retry(func() (err error) { n, err = syscall.Read(c.fd, buf); return err })
		if err == nil && n == 0 {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
		answer = append(answer, buf[:n]...)
		head, rest, ok := bytes.Cut(answer, []byte("\r\n\r\n"))
		if !ok {
			continue
		}
		if !bytes.HasPrefix(head, []byte("HTTP/1.1 101")) {
			status, _, _ := bytes.Cut(head, []byte("\r\n"))
			return fmt.Errorf("server answered %q", status)
		}
		c.rest = rest
		return nil
	}
}

// errFull says that the server does not read what it is sent.
var errFull = errors.New("socket takes no more")

// Send writes b. It does not wait for a server that reads nothing: the sockets
// of a loop are not blocking.
func (c *Conn) Send(b []byte) error {
	for len(b) > 0 {
		n, err := syscall.Write(c.fd, b)
		switch err {
		case nil:
			b = b[n:]
		case syscall.EINTR:
		case syscall.EAGAIN:
			return errFull
		default:
			return os.NewSyscallError("write", err)
		}
	}
	return nil
}

// Close closes the socket.
func (c *Conn) Close() error { return os.NewSyscallError("close", syscall.Close(c.fd)) }

// Reset closes the socket with a reset, which leaves no port in TIME_WAIT.
func (c *Conn) Reset() error {
	err := syscall.SetsockoptLinger(c.fd, syscall.SOL_SOCKET, syscall.SO_LINGER, &syscall.Linger{Onoff: 1})
	return errors.Join(os.NewSyscallError("setsockopt", err), c.Close())
}

func retry(call func() error) error {
	for {
		if err := call(); err != syscall.EINTR {
			return err
		}
	}
}
