package remote

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
)

// keyFiles are the names of private keys below ~/.ssh that are tried, in this order.
var keyFiles = []string{"id_ed25519", "id_ecdsa", "id_rsa"}

// keyring finds the keys by which a user can prove who it is.
type keyring struct {
	identity   string
	folder     string // ~/.ssh
	passphrase func(ctx context.Context, file string) (string, error)

	agent io.Closer // the connection to the agent while it is in use
	tried []string  // what was offered, for the message that nothing helped
}

// signers are the keys: that of the identity only if one is named, otherwise those of the agent and of the usual files.
func (k *keyring) signers(ctx context.Context) ([]ssh.Signer, error) {
	if k.identity != "" {
		s, err := k.file(ctx, k.identity)
		if err != nil {
			return nil, err
		}
		return []ssh.Signer{s}, nil
	}
	out := k.fromAgent(ctx)
	for _, name := range keyFiles {
		s, err := k.file(ctx, filepath.Join(k.folder, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			// Another key may do. If none does, this is part of the message.
			k.tried = append(k.tried, err.Error())
			continue
		}
		out = append(out, s)
	}
	return out, nil
}

// fromAgent are the keys of ssh-agent, if one runs.
func (k *keyring) fromAgent(ctx context.Context) []ssh.Signer {
	path := os.Getenv("SSH_AUTH_SOCK")
	if path == "" {
		return nil
	}
	conn, err := new(net.Dialer).DialContext(ctx, "unix", path)
	if err != nil {
		k.tried = append(k.tried, "no agent answers at SSH_AUTH_SOCK")
		return nil
	}
	k.agent = conn
	signers, err := agent.NewClient(conn).Signers()
	if err != nil {
		k.tried = append(k.tried, "the agent does not tell its keys")
		return nil
	}
	k.tried = append(k.tried, fmt.Sprintf("the agent's keys (%d)", len(signers)))
	return signers
}

func (k *keyring) file(ctx context.Context, path string) (ssh.Signer, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the key: %w", err)
	}
	s, err := ssh.ParsePrivateKey(data)
	if missing := (*ssh.PassphraseMissingError)(nil); errors.As(err, &missing) {
		if s, err = k.locked(ctx, path, data, missing.PublicKey); err != nil {
			return nil, err
		}
	}
	if err != nil {
		return nil, fmt.Errorf("key %s: it cannot be read as a private key", path)
	}
	k.tried = append(k.tried, path)
	return s, nil
}

// locked is a key that needs a passphrase, which is asked for when the server wants that key.
func (k *keyring) locked(ctx context.Context, path string, data []byte, public ssh.PublicKey) (ssh.Signer, error) {
	if k.passphrase == nil {
		return nil, fmt.Errorf("key %s has a passphrase: add it to the agent with ssh-add", path)
	}
	unlock := func() (ssh.Signer, error) {
		text, err := k.passphrase(ctx, path)
		if err != nil {
			return nil, err
		}
		s, err := ssh.ParsePrivateKeyWithPassphrase(data, []byte(text))
		if err != nil {
			return nil, fmt.Errorf("key %s: that is not its passphrase", path)
		}
		return s, nil
	}
	if public == nil {
		return unlock() // an old format, which does not tell
	}
	return &lockedSigner{public, unlock}, nil
}

// lockedSigner asks for a passphrase no sooner than it is needed.
type lockedSigner struct {
	public ssh.PublicKey
	unlock func() (ssh.Signer, error)
}

func (l *lockedSigner) PublicKey() ssh.PublicKey { return l.public }

func (l *lockedSigner) Sign(rand io.Reader, data []byte) (*ssh.Signature, error) {
	return l.SignWithAlgorithm(rand, data, "")
}

// SignWithAlgorithm implements ssh.AlgorithmSigner, which RSA keys need.
func (l *lockedSigner) SignWithAlgorithm(rand io.Reader, data []byte, algorithm string) (*ssh.Signature, error) {
	s, err := l.unlock()
	if err != nil {
		return nil, err
	}
	if as, ok := s.(ssh.AlgorithmSigner); ok && algorithm != "" {
		return as.SignWithAlgorithm(rand, data, algorithm)
	}
	return s.Sign(rand, data)
}

func (k *keyring) close() {
	if k.agent != nil {
		_ = k.agent.Close() // it was only read from
		k.agent = nil
	}
}

// refused says what was tried in vain.
func (k *keyring) refused(t Target) error {
	if len(k.tried) == 0 {
		return fmt.Errorf("there is no key to show to %s: no agent runs, and there is none of %s in %s; make one with ssh-keygen, or name one with --identity", t.Host, strings.Join(keyFiles, ", "), k.folder)
	}
	return fmt.Errorf("%s lets nobody in as %s with what there is (%s): add a public key to its ~/.ssh/authorized_keys, or name another key with --identity", t.Host, t.User, strings.Join(k.tried, "; "))
}
