package stream

import (
	"context"
	"fmt"

	"github.com/goparty-dev/party/internal/link"
)

// read handles frames until the stream ends. Nothing in it waits for anything
// but the next frame: seats do not block, and whatever may take time has a goroutine.
func (h *Host) read(r *frameReader) error {
	var d decoder
	for {
		k, payload, err := r.next()
		if err != nil {
			return err
		}
		d = decoder{b: payload}
		if err := h.handle(k, &d); err != nil {
			return fmt.Errorf("frame of kind %d from the host: %w", k, err)
		}
	}
}

func (h *Host) handle(k kind, d *decoder) error {
	id := d.uint() // of a room, a call or a question of the host, depending on the kind
	switch k {
	case kindBatch:
		batch := d.batch()
		if err := d.done(); err != nil {
			return err
		}
		if r := h.room(id); r != nil {
			r.apply(batch)
		} else {
			batch.Free()
		}
	case kindRelease:
		died := d.bool()
		if err := d.done(); err != nil {
			return err
		}
		if r := h.leave(id); r != nil {
			r.end(died)
		}
	case kindMessage, kindClosed:
		return h.said(k, id, d)
	case kindGet, kindList, kindSync, kindFetch, kindOpen, kindDial:
		return h.asked(k, id, d)
	case kindCancel:
		h.cancel(id)
		return d.done()
	case kindCredit:
		n := d.uint()
		h.mu.Lock()
		l := h.asks[id]
		h.mu.Unlock()
		if l != nil {
			l.window.grant(n)
		}
		return d.done()
	case kindHead, kindChunk, kindReturn:
		return h.answered(k, id, d)
	default:
		return errMalformed
	}
	return nil
}

func (h *Host) room(handle uint64) *room {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.rooms[handle]
}

func (h *Host) leave(handle uint64) *room {
	h.mu.Lock()
	defer h.mu.Unlock()
	r := h.rooms[handle]
	delete(h.rooms, handle)
	return r
}

// asked starts to answer a question of the host.
func (h *Host) asked(k kind, id uint64, d *decoder) error {
	var work func(ctx context.Context, l *load)
	switch k {
	case kindGet:
		seat, keys := h.seat(d.uint()), d.strings()
		work = func(ctx context.Context, l *load) { l.get(ctx, seat, keys) }
	case kindList:
		seat, r := h.seat(d.uint()), d.storageRange()
		work = func(ctx context.Context, l *load) { l.list(ctx, seat, r) }
	case kindSync:
		seat := h.seat(d.uint())
		work = func(ctx context.Context, l *load) { l.done(seat.Sync(ctx)) }
	case kindFetch:
		by := h.lobbyOf(d.uint(), d.uint())
		target, request := d.room(), d.request()
		work = func(ctx context.Context, l *load) { l.fetch(ctx, by, target, request) }
	case kindDial:
		by := h.lobbyOf(d.uint(), d.uint())
		target, request := d.room(), d.request()
		work = func(ctx context.Context, l *load) { l.dial(ctx, by, target, request) }
	case kindOpen:
		by := h.lobbyOf(d.uint(), d.uint())
		path := d.string()
		work = func(ctx context.Context, l *load) { l.asset(ctx, by, path) }
	}
	if err := d.done(); err != nil {
		return err
	}
	h.start(id, work)
	return nil
}

// seat returns the seat of a room, or one that refuses everything.
func (h *Host) seat(handle uint64) loader {
	if r := h.room(handle); r != nil {
		return r.seat
	}
	return noSeat{}
}

// lobbyOf returns what answers for a room, or for a call if handle is 0. Functions may keep their lobby after
// the call; they are given that of the latest call, as all lobbies lead to the same rooms.
func (h *Host) lobbyOf(handle, call uint64) link.Lobby {
	h.mu.Lock()
	defer h.mu.Unlock()
	if handle != 0 {
		if r := h.rooms[handle]; r != nil {
			return r.seat
		}
		return noSeat{}
	}
	switch c := h.calls[call]; {
	case c != nil && c.lobby != nil:
		return c.lobby
	case h.lobby != nil:
		return h.lobby
	}
	return noSeat{}
}
