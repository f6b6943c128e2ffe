// Package load is the client side of the benchmark: many connections driven
// from one core, cheap enough that the server under test is the bottleneck.
// One goroutine waits for all sockets with epoll, so a delivery costs the
// client one read.
//
// It is not a WebSocket or HTTP client for anything else: it trusts the
// server, knows neither TLS nor continuation frames, and masks with zeros. It
// exists on Linux only.
package load
