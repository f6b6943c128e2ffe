package api

import "fmt"

// Code names a kind of failure. Clients may act on it; the text is for people.
type Code string

// The codes, with the status that they come with.
const (
	CodeUnauthorized Code = "unauthorized" // 401: no token, or one that is not known, revoked or expired
	CodeForbidden    Code = "forbidden"    // 403: the token does not allow it, or a browser asks
	CodeNotFound     Code = "not-found"    // 404: no such app, version, backup, variable or path
	CodeBadRequest   Code = "bad-request"  // 400: the question is not understood
	CodeBadName      Code = "bad-name"     // 400: a name breaks its rule
	CodeWrongHash    Code = "wrong-hash"   // 422: the bytes of a blob do not have its hash
	CodeTooLarge     Code = "too-large"    // 413: a body is over its limit
	CodeNoBlob       Code = "no-blob"      // 409: a deploy names a blob that has not been put
	CodeBadBinary    Code = "bad-binary"   // 422: it is not a program of party build, or for another system
	CodeRefused      Code = "refused"      // 409: the version does not fit the stored data or the running one
	CodeDestructive  Code = "destructive"  // 409: it deletes rooms, and that was not allowed
	CodeConflict     Code = "conflict"     // 409: a domain is another app's, or another deploy is going on
	CodeNotRunning   Code = "not-running"  // 409: the app has to run for that
	CodeUnhealthy    Code = "unhealthy"    // in a Failed event: it does not answer, or crashed on probation
	CodeUnsupported  Code = "unsupported"  // 501: the app's program cannot do that
	CodeTooMany      Code = "too-many"     // 429: wait for Retry-After seconds
	CodeNoSpace      Code = "no-space"     // 507: the disk of the host is full, or a quota is used up
	CodeUnavailable  Code = "unavailable"  // 503: the host is shutting down
	CodeInternal     Code = "internal"     // 500: a fault of the host; its log says more
)

// Failure is the body of every answer that is not 2xx.
type Failure struct {
	Problem Problem `json:"error"`
}

// Problem is why something was not done.
type Problem struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"` // what to do
	Status  int    `json:"-"`              // of the answer
}

func (p *Problem) Error() string {
	if p.Hint != "" {
		return fmt.Sprintf("%s: %s", p.Message, p.Hint)
	}
	return p.Message
}
