package cli

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/goparty-dev/party/internal/hosting/api"
	"github.com/goparty-dev/party/internal/hosting/bootstrap"
	"github.com/goparty-dev/party/internal/hosting/client"
	"github.com/goparty-dev/party/internal/hosting/credentials"
	"github.com/goparty-dev/party/internal/scaffold"
)

// targetOptions are for a server that may have no host yet.
type targetOptions struct {
	target  string
	service string
	flags   []string
	update  bool
}

func (o *targetOptions) targetFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.target, "target", "", "deploy to the server `ssh://USER@HOST[:PORT]`, and install party host there if it has none")
	f.StringVar(&o.service, "service", string(bootstrap.Auto), "with --target: how party host is started: systemd, detached, or auto for the first that is possible")
	f.StringArrayVar(&o.flags, "host-flag", nil, "with --target: `FLAG` of party host serve, as in --host-flag=--domain=apps.example.com; may be given several times")
	f.BoolVar(&o.update, "update-host", false, "with --target: bring party host there up to date, which closes the sockets of its apps")
}

func (o *targetOptions) validateTarget(cmd *cobra.Command, host string) error {
	if o.target == "" {
		if len(o.flags) > 0 || o.update || cmd.Flags().Changed("service") {
			return usagef(cmd, "--service, --host-flag and --update-host belong to --target")
		}
		return nil
	}
	if host != "" {
		return usagef(cmd, "--target and --host exclude each other")
	}
	address, err := credentials.Address(o.target)
	if err == nil && !credentials.IsSSH(address) {
		err = fmt.Errorf("--target %s is not reached by SSH: want ssh://USER@HOST, or --host %[1]s", o.target)
	}
	if err != nil {
		return usagef(cmd, "%v", err)
	}
	o.target = address
	if all := []bootstrap.Service{bootstrap.Auto, bootstrap.Systemd, bootstrap.Detached}; !slices.Contains(all, bootstrap.Service(o.service)) {
		return usagef(cmd, "--service %q: want auto, systemd or detached", o.service)
	}
	return nil
}

// connectTarget makes sure that a host runs on the server and that there is a token for it, and
// returns a client, which the caller closes.
func (o *deployOptions) connectTarget(ctx context.Context, s *streams, _ *project) (_ *client.Client, err error) {
	talk := o.talk(s)
	srv, err := o.server(ctx, s, o.target)
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, srv.Close())
		}
	}()
	dir, err := os.MkdirTemp("", "party-program-")
	if err != nil {
		return nil, fmt.Errorf("build party: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	h, err := bootstrap.Install(ctx, bootstrap.Options{
		Server: srv, Service: bootstrap.Service(o.service), Flags: o.flags, Update: o.update,
		Program: func(ctx context.Context, goos, arch string) (string, error) {
			return partyFor(ctx, talk, dir, goos, arch)
		},
		Say: func(text string) { talk.printf("  %s\n", text) },
	})
	if err != nil {
		return nil, err
	}
	file, err := credentials.Default()
	if err != nil {
		return nil, err
	}
	l := credentials.Login{Address: o.target}
	if l.Token, err = file.Token(o.target); err != nil {
		return nil, err
	}
	if !l.Token.Empty() {
		// A server that was set up anew does not know it.
		_, err := through(srv, h, l).Whoami(ctx)
		if problem := (*api.Problem)(nil); errors.As(err, &problem) && problem.Status == http.StatusUnauthorized {
			l.Token = credentials.Secret{}
		} else if err != nil {
			return nil, err
		}
	}
	if l.Token.Empty() {
		if l.Token, err = newTokenBySSH(ctx, h); err != nil {
			return nil, err
		}
		if err := file.Set(o.target, l.Token); err != nil {
			return nil, err
		}
	}
	return through(srv, h, l), nil
}

// partyFor gives a party program for a system: this one if it runs there, otherwise one that is built from the checkout.
func partyFor(ctx context.Context, s *streams, dir, goos, arch string) (string, error) {
	own, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("find this program: %w", err)
	}
	if goos == runtime.GOOS && arch == runtime.GOARCH && standsAlone(own) {
		return own, nil
	}
	checkout, err := scaffold.FindCheckout(ctx)
	if err != nil {
		return "", fmt.Errorf("this party does not run on %s/%s: %w", goos, arch, err)
	}
	s.printf("  building party for %s/%s\n", goos, arch)
	out := filepath.Join(dir, "party")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", out, "./cmd/party")
	cmd.Dir = checkout.Dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+goos, "GOARCH="+arch)
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build party for %s/%s: %w\n%s", goos, arch, err, strings.TrimSpace(string(text)))
	}
	return out, nil
}

// standsAlone reports whether a program needs no shared libraries, which another machine may have in other versions.
func standsAlone(path string) bool {
	if runtime.GOOS != "linux" && runtime.GOOS != "freebsd" {
		return true
	}
	f, err := elf.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	return !slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP })
}
