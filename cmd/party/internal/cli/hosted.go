package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/goparty-dev/party/internal/diag"
	"github.com/goparty-dev/party/internal/hosting/api"
	"github.com/goparty-dev/party/internal/hosting/client"
	"github.com/goparty-dev/party/internal/hosting/credentials"
)

// hostOptions are those of all commands that speak to a host.
type hostOptions struct {
	formatOptions
	sshOptions
	host string
}

func (o *hostOptions) hostFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.host, "host", "", "`address` of the host (default: "+credentials.EnvHost+", deploy.target of party.json, or that of the last login)")
	o.formatFlag(cmd)
	o.sshFlags(cmd)
}

// login finds the host that is meant. p may be nil.
func (o *hostOptions) login(p *project) (credentials.Login, error) {
	file, err := credentials.Default()
	if err != nil {
		return credentials.Login{}, err
	}
	wish := credentials.Wish{Flag: o.host, Getenv: os.Getenv}
	if p != nil && o.host == "" && os.Getenv(credentials.EnvHost) == "" {
		wish.Manifest = p.manifest.Deploy.Target
		if _, err := credentials.Address(wish.Manifest); wish.Manifest != "" && err != nil {
			var list diag.List
			list.Errorf(p.manifest.Pos("deploy", "target"), "bad-target", "%v", err)
			return credentials.Login{}, list
		}
	}
	return file.Find(wish)
}

// connect finds the host that is meant, and a client for it that the caller closes. p may be nil.
func (o *hostOptions) connect(ctx context.Context, s *streams, p *project) (*client.Client, error) {
	l, err := o.login(p)
	if err != nil {
		return nil, err
	}
	if l.Token.Empty() {
		return nil, fmt.Errorf("no token for %s is known: run \"party login --host %[1]s\", or set %s", l.Address, credentials.EnvToken)
	}
	return o.dial(ctx, s, l)
}

// dial makes a client for a login, which the caller closes.
func (o *hostOptions) dial(ctx context.Context, s *streams, l credentials.Login) (*client.Client, error) {
	if !credentials.IsSSH(l.Address) {
		return client.New(client.Options{Address: l.Address, Token: l.Token, Agent: agent()}), nil
	}
	srv, h, err := o.findHost(ctx, s, l.Address)
	if err != nil {
		return nil, err
	}
	return through(srv, h, l), nil
}

// agent is how this program names itself to hosts.
func agent() string {
	info, _ := debug.ReadBuildInfo()
	return "party " + version(info)
}

// appOptions are those of the commands that are about one app at a host.
type appOptions struct {
	hostOptions
	name    string
	preview string
}

func (o *appOptions) appFlags(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&o.name, "name", "n", "", "name of the app (default: deploy.name or name of party.json)")
	cmd.Flags().StringVar(&o.preview, "preview", "", "the preview with this `name` instead of the app itself")
	o.hostFlags(cmd)
}

// errNoApp is returned where nothing says which app is meant.
var errNoApp = errors.New("which app? Name it with --name, or go to a folder with a party.json that has a name")

// project is that of the working directory; nil if there is none. What is wrong with it
// is of no interest if the app is named.
func (o *appOptions) project() (*project, error) {
	p, err := findProject("")
	if err != nil && o.name != "" {
		return nil, nil
	}
	return p, err
}

// instance is the app that is meant.
func (o *appOptions) instance(p *project) (string, error) {
	name := o.name
	if name == "" && p != nil && p.path != "" {
		name = cmp.Or(p.manifest.Deploy.Name, p.manifest.Name)
	}
	if name == "" {
		return "", errNoApp
	}
	app := api.InstanceName(name, o.preview)
	return app, api.CheckInstance(app)
}

// app finds the app that is meant and a client for its host, which the caller closes.
func (o *appOptions) app(ctx context.Context, s *streams) (string, *client.Client, error) {
	p, err := o.project()
	if err != nil {
		return "", nil, err
	}
	name, err := o.instance(p)
	if err != nil {
		return "", nil, err
	}
	c, err := o.connect(ctx, s, p)
	return name, c, err
}

// run does what a command without arguments of its own does with an app.
func (o *appOptions) with(cmd *cobra.Command, s *streams, do func(ctx context.Context, c *client.Client, app string) error) error {
	if err := o.validateFormat(cmd); err != nil {
		return err
	}
	name, c, err := o.app(cmd.Context(), s)
	if err != nil {
		return err
	}
	defer c.Close()
	return do(cmd.Context(), c, name)
}
