//go:build !party_host

package server

import (
	"io/fs"
	"log/slog"
	"net/http"
	"time"

	"github.com/goparty-dev/party/internal/manifest"
	"github.com/goparty-dev/party/internal/platform"
	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/storage"
)

// Option configures a Server.
type Option func(*config)

type config struct {
	app      party.App
	platform platform.Options
	dataDir  string
	vars     map[string]any
	split    *splitOptions // nil: the host is in this process
}

// Rooms adds room types, made by party.Define.
func Rooms(defs ...party.Definition) Option {
	return func(c *config) { c.app.Rooms = append(c.app.Rooms, defs...) }
}

// App serves what generated code or a program has put together.
func App(app *party.App) Option {
	return func(c *config) {
		rooms := c.app.Rooms
		c.app = *app
		c.app.Rooms = append(rooms, app.Rooms...)
	}
}

// Data keeps what rooms write in a folder, which is made if need be. One
// server at a time can use it.
func Data(dir string) Option { return func(c *config) { c.dataDir = dir } }

// Store keeps what rooms write in s, which Shutdown does not close.
func Store(s storage.Store) Option { return func(c *config) { c.platform.Store = s } }

// Assets serves static files, below the root of the file system, to GET and HEAD.
func Assets(files fs.FS) Option { return func(c *config) { c.platform.Assets = files } }

// SinglePageApp answers navigations that match nothing with /index.html.
func SinglePageApp() Option { return func(c *config) { c.platform.SinglePageApp = true } }

// CacheAssets lets browsers, and caches between them and the server, keep static files for some time
// without asking, in whole seconds. A negative time is as if it were not given: they ask every time,
// and get the file only if it has changed, which is also the default.
func CacheAssets(browser, edge time.Duration) Option {
	seconds := func(d time.Duration) *int {
		if d < 0 {
			return nil
		}
		n := int(d / time.Second)
		return &n
	}
	return func(c *config) { c.platform.BrowserTTL, c.platform.EdgeTTL = seconds(browser), seconds(edge) }
}

// Fallback answers what nothing else matched. Default: 404.html, else a plain 404.
func Fallback(h http.Handler) Option { return func(c *config) { c.platform.Next = h } }

// Logger is where the server and its rooms log. Default: slog.Default().
func Logger(l *slog.Logger) Option { return func(c *config) { c.platform.Logger = l } }

// Vars are the variables that rooms see as their environment. Values must be encodable as JSON.
func Vars(vars map[string]any) Option { return func(c *config) { c.vars = vars } }

// Prefix is the first part of room URLs, one or more segments. Default "parties".
func Prefix(segments string) Option { return func(c *config) { c.platform.Prefix = segments } }

// Origins lists the origins, such as "https://example.com", besides the server's own, whose pages may open
// sockets with cookies or credentials; "*" is every origin.
func Origins(origins ...string) Option {
	return func(c *config) { c.platform.Origins = append(c.platform.Origins, origins...) }
}

// TrustProxies lists the proxies before the server whose X-Forwarded-For, X-Forwarded-Host and X-Forwarded-Proto are
// believed: requests then have the client's address (with port 0) as RemoteAddr, the host that it asked for as Host, and
// TLS that is not nil if it came by HTTPS. "unix" is whoever connects by a Unix socket, "loopback" the machine
// itself; else it is an address or a network such as "10.0.0.0/8". Default none: such headers mean nothing then.
func TrustProxies(proxies ...string) Option {
	return func(c *config) { c.platform.TrustedProxies = append(c.platform.TrustedProxies, proxies...) }
}

// CORS lets pages of other origins read the answers on room URLs. Without
// headers the usual methods and headers are allowed, to every origin; with
// them, exactly these are sent.
func CORS(headers map[string]string) Option {
	return func(c *config) {
		c.platform.CORS = &manifest.CORS{Headers: headers}
		if headers == nil {
			m, _ := manifest.Parse("", []byte(`{"cors": true}`))
			c.platform.CORS = m.CORS
		}
	}
}

// Crons are the schedules of the app's cron functions, by their names: five fields, "30 8 * * 1-5", or "@daily"
// and the like, in UTC. A function without one runs in no case, a schedule without a function is an error of New.
func Crons(schedules map[string]string) Option {
	return func(c *config) { c.platform.Crons = schedules }
}

// Grace is how long a callback in Await may go on when the server shuts down. Default 5 s.
func Grace(d time.Duration) Option { return func(c *config) { c.platform.Grace = d } }

// Limits bound what clients can make the server hold. A zero field means its default.
type Limits struct {
	MessageBytes    int           // one WebSocket message; over it close 1009. Default 1 MiB
	BodyBytes       int64         // one request body; over it 413. Default 10 MiB
	RoomNameBytes   int           // a room's name; over it 400. Default 512
	SendQueueBytes  int           // what waits for one slow connection; over it close 1013. Default 1 MiB
	Connections     int           // open sockets; over it 503. Default 100000
	RoomConnections int           // open sockets of one room; over it 503. Default 32768
	RoomQueue       int           // events that wait for a room to start; over it 503. Default 1024
	Idle            time.Duration // before an idle room is dropped from memory. Default 10 s
}

// WithLimits changes limits.
func WithLimits(l Limits) Option {
	return func(c *config) {
		c.platform.Limits = manifest.Limits{
			MessageBytes: l.MessageBytes, BodyBytes: l.BodyBytes, RoomNameBytes: l.RoomNameBytes,
			SendQueueBytes: l.SendQueueBytes, Connections: l.Connections, RoomConnections: l.RoomConnections,
			RoomQueue: l.RoomQueue, Idle: l.Idle,
		}
	}
}
