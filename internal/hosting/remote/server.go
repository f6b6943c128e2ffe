package remote

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

// Options say how to get into a server.
type Options struct {
	// Home is the folder that .ssh is in; by default the user's.
	Home string
	// Identity is the file of the private key to use; by default the agent's keys and the usual files.
	Identity string
	// Trust decides about a key that is not known: nil to remember it as the server's from now on, an error to
	// turn back. Without Trust every key has to be known.
	Trust func(context.Context, UnknownKey) error
	// Passphrase asks for that of a key file. Without it such keys are not used.
	Passphrase func(ctx context.Context, file string) (string, error)
}

// Time limits of Dial.
const (
	connectTime = 15 * time.Second
	alive       = 20 * time.Second // between signs of life
)

// Server is a connection to a server. It is safe for concurrent use.
type Server struct {
	Target Target
	client *ssh.Client

	stop chan struct{}
	wait sync.WaitGroup
	once sync.Once
}

// Dial connects to a server and proves who it is and who asks.
func Dial(ctx context.Context, t Target, o Options) (_ *Server, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("connect to %s: %w", t, err)
		}
	}()
	if o.Home == "" {
		if o.Home, err = os.UserHomeDir(); err != nil {
			return nil, err
		}
	}
	folder := filepath.Join(o.Home, ".ssh")
	keys, err := newHostKeys(filepath.Join(folder, "known_hosts"), o.Trust)
	if err != nil {
		return nil, err
	}
	ring := &keyring{identity: o.Identity, folder: folder, passphrase: o.Passphrase}
	defer ring.close()
	// The callback's errors do not survive in the one of the handshake.
	var keyErr error
	config := &ssh.ClientConfig{
		User:              t.User,
		Auth:              []ssh.AuthMethod{ssh.PublicKeysCallback(func() ([]ssh.Signer, error) { return ring.signers(ctx) })},
		HostKeyAlgorithms: keys.algorithms(t.address()),
		HostKeyCallback: func(address string, remote net.Addr, key ssh.PublicKey) error {
			keyErr = keys.decide(ctx, address, remote, key)
			return keyErr
		},
	}
	conn, err := (&net.Dialer{Timeout: connectTime}).DialContext(ctx, "tcp", t.address())
	if err != nil {
		return nil, err
	}
	ended := context.AfterFunc(ctx, func() { _ = conn.Close() }) // there is no other way to end a handshake
	c, chans, requests, err := ssh.NewClientConn(conn, t.address(), config)
	if !ended() && err == nil {
		err = errors.Join(context.Cause(ctx), c.Close())
	}
	if err != nil {
		_ = conn.Close() // it failed already
		switch {
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case keyErr != nil:
			return nil, keyErr
		case strings.Contains(err.Error(), "unable to authenticate"):
			return nil, ring.refused(t)
		}
		return nil, err
	}
	s := &Server{Target: t, client: ssh.NewClient(c, chans, requests), stop: make(chan struct{})}
	s.wait.Go(s.stayAlive)
	return s, nil
}

// stayAlive keeps what is in between from forgetting a silent connection, and ends one that is dead.
func (s *Server) stayAlive() {
	tick := time.NewTicker(alive)
	defer tick.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-tick.C:
			answered := make(chan error, 1)
			go func() {
				_, _, err := s.client.SendRequest("keepalive@openssh.com", true, nil)
				answered <- err
			}()
			select {
			case <-answered:
			case <-s.stop:
				return
			case <-time.After(2 * alive):
				_ = s.client.Close() // whoever waits for it hears of that
				return
			}
		}
	}
}

// Close ends the connection, with all that goes through it.
func (s *Server) Close() error {
	var err error
	s.once.Do(func() {
		close(s.stop)
		err = s.client.Close()
		s.wait.Wait()
	})
	return err
}

// DialContext makes a connection from the server: "tcp" to HOST:PORT, or "unix" to a path.
func (s *Server) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := s.client.DialContext(ctx, network, address)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: network, Err: fmt.Errorf("from %s to %s: %w", s.Target.Host, address, err)}
	}
	return conn, nil
}
