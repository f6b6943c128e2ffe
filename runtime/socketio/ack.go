package socketio

import (
	"slices"
	"time"

	party "github.com/goparty-dev/party/runtime"
)

// AckFunc, as the last argument of a socket's Emit, is called once with the client's answer, or with ErrTimeout or ErrDisconnected.
type AckFunc = func(answer Args, err error)

// BroadcastAckFunc, as the last argument of a broadcast's Emit, is called once with
// the answers, one for each socket; with ErrTimeout or ErrDisconnected there are fewer.
type BroadcastAckFunc = func(answers []Args, err error)

// splitAck takes an ack function off the arguments.
func splitAck(args []any) (rest []any, one AckFunc, all BroadcastAckFunc) {
	if len(args) == 0 {
		return args, nil, nil
	}
	last := len(args) - 1
	switch f := args[last].(type) {
	case AckFunc:
		return args[:last], f, nil
	case BroadcastAckFunc:
		return args[:last], nil, f
	}
	return args, nil, nil
}

// ackWait waits for the answers to one event: of one socket, or of many.
type ackWait struct {
	server  *Server
	sockets []*Socket
	id      int64
	missing int
	answers []Args
	one     AckFunc
	all     BroadcastAckFunc
	timer   *party.Timer
	lost    bool // a socket left without an answer
}

func (w *ackWait) begin(timeout time.Duration, timed bool) {
	w.server.waits[w] = struct{}{}
	for _, s := range w.sockets {
		if s.acks == nil {
			s.acks = make(map[int64]*ackWait)
		}
		s.acks[w.id] = w
	}
	if timed {
		w.timer = w.server.room.After(timeout, func() { w.end(ErrTimeout) })
	}
}

// got takes one answer.
func (w *ackWait) got(s *Socket, answer Args) {
	delete(s.acks, w.id)
	w.answers = append(w.answers, answer)
	w.less()
}

// gone notes that a socket will not answer any more. With a timeout the wait goes on until then, as in Node.
func (w *ackWait) gone() {
	w.lost = true
	if w.timer == nil {
		w.less()
	}
}

func (w *ackWait) less() {
	if w.missing--; w.missing > 0 {
		return
	}
	if w.lost {
		w.end(ErrDisconnected)
		return
	}
	w.end(nil)
}

// cancel forgets the wait: nobody is interested any more.
func (w *ackWait) cancel() {
	if _, waits := w.server.waits[w]; !waits {
		return
	}
	delete(w.server.waits, w)
	if w.timer != nil {
		w.timer.Stop()
	}
	for _, s := range w.sockets {
		delete(s.acks, w.id)
	}
}

func (w *ackWait) end(err error) {
	if _, waits := w.server.waits[w]; !waits {
		return
	}
	w.cancel()
	switch {
	case w.all != nil:
		w.all(slices.Clip(w.answers), err)
	case len(w.answers) > 0:
		w.one(w.answers[0], err)
	default:
		w.one(Args{}, err)
	}
}
