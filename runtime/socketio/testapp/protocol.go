package main

import (
	"context"
	"time"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/socketio"
)

func protocolOptions() []socketio.Option {
	return []socketio.Option{
		socketio.PingInterval(300 * time.Millisecond), socketio.PingTimeout(200 * time.Millisecond),
		socketio.ConnectTimeout(time.Second), socketio.MaxHTTPBufferSize(1e6),
		socketio.CORS(socketio.CORSOptions{Origins: []string{"*"}}),
	}
}

// protocol is what the Socket.IO protocol suite expects.
func protocol(io *socketio.Server) {
	io.OnConnection(func(_ context.Context, s *socketio.Socket) error {
		s.On("message", func(_ context.Context, args socketio.Args) error {
			return s.Emit("message-back", args.Values()...)
		})
		s.On("message-with-ack", func(_ context.Context, args socketio.Args) error {
			return args.Ack(args.Values()...)
		})
		return emitAuth(s)
	})
	io.Of("/custom").OnConnection(func(_ context.Context, s *socketio.Socket) error { return emitAuth(s) })
}

func emitAuth(s *socketio.Socket) error {
	if s.Resumed() {
		return nil
	}
	return s.Emit("auth", s.Handshake().Auth)
}

// load is what load generators use.
func load(io *socketio.Server) {
	io.OnConnection(func(_ context.Context, s *socketio.Socket) error {
		s.On("echo", func(_ context.Context, args socketio.Args) error { return args.Ack(args.At(0)) })
		s.On("fan", func(_ context.Context, args socketio.Args) error {
			return s.Broadcast().Emit("fan", args.Values()...)
		})
		return nil
	})
}

// echo sends back what it gets: a raw Engine.IO server, without Socket.IO.
type echo struct{ party.Room }

// OnMessage implements party.Messenger.
func (*echo) OnMessage(_ context.Context, conn *party.Conn, msg party.Message) error {
	return conn.Send(msg)
}

func engineEcho(path string) party.Definition {
	def := party.Define[echo]("echo")
	def.Engine = &party.EngineOptions{
		Path: path, Mount: path, MountRoom: "main", Polling: true, WebSocket: true,
		PingInterval: 300 * time.Millisecond, PingTimeout: 200 * time.Millisecond, UpgradeTimeout: 10 * time.Second,
		MaxPayload: 1e6, CORS: &party.EngineCORS{Origins: []string{"*"}},
	}
	return def
}
