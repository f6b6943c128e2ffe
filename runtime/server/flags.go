//go:build !party_host

package server

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/goparty-dev/party/internal/manifest"
)

// flags are the command line of a built program.
type flags struct {
	addr, data string
	admin      string
	proxies    []string // to trust besides the manifest's
	logFormat  string
	vars       map[string]string
	varFiles   []string      // that were read
	split      *splitOptions // nil without --upgradable
	manifest   *manifest.Manifest
}

// parseFlags returns nil and an exit code when there is nothing to run.
func parseFlags(args []string, stderr io.Writer) (*flags, int) {
	f := new(flags)
	var vars []string
	set := flag.NewFlagSet("app", flag.ContinueOnError)
	set.SetOutput(stderr)
	set.StringVar(&f.addr, "addr", ":8080", "address to listen on, `host:port` or unix:PATH")
	set.StringVar(&f.admin, "admin", "", "address for /metrics, /healthz, /readyz and /debug/pprof/, `host:port` or unix:PATH, which clients must not reach; empty: none")
	set.StringVar(&f.data, "data", "./data", "`folder` of the durable state; empty: in memory only")
	set.Func("var", "variable for the rooms, `NAME=value`, or NAME for one of the environment; repeatable", func(s string) error {
		vars = append(vars, s) // an error from here would be printed with the value
		return nil
	})
	set.Var((*proxyFlag)(&f.proxies), "trust-proxy", "believe X-Forwarded-For, -Host and -Proto from these too: -trust-proxy=`unix,10.0.0.0/8`; without a list, from Unix sockets and this machine")
	set.Func("log-format", "`text` (the default) or json: a JSON object a line, on standard error", func(s string) error {
		if s != logText && s != logJSON {
			return errors.New("want text or json")
		}
		f.logFormat = s
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
	var err error
	if f.vars, err = manifest.ParseVars(vars, os.LookupEnv); err != nil {
		fmt.Fprintln(stderr, "error:", err)
		return nil, 2
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
	vars, files, list := manifest.LoadVars(m, ".", false, f.vars)
	if list.HasErrors() {
		return nil, list.Err()
	}
	f.varFiles = files
	return []Option{
		Data(f.data), Vars(vars), Prefix(m.Prefix), Origins(m.Origins...), TrustProxies(m.TrustedProxies...), TrustProxies(f.proxies...), Assets(embedded.assets),
		func(c *config) {
			if f.split != nil {
				f.split.logFormat = f.logFormat
				c.split = f.split
			}
			c.platform.Limits, c.platform.CORS = m.Limits, m.CORS
			c.platform.SinglePageApp, c.platform.Crons = m.Serve.SinglePageApp, m.Crons
			c.platform.BrowserTTL, c.platform.EdgeTTL, c.platform.HashedAssets = m.Serve.BrowserTTL, m.Serve.EdgeTTL, m.Serve.Hashed()
		},
	}, nil
}

// proxyFlag is a list of proxies. The flag can stand alone.
type proxyFlag []string

func (p *proxyFlag) String() string   { return strings.Join(*p, ",") }
func (p *proxyFlag) IsBoolFlag() bool { return true }

// Set implements flag.Value. "true" is what the flag alone, without a list, means.
func (p *proxyFlag) Set(s string) error {
	switch s {
	case "true":
		s = manifest.ProxyUnix + "," + manifest.ProxyLoopback
	case "false":
		*p = nil
		return nil
	}
	for proxy := range strings.SplitSeq(s, ",") {
		if _, err := manifest.ProxyNetworks(proxy); err != nil {
			return err
		}
		*p = append(*p, proxy)
	}
	return nil
}
