//go:build unix

package hosting

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/goparty-dev/party/internal/hosting/api"
)

// authority signs certificates.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pool *x509.CertPool
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{key: key, pool: x509.NewCertPool()}
	if a.cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	a.pool.AddCert(a.cert)
	return a
}

// sign makes a certificate for a key.
func (a *authority) sign(public any, names ...string) ([]byte, error) {
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber: serial, DNSNames: names, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(90 * 24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	return x509.CreateCertificate(rand.Reader, template, a.cert, public, a.key)
}

// write makes a certificate with its key, in files.
func (a *authority) write(t *testing.T, dir string, names ...string) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := a.sign(&private.PublicKey, names...)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "EC PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// client asks a host under any name, and trusts the authority.
func (a *authority) client(t *testing.T, s *site) *http.Client {
	t.Helper()
	to := strings.TrimPrefix(s.url, "https://")
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: a.pool}, ForceAttemptHTTP2: true,
		Dial: func(string, string) (net.Conn, error) { return net.Dial("tcp", to) },
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport, Timeout: patience, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func TestCertificateFiles(t *testing.T) {
	a, dir := newAuthority(t), t.TempDir()
	cert, key := a.write(t, dir, "host.test", "chat.apps.test")
	s := newSite(t, func(o *Options) {
		o.TLSCert, o.TLSKey, o.AdminHost, o.Plain = cert, key, "host.test", "127.0.0.1:0"
	})
	client := a.client(t, s)
	get := func(url string) (*http.Response, error) {
		t.Helper()
		req, err := http.NewRequest("GET", url, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+s.token)
		resp, err := client.Do(req)
		if err == nil {
			resp.Body.Close()
		}
		return resp, err
	}
	if resp, err := get("https://host.test" + api.WhoamiPath); err != nil || resp.StatusCode != 200 || resp.ProtoMajor != 2 {
		t.Errorf("the API: %v, %v", resp, err)
	}
	if resp, err := get("https://chat.apps.test/"); err != nil || resp.StatusCode != 404 {
		t.Errorf("an app that is not there: %v, %v", resp, err)
	}
	if _, err := get("https://new.apps.test/"); err == nil {
		t.Error("a name that the certificate does not have is fine")
	}
	// A new certificate is used without a restart.
	a.write(t, dir, "new.apps.test")
	s.await("the new certificate is used", func() bool {
		client.CloseIdleConnections()
		_, err := get("https://new.apps.test/")
		return err == nil
	})
}

func TestPlainPort(t *testing.T) {
	a, dir := newAuthority(t), t.TempDir()
	cert, key := a.write(t, dir, "host.test", "chat.apps.test")
	s := newSite(t, func(o *Options) {
		o.TLSCert, o.TLSKey, o.AdminHost, o.Plain = cert, key, "host.test", "off"
	})
	h, err := s.host.make("chat")
	if err != nil {
		t.Fatal(err)
	}
	h.give()
	plain := serveTest(t, http.HandlerFunc(s.host.redirect))
	for _, test := range []struct {
		host, path string
		status     int
		to         string
	}{
		{"chat.apps.test", "/a?b=c", 308, "https://chat.apps.test:" + s.host.port() + "/a?b=c"},
		{"host.test", api.WhoamiPath, 403, ""},
		{"evil.test", "/", 404, ""},
	} {
		req, err := http.NewRequest("POST", plain+test.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Host = test.host
		resp, err := (&http.Transport{}).RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != test.status || resp.Header.Get("Location") != test.to {
			t.Errorf("%s%s: got %d to %q, want %d to %q", test.host, test.path, resp.StatusCode, resp.Header.Get("Location"), test.status, test.to)
		}
	}
}

func TestOptions(t *testing.T) {
	for _, test := range []struct {
		o    Options
		want string // in the error; "" for none
	}{
		{Options{Addr: "127.0.0.1:0"}, ""},
		{Options{Addr: "[::1]:0"}, ""},
		{Options{Addr: "localhost:0", Domain: "localhost"}, ""},
		{Options{Addr: ":80"}, "--insecure-http"},
		{Options{Addr: "10.0.0.1:80"}, "no TLS"},
		{Options{Addr: ":80", InsecureHTTP: true}, ""},
		{Options{TLSCert: "a"}, "belong together"},
		{Options{TLSCert: "a", TLSKey: "b"}, "--admin-host"},
		{Options{TLSCert: "a", TLSKey: "b", AdminHost: "a.b", InsecureHTTP: true}, "exclude each other"},
		{Options{ACMEEmail: "a@b", AdminHost: "a.b"}, "--acme-accept-terms"},
		{Options{ACMEAccept: true, AdminHost: "a.b"}, ""},
		{Options{ACMEAccept: true, AdminHost: "host.apps.test", Domain: "apps.test"}, "where an app called"},
		{Options{ACMEAccept: true, AdminHost: "A.b"}, "--admin-host"},
		{Options{Addr: "127.0.0.1:0", Domain: "*.b"}, "--domain"},
		{Options{Addr: "127.0.0.1:0", Run: "/" + strings.Repeat("r", 80)}, "--run"},
		{Options{Addr: "127.0.0.1:0", Data: "/" + strings.Repeat("d", 100)}, "--data"},
	} {
		err := test.o.Check()
		if test.want == "" && err != nil || test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("Check of %+v: got error %v, want %q in it", test.o, err, test.want)
		}
	}
}
