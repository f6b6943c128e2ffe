//go:build unix

package cli

import (
	"context"
	"log/slog"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/goparty-dev/party/internal/hosting"
)

func newHost(s *streams) *cobra.Command {
	return newGroup("host", "Run many apps on a server of your own",
		`host is the other end of party deploy: a daemon that runs many apps on one server, gives
them requests by host name, and puts new versions in without closing a socket.

  party host install -- --domain apps.example.com --admin-host host.example.com \
      --acme-email ops@example.com --acme-accept-terms
  party host token new laptop

docs/host.md says more.`, newHostServe(s), newHostInstall(s), newHostToken(s))
}

// hostFlags are the flags of host serve.
type hostFlags struct {
	hosting.Options
	logFormat string
}

func (o *hostFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.Data, "data", hosting.DefaultData, "`folder` of everything that is kept")
	f.StringVar(&o.Run, "run", hosting.DefaultRun, "`folder` of sockets, best in memory")
	f.StringVar(&o.Addr, "addr", hosting.DefaultAddr, "`address` for clients and the API, host:port")
	f.StringVar(&o.Plain, "plain", hosting.DefaultPlain, "with TLS: `address` for redirects and ACME, or off")
	f.StringVar(&o.AdminHost, "admin-host", "", "host `name` of the API; required with TLS")
	f.StringVar(&o.Domain, "domain", "", "apps are at NAME.`DOMAIN`")
	f.StringVar(&o.Snapshots, "snapshots", "", "`place` for scheduled backups besides --data: a folder, or s3://BUCKET[/PREFIX][?endpoint=HOST&region=NAME]")
	f.StringVar(&o.Metrics, "metrics", "", "`address` for /metrics, /healthz and /readyz, which clients must not reach")
	f.StringVar(&o.TLSCert, "tls-cert", "", "certificate `file`, read again when it changes")
	f.StringVar(&o.TLSKey, "tls-key", "", "its key `file`")
	f.StringVar(&o.ACMEEmail, "acme-email", "", "get certificates by ACME; the authority writes to this `address`")
	f.BoolVar(&o.ACMEAccept, "acme-accept-terms", false, "get certificates by ACME: you agree to the authority's terms")
	f.StringVar(&o.ACMEDirectory, "acme-directory", "", "`URL` of the authority (default: Let's Encrypt)")
	f.StringVar(&o.ACMERoots, "acme-roots", "", "`file` with certificates to check the authority by")
	f.BoolVar(&o.InsecureHTTP, "insecure-http", false, "no TLS, though others can reach the address")
	f.IntVar(&o.FirstUser, "first-user", hosting.DefaultFirstUser, "as root: first user `number` for apps; -1: run them as root")
	f.IntVar(&o.Users, "users", hosting.DefaultUsers, "as root: how many user numbers there are for apps")
	f.Int64Var(&o.MaxBlob, "max-upload", hosting.DefaultMaxBlob, "largest program, in `bytes`")
	f.DurationVar(&o.Probation, "probation", hosting.DefaultProbation, "`time`, in whole seconds, in which a new version that crashes is gone back from")
	f.StringVar(&o.logFormat, "log-format", "text", "text or json")
}

// options are the host's, without what is not in flags.
func (o *hostFlags) options(cmd *cobra.Command) (hosting.Options, error) {
	if o.logFormat != "text" && o.logFormat != "json" {
		return o.Options, usagef(cmd, "--log-format %q: want text or json", o.logFormat)
	}
	opts := o.Options
	if err := opts.Check(); err != nil {
		return opts, usagef(cmd, "%v", err)
	}
	return opts, nil
}

func newHostServe(s *streams) *cobra.Command {
	var o hostFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the daemon",
		Long: `serve runs the daemon until SIGTERM or SIGINT; then all apps end in good order. Apps are
started again with the versions that they had.

It wants TLS, by files or by ACME, unless --addr is on loopback. Started as root, it gives each app a
user of its own.`,
		Args: atMost(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			opts, err := o.options(cmd)
			if err != nil {
				return err
			}
			return o.serve(cmd.Context(), s, opts)
		},
	}
	o.add(cmd)
	return cmd
}

func (o *hostFlags) serve(ctx context.Context, s *streams, opts hosting.Options) error {
	var handler slog.Handler = slog.NewTextHandler(s.err, nil)
	if o.logFormat == "json" {
		handler = slog.NewJSONHandler(s.err, nil)
	}
	opts.Logger = slog.New(handler)
	info, _ := debug.ReadBuildInfo()
	opts.Version = version(info)
	if opts.InsecureHTTP {
		opts.Logger.Warn("NO TLS: tokens, variables and messages can be read and changed by everybody on the way")
	}
	h, err := hosting.New(opts)
	if err != nil {
		return err
	}
	if !h.Isolated() {
		opts.Logger.Warn("apps run as the user of this host, and can read each other's data and its own: start it as root to keep them apart")
	}
	return h.Serve(ctx, func(a hosting.Addresses) {
		s.printf("listening on %s\n", a.Clients)
		if a.Plain != "" {
			s.printf("redirecting from http://%s\n", a.Plain)
		}
		if a.Metrics != "" {
			s.printf("metrics on http://%s/metrics\n", a.Metrics)
		}
	})
}
