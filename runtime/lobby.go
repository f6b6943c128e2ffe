package party

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/goparty-dev/party/internal/link"
	"github.com/goparty-dev/party/runtime/storage"
)

// Lobby is what code outside rooms is given, and what Room.Lobby returns: the
// way to rooms, the environment and the assets. Calls through it
// skip the before hooks.
type Lobby struct {
	host *Host
	up   link.Lobby // outside rooms
	i    *instance  // in a room

	target storage.Room // in before hooks
}

// Target is, in a before hook, the room that the request is addressed to: its
// party, and its name as the room itself sees it. Elsewhere both are empty.
func (l *Lobby) Target() (partyName, room string) { return l.target.Party, l.target.Name }

// Env holds the configured variables.
func (l *Lobby) Env() Env { return l.host.env }

// Party returns the party of that name. Whether it exists shows when a room of it is used.
func (l *Lobby) Party(name string) PartyRef { return PartyRef{l, name} }

// Asset returns a static file whole, by its path as in a URL, "/index.html". The error is
// fs.ErrNotExist if there is none, or one that is never served: dot files and node_modules.
// Callable from anywhere; a turn is not given up meanwhile.
func (l *Lobby) Asset(ctx context.Context, path string) ([]byte, error) {
	if !strings.HasPrefix(path, "/") {
		return nil, fmt.Errorf("asset %q: the path must start with /", path)
	}
	if l.i != nil {
		return l.i.seat.Asset(ctx, path)
	}
	return l.up.Asset(ctx, path)
}

// PartyRef is a party, as code reaches it.
type PartyRef struct {
	lobby *Lobby
	name  string
}

// Get returns the room of that name, which need not exist yet. Nothing is sent.
func (p PartyRef) Get(room string, opts ...StubOption) *Stub {
	s := &Stub{lobby: p.lobby, key: storage.Room{Party: p.name, Name: room}}
	for _, o := range opts {
		o(s)
	}
	return s
}

// Stub is a room, as code outside it reaches it.
type Stub struct {
	lobby *Lobby
	key   storage.Room
	props []byte // encoded
	err   error  // of an option
}

// maxRoomName is the longest room name in bytes.
const maxRoomName = 512

func (s *Stub) check() error {
	if s.err != nil {
		return s.err
	}
	if s.lobby.host.parties[s.key.Party] == nil || s.key.Party == link.SocketParty {
		return fmt.Errorf("there is no party %q", s.key.Party)
	}
	if n := len(s.key.Name); n == 0 || n > maxRoomName || !utf8.ValidString(s.key.Name) {
		return fmt.Errorf("room name %q: 1 to %d bytes of UTF-8", s.key.Name, maxRoomName)
	}
	return nil
}

// Fetch sends a request to the room's OnRequest and returns its response. The
// room sees the path of its own URL with the request's path appended. The caller closes the body.
//
// In a turn it is an await: the turn is given up until the response is there, and
// what the turn wrote is durable before the request leaves. So a room may call itself. Chains of
// more than 32 calls, and calls that come back to a room while it waits for
// them in OnStart, fail with ErrCircle.
func (s *Stub) Fetch(ctx context.Context, r *http.Request) (*http.Response, error) {
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("fetch: %w", err)
	}
	r = s.withProps(r)
	i := s.lobby.i
	if i == nil {
		return s.lobby.up.Fetch(ctx, s.key, r)
	}
	if i.key.Party == link.SocketParty {
		return i.seat.Fetch(ctx, s.key, r) // a socket function runs outside turns
	}
	var resp *http.Response
	// The call outlives the await: the body is read after it.
	call, end := context.WithCancel(ctx)
	err := errAbandoned
	defer func() {
		if err != nil {
			end()
		}
	}()
	err = i.callAway(ctx, s.key, func(ctx context.Context, via []string) (err error) {
		defer context.AfterFunc(ctx, end)()
		out := r.Clone(r.Context())
		out.Header.Set(viaHeader, strings.Join(via, " "))
		resp, err = i.seat.Fetch(call, s.key, out)
		return err
	})
	if err == nil {
		err = circleError(resp)
	}
	if err != nil {
		return nil, err
	}
	resp.Body = &callBody{resp.Body, end}
	return resp, nil
}

// errAbandoned stands for the panic of an await that does not return.
var errAbandoned = errors.New("abandoned")

// callBody is the body of a response from another room. Closing it ends the call.
type callBody struct {
	io.ReadCloser
	end context.CancelFunc
}

func (b *callBody) Close() error {
	b.end()
	return b.ReadCloser.Close()
}

// errForward explains where Forward works.
var errForward = errors.New("party: a WebSocket upgrade can only be forwarded by a fetch function or a before hook, through the writer it was given")

// Forward lets the room answer r, a request or a WebSocket upgrade, in place
// of the caller. The room sees the URL as it came, with its path, query and _pk. The
// caller must write nothing to w, before or after.
//
// In OnRequest, and with a w that is wrapped, only plain requests can be forwarded.
func (s *Stub) Forward(w http.ResponseWriter, r *http.Request) error {
	if err := s.check(); err != nil {
		return fmt.Errorf("forward: %w", err)
	}
	if cw, ok := w.(*callWriter); ok {
		if cw.wrote {
			return errors.New("forward: a response has been written already")
		}
		cw.forward = &link.Outcome{Pass: s.withProps(r), Forward: &s.key}
		return nil
	}
	if r.Header.Get("Upgrade") != "" {
		return errForward
	}
	resp, err := s.Fetch(r.Context(), r)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	for k, v := range resp.Header {
		w.Header()[k] = v
	}
	w.WriteHeader(resp.StatusCode)
	if _, err := io.Copy(w, resp.Body); err != nil {
		return fmt.Errorf("forward: copy the response: %w", err)
	}
	return nil
}
