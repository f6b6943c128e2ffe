//go:build unix

package hosting

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/goparty-dev/party/internal/hosting/api"
)

// Defaults of Options.
const (
	DefaultAddr    = ":443"
	DefaultPlain   = ":80"
	DefaultData    = "/var/lib/party-host"
	DefaultRun     = "/run/party-host"
	DefaultMaxBlob = 256 << 20

	DefaultProbation = 30 * time.Second
	// DefaultUsers are at the end of what Debian gives to people, where it never gets to.
	DefaultFirstUser, DefaultUsers = 58000, 1000
)

// Options of a host. What is not said to have a default may be empty.
type Options struct {
	Data string // folder of everything that is kept; default DefaultData
	Run  string // folder of sockets and of variables in plain text: in memory, best; default DefaultRun

	Addr  string // for clients and the API, host:port; default DefaultAddr
	Plain string // with TLS: for redirects and ACME challenges; default DefaultPlain, "off" for none
	// AdminHost is the host name of the API. Default: with plain HTTP, every name and address of this machine that is
	// no app's; with TLS it is required.
	AdminHost string
	Domain    string // apps are at NAME.Domain; empty: only at their own domains
	// Snapshots is where scheduled backups are put too: a folder, or a bucket as in package snapshots. Empty: nowhere.
	Snapshots string
	Metrics   string // address for /metrics, /healthz and /readyz, host:port; empty: none

	TLSCert, TLSKey string // files; read again when they change
	ACMEEmail       string // with ACME, to whom the authority writes
	ACMEDirectory   string // of the authority; default Let's Encrypt
	ACMERoots       string // file with certificates by which the authority's own is checked; default the system's
	ACMEAccept      bool   // the authority's terms of service; ACME is used when there is no TLSCert
	InsecureHTTP    bool   // allow plain HTTP on addresses that others can reach

	// FirstUser and Users are the range of user numbers for apps, if the host is root. A negative FirstUser
	// runs apps as the host's user. Defaults DefaultFirstUser and DefaultUsers.
	FirstUser, Users int

	MaxBlob   int64         // bytes of an upload; default DefaultMaxBlob
	StartTime time.Duration // for an app to be ready; default 60 s
	Probation time.Duration // of new versions, unless the app's settings say otherwise; default DefaultProbation
	Version   string        // of this program, for Whoami
	Logger    *slog.Logger  // default slog.Default()
}

// mode is how clients reach the host.
type mode uint8

const (
	plainHTTP mode = iota
	ownCertificate
	acmeCertificates
)

// Check fills defaults in and says what does not fit together, as New does.
func (o *Options) Check() error {
	_, err := o.complete()
	return err
}

// complete fills defaults in and says what does not fit together.
func (o *Options) complete() (mode, error) {
	set(&o.Data, DefaultData)
	set(&o.Run, DefaultRun)
	set(&o.Addr, DefaultAddr)
	set(&o.Plain, DefaultPlain)
	set(&o.FirstUser, DefaultFirstUser)
	set(&o.Users, DefaultUsers)
	set(&o.MaxBlob, DefaultMaxBlob)
	set(&o.StartTime, time.Minute)
	set(&o.Probation, DefaultProbation)
	set(&o.Version, "devel")
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	var err error
	if o.Data, err = filepath.Abs(o.Data); err == nil {
		o.Run, err = filepath.Abs(o.Run)
	}
	if err != nil {
		return 0, err
	}
	if len(o.Run) > maxRun {
		return 0, fmt.Errorf("--run %s: want a path of at most %d bytes, since there are sockets below it", o.Run, maxRun)
	}
	if len(o.Data) > maxData {
		return 0, fmt.Errorf("--data %s: want a path of at most %d bytes, since there are sockets below it", o.Data, maxData)
	}
	for flag, name := range map[string]string{"--admin-host": o.AdminHost, "--domain": o.Domain} {
		if name != "" && name != localhost && api.CheckDomain(name) != nil {
			return 0, fmt.Errorf("%s %q: want a host name in lower-case ASCII, without port", flag, name)
		}
	}
	if o.AdminHost != "" && o.Domain != "" && strings.HasSuffix(o.AdminHost, "."+o.Domain) {
		first := strings.TrimSuffix(o.AdminHost, "."+o.Domain)
		if api.CheckInstance(first) == nil {
			return 0, fmt.Errorf("--admin-host %s is also where an app called %q would be: take a name outside of --domain %s", o.AdminHost, first, o.Domain)
		}
	}
	if (o.TLSCert == "") != (o.TLSKey == "") {
		return 0, errors.New("--tls-cert and --tls-key belong together")
	}
	return o.mode()
}

func (o *Options) mode() (mode, error) {
	m := plainHTTP
	switch {
	case o.TLSCert != "":
		m = ownCertificate
	case o.ACMEAccept || o.ACMEEmail != "":
		m = acmeCertificates
		if !o.ACMEAccept {
			return 0, errors.New("certificates by ACME need --acme-accept-terms: you agree to the terms of service of the authority")
		}
	}
	if m != plainHTTP {
		if o.AdminHost == "" {
			return 0, errors.New("with TLS, --admin-host has to say under which name the API is")
		}
		if o.InsecureHTTP {
			return 0, errors.New("--insecure-http and certificates exclude each other")
		}
		return m, nil
	}
	if !o.InsecureHTTP && !isLoopback(o.Addr) {
		return 0, fmt.Errorf("--addr %s can be reached by others, and there is no TLS: tokens and messages would be readable on the way. "+
			"Give --tls-cert and --tls-key, or --acme-email and --acme-accept-terms, or listen on 127.0.0.1 behind a proxy with TLS; --insecure-http does it anyway", o.Addr)
	}
	return m, nil
}

// isLoopback reports whether only this machine can reach an address.
func isLoopback(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == localhost || ip != nil && ip.IsLoopback()
}

const localhost = "localhost"

// set gives a value its default.
func set[T comparable](v *T, value T) {
	var zero T
	if *v == zero {
		*v = value
	}
}

// isolates reports whether apps get users of their own.
func (o *Options) isolates() bool { return os.Geteuid() == 0 && o.FirstUser > 0 }
