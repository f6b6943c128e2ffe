package socketio_test

import (
	"context"
	"net"
	"net/http"
	"testing"
	"testing/synctest"

	"github.com/gorilla/websocket"

	"github.com/goparty-dev/party/internal/pipetest"
)

// piped is how the server is reached of a test that runs in a bubble, and nil outside. No tests of this package run at once.
var piped *pipetest.Listener

// still runs a test with one server in a synctest bubble: time stands still while anybody has something to do, so its
// timeouts are exact however slow the machine is.
func still(t *testing.T, fn func(t *testing.T)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		piped = pipetest.Listen()
		t.Cleanup(func() { piped = nil })
		fn(t)
	})
}

func connect(ctx context.Context, network, addr string) (net.Conn, error) {
	if piped != nil {
		return piped.Dial(ctx, network, addr)
	}
	return new(net.Dialer).DialContext(ctx, network, addr)
}

var dialer = &websocket.Dialer{NetDialContext: connect}

func roundTrip(r *http.Request) (*http.Response, error) {
	if piped == nil {
		return http.DefaultTransport.RoundTrip(r)
	}
	return (&http.Transport{DialContext: connect, DisableKeepAlives: true}).RoundTrip(r)
}
