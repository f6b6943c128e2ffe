// Package socketio is a Socket.IO server (protocol 5, which npm
// socket.io-client 3 and 4 speak) on rooms. Each room has a server of its own,
// an io: namespaces, sockets, their rooms and acks are plain state of the room
// and are touched in its turns only, so code needs no locks.
//
// [Mount] puts one io at a path of the site; the client connects with io().
// [Attach] gives each room of a room type its own, below the room's URL:
//
//	io({ path: "/parties/game/lobby/socket.io/" })
//
// Generated code calls them: Mount for //party:socketio on a function, Attach for a room
// type with the method OnSocketIO. Options come from a package variable of type
// []Option that the annotation names: //party:socketio options=VAR, //party:room socketio=VAR.
//
// A namespace in it is io("https://host/admin", { path: … }): the path of the
// URL is the namespace, never the room.
//
// # What survives
//
// Connections, polling ones included, stay open across hibernation, hot reload, a deploy and a crash of the
// code. When the room is taken up by a fresh value, the setup function runs again and then the
// connection handlers of each namespace, once for each open socket, with
// [Socket.Resumed] reporting true; namespace middleware does not run. The socket has
// its id, its rooms, its handshake and its data (see [Socket.SetData]). This is kept with the
// connection, at most 16 KiB as JSON for all namespaces together; a client with more is
// disconnected at such a moment and connects again. What the program holds in variables and
// closures is gone, as after any restart: an ack that a handler has not given is never given, and an
// [Socket.EmitWithAck] that waits ends with party.ErrReleased. A late ack is
// ignored, and never taken for another's.
//
// With [ConnectionStateRecovery], a client whose connection broke gets its id,
// rooms, data and missed events back when it returns in time. What that needs is
// held in memory and passed from one instance to the next, up to 4 MiB; a crash loses it, and the client then
// simply starts anew.
//
// # What it does not do
//
// No Engine.IO 3 (clients of version 2), no WebTransport, no JSONP, no browser bundle. The
// permessage-deflate extension and HTTP compression are declined, as Node's default declines the
// first; Compress is accepted and changes nothing. A room is one server, so Local changes
// nothing either, and ServerSideEmit finds no other server.
package socketio
