//go:build unix

package hosting

import (
	"context"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/goparty-dev/party/internal/hosting/api"
	"github.com/goparty-dev/party/internal/hosting/client"
	"github.com/goparty-dev/party/internal/hosting/credentials"
)

func TestTheSocketAnswersTheAPI(t *testing.T) {
	// The names by which others reach the API do not matter here.
	s := newSite(t, func(o *Options) { o.AdminHost = "admin.test" })
	path := APISocket(s.opts.Run)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o666 {
		t.Errorf("the socket is %v, %v", info, err)
	}
	ask := func(token string) (api.Whoami, error) {
		c := client.New(client.Options{
			Address: "http://app.apps.test", Token: credentials.NewSecret(token),
			Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "unix", path)
			},
		})
		defer c.Close()
		return c.Whoami(t.Context())
	}
	if who, err := ask(s.token); err != nil || who.Token.Name != "all" || who.Host.Domain != "apps.test" {
		t.Errorf("Whoami() = %+v, %v", who, err)
	}
	if _, err := ask("another"); err == nil || !strings.Contains(err.Error(), "not known") {
		t.Errorf("with a wrong token: got error %v", err)
	}
	if r := s.ask(s.token, http.MethodGet, api.WhoamiPath, nil); r.status != http.StatusNotFound {
		t.Errorf("the address for clients answers the API with %d under another name than the API's", r.status)
	}

	// A second host does not take the socket away; a socket that nobody listens on is in nobody's way.
	if l, err := listenLocal(s.opts.Run); err == nil || !strings.Contains(err.Error(), "another party host uses") {
		t.Errorf("a second host: %v, %v", l, err)
	}
	s.end()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	l.Close()
	s.start()
	if _, err := ask(s.token); err != nil {
		t.Errorf("after a restart: %v", err)
	}
}
