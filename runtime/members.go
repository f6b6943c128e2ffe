package party

import (
	"iter"
	"slices"

	"github.com/goparty-dev/party/internal/link"
)

// restore takes up a session that was open before this instance.
func (i *instance) restore(s *link.Session) {
	c := &Conn{i: i, session: s.ID, id: s.Conn, uri: s.URI, tags: s.Tags, state: string(s.State), resumed: true}
	if s.Engine && i.hooks.Engine != nil {
		c.closed = s.Closing
		c.shut.Store(s.Closing)
		i.joinApart(c)
		return
	}
	if s.Closing {
		c.closed = true
		c.shut.Store(true)
		i.remember(c)
		return
	}
	i.join(c)
}

func (i *instance) remember(c *Conn) {
	if i.sessions == nil {
		i.sessions = make(map[link.SessionID]*Conn)
		i.byID = make(map[string]*Conn)
	}
	i.sessions[c.session] = c
}

// join lists a connection.
func (i *instance) join(c *Conn) {
	i.remember(c)
	c.older = i.byID[c.id]
	i.byID[c.id] = c
	i.unshare()
	c.at = len(i.conns)
	i.conns = append(i.conns, c)
}

// unlist takes a connection off the lists: it is closed.
func (i *instance) unlist(c *Conn) {
	if c.closed {
		return
	}
	c.closed = true
	c.shut.Store(true)
	if i.sessions[c.session] != c || c.apart {
		return // it was refused before it was listed, or never is
	}
	i.unshare()
	last := len(i.conns) - 1
	i.conns[c.at] = i.conns[last]
	i.conns[c.at].at = c.at
	i.conns[last] = nil
	i.conns = i.conns[:last]

	if top := i.byID[c.id]; top == c {
		if c.older == nil {
			delete(i.byID, c.id)
		} else {
			i.byID[c.id] = c.older
		}
	} else {
		for n := top; n != nil; n = n.older {
			if n.older == c {
				n.older = c.older
				break
			}
		}
	}
	c.older = nil
}

// forget drops the last trace of a session.
func (i *instance) forget(s link.SessionID) {
	if c := i.sessions[s]; c != nil {
		i.unlist(c)
		if c.apart {
			i.apart--
		}
		delete(i.sessions, s)
	}
}

// unshare leaves the current list to whoever may iterate over it, and makes another.
func (i *instance) unshare() {
	if i.shared {
		i.conns = slices.Clone(i.conns)
		i.shared = false
	}
}

// each yields the listed connections as they were when it began.
func (i *instance) each(tags []string) iter.Seq[*Conn] {
	return func(yield func(*Conn) bool) {
		list := i.conns
		i.shared = true
		for _, c := range list {
			if c.closed || c.shut.Load() || !hasTags(c, tags) {
				continue
			}
			if !yield(c) {
				return
			}
		}
	}
}

func hasTags(c *Conn, tags []string) bool {
	for _, t := range tags {
		if !slices.Contains(c.tags, t) {
			return false
		}
	}
	return true
}

// reconnect calls OnConnect again for the connections that were open before.
func (i *instance) reconnect() {
	for _, s := range i.resumed {
		c := i.sessions[s.ID]
		if s.Closing || c == nil || c.closed || c.apart {
			continue
		}
		if err := i.connect(i.ctx, c, s.Request); err != nil {
			i.refuse(c, "OnConnect", err)
		}
	}
}
