package supervise

import "time"

// Kind says what a notice is about.
type Kind string

// The kinds of notices.
const (
	Starting   Kind = "starting"    // Version is being started beside what serves
	Serving    Kind = "serving"     // Version has got the rooms
	HandedOver Kind = "handed over" // all rooms are with Version: Rooms, Sockets, Pause
	Proven     Kind = "proven"      // Version is through its probation
	Failed     Kind = "failed"      // Version could not take over, for Reason; nothing has changed
	Crashed    Kind = "crashed"     // Version ended while it served, for Reason; it is started again
	RolledBack Kind = "rolled back" // from From, which crashed on probation for Reason, to Version
	Refused    Kind = "refused"     // a question was, for Reason
)

// Notice is something that has happened.
type Notice struct {
	Kind    Kind   `json:"kind"`
	Version string `json:"version,omitempty"`
	From    string `json:"from,omitempty"`
	Reason  string `json:"reason,omitempty"`

	Rooms   int           `json:"rooms,omitempty"`   // that moved: those that were not hibernating
	Sockets int           `json:"sockets,omitempty"` // in these rooms
	Pause   time.Duration `json:"pause,omitempty"`   // longest wait of one room's events; ns in JSON

	ask int // the question that is answered; of Starting and Refused
}
