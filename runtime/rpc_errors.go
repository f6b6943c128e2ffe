package party

import (
	"context"
	"encoding/json"
	"errors"
)

// KnownError is an error that keeps its identity when a call to another room
// returns it: errors.Is and errors.As find it at the caller.
type KnownError struct {
	name string
	// take encodes what err has of it; false: nothing.
	take func(err error) (json.RawMessage, bool)
	// make makes the caller's error of that.
	make func(data json.RawMessage) (error, error)
}

// ErrorValue makes an error that errors.Is compares, such as one of errors.New in a
// package variable, known under a name that is unique in the App.
func ErrorValue(name string, known error) KnownError {
	return KnownError{
		name: name,
		take: func(err error) (json.RawMessage, bool) { return nil, errors.Is(err, known) },
		make: func(json.RawMessage) (error, error) { return known, nil },
	}
}

// ErrorType makes an error type that errors.As finds known under a name that is unique in
// the App. Its values travel as JSON.
func ErrorType[T error](name string) KnownError {
	return KnownError{
		name: name,
		take: func(err error) (json.RawMessage, bool) {
			var v T
			if !errors.As(err, &v) {
				return nil, false
			}
			data, encoding := json.Marshal(v)
			return data, encoding == nil
		},
		make: func(data json.RawMessage) (error, error) {
			var v T
			err := json.Unmarshal(data, &v)
			return v, err
		},
	}
}

// commonErrors are known in every App.
var commonErrors = []KnownError{
	ErrorValue("context.Canceled", context.Canceled),
	ErrorValue("context.DeadlineExceeded", context.DeadlineExceeded),
	ErrorValue("party.ErrCircle", ErrCircle),
	ErrorValue("party.ErrOutsideTurn", ErrOutsideTurn),
	ErrorValue("party.ErrValueTooLarge", ErrValueTooLarge),
}

// sentError is an error on its way to a caller.
type sentError struct {
	Message string                     `json:"message"`
	Known   map[string]json.RawMessage `json:"known,omitempty"`
}

func (h *Host) knownErrors(each func(KnownError)) {
	for _, k := range commonErrors {
		each(k)
	}
	for _, k := range h.app.Errors {
		each(k)
	}
}

func (h *Host) encodeError(err error) []byte {
	sent := sentError{Message: err.Error()}
	h.knownErrors(func(k KnownError) {
		if data, ok := k.take(err); ok {
			if sent.Known == nil {
				sent.Known = make(map[string]json.RawMessage)
			}
			sent.Known[k.name] = data
		}
	})
	data, failed := json.Marshal(sent)
	if failed != nil {
		panic("party: encode an error: " + failed.Error()) // strings, and what was encoded before
	}
	return data
}

func (h *Host) remoteError(room, method string, data []byte) error {
	e := &RemoteError{Room: room, Method: method}
	var sent sentError
	if err := json.Unmarshal(data, &sent); err != nil {
		e.Message = "an error that cannot be read: " + err.Error()
		return e
	}
	e.Message = sent.Message
	h.knownErrors(func(k KnownError) {
		data, ok := sent.Known[k.name]
		if !ok {
			return
		}
		// One that has changed since, on the other side of a reload, is not known any more.
		if known, err := k.make(data); err == nil {
			e.known = append(e.known, known)
		}
	})
	return e
}
