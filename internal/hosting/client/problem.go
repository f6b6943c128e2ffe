package client

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/goparty-dev/party/internal/hosting/api"
)

// ErrNoHost is returned if what answers is not a host's API.
var ErrNoHost = errors.New("that is not the API of a party host")

// problem reads an answer that is not a good one.
func (c *Client) problem(resp *http.Response) error {
	if to := resp.Header.Get("Location"); to != "" && resp.StatusCode/100 == 3 {
		return &localError{fmt.Errorf("%s redirects to %s: %w", c.o.Name, to, ErrNoHost)}
	}
	e := &answerError{problem: &api.Problem{Status: resp.StatusCode}}
	if s, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && s > 0 {
		e.after = time.Duration(s) * time.Second
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	var f api.Failure
	if err == nil {
		err = json.Unmarshal(data, &f)
	}
	switch {
	case err == nil && f.Problem.Message != "":
		f.Problem.Status = resp.StatusCode
		e.problem = &f.Problem
	case resp.Request.Method == http.MethodHead || resp.StatusCode >= 500:
		// The answer to HEAD has no body, and a proxy before the host has texts of its own.
		e.problem.Message = fmt.Sprintf("%s answers %s", c.o.Name, resp.Status)
	default:
		return &localError{fmt.Errorf("%s answers %s: %w", c.o.Name, resp.Status, ErrNoHost)}
	}
	if e.problem.Hint == "" {
		e.problem.Hint = c.hint(e.problem)
	}
	return e
}

// hint says what to do where the host does not.
func (c *Client) hint(p *api.Problem) string {
	switch {
	case p.Code == api.CodeUnauthorized || p.Status == http.StatusUnauthorized:
		return "run \"party login --host " + c.o.Name + "\""
	case p.Status == http.StatusTooManyRequests:
		return "wait and try again"
	}
	return ""
}

// explain makes an error that says who did not answer and what to do.
func (c *Client) explain(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("ask %s: %w", c.o.Name, context.Cause(ctx))
	}
	if answer := (*answerError)(nil); errors.As(err, &answer) {
		return answer.problem
	}
	if local := (*localError)(nil); errors.As(err, &local) {
		return local.err
	}
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var dns *net.DNSError
	switch {
	case errors.As(err, &unknown):
		return fmt.Errorf("%s has a certificate of nobody who is known here: %w; if it is your own, name its file in SSL_CERT_FILE", c.o.Name, err)
	case errors.As(err, &name):
		return fmt.Errorf("%s has a certificate for other names: %w", c.o.Name, err)
	case errors.As(err, &dns) && dns.IsNotFound:
		return fmt.Errorf("there is no host %s: %w", dns.Name, err)
	case !sent(err):
		return fmt.Errorf("nothing answers at %s, is \"party host\" running there? %w", c.o.Name, err)
	}
	return fmt.Errorf("ask %s: %w", c.o.Name, err)
}
