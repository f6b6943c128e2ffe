package socketio

import (
	party "github.com/goparty-dev/party/runtime"
)

// outgoing is an encoded packet.
type outgoing struct {
	text  string
	parts [][]byte
}

func (m outgoing) message() party.Message {
	msg := party.Text(m.text)
	if len(m.parts) > 0 {
		msg = msg.Followed(m.parts...)
	}
	return msg
}

// encode makes a packet of an event, with its name, or of an ack, without.
func (n *Namespace) encode(typ packetType, id int64, name string, args []any) (outgoing, error) {
	s := n.server
	e := encoder{buf: appendHeader(s.scratch[:0], typ, 0, n.name, id)}
	head := len(e.buf)
	if err := e.array(name, args); err != nil {
		return outgoing{}, err
	}
	if cap(e.buf) <= 64<<10 {
		s.scratch = e.buf
	}
	if len(e.attachments) == 0 {
		return outgoing{text: string(e.buf)}, nil
	}
	b := appendHeader(make([]byte, 0, len(e.buf)+4), typ, len(e.attachments), n.name, id)
	return outgoing{string(append(b, e.buf[head:]...)), e.attachments}, nil
}

// control makes a packet with a given payload.
func (n *Namespace) control(typ packetType, payload []byte) outgoing {
	return outgoing{text: string(append(appendHeader(nil, typ, 0, n.name, noID), payload...))}
}
