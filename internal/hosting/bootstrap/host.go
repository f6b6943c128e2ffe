package bootstrap

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/goparty-dev/party/internal/hosting/remote"
)

// Service is what starts a host.
type Service string

// The services.
const (
	Auto     Service = "auto"     // Systemd if the user may use it, otherwise Detached
	Systemd  Service = "systemd"  // for root, or who may become root by sudo without a password
	Detached Service = "detached" // a process of the user's, which does not come back after a reboot
)

// Where things of a host are on its server. Those of a detached one are below the user's home folder.
type paths struct {
	program, data, run string
}

var systemPaths = paths{"/usr/local/bin/party", "/var/lib/party-host", "/run/party-host"}

const ownFolder = "/.party-host"

func ownPaths(home string) paths {
	dir := home + ownFolder
	return paths{dir + "/party", dir + "/data", dir + "/run"}
}

func (p paths) socket() string { return p.run + "/api.sock" } // as hosting.APISocket says

// Host is a host on a server.
type Host struct {
	Service Service // Systemd or Detached
	server  *remote.Server
	paths   paths
	sudo    string // before commands that root has to run; "" if the user is root or need not be
}

// ErrNone is returned by Find if there is no host on the server.
var ErrNone = errors.New("no party host runs there")

// Socket is the Unix socket of the API, for remote.Server.DialContext.
func (h *Host) Socket() string { return h.paths.socket() }

// place is what there is to know of a server before anything is done.
type place struct {
	home    string
	root    bool
	sudo    bool // without a password
	systemd bool
	own     bool // a detached host answers, or has answered and left its socket
	system  bool
}

// look finds out about a server.
func look(ctx context.Context, s *remote.Server, system paths) (place, error) {
	out, err := s.Run(ctx, fmt.Sprintf(`echo "home=$HOME"
[ "$(id -u)" = 0 ] && echo root=yes
command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null && echo sudo=yes
[ -d /run/systemd/system ] && echo systemd=yes
[ -S "$HOME%s" ] && echo own=yes
[ -S %s ] && echo system=yes
true`, ownFolder+"/run/api.sock", remote.Quote(system.socket())), nil)
	if err != nil {
		return place{}, err
	}
	var p place
	for line := range strings.Lines(out) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch name {
		case "home":
			p.home = value
		case "root":
			p.root = true
		case "sudo":
			p.sudo = true
		case "systemd":
			p.systemd = true
		case "own":
			p.own = true
		case "system":
			p.system = true
		}
	}
	if !strings.HasPrefix(p.home, "/") {
		return p, fmt.Errorf("the user's home folder on %s is %q", s.Target.Host, p.home)
	}
	return p, nil
}

// host is the one that a service would be.
func (p *place) host(s *remote.Server, service Service, system paths) (*Host, error) {
	if service == Auto {
		service = Detached
		if p.systemd && (p.root || p.sudo) {
			service = Systemd
		}
	}
	h := &Host{Service: service, server: s, paths: ownPaths(p.home)}
	if service == Systemd {
		h.paths = system
		if !p.root {
			if !p.sudo {
				return nil, fmt.Errorf("a service of systemd has to be made by root: use ssh://root@%s, let %s use sudo without a password, or have it detached", s.Target.Host, s.Target.User)
			}
			h.sudo = "sudo -n "
		}
	}
	return h, nil
}

// Find finds the host on a server: the user's own one, or else that of systemd. The error wraps ErrNone if there is none.
func Find(ctx context.Context, s *remote.Server) (*Host, error) { return find(ctx, s, systemPaths) }

func find(ctx context.Context, s *remote.Server, system paths) (*Host, error) {
	p, err := look(ctx, s, system)
	if err != nil {
		return nil, err
	}
	switch {
	case p.own:
		return p.host(s, Detached, system)
	case p.system:
		h := &Host{Service: Systemd, server: s, paths: system}
		if !p.root && p.sudo {
			h.sudo = "sudo -n "
		}
		return h, nil
	}
	return nil, fmt.Errorf("%s: %w", s.Target, ErrNone)
}

// Token makes a token for everything on the host, and returns it.
func (h *Host) Token(ctx context.Context, name string) (string, error) {
	out, err := h.server.Run(ctx, fmt.Sprintf("%s%s host token new %s --right admin --data %s --format json",
		h.sudo, remote.Quote(h.paths.program), remote.Quote(name), remote.Quote(h.paths.data)), nil)
	if err != nil {
		return "", fmt.Errorf("make a token: %w", err)
	}
	var made struct{ Secret string }
	if err := json.Unmarshal([]byte(out), &made); err != nil || made.Secret == "" {
		return "", errors.New("make a token: the host's answer is not understood") // without what may be a token
	}
	return made.Secret, nil
}
