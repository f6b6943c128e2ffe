package bootstrap

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/goparty-dev/party/internal/hosting/remote"
)

// Options of Install.
type Options struct {
	Server  *remote.Server
	Service Service // default Auto
	// Program gives the file of a party program for a system.
	Program func(ctx context.Context, goos, arch string) (string, error)
	// Flags are those of "party host serve". With none a host that is there keeps its own.
	Flags []string
	// Update replaces the program of a host that is there by another one, which restarts it and its apps.
	Update bool
	// Say is told what is done.
	Say func(string)

	system paths // for tests
}

// Install makes sure that a host runs on a server, and returns it. One that runs is left alone, unless there are
// flags that it does not have, or it is to be updated; both restart it, which closes its apps' sockets with 1012.
func Install(ctx context.Context, o Options) (*Host, error) {
	if o.Service == "" {
		o.Service = Auto
	}
	if o.system == (paths{}) {
		o.system = systemPaths
	}
	h, err := o.install(ctx)
	if err != nil {
		return nil, fmt.Errorf("install party host on %s: %w", o.Server.Target, err)
	}
	return h, nil
}

func (o *Options) install(ctx context.Context) (*Host, error) {
	p, err := look(ctx, o.Server, o.system)
	if err != nil {
		return nil, err
	}
	runs, service := false, o.Service
	switch {
	case p.own && service != Systemd:
		runs, service = true, Detached
	case p.system && service != Detached:
		runs, service = true, Systemd
	}
	h, err := p.host(o.Server, service, o.system)
	if err != nil {
		return nil, err
	}
	alive := false
	if runs {
		if alive, err = h.answers(ctx); err != nil {
			return nil, err
		}
	}
	// Beside systemd's program; it is installed from there.
	program, brought := h.paths.program, false
	if !runs || o.Update {
		program = ownPaths(p.home).program
		if brought, err = o.bring(ctx, program); err != nil {
			return nil, err
		}
	}
	changed := brought
	if h.Service == Systemd {
		changed, err = o.writeService(ctx, h, program, !runs)
	} else if len(o.Flags) > 0 {
		var rewritten bool
		rewritten, err = o.writeStart(ctx, h)
		changed = changed || rewritten
	}
	if err != nil || alive && !changed {
		return h, err
	}
	if h.Service == Systemd {
		return h, o.restart(ctx, h)
	}
	return h, o.start(ctx, h)
}

// answers reports whether something listens on the host's socket.
func (h *Host) answers(ctx context.Context) (bool, error) {
	conn, err := h.server.DialContext(ctx, "unix", h.Socket())
	if refused := (*ssh.OpenChannelError)(nil); errors.As(err, &refused) && refused.Reason == ssh.Prohibited {
		return false, fmt.Errorf("the server forbids connections to sockets: it needs AllowStreamLocalForwarding in sshd_config")
	}
	if err != nil {
		return false, context.Cause(ctx)
	}
	return true, conn.Close()
}

// bring copies the program to the server, unless it is there already.
func (o *Options) bring(ctx context.Context, to string) (brought bool, err error) {
	goos, arch, err := o.Server.System(ctx)
	if err != nil {
		return false, err
	}
	program, err := o.Program(ctx, goos, arch)
	if err != nil {
		return false, err
	}
	f, err := os.Open(program)
	if err != nil {
		return false, fmt.Errorf("read the program: %w", err)
	}
	defer f.Close()
	sum := sha256.New()
	size, err := io.Copy(sum, f)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return false, fmt.Errorf("read the program: %w", err)
	}
	out, err := o.Server.Run(ctx, fmt.Sprintf(`[ -f %[1]s ] || exit 0
if command -v sha256sum >/dev/null; then sha256sum < %[1]s; elif command -v shasum >/dev/null; then shasum -a 256 < %[1]s; fi`, remote.Quote(to)), nil)
	if err != nil {
		return false, err
	}
	if strings.HasPrefix(out, hex.EncodeToString(sum.Sum(nil))) {
		return false, nil
	}
	o.Say(fmt.Sprintf("copying party to %s: %.1f MB", o.Server.Target.Host, float64(size)/1e6))
	return true, o.Server.Put(ctx, to, "0755", size, f)
}

