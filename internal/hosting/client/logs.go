package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/goparty-dev/party/internal/hosting/api"
)

// Waits before a log is asked for again after its connection broke.
const (
	firstAgain   = 500 * time.Millisecond
	longestAgain = 15 * time.Second
)

// caughtUp is how many lines of the past are asked for after a break, to find those that were missed.
const caughtUp = 1000

// LogReader is told what there is to tell of a log. Only Line has to be set.
type LogReader struct {
	Line   func(api.LogLine) error // an error ends it
	Opened func()                  // what happens from now on is told
	Broken func(error)             // the connection broke, with an error unless it just ended; it is made again
}

// Logs tells the lines of an app's log in order, until the reader returns an error, which Logs returns, or there are no
// more. With Follow there are always more: after a break of the connection it asks again, up to the end of
// ctx, and does not repeat what it has told. What the host refuses is an error, unless it is for a moment only.
func (c *Client) Logs(ctx context.Context, app string, q api.LogQuery, r LogReader) error {
	told := &told{each: r.Line}
	for wait := firstAgain; ; wait = min(2*wait, longestAgain) {
		before := told.count
		err := c.log(ctx, app, q, r.Opened, told.line)
		switch {
		case told.refused != nil:
			return told.refused
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case !q.Follow:
			return err
		case final(err):
			return err
		}
		if told.count > before {
			wait = firstAgain
		}
		if r.Broken != nil {
			r.Broken(err)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(wait):
		}
		if !told.last.IsZero() {
			q.Lines = max(q.Lines, caughtUp)
			told.skip = true
		}
	}
}

// final reports whether asking again would end the same way.
func final(err error) bool {
	problem := (*api.Problem)(nil)
	return errors.Is(err, ErrNoHost) || errors.As(err, &problem) && problem.Status/100 == 4 && problem.Status != http.StatusTooManyRequests
}

func (c *Client) log(ctx context.Context, app string, q api.LogQuery, opened func(), each func([]byte) error) error {
	resp, err := c.ask(ctx, question{method: http.MethodGet, path: api.AppPath(app, api.LogsPath), query: q.Values()})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if opened != nil {
		opened()
	}
	return lines(resp.Body, each)
}

// told knows what has been told, so as not to repeat it after a break.
type told struct {
	each    func(api.LogLine) error
	count   int
	last    time.Time // of the newest line
	newest  []string  // lines of that time
	skip    bool      // lines may come again
	refused error     // of each
}

func (t *told) line(data []byte) error {
	var l api.LogLine
	if err := json.Unmarshal(data, &l); err != nil {
		return fmt.Errorf("line of the log: %w", err)
	}
	if t.skip && (l.Time.Before(t.last) || l.Time.Equal(t.last) && slices.Contains(t.newest, string(data))) {
		return nil
	}
	if l.Time.After(t.last) {
		t.last, t.newest = l.Time, nil
	}
	if l.Time.Equal(t.last) {
		t.newest = append(t.newest, string(data))
	}
	t.count++
	t.refused = t.each(l)
	return t.refused
}
