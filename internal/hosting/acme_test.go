//go:build unix

package hosting

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/acme"

	"github.com/goparty-dev/party/internal/hosting/api"
)

// acmeServer is an authority that speaks ACME (RFC 8555) and checks what is claimed: challenges are looked up at the host
// under test, of the one kind that it offers. Signatures of requests it does not check: it serves one account.
type acmeServer struct {
	*authority
	t    *testing.T
	http *httptest.Server
	kind string // of challenge: "http-01" or "tls-alpn-01"
	host string // where challenges are looked up, host:port

	mu     sync.Mutex // guards what follows
	thumb  string     // of the account's key
	orders []*acmeOrder
}

type acmeOrder struct {
	name, token string
	valid       bool
	cert        []byte
}

func newACME(t *testing.T, kind string) *acmeServer {
	s := &acmeServer{authority: newAuthority(t), t: t, kind: kind}
	s.http = httptest.NewTLSServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.http.Close)
	return s
}

// issued are the names that have got certificates.
func (s *acmeServer) issued() (names []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.orders {
		if o.cert != nil {
			names = append(names, o.name)
		}
	}
	return names
}

// asked are the names that somebody wanted certificates for.
func (s *acmeServer) asked() (names []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.orders {
		names = append(names, o.name)
	}
	return names
}

func (s *acmeServer) serve(w http.ResponseWriter, r *http.Request) {
	at := func(format string, args ...any) string { return s.http.URL + fmt.Sprintf(format, args...) }
	w.Header().Set("Replay-Nonce", base64.RawURLEncoding.EncodeToString([]byte("nonce")))
	answer := func(status int, v any) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		json.NewEncoder(w).Encode(v)
	}
	var jws struct{ Protected, Payload string }
	if r.Method == http.MethodPost {
		if err := json.NewDecoder(r.Body).Decode(&jws); err != nil {
			s.t.Errorf("%s: %v", r.URL, err)
		}
	}
	head, _ := base64.RawURLEncoding.DecodeString(jws.Protected)
	payload, _ := base64.RawURLEncoding.DecodeString(jws.Payload)
	var kind string
	n := -1
	fmt.Sscanf(strings.ReplaceAll(strings.TrimPrefix(r.URL.Path, "/"), "/", " "), "%s %d", &kind, &n)
	s.mu.Lock()
	var order *acmeOrder
	if n >= 0 && n < len(s.orders) {
		order = s.orders[n]
	}
	s.mu.Unlock()
	shown := func() map[string]any {
		out := map[string]any{
			"status": "pending", "identifiers": []any{map[string]string{"type": "dns", "value": order.name}},
			"authorizations": []string{at("/authz/%d", n)}, "finalize": at("/finalize/%d", n),
		}
		if order.valid {
			out["status"] = "ready"
		}
		if order.cert != nil {
			out["status"], out["certificate"] = "valid", at("/cert/%d", n)
		}
		return out
	}
	challenge := func() map[string]any {
		out := map[string]any{"type": s.kind, "url": at("/challenge/%d", n), "token": order.token, "status": "pending"}
		if order.valid {
			out["status"] = "valid"
		}
		return out
	}
	switch {
	case kind == "directory":
		answer(200, map[string]any{"newNonce": at("/nonce"), "newAccount": at("/account"), "newOrder": at("/order"), "revokeCert": at("/revoke"), "keyChange": at("/key")})
	case kind == "nonce":
	case kind == "account":
		s.register(head)
		w.Header().Set("Location", at("/account/1"))
		answer(201, map[string]any{"status": "valid"})
	case kind == "order" && order == nil:
		var q struct{ Identifiers []struct{ Value string } }
		if err := json.Unmarshal(payload, &q); err != nil || len(q.Identifiers) != 1 {
			s.t.Errorf("the order %s: %v", payload, err)
			return
		}
		s.mu.Lock()
		n = len(s.orders)
		order = &acmeOrder{name: q.Identifiers[0].Value, token: fmt.Sprintf("token-%d", n)}
		s.orders = append(s.orders, order)
		s.mu.Unlock()
		w.Header().Set("Location", at("/order/%d", n))
		answer(201, shown())
	case order == nil:
		http.NotFound(w, r)
	case kind == "order":
		w.Header().Set("Location", at("/order/%d", n))
		answer(200, shown())
	case kind == "authz":
		out := map[string]any{"status": "pending", "identifier": map[string]string{"type": "dns", "value": order.name}, "challenges": []any{challenge()}}
		if order.valid {
			out["status"] = "valid"
		}
		answer(200, out)
	case kind == "challenge":
		if err := s.validate(order); err != nil {
			s.t.Errorf("the challenge for %s: %v", order.name, err)
		} else {
			order.valid = true
		}
		answer(200, challenge())
	case kind == "finalize":
		if err := s.finalize(order, payload); err != nil {
			s.t.Errorf("finalize %s: %v", order.name, err)
		}
		w.Header().Set("Location", at("/order/%d", n))
		answer(200, shown())
	case kind == "cert":
		pem.Encode(w, &pem.Block{Type: "CERTIFICATE", Bytes: order.cert})
		pem.Encode(w, &pem.Block{Type: "CERTIFICATE", Bytes: s.cert.Raw})
	}
}

