package global

import party "github.com/goparty-dev/party/runtime"

type Chat struct{ party.Room }

var (
	last  *Chat
	all   []*Chat
	named = map[string]*Chat{}
	names []string
	state struct{ room *Chat }
)

func (c *Chat) OnStart() {
	last = c             // want `a room in a package variable`
	all = append(all, c) // want `a room in a package variable`
	named["a"] = c       // want `a room in a package variable`
	state.room = c       // want `a room in a package variable`
	names = append(names, c.Name())
	mine := c
	_ = mine
	local := map[string]*Chat{}
	local["a"] = c
}
