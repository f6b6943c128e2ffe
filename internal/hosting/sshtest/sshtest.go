// Package sshtest runs a real sshd for tests: on a loopback port, as the user who tests, with keys and
// a home folder of its own.
//
// It is for tests only.
package sshtest

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"
)

// Server is a running sshd.
type Server struct {
	Address     string // ssh://USER@127.0.0.1:PORT
	Port        string
	Home        string // what the shell there has as HOME
	ClientHome  string // a HOME for clients: its .ssh has a key that is let in, and no known_hosts
	Key         string // the file of that key
	HostKey     ssh.PublicKey
	Fingerprint string // of HostKey

	hostKeyFile string
}

// Skip returns why there can be no server here, "" if there can.
func Skip() string {
	if _, err := program(); err != nil {
		return "there is no sshd: install openssh-server"
	}
	if os.Getuid() == 0 {
		if _, err := os.Stat(privilegeFolder); err != nil {
			return "sshd needs the folder " + privilegeFolder + " when it runs as root"
		}
	}
	return ""
}

// privilegeFolder is where sshd locks its unprivileged half up.
const privilegeFolder = "/run/sshd"

func program() (string, error) {
	if path, err := exec.LookPath("sshd"); err == nil {
		return path, nil
	}
	const usual = "/usr/sbin/sshd" // not on every user's PATH
	_, err := os.Stat(usual)
	return usual, err
}

// Start starts a server that runs until the end of the test. Without sshd the test is skipped. dir is for
// its files; it must be one that others cannot write to. env are NAME=value for what runs there.
func Start(t testing.TB, dir string, env ...string) *Server {
	t.Helper()
	if why := Skip(); why != "" {
		t.Skip(why)
	}
	s, stop, err := Run(dir, testOutput{t}, env...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return s
}

type testOutput struct{ testing.TB }

func (t testOutput) Write(p []byte) (int, error) {
	t.Logf("sshd: %s", strings.TrimSpace(string(p)))
	return len(p), nil
}

// Run is Start outside of a test function. log gets what sshd has to say.
func Run(dir string, log io.Writer, env ...string) (_ *Server, stop func(), err error) {
	sshd, err := program()
	if err != nil {
		return nil, nil, err
	}
	u, err := user.Current()
	if err != nil {
		return nil, nil, err
	}
	s := &Server{Home: filepath.Join(dir, "home"), ClientHome: filepath.Join(dir, "client")}
	s.Key, s.hostKeyFile = filepath.Join(s.ClientHome, ".ssh", "id_ed25519"), filepath.Join(dir, "host_key")
	for _, d := range []string{s.Home, filepath.Dir(s.Key)} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return nil, nil, err
		}
	}
	key, err := WriteKey(s.Key, "")
	if err != nil {
		return nil, nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, "authorized_keys"), ssh.MarshalAuthorizedKey(key), 0o600); err != nil {
		return nil, nil, err
	}
	if err := s.NewHostKey(); err != nil {
		return nil, nil, err
	}
	config := filepath.Join(dir, "sshd_config")
	if err := os.WriteFile(config, fmt.Appendf(nil, `HostKey %s
AuthorizedKeysFile %s
StrictModes no
UsePAM no
PidFile none
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
LogLevel ERROR
SetEnv HOME=%s %s
`, s.hostKeyFile, filepath.Join(dir, "authorized_keys"), s.Home, strings.Join(env, " ")), 0o600); err != nil {
		return nil, nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	_, s.Port, _ = net.SplitHostPort(l.Addr().String())
	s.Address = "ssh://" + u.Username + "@" + l.Addr().String()
	var wait sync.WaitGroup
	wait.Go(func() {
		accept(l, &wait, func() *exec.Cmd { return exec.Command(sshd, "-i", "-e", "-f", config) }, log)
	})
	return s, func() {
		_ = l.Close() // nothing depends on it any more
		wait.Wait()
	}, nil
}

// accept has a process of sshd for each connection, as inetd would.
func accept(l net.Listener, wait *sync.WaitGroup, command func() *exec.Cmd, log io.Writer) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		file, err := conn.(*net.TCPConn).File()
		err = errors.Join(err, conn.Close())
		if err != nil {
			fmt.Fprintln(log, err)
			continue
		}
		cmd := command()
		cmd.Stdin, cmd.Stdout, cmd.Stderr = file, file, log
		wait.Go(func() {
			defer file.Close()
			_ = cmd.Run() // how a connection ends is the client's
		})
	}
}

// NewHostKey gives the server another key, for connections from now on.
func (s *Server) NewHostKey() error {
	key, err := WriteKey(s.hostKeyFile, "")
	if err != nil {
		return err
	}
	s.HostKey, s.Fingerprint = key, ssh.FingerprintSHA256(key)
	return nil
}

// WriteKey makes a key pair and writes the private one into a file, with a passphrase unless that is "".
func WriteKey(path, passphrase string) (ssh.PublicKey, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	var block *pem.Block
	if passphrase == "" {
		block, err = ssh.MarshalPrivateKey(private, "test")
	} else {
		block, err = ssh.MarshalPrivateKeyWithPassphrase(private, "test", []byte(passphrase))
	}
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
		return nil, err
	}
	return ssh.NewPublicKey(public)
}