// register remembers the account's key, by which challenges are answered.
func (s *acmeServer) register(head []byte) {
	var h struct {
		JWK struct{ Crv, Kty, X, Y string }
	}
	if err := json.Unmarshal(head, &h); err != nil || h.JWK.Kty != "EC" {
		s.t.Errorf("the account's key: %s, %v", head, err)
		return
	}
	// The members in this order and without spaces, as RFC 7638 wants it.
	sum := sha256.Sum256(fmt.Appendf(nil, `{"crv":%q,"kty":"EC","x":%q,"y":%q}`, h.JWK.Crv, h.JWK.X, h.JWK.Y))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.thumb = base64.RawURLEncoding.EncodeToString(sum[:])
}

func (s *acmeServer) validate(o *acmeOrder) error {
	s.mu.Lock()
	want := o.token + "." + s.thumb
	s.mu.Unlock()
	if s.kind == "http-01" {
		req, err := http.NewRequest("GET", "http://"+s.host+"/.well-known/acme-challenge/"+o.token, nil)
		if err != nil {
			return err
		}
		req.Host = o.name
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if got, err := io.ReadAll(resp.Body); err != nil || string(got) != want {
			return fmt.Errorf("got %d %q, %v, want %q", resp.StatusCode, got, err, want)
		}
		return nil
	}
	conn, err := net.Dial("tcp", s.host)
	if err != nil {
		return err
	}
	defer conn.Close()
	c := tls.Client(conn, &tls.Config{ServerName: o.name, InsecureSkipVerify: true, NextProtos: []string{acme.ALPNProto}})
	if err := c.Handshake(); err != nil {
		return err
	}
	state := c.ConnectionState()
	sum := sha256.Sum256([]byte(want))
	for _, e := range state.PeerCertificates[0].Extensions {
		if e.Id.String() == "1.3.6.1.5.5.7.1.31" && bytes.HasSuffix(e.Value, sum[:]) && state.NegotiatedProtocol == acme.ALPNProto {
			return nil
		}
	}
	return fmt.Errorf("the certificate for the challenge does not have %q in it", want)
}

func (s *acmeServer) finalize(o *acmeOrder, payload []byte) error {
	var q struct{ CSR string }
	if err := json.Unmarshal(payload, &q); err != nil {
		return err
	}
	der, err := base64.RawURLEncoding.DecodeString(q.CSR)
	if err != nil {
		return err
	}
	csr, err := x509.ParseCertificateRequest(der)
	if err == nil {
		err = csr.CheckSignature()
	}
	if err != nil || len(csr.DNSNames) != 1 || csr.DNSNames[0] != o.name || !o.valid {
		return fmt.Errorf("a request for %v, valid: %v: %v", csr.DNSNames, o.valid, err)
	}
	o.cert, err = s.sign(crypto.PublicKey(csr.PublicKey), o.name)
	return err
}

func TestACME(t *testing.T) {
	for _, kind := range []string{"http-01", "tls-alpn-01"} {
		t.Run(kind, func(t *testing.T) {
			ca := newACME(t, kind)
			roots := filepath.Join(t.TempDir(), "roots.pem")
			if err := os.WriteFile(roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.http.Certificate().Raw}), 0o600); err != nil {
				t.Fatal(err)
			}
			s := newSite(t, func(o *Options) {
				o.AdminHost, o.ACMEAccept, o.ACMEDirectory, o.ACMERoots, o.Plain = "host.test", true, ca.http.URL+"/directory", roots, "127.0.0.1:0"
			})
			ca.host = s.plain
			if kind == "tls-alpn-01" {
				ca.host = strings.TrimPrefix(s.url, "https://")
			}
			client := ca.client(t, s)
			get := func(url string) (int, error) {
				resp, err := client.Get(url)
				if err != nil {
					return 0, err
				}
				defer resp.Body.Close()
				return resp.StatusCode, nil
			}
			if status, err := get("https://host.test" + api.WhoamiPath); err != nil || status != 401 {
				t.Errorf("the API: %d, %v", status, err)
			}
			if _, err := get("https://unknown.apps.test/"); err == nil {
				t.Error("a name that no app has is served")
			}
			a, err := s.host.make("chat")
			if err != nil {
				t.Fatal(err)
			}
			a.give()
			if status, err := get("https://chat.apps.test/"); err != nil || status != 503 {
				t.Errorf("an app: %d, %v", status, err)
			}
			if got := fmt.Sprint(ca.asked()); got != "[host.test chat.apps.test]" {
				t.Errorf("certificates were asked for %s", got)
			}
			// After a restart they are there.
			client.CloseIdleConnections()
			s.end()
			s.start()
			client = ca.client(t, s)
			if status, err := get("https://chat.apps.test/"); err != nil || status != 503 {
				t.Errorf("after a restart: %d, %v", status, err)
			}
			if n := len(ca.issued()); n != 2 {
				t.Errorf("there were %d certificates, want 2", n)
			}
		})
	}
}
