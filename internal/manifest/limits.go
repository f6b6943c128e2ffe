package manifest

import "time"

// Limits bound what clients can make the platform hold or do. Each field is
// the key of the same name under "limits" in party.json. All are positive;
// [DefaultLimits] has the defaults. The zero Limits is not usable.
type Limits struct {
	MessageBytes    int   `json:"messageBytes"`    // one WebSocket message. Over it: close 1009. Default 1 MiB
	BodyBytes       int64 `json:"bodyBytes"`       // one request body. Over it: 413. Default 10 MiB
	RoomNameBytes   int   `json:"roomNameBytes"`   // a room's name, percent-decoded. Over it: 400. Default 512
	SendQueueBytes  int   `json:"sendQueueBytes"`  // what waits for one slow connection. Over it: close 1013. Default 1 MiB
	Connections     int   `json:"connections"`     // open sockets in all. Over it: 503. Default 100000
	RoomConnections int   `json:"roomConnections"` // open sockets in one room. Over it: 503. Default 32768
	HeaderBytes     int   `json:"headerBytes"`     // the headers of one request. Over it: 431. Default 64 KiB
	// Idle is how long a room that may be dropped from memory is kept there
	// without an event. "idleSeconds", a number, fractions allowed. Default 10 s.
	Idle      time.Duration `json:"-"`
	RoomQueue int           `json:"roomQueue"` // events waiting for one room. Over it: 503 with Retry-After. Default 1024
}

// DefaultLimits returns the limits of a manifest that sets none.
func DefaultLimits() Limits {
	return Limits{
		MessageBytes:    1 << 20,
		BodyBytes:       10 << 20,
		RoomNameBytes:   512,
		SendQueueBytes:  1 << 20,
		Connections:     100_000,
		RoomConnections: 32_768,
		HeaderBytes:     64 << 10,
		Idle:            10 * time.Second,
		RoomQueue:       1024,
	}
}
