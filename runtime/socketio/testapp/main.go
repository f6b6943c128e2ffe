// Command testapp is the server that the public Socket.IO and Engine.IO
// suites, the official client's own suite and load generators are run against. It is a test tool, and no
// example of a good application: the templates are.
//
//	go run ./runtime/socketio/testapp --addr 127.0.0.1:3000 --profile protocol [--path /socket.io/]
//
// It serves until it is stopped, and says so with a line that begins with "ready".
package main

import (
	"flag"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"time"

	party "github.com/goparty-dev/party/runtime"
	"github.com/goparty-dev/party/runtime/server"
	"github.com/goparty-dev/party/runtime/socketio"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	set := flag.NewFlagSet("testapp", flag.ContinueOnError)
	addr := set.String("addr", "127.0.0.1:3000", "address to listen on, `host:port`")
	profile := set.String("profile", "protocol", "what to serve: protocol, client, load or room")
	path := set.String("path", "/socket.io/", "`path` of the Socket.IO server")
	if err := set.Parse(args); err != nil {
		return err
	}
	rooms, err := profileRooms(*profile, *path)
	if err != nil {
		return err
	}
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})))
	s, err := server.New(server.Rooms(rooms...))
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", *addr)
	if err != nil {
		return err
	}
	fmt.Printf("ready on http://%s, profile %s\n", l.Addr(), *profile)
	hs := &http.Server{Handler: s, ReadHeaderTimeout: 10 * time.Second}
	return hs.Serve(l)
}

// profileRooms are the parties of a profile, as they are specified for the suites.
func profileRooms(profile, path string) ([]party.Definition, error) {
	switch profile {
	case "protocol":
		return []party.Definition{socketio.Mount(path, protocol, protocolOptions()...), engineEcho("/engine.io/")}, nil
	case "client":
		return []party.Definition{socketio.Mount(path, client, clientOptions()...)}, nil
	case "load":
		return []party.Definition{socketio.Mount(path, load)}, nil
	case "room":
		opts := append(protocolOptions(), socketio.Path("/socket.io/"))
		return []party.Definition{socketio.Attach(party.Define[game]("game"), opts...)}, nil
	}
	return nil, fmt.Errorf("unknown profile %q: there is protocol, client, load, room", profile)
}

// game is a room type with an io of its own for each room.
type game struct{ party.Room }

// OnSocketIO implements socketio.Opener.
func (g *game) OnSocketIO(io *socketio.Server) {
	protocol(io)
	load(io)
}
