//go:build !party_host

package server

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/goparty-dev/party/internal/manifest"
	party "github.com/goparty-dev/party/runtime"
)

// embedded is what generated code has put into the binary.
var embedded struct {
	manifest []byte
	assets   fs.FS
}

// Embed hands the program's manifest and assets over, each of which may be nil. Generated code calls it before Main.
func Embed(manifest []byte, assets fs.FS) {
	embedded.manifest, embedded.assets = manifest, assets
}

// Main is the program that party build makes: it serves app until SIGTERM or
// SIGINT, drains, and exits with 0. Bad flags exit with 2, other failures with 1. With a
// command as first argument it does that instead; "help" lists them. It does not return.
func Main(app *party.App) {
	if os.Getenv(HostFD) != "" {
		// Who ends a whole group of processes means the platform, which ends this one when its rooms are closed.
		signal.Notify(make(chan os.Signal, 1), os.Interrupt, syscall.SIGTERM)
		if err := serveHost(app); err != nil {
			fmt.Fprintln(os.Stderr, "error:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := dispatch(&invocation{ctx: ctx, release: stop, app: app, args: os.Args[1:], stdout: os.Stdout, stderr: os.Stderr})
	stop()
	os.Exit(code)
}

// drainTime bounds a shutdown.
const drainTime = 20 * time.Second

// run is Main without the process around it. release gives signals their usual effect back, so that a second one kills.
func run(ctx context.Context, release func(), app *party.App, args []string, stdout, stderr io.Writer) int {
	f, code := parseFlags(args, stderr)
	if f == nil {
		return code
	}
	fail := func(err error) int {
		fmt.Fprintln(stderr, "error:", err)
		return 1
	}
	opts, err := f.options()
	if err != nil {
		return fail(err)
	}
	s, err := New(append(opts, App(app))...)
	if err != nil {
		return fail(err)
	}
	l, err := net.Listen("tcp", f.addr)
	if err != nil {
		return fail(errors.Join(fmt.Errorf("%w: choose another address with --addr", err), s.Shutdown(ctx)))
	}
	hs := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    f.manifest.Limits.HeaderBytes,
		ErrorLog:          slog.NewLogLogger(slog.Default().Handler(), slog.LevelDebug),
	}
	admin, err := listenAdmin(f.admin, s.Admin())
	if err != nil {
		return fail(errors.Join(err, l.Close(), s.Shutdown(ctx)))
	}
	orders, err := s.takeOrders()
	if err != nil {
		return fail(errors.Join(err, l.Close(), admin.close(), s.Shutdown(ctx)))
	}
	fmt.Fprintf(stdout, "listening on http://%s\n", l.Addr())
	if admin != nil {
		fmt.Fprintf(stdout, "metrics on http://%s/metrics\n", admin.listener.Addr())
	}
	served := make(chan error, 1)
	go func() { served <- hs.Serve(l) }()
	select {
	case err := <-served:
		return fail(errors.Join(err, orders.close(), s.Shutdown(ctx), admin.close()))
	case <-ctx.Done():
	}
	release()
	fmt.Fprintln(stdout, "draining")
	drain, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	l.Close()
	<-served // else hs would close the listener again, and call that an error
	err = orders.close()
	// Sockets and rooms first: http.Server knows neither.
	err = errors.Join(err, s.Shutdown(drain))
	if err := errors.Join(err, hs.Shutdown(drain), admin.close()); err != nil {
		return fail(fmt.Errorf("shut down: %w", err))
	}
	return 0
}

// flags are the command line of a built program.
type flags struct {
	addr, data string
	admin      string
	vars       map[string]string
	split      *splitOptions // nil without --upgradable
	manifest   *manifest.Manifest
}

// parseFlags returns nil and an exit code when there is nothing to run.
func parseFlags(args []string, stderr io.Writer) (*flags, int) {
	f := &flags{vars: make(map[string]string)}
	set := flag.NewFlagSet("app", flag.ContinueOnError)
	set.SetOutput(stderr)
	set.StringVar(&f.addr, "addr", ":8080", "address to listen on, `host:port`")
	set.StringVar(&f.admin, "admin", "", "address for /metrics, /healthz, /readyz and /debug/pprof/, `host:port`, which clients must not reach; empty: none")
	set.StringVar(&f.data, "data", "./data", "`folder` of the durable state; empty: in memory only")
	set.Func("var", "variable for the rooms, `NAME=value`; repeatable", func(s string) error {
		name, value, ok := strings.Cut(s, "=")
		if !ok || name == "" {
			return errors.New("want NAME=value")
		}
		f.vars[name] = value
		return nil
	})
	upgradable := f.splitFlags(set)
	switch err := set.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return nil, 0
	case err != nil:
		return nil, 2
	case set.NArg() > 0:
		fmt.Fprintf(stderr, "unexpected argument %q\n", set.Arg(0))
		return nil, 2
	}
	if !*upgradable {
		f.split = nil
	}
	return f, 0
}

// options turns flags and manifest into options for New.
func (f *flags) options() ([]Option, error) {
	f.manifest = manifest.Default()
	if embedded.manifest != nil {
		m, list := manifest.Parse("party.json", embedded.manifest)
		if list.HasErrors() {
			return nil, fmt.Errorf("the manifest in this program: %w", list)
		}
		f.manifest = m
	}
	m := f.manifest
	vars, _, list := manifest.LoadVars(m, ".", false, f.vars)
	if list.HasErrors() {
		return nil, list.Err()
	}
	return []Option{
		Data(f.data), Vars(vars), Prefix(m.Prefix), Origins(m.Origins...), Assets(embedded.assets),
		func(c *config) {
			c.split = f.split
			c.platform.Limits, c.platform.CORS = m.Limits, m.CORS
			c.platform.SinglePageApp, c.platform.Crons = m.Serve.SinglePageApp, m.Crons
			c.platform.BrowserTTL, c.platform.EdgeTTL, c.platform.HashedAssets = m.Serve.BrowserTTL, m.Serve.EdgeTTL, m.Serve.Hashed()
		},
	}, nil
}
