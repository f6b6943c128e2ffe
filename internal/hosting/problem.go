//go:build unix

package hosting

import (
	"net/http"

	"github.com/goparty-dev/party/internal/hosting/api"
)

// statuses are those of the answers that report a problem.
var statuses = map[api.Code]int{
	api.CodeUnauthorized: http.StatusUnauthorized,
	api.CodeForbidden:    http.StatusForbidden,
	api.CodeNotFound:     http.StatusNotFound,
	api.CodeBadRequest:   http.StatusBadRequest,
	api.CodeBadName:      http.StatusBadRequest,
	api.CodeWrongHash:    http.StatusUnprocessableEntity,
	api.CodeTooLarge:     http.StatusRequestEntityTooLarge,
	api.CodeNoBlob:       http.StatusConflict,
	api.CodeBadBinary:    http.StatusUnprocessableEntity,
	api.CodeRefused:      http.StatusConflict,
	api.CodeDestructive:  http.StatusConflict,
	api.CodeConflict:     http.StatusConflict,
	api.CodeNotRunning:   http.StatusConflict,
	api.CodeUnhealthy:    http.StatusBadGateway,
	api.CodeUnsupported:  http.StatusNotImplemented,
	api.CodeTooMany:      http.StatusTooManyRequests,
	api.CodeNoSpace:      http.StatusInsufficientStorage,
	api.CodeUnavailable:  http.StatusServiceUnavailable,
	api.CodeInternal:     http.StatusInternalServerError,
}

// problem is an error for whoever has asked.
func problem(code api.Code, message, hint string) *api.Problem {
	return &api.Problem{Code: code, Message: message, Hint: hint, Status: statuses[code]}
}
