package stream

import (
	"encoding/json"

	"github.com/goparty-dev/party/internal/link"
)

// appendEngine carries the settings as JSON: they cross once, at the start of a host.
func appendEngine(b []byte, e *link.Engine) []byte {
	data, err := json.Marshal(e)
	if err != nil {
		panic("stream: encode Engine.IO settings: " + err.Error()) // plain data always can be
	}
	return appendString(b, data)
}

func (d *decoder) engine() *link.Engine {
	e := new(link.Engine)
	if err := json.Unmarshal(d.raw(d.uint()), e); err != nil {
		d.fail()
		return nil
	}
	return e
}