// writeService installs the program and the unit. Without flags a unit that is there stays as it is.
func (o *Options) writeService(ctx context.Context, h *Host, program string, fresh bool) (changed bool, err error) {
	if !fresh && len(o.Flags) == 0 {
		out, err := o.Server.Run(ctx, fmt.Sprintf(`cmp -s %[2]s %[3]s && exit
%[1]scp %[2]s %[3]s.new && %[1]smv -f %[3]s.new %[3]s && echo changed`, h.sudo, remote.Quote(program), remote.Quote(h.paths.program)), nil)
		return out != "", err
	}
	out, err := o.Server.Run(ctx, h.sudo+remote.Quote(program)+" host install --format json --"+words(o.Flags), nil)
	if err != nil {
		return false, err
	}
	var files []struct {
		Path    string
		Changed bool
	}
	if err := json.Unmarshal([]byte(out), &files); err != nil {
		return false, fmt.Errorf("the answer of party host install is not understood: %w", err)
	}
	for _, f := range files {
		if f.Changed {
			o.Say("wrote " + f.Path)
			changed = true
		}
	}
	return changed, nil
}

// restart has systemd start the host, again if it runs, and waits until it is there.
func (o *Options) restart(ctx context.Context, h *Host) error {
	o.Say("starting the service party-host")
	_, err := o.Server.Run(ctx, fmt.Sprintf(`%[1]ssystemctl daemon-reload && %[1]ssystemctl enable --quiet party-host && %[1]ssystemctl restart party-host || exit
n=0
until [ -S %[2]s ]; do
  n=$((n+1))
  if [ $n -ge 300 ]; then echo "it does not answer: see journalctl -u party-host" >&2; exit 1; fi
  sleep 0.2
done`, h.sudo, remote.Quote(h.Socket())), nil)
	return err
}

// writeStart writes the script that starts a host that is no service.
func (o *Options) writeStart(ctx context.Context, h *Host) (changed bool, err error) {
	// So that what is wrong with the flags is said before a host that runs is ended.
	check := append([]string{"--data", h.paths.data, "--run", h.paths.run}, o.Flags...)
	if _, err := o.Server.Run(ctx, remote.Quote(h.paths.program)+" host install --dry-run --"+words(check), nil); err != nil {
		return false, err
	}
	script := "#!/bin/sh\n# Starts party host as \"party deploy --target\" was told to.\nexec " + remote.Quote(h.paths.program) + " host serve" + words(check) + "\n"
	to := h.folder() + "/start"
	now, err := o.Server.Run(ctx, "cat "+remote.Quote(to)+" 2>/dev/null || true", nil)
	if err != nil || now == script {
		return false, err
	}
	return true, o.Server.Put(ctx, to, "0755", int64(len(script)), strings.NewReader(script))
}

// folder is that of a host that is no service.
func (h *Host) folder() string { return path.Dir(h.paths.program) }

// start starts a host that is no service, or starts it again.
func (o *Options) start(ctx context.Context, h *Host) error {
	o.Say("starting party host in " + h.folder())
	_, err := o.Server.Run(ctx, fmt.Sprintf(startScript, remote.Quote(h.folder())), nil)
	if exit := (*remote.ExitError)(nil); errors.As(err, &exit) && exit.Code == noFlags {
		return errors.New("say how clients are to reach it, with flags of \"party host serve\": for one --domain, --admin-host, --acme-email and --acme-accept-terms")
	}
	return err
}

// noFlags is the exit code of startScript if nobody has ever said how to start.
const noFlags = 77

// startScript ends the host if it runs, in good order, and starts it. %[1]s is its folder.
const startScript = `cd %[1]s || exit
[ -x start ] || exit 77
mkdir -p data run && chmod 700 .
alive() { [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null; }
pid=$(cat host.pid 2>/dev/null)
# Another process may have the number meanwhile.
args=$(tr '\0' ' ' < "/proc/$pid/cmdline" 2>/dev/null || ps -o args= -p "${pid:-0}" 2>/dev/null)
case $args in *"host serve"*) ;; *) pid= ;; esac
if alive; then
  kill "$pid"
  n=0
  while alive; do
    n=$((n+1))
    if [ $n -ge 500 ]; then echo "process $pid does not end" >&2; exit 1; fi
    sleep 0.2
  done
fi
rm -f run/api.sock
apart=
command -v setsid >/dev/null && apart=setsid
nohup $apart ./start >> host.log 2>&1 < /dev/null &
pid=$!
echo $pid > host.pid
n=0
until [ -S run/api.sock ]; do
  n=$((n+1))
  if ! alive || [ $n -ge 300 ]; then
    echo "it does not start; the end of its log:" >&2
    tail -n 5 host.log >&2
    exit 1
  fi
  sleep 0.2
done`

// words are arguments as sh reads them, with a blank before each.
func words(args []string) string {
	var b strings.Builder
	for _, a := range args {
		b.WriteString(" " + remote.Quote(a))
	}
	return b.String()
}
