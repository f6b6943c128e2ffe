package link

import (
	"net/http"
	"time"
)

// Engine says how the rooms of a party speak Engine.IO 4. It is plain data,
// because the gateway, which speaks it, outlives the code that chose it; a
// session keeps what was in force at its handshake.
type Engine struct {
	// Path is where it is found below a room's URL, and Mount, if not empty, the
	// path at the root of the site that leads to the room MountRoom. Both
	// begin and end with a slash.
	Path      string
	Mount     string
	MountRoom string

	Polling   bool // offer HTTP long-polling
	WebSocket bool // offer WebSocket
	NoUpgrade bool // a session stays with the transport it began with

	PingInterval   time.Duration
	PingTimeout    time.Duration
	UpgradeTimeout time.Duration
	MaxPayload     int // bytes of one message or one POST

	// Cookie, if not nil, is set by the handshake, with the session's id as its value.
	Cookie *http.Cookie
	// CORS, if not nil, lets pages of other origins use HTTP.
	CORS *EngineCORS
}

// EngineCORS says which pages may use Engine.IO over HTTP, as in the option
// cors of the Node server.
type EngineCORS struct {
	// Origins are compared as a whole; "*" is any, and a "*" within one stands for one
	// or more characters other than a slash ("https://*.example.com").
	Origins        []string
	Methods        []string // default GET, HEAD, PUT, PATCH, POST, DELETE
	AllowedHeaders []string // default: whatever the preflight asks for
	ExposedHeaders []string
	Credentials    bool
	MaxAge         int // seconds a preflight may be remembered; 0: not said
}
