package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/goparty-dev/party/internal/hosting/api"
)

// ErrCut is returned if the connection broke while something went on at the host, which goes on.
var ErrCut = errors.New("the connection broke before the end")

// maxLine bounds one line of a stream, in bytes.
const maxLine = 4 << 20

// FailedError is a deploy, a rollback or a restart that did not succeed.
type FailedError struct {
	Code   api.Code
	Reason string
}

func (e *FailedError) Error() string { return e.Reason }

// Deploy starts a version and tells each event. It returns when that is over: nil if the last event was
// Done, a *FailedError if it was Failed, and an error that wraps ErrCut if nobody knows.
func (c *Client) Deploy(ctx context.Context, app string, r api.DeployRequest, each func(api.Event)) error {
	return c.follow(ctx, api.AppPath(app, api.DeployPath), r, each)
}

// Rollback goes back to an earlier version. It tells and returns what Deploy does.
func (c *Client) Rollback(ctx context.Context, app string, r api.RollbackRequest, each func(api.Event)) error {
	return c.follow(ctx, api.AppPath(app, api.RollbackPath), r, each)
}

// Restart ends an app's process and starts it. It tells and returns what Deploy does.
func (c *Client) Restart(ctx context.Context, app string, each func(api.Event)) error {
	return c.follow(ctx, api.AppPath(app, api.RestartPath), nil, each)
}

// Restore makes a backup the stored state of an app. It tells and returns what Deploy does.
func (c *Client) Restore(ctx context.Context, app, id string, each func(api.Event)) error {
	return c.follow(ctx, api.RestorePath(app, id), nil, each)
}

func (c *Client) follow(ctx context.Context, path string, in any, each func(api.Event)) error {
	q, err := asJSON(question{method: http.MethodPost, path: path}, in)
	if err != nil {
		return err
	}
	resp, err := c.ask(ctx, q)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	var last api.Event
	err = lines(resp.Body, func(data []byte) error {
		var e api.Event
		if err := json.Unmarshal(data, &e); err != nil {
			return fmt.Errorf("answer of %s: %w", c.o.Name, err)
		}
		last = e
		each(e)
		return nil
	})
	switch {
	case last.Kind == api.Failed:
		return &FailedError{last.Code, last.Reason}
	case last.Kind == api.Done:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return fmt.Errorf("%w: %w", ErrCut, err)
	}
	return ErrCut
}

// lines hands each line that is not empty to f, until that fails or there are no more.
func lines(r io.Reader, f func([]byte) error) error {
	s := bufio.NewScanner(r)
	s.Buffer(nil, maxLine)
	for s.Scan() {
		if len(s.Bytes()) == 0 {
			continue
		}
		if err := f(s.Bytes()); err != nil {
			return err
		}
	}
	return s.Err()
}
