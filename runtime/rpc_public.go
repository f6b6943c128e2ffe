package party

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/goparty-dev/party/internal/link"
)

// publicSegment stands before a method's name in the URL by which clients call it:
// POST …/parties/user/ada/_call/AddScore, with a JSON list of the arguments. The answer is 200 with a
// list of the results; 422 with {"message": …, "known": {…}} for an error that the method returned, known by
// the names of App.Errors; 400 for arguments that it does not take; 500 when it panicked.
const publicSegment = "/_call/"

// publicMethod returns the method that a request from outside calls, nil if it calls none.
func (i *instance) publicMethod(r *http.Request) *Method {
	if len(i.def.Methods) == 0 || r.Method != http.MethodPost {
		return nil
	}
	at := strings.LastIndex(r.URL.Path, publicSegment)
	if at < 0 {
		return nil
	}
	name := r.URL.Path[at+len(publicSegment):]
	for n := range i.def.Methods {
		if m := &i.def.Methods[n]; m.Name == name && m.Public {
			return m
		}
	}
	return nil
}

// callPublic runs a method for a client.
func (i *instance) callPublic(ev *link.Event, m *Method) {
	call := new(MethodCall)
	err := i.callRequest(ev, m, call)
	w := &response{i: i, seq: ev.Seq}
	var bad *argsError
	switch {
	case err != nil:
		id := rand.Text()
		w.fail(id, err)
		i.exception(m.Name, fmt.Errorf("request %s: %w", id, err))
		return
	case errors.As(call.err, &bad):
		http.Error(w, bad.Error(), http.StatusBadRequest)
	case call.err != nil:
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnprocessableEntity)
		w.body = i.host.encodeError(call.err)
	default:
		w.Header().Set("Content-Type", "application/json")
		w.body, _ = call.results.([]byte) // JSON, as the caller is not here
	}
	w.finish()
}

// argsError says that a call has not the arguments that its method takes.
type argsError struct{ err error }

func (e *argsError) Error() string { return "decode arguments: " + e.err.Error() }
func (e *argsError) Unwrap() error { return e.err }
