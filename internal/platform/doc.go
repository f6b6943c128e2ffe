// Package platform is everything that outlives user code: the gateway with its
// listeners' requests and sockets, the gate that keeps outputs back until
// their writes are durable, and the clock that wakes rooms.
//
// It knows rooms by name only. What runs in them is behind a link.Host, which
// can be replaced at any time: SetHost hands every room over, and sockets,
// storage and alarms stay. Hibernation, hot reload, deploys and crashes of
// user code all go that way: an instance is released, the next event wakes
// another.
package platform
