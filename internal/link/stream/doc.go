// Package stream carries the link contract over a byte stream between two
// processes: [Connect] is the platform's end and looks like a link.Host,
// [Serve] is the end of the process that has user code and runs a real one.
//
// It adds what a second process brings with it: events that the host has not
// answered for are kept, and given back when an instance lets its room go or
// the process dies; a room that is too far behind holds its senders back.
//
// It starts no process, retries nothing, and is not a protocol between
// versions: both ends must be built from the same source, which the handshake checks. Every
// hot reload links it, so it uses neither reflection nor encoding packages on the way of events.
package stream
