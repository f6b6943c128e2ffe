package party

import (
	"slices"

	"github.com/goparty-dev/party/internal/link"
)

// SendOption changes how a message is sent to one connection or to many.
type SendOption interface {
	BroadcastOption
	applySend(*link.Effect)
}

// BroadcastOption changes who gets a broadcast, and how.
type BroadcastOption interface {
	applyBroadcast(*instance, *link.Effect)
}

type volatileOption struct{}

func (volatileOption) applySend(e *link.Effect)                   { e.Volatile = true }
func (volatileOption) applyBroadcast(_ *instance, e *link.Effect) { e.Volatile = true }

// Volatile lets a message leave at once, without waiting for writes that are
// not durable yet. It may overtake messages that wait, and a crash may undo
// what it told: right for cursors and presence, wrong for anything a client relies on.
func Volatile() SendOption { return volatileOption{} }

type broadcastFunc func(*instance, *link.Effect)

func (f broadcastFunc) applyBroadcast(i *instance, e *link.Effect) { f(i, e) }

// Except leaves these connections out. Nil connections are ignored.
func Except(conns ...*Conn) BroadcastOption {
	return exceptOption(conns)
}

type exceptOption []*Conn

func (o exceptOption) applyBroadcast(_ *instance, e *link.Effect) {
	for _, c := range o {
		if c != nil {
			e.Except = append(e.Except, c.session)
		}
	}
}

// ExceptID leaves out every connection with one of these ids.
func ExceptID(ids ...string) BroadcastOption {
	return broadcastFunc(func(i *instance, e *link.Effect) {
		for _, c := range i.conns {
			if slices.Contains(ids, c.id) {
				e.Except = append(e.Except, c.session)
			}
		}
	})
}

// WithTag sends only to connections that have the tag.
func WithTag(tag string) BroadcastOption {
	return broadcastFunc(func(_ *instance, e *link.Effect) { e.Tag = tag })
}
