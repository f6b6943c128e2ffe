package remote

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/crypto/ssh/agent"
	"golang.org/x/crypto/ssh/knownhosts"

	"github.com/goparty-dev/party/internal/hosting/sshtest"
)

func TestTarget(t *testing.T) {
	t.Setenv("USER", "ada")
	for in, want := range map[string]Target{
		"ssh://deploy@example.com":      {"deploy", "example.com", "22"},
		"ssh://deploy@example.com:2222": {"deploy", "example.com", "2222"},
		"ssh://example.com":             {"ada", "example.com", "22"},
		"ssh://deploy@[::1]:2222":       {"deploy", "::1", "2222"},
		"ssh://deploy@[::1]":            {"deploy", "::1", "22"},
	} {
		got, err := ParseTarget(in)
		if err != nil || got != want {
			t.Errorf("ParseTarget(%q) = %+v, %v, want %+v", in, got, err, want)
		}
		if again, err := ParseTarget(got.String()); err != nil || again != got {
			t.Errorf("ParseTarget(%q) = %+v, %v, want %+v", got.String(), again, err, got)
		}
	}
	for _, in := range []string{"example.com", "https://example.com", "ssh://"} {
		if got, err := ParseTarget(in); err == nil {
			t.Errorf("ParseTarget(%q) = %+v, want an error", in, got)
		}
	}
}

