package bootstrap

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/goparty-dev/party/internal/hosting/remote"
	"github.com/goparty-dev/party/internal/hosting/sshtest"
)

// TestMain is also what the tests install: a party that only notes what it is told, and a systemctl. The real
// ones are in a script of cmd/party; what systemd does with a unit is up to systemd.
func TestMain(m *testing.M) {
	var err error
	switch filepath.Base(os.Args[0]) {
	case "party":
		err = party(os.Args[1:])
	case "systemctl":
		err = systemctl(os.Args[1:])
	default:
		os.Exit(m.Run())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// system is where things are that are usually in /usr and /run.
func system() paths {
	dir := os.Getenv("TEST_SYSTEM")
	return paths{dir + "/bin/party", dir + "/data", dir + "/run"}
}

func party(args []string) error {
	switch {
	case slices.Equal(args[:2], []string{"host", "install"}):
		type change struct {
			Path    string
			Changed bool
		}
		own, err := os.ReadFile(os.Args[0])
		if err != nil {
			return err
		}
		unit := strings.Join(args[slices.Index(args, "--")+1:], "|")
		var out []change
		for path, want := range map[string]string{system().program: string(own), system().data + "/unit": unit} {
			got, err := os.ReadFile(path)
			changed := err != nil || string(got) != want
			if changed {
				if err := errors.Join(os.RemoveAll(path), os.WriteFile(path, []byte(want), 0o755)); err != nil {
					return err
				}
			}
			out = append(out, change{path, changed})
		}
		return json.NewEncoder(os.Stdout).Encode(out)
	case slices.Equal(args[:3], []string{"host", "token", "new"}):
		return json.NewEncoder(os.Stdout).Encode(map[string]string{"secret": "secret of " + strings.Join(args[3:], "|")})
	}
	return fmt.Errorf("unexpected arguments %q", args)
}

// systemctl has the test listen in the place of the host.
func systemctl(args []string) error {
	if args[0] != "restart" {
		return nil
	}
	conn, err := net.Dial("unix", os.Getenv("TEST_SYSTEM")+"/control")
	if err != nil {
		return err
	}
	defer conn.Close()
	// The test closes it when it has taken note; systemctl restart, too, returns when the service runs.
	_, err = io.Copy(io.Discard, conn)
	return err
}

// box is a server with a systemd that is not one.
type box struct {
	server   *remote.Server
	dir      string
	said     []string
	restarts atomic.Int32
	program  string
}

func newBox(t *testing.T) *box {
	t.Helper()
	dir, err := os.MkdirTemp("", "boot") // sockets have short paths
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	b := &box{dir: filepath.Join(dir, "sys"), program: filepath.Join(dir, "party")}
	tools := filepath.Join(dir, "tools")
	t.Setenv("TEST_SYSTEM", b.dir)
	t.Setenv("SSH_AUTH_SOCK", "")
	for _, d := range []string{tools, filepath.Dir(system().program), system().data, system().run} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(own)
	err = errors.Join(err, os.WriteFile(b.program, data, 0o755), os.Symlink(own, filepath.Join(tools, "systemctl")),
		os.WriteFile(filepath.Join(tools, "sudo"), []byte("#!/bin/sh\n[ \"$1\" = -n ] || exit 1\nshift\nexec \"$@\"\n"), 0o755))
	if err != nil {
		t.Fatal(err)
	}
	srv := sshtest.Start(t, dir, "TEST_SYSTEM="+b.dir, "PATH="+tools+":"+os.Getenv("PATH"))
	b.listen(t)
	target, err := remote.ParseTarget(srv.Address)
	if err != nil {
		t.Fatal(err)
	}
	b.server, err = remote.Dial(limited(t), target, remote.Options{Home: srv.ClientHome, Trust: func(context.Context, remote.UnknownKey) error { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.server.Close() })
	return b
}

func limited(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// listen is the host: it is there from the first restart on.
func (b *box) listen(t *testing.T) {
	control, err := net.Listen("unix", b.dir+"/control")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		var host net.Listener
		for {
			conn, err := control.Accept()
			if err != nil {
				break
			}
			if b.restarts.Add(1); host == nil {
				if host, err = net.Listen("unix", system().socket()); err != nil {
					t.Error(err)
				}
			}
			conn.Close()
		}
		if host != nil {
			host.Close()
		}
	}()
	t.Cleanup(func() {
		control.Close()
		<-done
	})
}

func (b *box) install(t *testing.T, change func(*Options)) (*Host, error) {
	t.Helper()
	o := Options{
		Server: b.server, Service: Systemd, system: system(),
		Program: func(context.Context, string, string) (string, error) { return b.program, nil },
		Say:     func(text string) { b.said = append(b.said, text) },
	}
	if change != nil {
		change(&o)
	}
	b.said = nil
	return Install(limited(t), o)
}

func (b *box) unit(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(system().data + "/unit")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestService(t *testing.T) {
	b := newBox(t)
	if _, err := find(limited(t), b.server, system()); !errors.Is(err, ErrNone) {
		t.Errorf("find on a server that has none: got error %v", err)
	}
	flags := func(words ...string) func(*Options) { return func(o *Options) { o.Flags = words } }

	h, err := b.install(t, flags("--domain", "it's here"))
	if err != nil {
		t.Fatal(err)
	}
	if h.Service != Systemd || h.Socket() != system().socket() || b.unit(t) != "--domain|it's here" || b.restarts.Load() != 1 {
		t.Errorf("installed %+v with the unit %q, %d restarts; said %q", h, b.unit(t), b.restarts.Load(), b.said)
	}
	token, err := h.Token(limited(t), "ada's laptop")
	if want := "secret of ada's laptop|--right|admin|--data|" + system().data + "|--format|json"; token != want || err != nil {
		t.Errorf("Token() = %q, %v, want %q", token, err, want)
	}
	if found, err := find(limited(t), b.server, system()); err != nil || found.Socket() != h.Socket() {
		t.Errorf("find = %+v, %v", found, err)
	}

	// A host that runs is left alone, and so are its flags.
	for name, change := range map[string]func(*Options){"nothing": nil, "the same flags": flags("--domain", "it's here"), "auto": func(o *Options) { o.Service = Auto }} {
		if _, err := b.install(t, change); err != nil || b.restarts.Load() != 1 || len(b.said) > 0 {
			t.Errorf("%s: %v, %d restarts, said %q", name, err, b.restarts.Load(), b.said)
		}
	}
	if _, err := b.install(t, flags("--domain", "elsewhere")); err != nil || b.restarts.Load() != 2 || b.unit(t) != "--domain|elsewhere" {
		t.Errorf("other flags: %v, %d restarts, unit %q", err, b.restarts.Load(), b.unit(t))
	}

	// Another program, only if it is asked for.
	data, err := os.ReadFile(b.program)
	if err != nil {
		t.Fatal(err)
	}
	data = append(data, "newer"...)
	if err := os.WriteFile(b.program, data, 0o755); err != nil {
		t.Fatal(err)
	}
	installed := func() bool {
		got, err := os.ReadFile(system().program)
		if err != nil {
			t.Fatal(err)
		}
		return string(got) == string(data)
	}
	if _, err := b.install(t, nil); err != nil || b.restarts.Load() != 2 || installed() {
		t.Errorf("a newer program that nobody wants: %v, %d restarts, installed %v", err, b.restarts.Load(), installed())
	}
	if _, err := b.install(t, func(o *Options) { o.Update = true }); err != nil || b.restarts.Load() != 3 || !installed() || b.unit(t) != "--domain|elsewhere" {
		t.Errorf("update: %v, %d restarts, installed %v, unit %q", err, b.restarts.Load(), installed(), b.unit(t))
	}
	if _, err := b.install(t, func(o *Options) { o.Update = true }); err != nil || b.restarts.Load() != 3 || len(b.said) > 0 {
		t.Errorf("update of what is up to date: %v, %d restarts, said %q", err, b.restarts.Load(), b.said)
	}
}

func TestAServiceNeedsRoot(t *testing.T) {
	s := &remote.Server{Target: remote.Target{User: "ada", Host: "example.com", Port: "22"}}
	for _, test := range []struct {
		name    string
		place   place
		service Service
		want    Service // "" for an error
		sudo    string
	}{
		{"root", place{root: true, systemd: true}, Auto, Systemd, ""},
		{"sudo", place{sudo: true, systemd: true}, Auto, Systemd, "sudo -n "},
		{"a user", place{systemd: true}, Auto, Detached, ""},
		{"no systemd", place{root: true}, Auto, Detached, ""},
		{"a user who wants systemd", place{systemd: true}, Systemd, "", ""},
		{"root who does not", place{root: true, systemd: true}, Detached, Detached, ""},
	} {
		test.place.home = "/home/ada"
		h, err := test.place.host(s, test.service, systemPaths)
		if test.want == "" {
			if err == nil || !strings.Contains(err.Error(), "ssh://root@example.com") {
				t.Errorf("%s: got %+v, %v, want an error that says what to do", test.name, h, err)
			}
			continue
		}
		if err != nil || h.Service != test.want || h.sudo != test.sudo {
			t.Errorf("%s: got %+v, %v, want %s by %q", test.name, h, err, test.want, test.sudo)
		}
	}
}

func TestAProgramThatCannotBeHad(t *testing.T) {
	b := newBox(t)
	no := errors.New("there is no program for that")
	_, err := b.install(t, func(o *Options) {
		o.Service = Detached
		o.Program = func(context.Context, string, string) (string, error) { return "", no }
	})
	if !errors.Is(err, no) || !strings.Contains(err.Error(), "install party host on ssh://") {
		t.Errorf("got error %v", err)
	}
}
