package changeddata

import party "github.com/goparty-dev/party/runtime"

type inner struct {
	base struct{ ID, More string } `party:"persist"` // want `field "base" does not fit what rooms may have stored: in its "ID" it was an int and is a string`
}

//party:room
type Chat struct { // want `field "gone" does not fit what rooms may have stored: it is not there any more: write a data migration`
	party.Room
	inner
	topic  []byte         `party:"persist"` // want `field "topic" does not fit what rooms may have stored: it was a string and is bytes`
	scores map[string]int `party:"persist"`
	names  []string       `party:"persist,name=old"`
	gone   bool
	added  int `party:"persist"`
}

// Fine may read ints as numbers.
type Fine struct {
	party.Room
	topic string  `party:"persist"`
	n     float64 `party:"persist"`
}

// Moved has a migration.
type Moved struct {
	party.Room
	topic int `party:"persist"`
}

//party:migrate 2
func (m *Moved) ToV2() error { return nil }

// Newer has lost one.
type Newer struct { // want `Newer does not fit what rooms may have stored: it knows version 2 of its data, and version 3 is recorded`
	party.Room
	n int `party:"persist"`
}

//party:migrate 2
func (n *Newer) ToV2() error { return nil }
