package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/goparty-dev/party/internal/hosting/api"
	"github.com/goparty-dev/party/internal/hosting/credentials"
)

// Options say where the host is and who asks.
type Options struct {
	// Address is that of the API: http or https, with nothing after the port.
	Address string
	Token   credentials.Secret
	// Dial makes connections instead of net.Dialer, for a host that is reached through something.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Name is what messages call the host; by default it is Address.
	Name string
	// Agent is the name and version of the program that asks, for the host's log.
	Agent string
	// Closed, if not nil, is called by Close, for what Dial makes its connections from.
	Closed func() error
}

// Client asks one host. It is safe for concurrent use.
type Client struct {
	o    Options
	http *http.Client
}

// Time limits of one attempt. A whole question has that of its context.
const (
	dialTime   = 15 * time.Second
	headerTime = 2 * time.Minute // from the end of the question to the beginning of its answer
)

// maxAnswer bounds an answer that is kept in memory, in bytes.
const maxAnswer = 16 << 20

// New makes a client. It does not connect yet.
func New(o Options) *Client {
	if o.Name == "" {
		o.Name = o.Address
	}
	if o.Dial == nil {
		o.Dial = (&net.Dialer{Timeout: dialTime, KeepAlive: 15 * time.Second}).DialContext
	}
	t := &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: o.Dial, TLSHandshakeTimeout: dialTime,
		ResponseHeaderTimeout: headerTime, ForceAttemptHTTP2: true, IdleConnTimeout: time.Minute,
		// A stream may be silent for hours: this notices that nobody is there any more.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second},
	}
	return &Client{o: o, http: &http.Client{
		Transport: t,
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse // the API has no redirects: what redirects is something else
		},
	}}
}

// Name is what to call the host: its address, as its users know it.
func (c *Client) Name() string { return c.o.Name }

// Close closes idle connections.
func (c *Client) Close() error {
	c.http.CloseIdleConnections()
	if c.o.Closed != nil {
		return c.o.Closed()
	}
	return nil
}

// question is one request with what may be done about it.
type question struct {
	method, path string
	query        url.Values
	kind         string                        // type of the body
	body         func() (io.ReadCloser, error) // nil if there is none; called for each attempt
	size         int64                         // of the body
}

// ask sends a question, again if that makes sense, and returns the answer if it is a good one.
func (c *Client) ask(ctx context.Context, q question) (*http.Response, error) {
	for attempt := 1; ; attempt++ {
		resp, err := c.once(ctx, q)
		if err == nil {
			return resp, nil
		}
		wait, again := retry(ctx, q, err, attempt)
		if !again {
			return nil, c.explain(ctx, err)
		}
		select {
		case <-ctx.Done():
			return nil, c.explain(ctx, err)
		case <-time.After(wait):
		}
	}
}

func (c *Client) once(ctx context.Context, q question) (*http.Response, error) {
	target := c.o.Address + q.path
	if len(q.query) > 0 {
		target += "?" + q.query.Encode()
	}
	var body io.ReadCloser
	if q.body != nil {
		var err error
		if body, err = q.body(); err != nil {
			return nil, &localError{err}
		}
	}
	req, err := http.NewRequestWithContext(ctx, q.method, target, body)
	if err != nil {
		return nil, &localError{err}
	}
	if body != nil {
		req.ContentLength = q.size
		req.Header.Set("Content-Type", q.kind)
	}
	if !c.o.Token.Empty() {
		req.Header.Set("Authorization", "Bearer "+c.o.Token.Reveal())
	}
	if c.o.Agent != "" {
		req.Header.Set("User-Agent", c.o.Agent)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode/100 == 2 {
		return resp, nil
	}
	defer resp.Body.Close()
	return nil, c.problem(resp)
}

// localError is one that no further attempt can change.
type localError struct{ err error }

func (e *localError) Error() string { return e.err.Error() }
func (e *localError) Unwrap() error { return e.err }

// call asks with a JSON body, unless in is nil, and reads the answer into out, unless that is nil.
func (c *Client) call(ctx context.Context, method, path string, query url.Values, in, out any) error {
	q, err := asJSON(question{method: method, path: path, query: query}, in)
	if err != nil {
		return err
	}
	resp, err := c.ask(ctx, q)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if out == nil {
		return nil
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err == nil && len(data) > maxAnswer {
		err = fmt.Errorf("it has more than %d bytes", maxAnswer)
	}
	if err == nil {
		err = json.Unmarshal(data, out)
	}
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return fmt.Errorf("answer of %s: %w", c.o.Name, err)
	}
	return nil
}

func asJSON(q question, in any) (question, error) {
	if in == nil {
		return q, nil
	}
	data, err := json.Marshal(in)
	if err != nil {
		return q, errors.New("the question cannot be encoded") // without what is in it
	}
	q.kind, q.size = api.JSONType, int64(len(data))
	q.body = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
	return q, nil
}
