package party

import (
	"context"
	"net/http"
)

// The callbacks of a room type. Each is optional: a type has it when it has
// the method. All run as turns of their room, so they never overlap with
// each other. A returned error is handled as the method's comment says; a panic is
// handled like an error, and what the turn had written and sent since its
// last Await is dropped.
type (
	// Starter is called before anything else is delivered to a fresh instance:
	// for the first event ever, after hibernation, a reload or a crash. If it fails,
	// the event that woke the room gets an error and the next event tries again. Messages wait, for a
	// minute at most, in which it is tried again and again; then their senders are closed with 1011.
	Starter interface {
		OnStart(ctx context.Context) error
	}

	// Connecter is called when a client connects, before its first message. The
	// upgrade completes when it returns. An error closes the connection with
	// 1011, or with the code of a [CloseError]. r must not be kept.
	Connecter interface {
		OnConnect(ctx context.Context, conn *Conn, r *http.Request) error
	}

	// Messenger is called for each frame of a client. An error goes to OnError, and
	// the connection stays open.
	Messenger interface {
		OnMessage(ctx context.Context, conn *Conn, msg Message) error
	}

	// Closer is called once for each connection that OnConnect let in, when
	// it is gone. The connection is no longer listed.
	Closer interface {
		OnClose(ctx context.Context, conn *Conn, ev CloseEvent)
	}

	// ErrorHandler is given what OnMessage and OnClose failed with.
	ErrorHandler interface {
		OnError(ctx context.Context, conn *Conn, err error)
	}

	// Requester answers HTTP requests to the room. A panic is a 500.
	Requester interface {
		OnRequest(w http.ResponseWriter, r *http.Request)
	}

	// Alarmer is called when the room's alarm is due. While it runs no alarm
	// is set. An error or a panic repeats it: after 2 s, 4 s, … up to 6 times.
	Alarmer interface {
		OnAlarm(ctx context.Context) error
	}

	// ExceptionHandler is given what failed in a callback and has no better place to go:
	// errors of OnStart, OnAlarm, OnRequest (panics), timers and Do, and
	// those of OnMessage and OnClose when there is no OnError.
	ExceptionHandler interface {
		OnException(ctx context.Context, err error)
	}

	// Tagger names the tags of a new connection, before OnConnect. The
	// connection's id is always its first tag and need not be returned. At most 10
	// tags with the id, each 1 to 256 bytes; more fails the connection.
	Tagger interface {
		ConnectionTags(ctx context.Context, conn *Conn, r *http.Request) ([]string, error)
	}
)
