//go:build unix

package hosting

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"
)

// certificates are what the host proves itself with: nil for plain HTTP. challenges, if not nil, is to answer on
// the plain port what it does not pass on.
func (h *Host) certificates() (conf *tls.Config, challenges func(http.Handler) http.Handler, err error) {
	switch h.mode {
	case ownCertificate:
		files := &certFiles{cert: h.opts.TLSCert, key: h.opts.TLSKey}
		if _, err := files.get(nil); err != nil {
			return nil, nil, err
		}
		return &tls.Config{GetCertificate: files.get, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}, nil, nil
	case acmeCertificates:
		m, err := h.acme()
		if err != nil {
			return nil, nil, err
		}
		conf := m.TLSConfig()
		conf.MinVersion = tls.VersionTLS12
		return conf, m.HTTPHandler, nil
	}
	return nil, nil, nil
}

// certFiles is a certificate in files, which are read again when they change.
type certFiles struct {
	cert, key string

	mu     sync.Mutex // guards what follows
	looked time.Time
	read   [2]time.Time
	now    *tls.Certificate
}

// lookEveryCert is how often the files are looked at, at most.
const lookEveryCert = time.Second

func (f *certFiles) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.now != nil && time.Since(f.looked) < lookEveryCert {
		return f.now, nil
	}
	f.looked = time.Now()
	var changed [2]time.Time
	for n, path := range []string{f.cert, f.key} {
		if info, err := os.Stat(path); err == nil {
			changed[n] = info.ModTime()
		}
	}
	if f.now != nil && changed == f.read {
		return f.now, nil
	}
	c, err := tls.LoadX509KeyPair(f.cert, f.key)
	if err != nil {
		if f.now != nil {
			return f.now, nil // one of the files is new already: the next look has both
		}
		return nil, fmt.Errorf("read the certificate: %w", err)
	}
	f.now, f.read = &c, changed
	return f.now, nil
}

// acme gets certificates for the names that the host answers to, and renews them.
func (h *Host) acme() (*autocert.Manager, error) {
	client := &acme.Client{DirectoryURL: h.opts.ACMEDirectory}
	if client.DirectoryURL == "" {
		client.DirectoryURL = autocert.DefaultACMEDirectory
	}
	if h.opts.ACMERoots != "" {
		pem, err := os.ReadFile(h.opts.ACMERoots)
		if err != nil {
			return nil, fmt.Errorf("read the roots of the ACME authority: %w", err)
		}
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("there is no certificate in %s", h.opts.ACMERoots)
		}
		client.HTTPClient = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}, Timeout: time.Minute}
	}
	return &autocert.Manager{
		Prompt: autocert.AcceptTOS, Cache: autocert.DirCache(h.layout.acme()), Email: h.opts.ACMEEmail, Client: client, HostPolicy: h.hasName,
	}, nil
}

// hasName is an error for names that are nobody's here: nobody can make the host ask for certificates by asking it.
func (h *Host) hasName(_ context.Context, name string) error {
	if h.isAdmin(name) || h.lookUp(name) != nil {
		return nil
	}
	return errors.New("no app has this host name")
}
