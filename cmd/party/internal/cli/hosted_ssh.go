package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"

	"github.com/spf13/cobra"

	"github.com/goparty-dev/party/internal/hosting/bootstrap"
	"github.com/goparty-dev/party/internal/hosting/client"
	"github.com/goparty-dev/party/internal/hosting/credentials"
	"github.com/goparty-dev/party/internal/hosting/remote"
)

// sshOptions are for hosts that are reached by SSH.
type sshOptions struct {
	identity  string
	acceptKey string
}

func (o *sshOptions) sshFlags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.identity, "identity", "", "with ssh://: `file` of the private key (default: those of the agent and in ~/.ssh)")
	cmd.Flags().StringVar(&o.acceptKey, "accept-host-key", "", "with ssh://: `SHA256:…` of the server's key, if it is not known yet")
}

// server gets into a server.
func (o *sshOptions) server(ctx context.Context, s *streams, address string) (*remote.Server, error) {
	target, err := remote.ParseTarget(address)
	if err != nil {
		return nil, err
	}
	opts := remote.Options{Identity: o.identity, Trust: func(_ context.Context, k remote.UnknownKey) error { return o.trust(s, k) }}
	if _, ok := s.terminal(); ok {
		opts.Passphrase = func(_ context.Context, file string) (string, error) {
			return s.secret("Passphrase of " + file + " (not shown): ")
		}
	}
	return remote.Dial(ctx, target, opts)
}

// trust decides about the key of a server that is not known: the user has to.
func (o *sshOptions) trust(s *streams, k remote.UnknownKey) error {
	what := fmt.Sprintf("%s shows the %s key %s, which ~/.ssh/known_hosts does not have", k.Server, k.Type, k.Fingerprint)
	if o.acceptKey == k.Fingerprint {
		return nil
	}
	if o.acceptKey != "" {
		return fmt.Errorf("%s; --accept-host-key is %s", what, o.acceptKey)
	}
	if _, ok := s.terminal(); !ok {
		return fmt.Errorf("%s: if it is the server's, as ssh-keygen -l says there, add --accept-host-key %s", what, k.Fingerprint)
	}
	return s.confirm(what)
}

// findHost gets into a server and finds the host there. The caller closes the server.
func (o *sshOptions) findHost(ctx context.Context, s *streams, address string) (*remote.Server, *bootstrap.Host, error) {
	srv, err := o.server(ctx, s, address)
	if err != nil {
		return nil, nil, err
	}
	h, err := bootstrap.Find(ctx, srv)
	if errors.Is(err, bootstrap.ErrNone) {
		err = fmt.Errorf("%w: \"party deploy --target %s\" installs it", err, address)
	}
	if err != nil {
		return nil, nil, errors.Join(err, srv.Close())
	}
	return srv, h, nil
}

// through makes a client whose connections are made by a server, which it closes.
func through(srv *remote.Server, h *bootstrap.Host, l credentials.Login) *client.Client {
	return client.New(client.Options{
		Name: l.Address, Address: "http://localhost", Token: l.Token, Agent: agent(), Closed: srv.Close,
		Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return srv.DialContext(ctx, "unix", h.Socket())
		},
	})
}

// newTokenBySSH has a host make a token that is called after the user here.
func newTokenBySSH(ctx context.Context, h *bootstrap.Host) (credentials.Secret, error) {
	name := os.Getenv("USER")
	if name == "" {
		name = "party"
	}
	if machine, err := os.Hostname(); err == nil {
		name += "@" + machine
	}
	secret, err := h.Token(ctx, name)
	return credentials.NewSecret(secret), err
}
