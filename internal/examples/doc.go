// Package examples holds small complete rooms, one a file, each with a test that talks to it through real sockets and
// requests: the examples of PartyKit and PartyServer, and what their guides build, in Go. They are for reading and copying; what
// "party init" starts from is in templates.
package examples
