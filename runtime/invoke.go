package party

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/goparty-dev/party/internal/link"
)

// Values are the arguments or the results of a method, by which rooms in one process call each other without
// encoding anything. Generated code has a type for each.
type Values interface {
	// List returns pointers to the values, which is how JSON is made of them and read into them.
	List() []any
	// Isolate returns a copy that shares nothing with the values, and is what JSON would make of them. False
	// means that only JSON can tell what that is, or why it is nothing.
	Isolate() (Values, bool)
}

// NoValues are the arguments or the results of a method that has none.
type NoValues struct{}

// List implements Values.
func (*NoValues) List() []any { return []any{} }

// Isolate implements Values.
func (v *NoValues) Isolate() (Values, bool) { return v, true }

// Invoke is [Stub.Call] for generated code: with a type for the arguments and one, V, for the results. The
// method is given what JSON would make of the arguments, and the caller what it would make of the results; JSON itself is
// made only of types that cannot be copied otherwise, and for rooms in other processes. What it returns is never nil.
func Invoke[V any, P interface {
	*V
	Values
}](ctx context.Context, s *Stub, method string, args Values) (*V, error) {
	results := P(new(V))
	got, err := s.invoke(ctx, method, args)
	if err != nil {
		return results, s.callError(method, err)
	}
	if own, ok := got.(P); ok {
		return own, nil
	}
	if err := decodeValues(got, results); err != nil {
		return results, s.callError(method, fmt.Errorf("decode results: %w", err))
	}
	return results, nil
}

// Args returns the arguments of a call, for generated code.
func Args[V any, P interface {
	*V
	Values
}](call *MethodCall) (*V, error) {
	if own, ok := call.args.(P); ok {
		return own, nil
	}
	args := P(new(V))
	if err := call.Args(args.List()...); err != nil {
		return nil, err
	}
	return args, nil
}

// Results is Return for generated code.
func (c *MethodCall) Results(err error, results Values) error {
	if err != nil {
		c.err = err
		return nil
	}
	if c.here {
		if own, ok := results.Isolate(); ok {
			c.results = own
			return nil
		}
	}
	return c.Return(nil, results.List()...)
}

// encodeValues returns values as the JSON list that they are between processes.
func encodeValues(values any) ([]byte, error) {
	if data, ok := values.([]byte); ok {
		return data, nil
	}
	return json.Marshal(values.(Values).List())
}

// decodeValues reads values that have crossed a process, or are of a type that another version of the program has.
func decodeValues(from any, into Values) error {
	data, err := encodeValues(from)
	if err != nil {
		return err
	}
	list := into.List()
	return json.Unmarshal(data, &list)
}

// invoke calls a method. args and what it returns are Values, or a list in JSON.
func (s *Stub) invoke(ctx context.Context, method string, args any) (any, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	var err error
	if v, ok := args.(Values); ok {
		if args, ok = v.Isolate(); !ok {
			args, err = encodeValues(v)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("encode arguments: %w", err)
	}
	c := link.Invocation{Method: method, Args: args, Props: s.props}
	here, err := s.invokeHere(ctx, &c)
	switch {
	case err != nil:
		return nil, refusal(err)
	case !here:
		data, err := encodeValues(args)
		if err != nil {
			return nil, fmt.Errorf("encode arguments: %w", err)
		}
		return s.fetchCall(ctx, method, data)
	case c.Failure != nil:
		return nil, s.lobby.host.remoteError(s.key.String(), method, c.Failure)
	}
	return c.Results, nil
}

// invokeHere calls a method if its room is in this process, and reports whether it is.
func (s *Stub) invokeHere(ctx context.Context, c *link.Invocation) (here bool, err error) {
	i := s.lobby.i
	if i == nil {
		to, ok := s.lobby.up.(link.Invoker)
		if !ok {
			return false, nil
		}
		return to.Invoke(ctx, s.key, c)
	}
	to, ok := i.seat.(link.Invoker)
	if !ok {
		return false, nil
	}
	if i.key.Party == link.SocketParty {
		return to.Invoke(ctx, s.key, c) // a socket function runs outside turns
	}
	err = i.callAway(ctx, s.key, func(ctx context.Context, via []string) (err error) {
		c.Via = via
		here, err = to.Invoke(ctx, s.key, c)
		return err
	})
	return here, err
}

// refusal is the error of a call that something else than the method has answered.
func refusal(err error) error {
	var r *link.Refused
	if !errors.As(err, &r) {
		return err
	}
	if circle := r.Header.Get(circleHeader); circle != "" {
		return startCircle(circle)
	}
	return fmt.Errorf("%d %s: %s", r.Status, http.StatusText(r.Status), r.Text)
}

var _ link.Invocable = (*instance)(nil)

// Invocable implements link.Invocable.
func (i *instance) Invocable() {}

// callContext is the context of a method that is called in one process. Of the caller's it has the
// end, and none of the values: they would not reach a room in another process either.
type callContext struct {
	context.Context
	via []string
}

func (c *callContext) Value(key any) any {
	if key == (viaKey{}) && len(c.via) > 0 {
		return c.via
	}
	return nil
}

// AfterFunc keeps package context from waiting for the end on a goroutine.
func (c *callContext) AfterFunc(f func()) func() bool { return context.AfterFunc(c.Context, f) }

// invoked runs the method that is called in this process, and answers with what it returned.
func (i *instance) invoked(ev *link.Event) {
	c := ev.Invocation
	call := MethodCall{args: c.Args, here: true}
	failure := i.runMethod(c.Method, &call, func(m *Method) error {
		return i.callMethod(&callContext{c.Context, c.Via}, m, &call)
	})
	c.Results, c.Failure = call.results, failure
	i.emit(link.Effect{Op: link.Respond, Ref: ev.Seq, Code: http.StatusOK, Final: true})
}

// runMethod finds and runs a method, and returns its error as its caller is to get it.
func (i *instance) runMethod(name string, call *MethodCall, run func(m *Method) error) []byte {
	var err error
	if m := i.method(name); m != nil {
		err = run(m)
	} else {
		call.err = fmt.Errorf("room type %s has no method %q for others", i.def.Type, name)
	}
	if err != nil {
		id := rand.Text()
		i.exception(name, fmt.Errorf("request %s: %w", id, err))
		call.err = errors.New(strings.TrimSpace(i.host.errorText(id, err)))
	}
	if call.err == nil {
		return nil
	}
	return i.host.encodeError(call.err)
}
