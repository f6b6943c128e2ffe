package server_test

import (
	"context"
	"net/http"

	party "github.com/goparty-dev/party/runtime"
)

// script is a room type made of functions, so that each test shows the
// callbacks that it is about. A nil function is a callback that the type does not have.
type script struct {
	start     func(ctx context.Context, r *scripted) error
	connect   func(ctx context.Context, r *scripted, c *party.Conn, req *http.Request) error
	message   func(ctx context.Context, r *scripted, c *party.Conn, msg party.Message) error
	close     func(ctx context.Context, r *scripted, c *party.Conn, ev party.CloseEvent)
	fault     func(ctx context.Context, r *scripted, c *party.Conn, err error)
	request   func(r *scripted, w http.ResponseWriter, req *http.Request)
	alarm     func(ctx context.Context, r *scripted) error
	exception func(ctx context.Context, r *scripted, err error)
	tags      func(ctx context.Context, r *scripted, c *party.Conn, req *http.Request) ([]string, error)
}

// scripted is a room that runs a script. n is for the script's use.
type scripted struct {
	party.Room
	s *script
	n int
}

func (r *scripted) OnStart(ctx context.Context) error { return r.s.start(ctx, r) }
func (r *scripted) OnConnect(ctx context.Context, c *party.Conn, req *http.Request) error {
	return r.s.connect(ctx, r, c, req)
}
func (r *scripted) OnMessage(ctx context.Context, c *party.Conn, msg party.Message) error {
	return r.s.message(ctx, r, c, msg)
}
func (r *scripted) OnClose(ctx context.Context, c *party.Conn, ev party.CloseEvent) {
	r.s.close(ctx, r, c, ev)
}
func (r *scripted) OnError(ctx context.Context, c *party.Conn, err error) { r.s.fault(ctx, r, c, err) }
func (r *scripted) OnRequest(w http.ResponseWriter, req *http.Request)    { r.s.request(r, w, req) }
func (r *scripted) OnAlarm(ctx context.Context) error                     { return r.s.alarm(ctx, r) }
func (r *scripted) OnException(ctx context.Context, err error)            { r.s.exception(ctx, r, err) }
func (r *scripted) ConnectionTags(ctx context.Context, c *party.Conn, req *http.Request) ([]string, error) {
	return r.s.tags(ctx, r, c, req)
}

// define makes a party of the script.
func (s script) define(name string, opts ...party.DefineOption) party.Definition {
	d := party.Definition{Name: name, Type: "scripted", New: func() party.Instance {
		r := &scripted{s: &s}
		i := party.Instance{Room: &r.Room}
		if s.start != nil {
			i.Start = r
		}
		if s.connect != nil {
			i.Connect = r
		}
		if s.message != nil {
			i.Message = r
		}
		if s.close != nil {
			i.Close = r
		}
		if s.fault != nil {
			i.Error = r
		}
		if s.request != nil {
			i.Request = r
		}
		if s.alarm != nil {
			i.Alarm = r
		}
		if s.exception != nil {
			i.Exception = r
		}
		if s.tags != nil {
			i.Tags = r
		}
		return i
	}}
	for _, o := range opts {
		o(&d)
	}
	return d
}

// echo answers each message with itself.
func echo(_ context.Context, _ *scripted, c *party.Conn, msg party.Message) error { return c.Send(msg) }

// say answers each request with a text.
func say(text string) func(*scripted, http.ResponseWriter, *http.Request) {
	return func(_ *scripted, w http.ResponseWriter, _ *http.Request) { w.Write([]byte(text)) }
}