// limited is a context for one test with a real server.
func limited(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func start(t *testing.T) (*sshtest.Server, Target) {
	t.Helper()
	t.Setenv("SSH_AUTH_SOCK", "")
	srv := sshtest.Start(t, t.TempDir())
	target, err := ParseTarget(srv.Address)
	if err != nil {
		t.Fatal(err)
	}
	return srv, target
}

func trusting(context.Context, UnknownKey) error { return nil }

func connect(t *testing.T, srv *sshtest.Server, target Target) *Server {
	t.Helper()
	s, err := Dial(limited(t), target, Options{Home: srv.ClientHome, Trust: trusting})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

func TestHostKeys(t *testing.T) {
	srv, target := start(t)
	ctx := limited(t)
	known := filepath.Join(srv.ClientHome, ".ssh", "known_hosts")

	if _, err := Dial(ctx, target, Options{Home: srv.ClientHome}); !errors.Is(err, ErrUnknownKey) || !strings.Contains(err.Error(), srv.Fingerprint) {
		t.Errorf("an unknown key that nobody is asked about: got error %v, want one with %s", err, srv.Fingerprint)
	}
	var asked []UnknownKey
	no := errors.New("no, thanks")
	refuse := func(_ context.Context, k UnknownKey) error {
		asked = append(asked, k)
		return no
	}
	if _, err := Dial(ctx, target, Options{Home: srv.ClientHome, Trust: refuse}); !errors.Is(err, ErrUnknownKey) || !errors.Is(err, no) {
		t.Errorf("an unknown key that is refused: got error %v", err)
	}
	if want := (UnknownKey{"[127.0.0.1]:" + srv.Port, "ssh-ed25519", srv.Fingerprint}); !slices.Equal(asked, []UnknownKey{want}) {
		t.Errorf("asked about %+v, want %+v", asked, want)
	}
	if _, err := os.Stat(known); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a key that was refused has been remembered: %v", err)
	}

	if err := os.WriteFile(known, []byte("# without a line end"), 0o600); err != nil {
		t.Fatal(err)
	}
	for n, trust := range []func(context.Context, UnknownKey) error{trusting, refuse, nil} {
		s, err := Dial(ctx, target, Options{Home: srv.ClientHome, Trust: trust})
		if err != nil {
			t.Fatalf("connection %d: %v", n, err)
		}
		s.Close()
	}
	if len(asked) != 1 {
		t.Errorf("a known key was asked about")
	}

	was := srv.Fingerprint
	if err := srv.NewHostKey(); err != nil {
		t.Fatal(err)
	}
	_, err := Dial(ctx, target, Options{Home: srv.ClientHome, Trust: trusting})
	if !errors.Is(err, ErrChangedKey) || !strings.Contains(err.Error(), srv.Fingerprint) || !strings.Contains(err.Error(), was) || !strings.Contains(err.Error(), known) {
		t.Errorf("another key than the known one: got error %v, want both fingerprints and the place", err)
	}
}

func TestTheKnownKeyIsAskedForFirst(t *testing.T) {
	key, err := sshtest.WriteKey(filepath.Join(t.TempDir(), "key"), "")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "known_hosts")
	if err := os.WriteFile(file, []byte(knownhosts.Line([]string{"example.com"}, key)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	keys, err := newHostKeys(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, all := keys.algorithms("example.com:22"), ssh.SupportedAlgorithms().HostKeys
	if got[0] != ssh.KeyAlgoED25519 || len(got) != len(all) {
		t.Errorf("algorithms of a known server: %q", got)
	}
	if got := keys.algorithms("other.example.com:22"); !slices.Equal(got, all) {
		t.Errorf("algorithms of an unknown server: %q", got)
	}
}

func TestKeysOfTheUser(t *testing.T) {
	srv, target := start(t)
	ctx := limited(t)
	empty := t.TempDir()
	dial := func(o Options) error {
		o.Trust = trusting
		s, err := Dial(ctx, target, o)
		if err == nil {
			err = s.Close()
		}
		return err
	}
	if err := dial(Options{Home: srv.ClientHome}); err != nil {
		t.Errorf("with ~/.ssh/id_ed25519: %v", err)
	}
	if err := dial(Options{Home: empty}); err == nil || !strings.Contains(err.Error(), "ssh-keygen") {
		t.Errorf("without any key: got error %v", err)
	}
	if err := dial(Options{Home: empty, Identity: srv.Key}); err != nil {
		t.Errorf("with a key that is named: %v", err)
	}
	foreign := filepath.Join(t.TempDir(), "foreign")
	if _, err := sshtest.WriteKey(foreign, ""); err != nil {
		t.Fatal(err)
	}
	if err := dial(Options{Home: srv.ClientHome, Identity: foreign}); err == nil || !strings.Contains(err.Error(), "authorized_keys") || !strings.Contains(err.Error(), foreign) {
		t.Errorf("with a key that is not let in: got error %v", err)
	}
	if err := dial(Options{Home: empty, Identity: filepath.Join(empty, "absent")}); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("with a key that is not there: got error %v", err)
	}
}

func TestAKeyWithAPassphrase(t *testing.T) {
	srv, target := start(t)
	ctx := limited(t)
	key, err := os.ReadFile(srv.Key)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := ssh.ParseRawPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	writeLocked(t, srv.Key, raw, "open sesame")
	for _, test := range []struct {
		name       string
		passphrase func(context.Context, string) (string, error)
		want       string // in the error; "" for none
	}{
		{"nobody to ask", nil, "ssh-add"},
		{"the right one", func(_ context.Context, file string) (string, error) {
			if file != srv.Key {
				t.Errorf("asked about %s", file)
			}
			return "open sesame", nil
		}, ""},
		{"a wrong one", func(context.Context, string) (string, error) { return "sesame", nil }, "passphrase"},
	} {
		s, err := Dial(ctx, target, Options{Home: srv.ClientHome, Trust: trusting, Passphrase: test.passphrase})
		if err == nil {
			s.Close()
		}
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got error %v, want %q in it", test.name, err, test.want)
		}
	}
}

func TestAgent(t *testing.T) {
	srv, target := start(t)
	key, err := os.ReadFile(srv.Key)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := ssh.ParseRawPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	ring := agent.NewKeyring()
	if err := ring.Add(agent.AddedKey{PrivateKey: raw}); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(t.TempDir(), "agent")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_ = agent.ServeAgent(ring, conn) // it ends when the client has what it wants
			conn.Close()
		}
	}()
	t.Cleanup(func() {
		l.Close()
		<-done
	})
	t.Setenv("SSH_AUTH_SOCK", socket)
	s, err := Dial(limited(t), target, Options{Home: t.TempDir(), Trust: trusting})
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
}

