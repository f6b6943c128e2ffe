package main

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/goparty-dev/party/runtime/socketio"
)

func clientOptions() []socketio.Option {
	return []socketio.Option{
		socketio.PingInterval(2 * time.Second),
		socketio.ConnectionStateRecovery(socketio.Recovery{}),
		socketio.AllowRequest(func(ctx context.Context, _ *http.Request) error {
			t := time.NewTimer(10 * time.Millisecond)
			defer t.Stop()
			select {
			case <-t.C:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}),
	}
}

// client is what the official client's own suite expects.
func client(io *socketio.Server) {
	io.Use(func(_ context.Context, s *socketio.Socket) error {
		if s.Handshake().Query.Get("fail") != "" {
			return errors.New("Auth failed (main namespace)")
		}
		return nil
	})
	for _, name := range []string{"/timeout_socket", "/valid", "/asd"} {
		io.Of(name)
	}
	io.Of("/foo").OnConnection(func(_ context.Context, s *socketio.Socket) error {
		s.On("getId", func(_ context.Context, args socketio.Args) error { return args.Ack(s.ID()) })
		return nil
	})
	io.Of("/abc").OnConnection(func(_ context.Context, s *socketio.Socket) error {
		if s.Resumed() {
			return nil
		}
		return s.Emit("handshake", s.Handshake())
	})
	io.Of("/no").Use(func(context.Context, *socketio.Socket) error {
		return errors.New("Auth failed (custom namespace)")
	})
	io.OnConnection(func(_ context.Context, s *socketio.Socket) error {
		replies(s)
		texts(s)
		binaries(s)
		return nil
	})
}

// on registers a handler that cannot fail but by what it sends.
func on(s *socketio.Socket, event string, fn func(args socketio.Args) error) {
	s.On(event, func(_ context.Context, args socketio.Args) error { return fn(args) })
}

func replies(s *socketio.Socket) {
	on(s, "hi", func(socketio.Args) error { return s.Emit("hi") })
	on(s, "echo", func(args socketio.Args) error { return args.Ack(args.At(0)) })
	on(s, "ack", func(socketio.Args) error {
		return s.Emit("ack", func(answer socketio.Args, err error) {
			var number int
			var object struct {
				Test bool `json:"test"`
			}
			if err == nil && answer.Decode(&number, &object) == nil && number == 5 && object.Test {
				s.Emit("got it")
			}
		})
	})
	on(s, "getAckDate", func(args socketio.Args) error { return args.Ack(isoNow()) })
	on(s, "getHandshake", func(args socketio.Args) error { return args.Ack(s.Handshake()) })
	on(s, "getId", func(args socketio.Args) error { return args.Ack(s.ID()) })
}

// isoNow is the time as JavaScript writes it.
func isoNow() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000Z") }

func texts(s *socketio.Socket) {
	on(s, "getDate", func(socketio.Args) error { return s.Emit("takeDate", isoNow()) })
	on(s, "getDateObj", func(socketio.Args) error { return s.Emit("takeDateObj", map[string]string{"date": isoNow()}) })
	on(s, "getUtf8", func(socketio.Args) error {
		for _, text := range []string{"てすと", "Я Б Г Д Ж Й", "Ä ä Ü ü ß", "utf8 — string", "utf8 — string"} {
			if err := s.Emit("takeUtf8", text); err != nil {
				return err
			}
		}
		return nil
	})
	on(s, "false", func(socketio.Args) error { return s.Emit("false", false) })
}

func binaries(s *socketio.Socket) {
	data := []byte("asdfasdf")
	on(s, "doge", func(socketio.Args) error { return s.Emit("doge", data) })
	on(s, "getbin", func(socketio.Args) error { return s.Emit("takebin", data) })
	for event, reply := range map[string]string{"buffa": "buffack", "blob": "back"} {
		on(s, event, func(args socketio.Args) error {
			if !isBinary(args) {
				return nil
			}
			return s.Emit(reply)
		})
	}
	for event, reply := range map[string]string{"jsonbuff": "jsonbuff-ack", "jsonblob": "jsonblob-ack"} {
		on(s, event, func(args socketio.Args) error {
			var o map[string]any
			if args.Decode(&o) != nil {
				return nil
			}
			if _, binary := o["message"].([]byte); !binary || o["hello"] != "lol" || o["goodbye"] != "gotcha" {
				return nil
			}
			return s.Emit(reply)
		})
	}
	sequence(s, "abuff2-ack", step{"abuff1", isBinary}, step{"abuff2", anything})
	sequence(s, "blob3-ack", step{"blob1", isBinary}, step{"blob2", isSecond}, step{"blob3", isBinary})
}

func isBinary(args socketio.Args) bool {
	_, ok := args.At(0).Bytes()
	return ok
}

func isSecond(args socketio.Args) bool {
	text, _ := args.At(0).Text()
	return text == "second"
}

func anything(socketio.Args) bool { return true }

// step is an event that has to come in its turn, with arguments that pass.
type step struct {
	event string
	ok    func(socketio.Args) bool
}

// sequence emits reply when all steps have come in order.
func sequence(s *socketio.Socket, reply string, steps ...step) {
	next := 0
	for n, st := range steps {
		on(s, st.event, func(args socketio.Args) error {
			if n != next || !st.ok(args) {
				return nil
			}
			if next++; next < len(steps) {
				return nil
			}
			next = 0
			return s.Emit(reply)
		})
	}
}
