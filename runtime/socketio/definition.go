package socketio

import (
	"fmt"

	party "github.com/goparty-dev/party/runtime"
)

// mountRoom is the room type of a mounted server.
type mountRoom struct{ party.Room }

// Mount describes a Socket.IO server at a path of the site, "/socket.io/" for clients that say io():
//
//	server.Rooms(socketio.Mount("/socket.io/", func(io *socketio.Server) {
//		io.OnConnection(func(ctx context.Context, socket *socketio.Socket) error { … })
//	}))
//
// setup runs whenever the server's room starts, before its clients are
// served. It runs in the room "main" of a party of its own, see [Name];
// every other room of that party is a server of its own too, at
// /parties/socketio/:room/socket.io/.
func Mount(path string, setup func(io *Server), opts ...Option) party.Definition {
	o := newOptions(append([]Option{Path("/socket.io/")}, opts...))
	o.engine.Mount, o.engine.MountRoom = cleanPath(path), "main"
	if o.name == "" {
		o.name = "socketio"
	}
	return party.Definition{
		Name: o.name, Type: "socketio.Server", Hibernate: o.hibernate, Engine: &o.engine,
		New: func() party.Instance {
			v := new(mountRoom)
			return party.Instance{Room: &v.Room, Engine: newServer(&v.Room, setup, o), Value: v}
		},
	}
}

// Opener is a room type that has an io. The method runs after OnStart, whenever
// the room starts, before its clients are served.
type Opener interface {
	OnSocketIO(io *Server)
}

// Attach gives each room of a type a Socket.IO server, below the room's URL. The type has the method of [Opener]:
//
//	server.Rooms(socketio.Attach(party.Define[Game]("game")))
//
// Connections that come in through it are the io's, not the room's: they are not among
// its Connections and do not get its broadcasts. It panics if the type has no such method.
func Attach(def party.Definition, opts ...Option) party.Definition {
	o := newOptions(opts)
	if _, ok := def.New().Value.(Opener); !ok {
		panic(fmt.Sprintf("socketio: room type %s has no method OnSocketIO(io *socketio.Server)", def.Type))
	}
	inner := def.New
	def.Engine = &o.engine
	def.New = func() party.Instance {
		i := inner()
		i.Engine = newServer(i.Room, i.Value.(Opener).OnSocketIO, o)
		return i
	}
	return def
}
