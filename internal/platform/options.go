package platform

import (
	"io/fs"
	"log/slog"
	"net/http"
	"time"

	"github.com/goparty-dev/party/internal/manifest"
	"github.com/goparty-dev/party/runtime/storage"
)

// Options configure a platform. Only Store is required.
type Options struct {
	// Store keeps what rooms write. The platform does not close it.
	Store storage.Store
	// Logger defaults to slog.Default().
	Logger *slog.Logger
	// Limits; a zero field means its default.
	Limits manifest.Limits
	// Prefix of room URLs, one or several segments without outer slashes. Default "parties".
	Prefix string
	// Dev shows names that exist, stack traces and crons by URL, and accepts upgrades
	// from loopback origins.
	Dev bool
	// Assets are static files, served to GET and HEAD where no room matches. May be nil.
	Assets fs.FS
	// SinglePageApp serves /index.html to navigations that match nothing.
	SinglePageApp bool
	// BrowserTTL, EdgeTTL and HashedAssets say how long assets may be kept; see assets.Options.
	BrowserTTL, EdgeTTL *int
	HashedAssets        string
	// EditHTML, if set, may change an HTML asset before it is sent.
	EditHTML func(page []byte) []byte
	// CORS headers for answers on room URLs; nil for none.
	CORS *manifest.CORS
	// Origins that may open sockets with cookies or an Authorization header,
	// besides the server's own. "*" is every origin.
	Origins []string
	// TrustedProxies are those whose X-Forwarded-For, -Host and -Proto are believed, as in party.json.
	TrustedProxies []string
	// Crons are schedules by the name of their function.
	Crons map[string]string
	// Next answers what nothing else matched; nil for 404.html or a plain 404.
	Next http.Handler
	// Grace is how long a running await may go on when its room is handed
	// over or the platform shuts down. Default 5 s.
	Grace time.Duration
	// Observer is told what happens. Its functions must not block.
	Observer Observer
}

// Observer is a set of optional functions that are told what happens.
type Observer struct {
	// Request is called when an HTTP request has been answered, upgrades included (101).
	Request func(RequestInfo)
	// Joined and Left are called when a connection is let into its room
	// and when it is gone.
	Joined func(SessionInfo)
	Left   func(SessionInfo)
	// HandedOver is called when all rooms of a replaced or dead host are on the new one.
	HandedOver func(HandOver)
	// Migrated is called when a room's data migrations have run and are durable, or, with a reason, each time
	// that they could not run: the room is as it was and does not start.
	Migrated func(room storage.Room, reason string)
}

// RequestInfo describes an answered request.
type RequestInfo struct {
	ID           string
	Method, Path string
	Status       int
	Duration     time.Duration
}

// SessionInfo describes a connection.
type SessionInfo struct {
	Room   storage.Room
	Conn   string
	Code   int    // close code, for Left
	Reason string // close reason, for Left
	Count  int    // connections of the room afterwards
}

// HandOver sums up a change of host.
type HandOver struct {
	Rooms    int           // rooms that moved at once
	Sessions int           // open sockets kept
	Pause    time.Duration // longest time for which the events of one room waited
}
