// Package party is what room code is written against: room types, their
// callbacks, connections, storage and alarms, and the host that runs them.
//
// A room type is a struct that embeds [Room] and has any of the callback methods (see
// [Starter] and its neighbours). Each room is one value of it, addressed by
// party and name. Its callbacks are turns: they never overlap, so fields
// of the struct need no locks. What a turn writes becomes durable as a whole
// before anything that it sends leaves the server.
//
// The package owns no socket and no file. Those belong to the platform, which
// package server runs in the same process and `party dev` in another one.
// It is also what every hot reload links, so it imports little.
package party
