//go:build unix

package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// manager is a service manager: it hears how the program is.
type manager struct {
	t    *testing.T
	conn *net.UnixConn
	name string
}

func newManager(t *testing.T, dir string) *manager {
	t.Helper()
	m := &manager{t: t, name: filepath.Join(dir, "notify")}
	var err error
	if m.conn, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: m.name, Net: "unixgram"}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.conn.Close() })
	return m
}

func (m *manager) hears(want string) {
	m.t.Helper()
	m.conn.SetReadDeadline(time.Now().Add(3 * patience))
	buf := make([]byte, 100)
	n, err := m.conn.Read(buf)
	if err != nil || string(buf[:n]) != want {
		m.t.Fatalf("the service manager hears %q, %v, want %q", buf[:n], err, want)
	}
}

// onSockets starts a server on Unix sockets, as behind a proxy on the same machine, and waits until it is ready.
func (s *site) onSockets(m *manager) {
	s.t.Helper()
	cmd := s.onSocketsCommand("data")
	cmd.Env = append(cmd.Env, "NOTIFY_SOCKET="+m.name)
	s.begin(cmd)
	m.hears("READY=1")
}

func (s *site) onSocketsCommand(data string) *exec.Cmd {
	return s.command(s.file("v1"), "serve", "--upgradable", "--data", data, "--addr", "unix:app.sock", "--admin", "unix:admin.sock",
		"--trust-proxy", "--log-format", "json")
}

func askUnix(t *testing.T, path, target string, header ...string) answer {
	t.Helper()
	req, err := http.NewRequest("GET", "http://inside"+target, nil)
	if err != nil {
		t.Fatal(err)
	}
	setHeader(req.Header, header)
	return send(t, &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}}, req)
}

// TestServeOnUnixSockets shows what a proxy and a service manager on the same machine rely on.
func TestServeOnUnixSockets(t *testing.T) {
	s := newSite(t)
	install(t, s.file("v1"), "v1")
	m := newManager(t, s.dir)
	s.onSockets(m)
	for name, mode := range map[string]fs.FileMode{"app.sock": 0o660, "admin.sock": 0o600, "data/control.sock": 0o600} {
		info, err := os.Stat(filepath.Join(s.dir, name))
		if err != nil || info.Mode().Perm() != mode || info.Mode().Type() != fs.ModeSocket {
			t.Errorf("%s: %v, %v, want a socket with mode %v", name, info, err, mode)
		}
	}
	public, admin := filepath.Join(s.dir, "app.sock"), filepath.Join(s.dir, "admin.sock")
	ask := func() {
		t.Helper()
		askUnix(t, public, "/who", "X-Forwarded-For", "203.0.113.5", "X-Forwarded-Host", "chat.example.com").check(t, 200, "203.0.113.5:0 chat.example.com")
	}
	ask()
	s.want(0, "ready", "health", "--admin", "unix:"+admin)

	// Another one does not take its place.
	second := s.onSocketsCommand("other")
	var out bytes.Buffer
	second.Stdout, second.Stderr = &out, &out
	if err := second.Start(); err != nil {
		t.Fatal(err)
	}
	cut := time.AfterFunc(3*patience, func() { second.Process.Kill() })
	err := second.Wait()
	cut.Stop()
	if err == nil || !strings.Contains(out.String(), "another server listens on app.sock") {
		t.Errorf("a second server on the same socket: got %v and %s", err, out.String())
	}
	ask()

	// What one that was killed has left behind is in nobody's way.
	s.cmd.Process.Kill()
	within(t, s.gone, "the server to end")
	if _, err := os.Stat(public); err != nil {
		t.Fatalf("the socket of a server that was killed: %v", err)
	}
	s.onSockets(m)
	ask()
	s.signal(syscall.SIGTERM)
	m.hears("STOPPING=1")
	within(t, s.gone, "the server to end")
	if code := s.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("the server exited with %d", code)
	}
	left, err := filepath.Glob(filepath.Join(s.dir, "*.sock"))
	more, err2 := filepath.Glob(filepath.Join(s.dir, ".s*"))
	if err != nil || err2 != nil || len(left)+len(more) > 0 {
		t.Errorf("afterwards there are %v %v", left, more)
	}
	s.cmd = nil

	// Both processes have logged for machines.
	platform, host := false, false
	for line := range strings.Lines(s.output()) {
		var record struct{ Time, Level, Msg, Address, By string }
		if err := json.Unmarshal([]byte(line), &record); err != nil || record.Msg == "" || record.Time == "" {
			t.Errorf("logged %q: %v", line, err)
		}
		platform = platform || record.Msg == "listening on" && record.Address == "unix:app.sock"
		host = host || record.Msg == "asked" && record.By == "203.0.113.5:0"
	}
	if !platform || !host {
		t.Errorf("the platform has logged %v, its host %v:\n%s", platform, host, s.output())
	}
}

// TestSocketsThatCannotBe names what is wrong, and leaves alone what is there.
func TestSocketsThatCannotBe(t *testing.T) {
	s := newSite(t)
	install(t, s.file("v1"), "v1")
	if err := os.WriteFile(s.file("precious"), []byte("kept"), 0o600); err != nil {
		t.Fatal(err)
	}
	long := "unix:" + strings.Repeat("x", 86)
	for addr, want := range map[string]string{
		"unix:":          "want unix:PATH",
		"unix:precious":  "precious is there and is no socket",
		"unix:none/sock": "no such file or directory",
		long:             "longer than the 85 bytes",
	} {
		s.want(1, want, "serve", "--data", "", "--addr", addr)
		s.want(1, want, "serve", "--data", "", "--addr", "127.0.0.1:0", "--admin", addr)
	}
	if data, err := os.ReadFile(s.file("precious")); err != nil || !bytes.Equal(data, []byte("kept")) {
		t.Errorf("the file is %q, %v", data, err)
	}
	for _, c := range []struct{ want, flag string }{
		{"want text or json", "--log-format=xml"},
		{"it must be", "--trust-proxy=10.0.0.0/99"},
	} {
		s.want(2, c.want, "serve", c.flag)
	}
}
