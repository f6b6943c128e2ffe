package keptconn

import party "github.com/goparty-dev/party/runtime"

// Chat hibernates.
//
//party:room main hibernate
type Chat struct {
	party.Room
	host    *party.Conn            // want `the field is empty when the room comes back`
	players map[string]*party.Conn // want `the field is empty`
	waiting []*party.Conn          // want `the field is empty`
	names   map[string]string
}

//party:room
type Game struct {
	party.Room
	host *party.Conn
}

type (
	//party:room hibernate
	Grouped struct {
		party.Room
		host *party.Conn // want `the field is empty`
	}
)
