package platform

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// canPark says that this system can watch sockets that nobody reads.
const canPark = true

// poller is an epoll instance of our own beside the Go runtime's, which gives sockets to goroutines that
// wait, and these sockets have none.
type poller struct {
	file   *os.File
	raw    syscall.RawConn
	fd     int
	events []unix.EpollEvent
	ready  []uint64
}

func newPoller() (*poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, err
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	p := &poller{file: os.NewFile(uintptr(fd), "epoll"), fd: fd, events: make([]unix.EpollEvent, 128)}
	if p.raw, err = p.file.SyscallConn(); err == nil {
		err = p.raw.Control(func(uintptr) {})
	}
	if err != nil {
		return nil, errors.Join(err, p.file.Close())
	}
	return p, nil
}

// watch reports a socket once, when there is something to read or it has ended.
func (p *poller) watch(r *reader, id uint64) error {
	ev := unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLRDHUP | unix.EPOLLONESHOT, Fd: int32(id), Pad: int32(id >> 32)}
	var failed error
	err := r.raw.Control(func(fd uintptr) {
		op := unix.EPOLL_CTL_MOD
		if !r.watched {
			op = unix.EPOLL_CTL_ADD
		}
		if failed = unix.EpollCtl(p.fd, op, int(fd), &ev); failed == nil {
			r.watched = true
		}
	})
	return errors.Join(err, failed)
}

// wait returns sockets that are to be looked at, valid until the next call, or false after close.
func (p *poller) wait() ([]uint64, bool) {
	p.ready = p.ready[:0]
	err := p.raw.Read(func(fd uintptr) bool {
		n, err := unix.EpollWait(int(fd), p.events, 0)
		for err == unix.EINTR {
			n, err = unix.EpollWait(int(fd), p.events, 0)
		}
		for _, ev := range p.events[:max(n, 0)] {
			p.ready = append(p.ready, uint64(uint32(ev.Fd))|uint64(uint32(ev.Pad))<<32)
		}
		return n > 0
	})
	return p.ready, err == nil
}

func (p *poller) close() { _ = p.file.Close() }