func TestRun(t *testing.T) {
	srv, target := start(t)
	s := connect(t, srv, target)
	ctx := limited(t)
	out, err := s.Run(ctx, `read line; echo "$line it's $HOME"`, strings.NewReader("here\n"))
	if want := "here it's " + srv.Home + "\n"; out != want || err != nil {
		t.Errorf("Run() = %q, %v, want %q", out, err, want)
	}
	_, err = s.Run(ctx, "echo out; echo 'that went wrong' >&2; exit 3", nil)
	exit := (*ExitError)(nil)
	if !errors.As(err, &exit) || exit.Code != 3 || !strings.Contains(err.Error(), "that went wrong") {
		t.Errorf("a script that fails: got error %v", err)
	}
	out, err = s.Run(ctx, "head -c 3000000 /dev/zero", nil)
	if len(out) != maxOutput || err != nil {
		t.Errorf("too much output: %d bytes, %v, want %d", len(out), err, maxOutput)
	}
	short, cancel := context.WithTimeoutCause(ctx, 100*time.Millisecond, errors.New("enough"))
	defer cancel()
	if _, err := s.Run(short, "sleep 1000", nil); err == nil || !strings.Contains(err.Error(), "enough") {
		t.Errorf("a script that takes for ever: got error %v", err)
	}
	goos, arch, err := s.System(ctx)
	if goos != runtime.GOOS || arch != runtime.GOARCH || err != nil {
		t.Errorf("System() = %s/%s, %v", goos, arch, err)
	}
}

func TestPut(t *testing.T) {
	srv, target := start(t)
	s := connect(t, srv, target)
	ctx := limited(t)
	content := make([]byte, 3<<20)
	rand.Read(content)
	to := filepath.Join(srv.Home, "it's", "a new", "file")
	for range 2 { // the second replaces the first
		if err := s.Put(ctx, to, "0755", int64(len(content)), bytes.NewReader(content)); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(to)
		if err != nil || !bytes.Equal(got, content) {
			t.Errorf("%d bytes have arrived, %v", len(got), err)
		}
		content = append(content, "more"...)
	}
	info, err := os.Stat(to)
	if err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("the file is %v, %v", info, err)
	}
	before, err := os.ReadFile(to)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Put(ctx, to, "0755", 1000, strings.NewReader("cut off")); err == nil || !strings.Contains(err.Error(), "only 7 of 1000 bytes") {
		t.Errorf("a file that is cut off: got error %v", err)
	}
	if after, err := os.ReadFile(to); err != nil || !bytes.Equal(after, before) {
		t.Errorf("a file that was cut off has replaced the one before, %v", err)
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(to), "*")); err != nil || len(left) != 1 {
		t.Errorf("something is left over: %q, %v", left, err)
	}
	if err := s.Put(ctx, "relative", "0644", 0, strings.NewReader("")); err == nil {
		t.Error("a relative path was taken")
	}
}

func TestDialThroughTheServer(t *testing.T) {
	srv, target := start(t)
	s := connect(t, srv, target)
	ctx := limited(t)
	for _, l := range []func() (net.Listener, error){
		func() (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") },
		func() (net.Listener, error) { return net.Listen("unix", filepath.Join(srv.Home, "socket")) },
	} {
		l, err := l()
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			io.Copy(conn, conn)
		}()
		conn, err := s.DialContext(ctx, l.Addr().Network(), l.Addr().String())
		if err != nil {
			t.Fatalf("%s: %v", l.Addr(), err)
		}
		got := make([]byte, 5)
		if _, err := io.WriteString(conn, "hello"); err != nil {
			t.Error(err)
		}
		if _, err := io.ReadFull(conn, got); err != nil || string(got) != "hello" {
			t.Errorf("%s: got %q, %v", l.Addr(), got, err)
		}
		conn.Close()
		l.Close()
		_, err = s.DialContext(ctx, l.Addr().Network(), l.Addr().String())
		if op := (*net.OpError)(nil); !errors.As(err, &op) || op.Op != "dial" {
			t.Errorf("where nobody listens: got error %v", err)
		}
	}
}

func TestDialEnds(t *testing.T) {
	// A server that says nothing.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	host, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeoutCause(t.Context(), 100*time.Millisecond, errors.New("enough"))
	defer cancel()
	if _, err := Dial(ctx, Target{"me", host, port}, Options{Home: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "enough") {
		t.Errorf("got error %v, want the context's", err)
	}
}

func writeLocked(t *testing.T, path string, raw any, passphrase string) {
	t.Helper()
	block, err := ssh.MarshalPrivateKeyWithPassphrase(raw, "test", []byte(passphrase))
	if err == nil {
		err = os.WriteFile(path, pem.EncodeToMemory(block), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
