package remote

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/knownhosts"
)

// UnknownKey is the key of a server that is in no known_hosts file.
type UnknownKey struct {
	Server      string // as known_hosts names it: HOST or [HOST]:PORT
	Type        string // ssh-ed25519 and the like
	Fingerprint string // SHA256:…, as ssh-keygen -l shows it
}

// Errors of a server's key.
var (
	// ErrUnknownKey is returned for an unknown key that was not accepted.
	ErrUnknownKey = errors.New("the key of the server is not known")
	// ErrChangedKey is returned if known_hosts has another key for the server.
	ErrChangedKey = errors.New("the key of the server is not the one that is known")
)

// hostKeys checks keys of servers.
type hostKeys struct {
	own   string // known_hosts file that new keys are written to
	check ssh.HostKeyCallback
	trust func(context.Context, UnknownKey) error
}

// newHostKeys reads the user's known_hosts file, which need not exist, and those of the system.
func newHostKeys(own string, trust func(context.Context, UnknownKey) error) (*hostKeys, error) {
	var files []string
	for _, f := range []string{own, "/etc/ssh/ssh_known_hosts"} {
		if _, err := os.Stat(f); err == nil {
			files = append(files, f)
		} else if !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("known keys of servers: %w", err)
		}
	}
	check, err := knownhosts.New(files...)
	if err != nil {
		return nil, fmt.Errorf("known keys of servers: %w", err)
	}
	return &hostKeys{own, check, trust}, nil
}

// algorithms are all for keys of servers, in an order that makes a server show the key that is known of it.
func (h *hostKeys) algorithms(address string) []string {
	all := ssh.SupportedAlgorithms().HostKeys
	probe, err := ssh.NewPublicKey(ed25519.PublicKey(make([]byte, ed25519.PublicKeySize)))
	if err != nil {
		return all
	}
	wrong := (*knownhosts.KeyError)(nil)
	if !errors.As(h.check(address, &net.TCPAddr{}, probe), &wrong) {
		return all
	}
	var first []string
	for _, known := range wrong.Want {
		switch t := known.Key.Type(); t {
		case ssh.KeyAlgoRSA:
			first = append(first, ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256)
		default:
			first = append(first, t)
		}
	}
	for _, a := range all {
		if !slices.Contains(first, a) {
			first = append(first, a)
		}
	}
	return first
}

// decide is an error unless a server's key is the one that is known of it, or is trusted from now on.
func (h *hostKeys) decide(ctx context.Context, address string, remote net.Addr, key ssh.PublicKey) error {
	err := h.check(address, remote, key)
	wrong := (*knownhosts.KeyError)(nil)
	if !errors.As(err, &wrong) {
		return err // nil, or a key that is revoked
	}
	name := knownhosts.Normalize(address)
	fingerprint := ssh.FingerprintSHA256(key)
	if len(wrong.Want) > 0 {
		known := wrong.Want[0]
		return fmt.Errorf("%w: %s shows the %s key %s, but %s line %d has %s. Somebody may be in between; if the server has a new key, remove that line",
			ErrChangedKey, name, key.Type(), fingerprint, known.Filename, known.Line, ssh.FingerprintSHA256(known.Key))
	}
	unknown := UnknownKey{Server: name, Type: key.Type(), Fingerprint: fingerprint}
	if h.trust == nil {
		return fmt.Errorf("%w: %s shows the %s key %s", ErrUnknownKey, name, unknown.Type, fingerprint)
	}
	if err := h.trust(ctx, unknown); err != nil {
		return fmt.Errorf("%w: %w", ErrUnknownKey, err)
	}
	return h.remember(name, key)
}

// remember writes a key into the user's file.
func (h *hostKeys) remember(name string, key ssh.PublicKey) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("remember the key of the server: %w", err)
		}
	}()
	if err := os.MkdirAll(filepath.Dir(h.own), 0o700); err != nil {
		return err
	}
	line := knownhosts.Line([]string{name}, key) + "\n"
	if data, err := os.ReadFile(h.own); err == nil && len(data) > 0 && data[len(data)-1] != '\n' {
		line = "\n" + line
	}
	f, err := os.OpenFile(h.own, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(line)
	return errors.Join(err, f.Close())
}
