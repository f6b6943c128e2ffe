package socketio

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	party "github.com/goparty-dev/party/runtime"
)

// Option changes a server. The names and defaults are those of the Node server.
type Option func(*options)

type options struct {
	engine         party.EngineOptions
	connectTimeout time.Duration
	allowRequest   func(ctx context.Context, r *http.Request) error
	editHandshake  func(h http.Header, r *http.Request)
	editResponse   func(h http.Header, r *http.Request)
	recovery       *Recovery
	cleanup        bool
	hibernate      bool
	name           string
}

func newOptions(opts []Option) *options {
	o := &options{
		connectTimeout: 45 * time.Second,
		engine: party.EngineOptions{
			Path: "/socket.io/", Polling: true, WebSocket: true,
			PingInterval: 25 * time.Second, PingTimeout: 20 * time.Second, UpgradeTimeout: 10 * time.Second,
			MaxPayload: 1e6,
		},
	}
	for _, opt := range opts {
		opt(o)
	}
	return o
}

// Path is where the server is found below its room's URL. Default /socket.io/.
func Path(path string) Option { return func(o *options) { o.engine.Path = cleanPath(path) } }

func cleanPath(path string) string { return "/" + strings.Trim(path, "/") + "/" }

// ConnectTimeout is how long a client may take to join a namespace. Default 45 s.
func ConnectTimeout(d time.Duration) Option { return func(o *options) { o.connectTimeout = d } }

// PingTimeout is how long a client may take to answer a ping. Default 20 s.
func PingTimeout(d time.Duration) Option { return func(o *options) { o.engine.PingTimeout = d } }

// PingInterval is how often a client is pinged. The room need not be awake for it. Default 25 s.
func PingInterval(d time.Duration) Option { return func(o *options) { o.engine.PingInterval = d } }

// UpgradeTimeout is how long an upgrade to WebSocket may take. Default 10 s.
func UpgradeTimeout(d time.Duration) Option { return func(o *options) { o.engine.UpgradeTimeout = d } }

// MaxHTTPBufferSize is how large a message, or the body of a POST, may be, in bytes. A larger message closes the
// connection, a larger body is answered with 413. Default 1,000,000.
func MaxHTTPBufferSize(bytes int) Option { return func(o *options) { o.engine.MaxPayload = bytes } }

// AllowRequest decides about handshakes. An error refuses with 403 and its
// text. It runs without the room's turn, so it may be slow and must not touch the room.
func AllowRequest(f func(ctx context.Context, r *http.Request) error) Option {
	return func(o *options) { o.allowRequest = f }
}

// CORSOptions are the option cors. Patterns in Origins have one "*", which stands for characters other than slashes.
type CORSOptions = party.EngineCORS

// CORS lets pages of other origins use the server. Default: none may.
// Origins that are named (not "*") may also open a WebSocket with cookies.
func CORS(c CORSOptions) Option { return func(o *options) { o.engine.CORS = &c } }

// EditHandshakeHeaders changes the headers of the response to a handshake. It runs in a turn.
func EditHandshakeHeaders(f func(h http.Header, r *http.Request)) Option {
	return func(o *options) { o.editHandshake = f }
}

// EditResponseHeaders changes the headers of every response of a connection. It
// runs once for each connection, with the handshake's request, in a turn; preflights and
// refusals are not its concern.
func EditResponseHeaders(f func(h http.Header, r *http.Request)) Option {
	return func(o *options) { o.editResponse = f }
}

// Recovery is the option connectionStateRecovery.
type Recovery struct {
	MaxDisconnectionDuration time.Duration // default 2 minutes
	// RunMiddlewares runs the namespace's middleware for recovered sockets too (skipMiddlewares: false).
	RunMiddlewares bool
}

// ConnectionStateRecovery gives a client that lost its connection its id, rooms, data and missed events
// back when it returns in time. At most 10,000 events and 4 MiB of them are remembered. Default: off.
func ConnectionStateRecovery(r Recovery) Option {
	if r.MaxDisconnectionDuration <= 0 {
		r.MaxDisconnectionDuration = 2 * time.Minute
	}
	return func(o *options) { o.recovery = &r }
}

// Cookie is set by the handshake, with the connection's id as its value: Name,
// Path, Domain, MaxAge, Secure, HttpOnly and SameSite count. Default: none.
func Cookie(c http.Cookie) Option { return func(o *options) { o.engine.Cookie = &c } }

// Transports are the low-level connections that are offered: "polling", "websocket". Default both.
func Transports(names ...string) Option {
	return func(o *options) {
		o.engine.Polling, o.engine.WebSocket = slices.Contains(names, "polling"), slices.Contains(names, "websocket")
	}
}

// WithoutUpgrades keeps clients on the transport they begin with (allowUpgrades: false).
func WithoutUpgrades() Option { return func(o *options) { o.engine.NoUpgrade = true } }

// CleanupEmptyChildNamespaces removes children of dynamic namespaces that nobody is connected to.
func CleanupEmptyChildNamespaces() Option { return func(o *options) { o.cleanup = true } }

// Hibernate lets a mounted server leave memory while clients are connected. See the package's comment for what
// the setup function finds when it runs again.
func Hibernate() Option { return func(o *options) { o.hibernate = true } }

// Name is the party's name of a mounted server. Default "socketio".
func Name(name string) Option { return func(o *options) { o.name = name } }
