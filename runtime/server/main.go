//go:build !party_host

package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

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
		logAs(os.Getenv(logEnv))
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
	in, err := inherited()
	if err != nil {
		fmt.Fprintln(stderr, "error:", err)
		return 1
	}
	f, code := parseFlags(args, stderr)
	if f == nil {
		if in != nil {
			fmt.Fprintln(stderr, "error:", in.goBack(errors.New("this version does not take the flags of the one before")))
		}
		return code
	}
	fail := func(err error) int {
		if f.logFormat == logJSON {
			slog.Error("serve", "err", err)
		} else {
			fmt.Fprintln(stderr, "error:", err)
		}
		return 1
	}
	// say tells the operator; with a log for machines, there.
	say := func(text, address string) {
		switch {
		case f.logFormat != logJSON:
			fmt.Fprintln(stdout, strings.TrimSpace(text+" "+address))
		case address == "":
			slog.Info(text)
		default:
			slog.Info(text, "address", address)
		}
	}
	logAs(f.logFormat)
	if in != nil && f.split != nil {
		f.split.restarted = true
	}
	opts, err := f.options()
	if err != nil {
		return fail(in.goBack(err))
	}
	s, err := New(append(opts, App(app))...)
	if err != nil {
		return fail(in.goBack(err))
	}
	l, err := in.listen("addr", f.addr, publicSocket)
	if err != nil {
		return fail(errors.Join(fmt.Errorf("%w: choose another address with --addr", err), s.Shutdown(ctx)))
	}
	var open openConns
	hs := &http.Server{
		Handler:           s,
		ConnState:         open.count,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    f.manifest.Limits.HeaderBytes,
		ErrorLog:          slog.NewLogLogger(slog.Default().Handler(), slog.LevelDebug),
	}
	orders, err := s.takeOrders()
	if err != nil {
		return fail(errors.Join(err, l.Close(), s.Shutdown(ctx)))
	}
	admin, private, err := s.listenAdmin(in, f.admin, orders)
	if err != nil {
		return fail(errors.Join(err, l.Close(), orders.close(), s.Shutdown(ctx)))
	}
	for _, file := range f.varFiles {
		say("variables from "+file, "")
	}
	say("listening on", shown(l.Addr()))
	if admin != nil {
		say("metrics on", shown(admin.Addr())+"/metrics")
	}
	served := make(chan error, 1)
	go func() { served <- hs.Serve(l) }()
	if err := notify("READY=1"); err != nil {
		slog.Warn("nobody will know that the server is ready", "err", err)
	}
	if in != nil {
		slog.Info("restarted", "pause", time.Since(in.Since).Round(time.Millisecond))
	}
	select {
	case err := <-served:
		return fail(errors.Join(err, orders.close(), s.Shutdown(ctx), admin.Close()))
	case r := <-s.restarts():
		say("restarting as version "+r.ID, "")
		if err := (&serving{s, l, private, hs, &open, orders, admin, served}).leaveTo(ctx, r); err != nil {
			return fail(err)
		}
		return 0
	case <-ctx.Done():
	}
	release()
	say("draining", "")
	_ = notify("STOPPING=1") // as above, and then nothing depends on it
	drain, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	l.Close()
	<-served // else hs would close the listener again, and call that an error
	err = orders.close()
	// Sockets and rooms first: http.Server knows neither.
	err = errors.Join(err, s.Shutdown(drain))
	if err := errors.Join(err, hs.Shutdown(drain), admin.Close()); err != nil {
		return fail(fmt.Errorf("shut down: %w", err))
	}
	return 0
}
