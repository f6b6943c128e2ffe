package party

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/goparty-dev/party/internal/link"
)

// Caller is what can reach other rooms: a room, and a Lobby.
type Caller interface {
	Lobby() *Lobby
}

// Lobby returns l, which makes it a Caller as rooms are.
func (l *Lobby) Lobby() *Lobby { return l }

// Method is a method of a room type that other code may call. Generated code makes
// one for each that is annotated with //party:rpc.
type Method struct {
	Name   string
	Public bool // clients may call it too, by HTTP
	// Func decodes the arguments, calls the method of v, the room's value, and
	// hands over what it returned.
	Func func(ctx context.Context, v any, call *MethodCall) error
}

// MethodCall is one call of a Method, on the side of the room that is called.
type MethodCall struct {
	args    any  // Values, or a list in JSON
	results any  // the same
	here    bool // the caller is in this process
	err     error
}

// Args decodes the arguments into pointers.
func (c *MethodCall) Args(into ...any) error {
	n := len(into)
	data, err := encodeValues(c.args)
	if err == nil {
		err = json.Unmarshal(data, &into)
	}
	if err != nil {
		return &argsError{err}
	}
	if len(into) != n {
		return &argsError{fmt.Errorf("got %d, want %d", len(into), n)}
	}
	return nil
}

// Return takes what the method returned.
func (c *MethodCall) Return(err error, results ...any) error {
	if err != nil {
		c.err = err
		return nil
	}
	data, err := json.Marshal(results)
	if err != nil {
		return fmt.Errorf("encode results: %w", err)
	}
	c.results = data
	return nil
}

const (
	// rpcHeader names the method in a call, and says "results" or "error" in its answer. The gateway strips it
	// from what comes from outside.
	rpcHeader = "X-Party-Rpc"
	// rpcTimeoutHeader is how long the caller waits, in milliseconds.
	rpcTimeoutHeader = "X-Party-Rpc-Timeout"

	rpcResults = "results"
	rpcError   = "error"
)

// RemoteError is an error that the method of another room returned.
// errors.Is finds in it those of App.Errors that the method's error was, and errors.As those types.
type RemoteError struct {
	Room    string // party/name
	Method  string
	Message string
	known   []error
}

func (e *RemoteError) Error() string { return e.Room + ": " + e.Method + ": " + e.Message }

// Unwrap returns what is known of the error.
func (e *RemoteError) Unwrap() []error { return e.known }

// Call calls a method of the room, as a turn of it. args are what the method
// takes after its context, results pointers to what it returns before its error; all of them travel as JSON. The
// bindings of generated code do the same without JSON, see [Invoke].
//
// In a turn the call is an await, as in Fetch. The method's context ends with ctx. An error of the
// method's, or of its arguments, is a *RemoteError; one that says that the method was not run, or that it is not known
// whether it was, is none.
func (s *Stub) Call(ctx context.Context, method string, args, results []any) error {
	if err := s.call(ctx, method, args, results); err != nil {
		return s.callError(method, err)
	}
	return nil
}

// callError says of an error that is not the method's own which call it is of.
func (s *Stub) callError(method string, err error) error {
	if _, ok := err.(*RemoteError); ok {
		return err
	}
	return fmt.Errorf("call %s of room %s: %w", method, s.key, err)
}

func (s *Stub) call(ctx context.Context, method string, args, results []any) error {
	if args == nil {
		args = []any{}
	}
	data, err := json.Marshal(args)
	if err != nil {
		return fmt.Errorf("encode arguments: %w", err)
	}
	got, err := s.invoke(ctx, method, data)
	if err != nil {
		return err
	}
	if data, err = encodeValues(got); err == nil {
		err = json.Unmarshal(data, &results)
	}
	if err != nil {
		return fmt.Errorf("decode results: %w", err)
	}
	return nil
}

// fetchCall calls a method of a room in another process, and returns its results as JSON.
func (s *Stub) fetchCall(ctx context.Context, method string, args []byte) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "/", bytes.NewReader(args))
	if err != nil {
		return nil, err
	}
	r.Header.Set(rpcHeader, method)
	if deadline, ok := ctx.Deadline(); ok {
		r.Header.Set(rpcTimeoutHeader, strconv.FormatInt(max(time.Until(deadline).Milliseconds(), 1), 10))
	}
	resp, err := s.Fetch(ctx, r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	switch resp.Header.Get(rpcHeader) {
	case rpcResults:
		return body, nil
	case rpcError:
		return nil, s.lobby.host.remoteError(s.key.String(), method, body)
	}
	return nil, fmt.Errorf("%s: %s", resp.Status, strings.TrimSpace(string(body)))
}

// call runs the method that a request from inside names, and answers with what it returned.
func (i *instance) call(ev *link.Event, name string) {
	call := new(MethodCall)
	failure := i.runMethod(name, call, func(m *Method) error { return i.callRequest(ev, m, call) })
	w := &response{i: i, seq: ev.Seq}
	if failure != nil {
		w.Header().Set(rpcHeader, rpcError)
		w.body = failure
	} else {
		w.Header().Set(rpcHeader, rpcResults)
		w.body, _ = call.results.([]byte) // the caller is elsewhere
	}
	w.finish()
}

// method returns the method of that name, nil if there is none.
func (i *instance) method(name string) *Method {
	for n := range i.def.Methods {
		if i.def.Methods[n].Name == name {
			return &i.def.Methods[n]
		}
	}
	return nil
}

// callRequest runs a method with the arguments in a request's body.
func (i *instance) callRequest(ev *link.Event, m *Method, call *MethodCall) error {
	args, err := io.ReadAll(ev.Request.Body)
	if err != nil {
		return fmt.Errorf("read arguments: %w", err)
	}
	call.args = args
	ctx := ev.Request.Context()
	if ms, err := strconv.ParseInt(ev.Request.Header.Get(rpcTimeoutHeader), 10, 64); err == nil {
		var end context.CancelFunc
		ctx, end = context.WithTimeout(ctx, time.Duration(ms)*time.Millisecond)
		defer end()
	}
	return i.callMethod(ctx, m, call)
}

// callMethod returns what is not the method's own error.
func (i *instance) callMethod(ctx context.Context, m *Method, call *MethodCall) error {
	return i.protect(func() error {
		if err := m.Func(ctx, i.hooks.Value, call); err != nil {
			call.err = err // of the arguments or the results
		}
		return nil
	})
}
