package stream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/goparty-dev/party/internal/link"
)

// Version is the version of what the two ends say to each other. It changes
// with every change of a frame.
const Version = 4

// magic begins the first frame each way, whatever the version.
const magic = "party link"

// Init is what the platform tells a fresh host process.
type Init struct {
	Vars      []byte        // the environment, a JSON object; may be nil
	Dev       bool          // show stack traces to clients
	IdleAfter time.Duration // how long a room must be idle to be dropped from memory; 0 for the host's default
	LogLevel  slog.Level    // least level to log. Default info
}

// versionError is a handshake with another version.
type versionError struct {
	who     string
	version uint64
}

func (e *versionError) Error() string {
	return fmt.Sprintf("%s speaks version %d of the link and this program version %d: rebuild both with the same version of party", e.who, e.version, Version)
}

// hello reads the first frame and returns what follows the version.
func hello(r *frameReader, they string) (*decoder, error) {
	k, payload, err := r.next()
	if err != nil {
		return nil, fmt.Errorf("handshake with %s: %w", they, err)
	}
	d := &decoder{b: payload}
	if k != kindHello || string(d.raw(uint64(len(magic)))) != magic {
		return nil, fmt.Errorf("handshake with %s: this is not a party link", they)
	}
	version := d.uint()
	if d.bad {
		return nil, fmt.Errorf("handshake with %s: %w", they, errMalformed)
	}
	if version != Version {
		return nil, &versionError{they, version}
	}
	return d, nil
}

func beginHello(w *writer) []byte {
	return appendUint(append(w.begin(kindHello), magic...), Version)
}

func (w *writer) sendHello(b []byte) error {
	if err := w.end(b); err != nil {
		return err
	}
	w.flush()
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

// greet is the platform's side of the handshake.
func greet(ctx context.Context, conn net.Conn, r *frameReader, w *writer, init Init) (link.Info, error) {
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	info, err := exchange(r, w, init)
	if !stop() {
		return link.Info{}, fmt.Errorf("handshake with the host: %w", ctx.Err())
	}
	return info, err
}

func exchange(r *frameReader, w *writer, init Init) (link.Info, error) {
	if err := w.sendHello(appendInit(beginHello(w), &init)); err != nil {
		return link.Info{}, fmt.Errorf("handshake with the host: %w", err)
	}
	d, err := hello(r, "the host")
	if err != nil {
		return link.Info{}, err
	}
	failed := d.error()
	info := d.info()
	if err := d.done(); err != nil {
		return link.Info{}, fmt.Errorf("handshake with the host: %w", err)
	}
	if failed != nil {
		return link.Info{}, fmt.Errorf("start the host: %w", failed)
	}
	return info, nil
}

// welcome is the host's side of the handshake. A peer of another version gets
// ours before the error is returned, so that it can say so too.
func welcome(r *frameReader, w *writer, start func(Init) (link.Host, error)) (link.Host, error) {
	d, err := hello(r, "the platform")
	if err != nil {
		if other := (*versionError)(nil); errors.As(err, &other) {
			w.sendHello(beginHello(w))
		}
		return nil, err
	}
	init := d.init()
	if err := d.done(); err != nil {
		return nil, fmt.Errorf("handshake with the platform: %w", err)
	}
	host, err := start(init)
	var info link.Info
	if err == nil {
		info = host.Info()
	}
	if sent := w.sendHello(appendInfo(appendError(beginHello(w), err), info)); sent != nil {
		return nil, errors.Join(err, fmt.Errorf("handshake with the platform: %w", sent))
	}
	return host, err
}
