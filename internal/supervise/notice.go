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
	RolledBack Kind = "rolled back" // from From, which crashed on probation or could not migrate rooms, for Reason, to Version
	Refused    Kind = "refused"     // a question was, for Reason
	// NotMigrated: a data migration of Version fails for Room, for Reason. Of the first 20 rooms, each once.
	NotMigrated Kind = "not migrated"
)

// Notice is something that has happened.
type Notice struct {
	Kind    Kind   `json:"kind"`
	Version string `json:"version,omitempty"`
	From    string `json:"from,omitempty"`
	Reason  string `json:"reason,omitempty"`
	Room    string `json:"room,omitempty"` // party/name
	// Failing rooms could not be migrated by From, Migrated ones were; of RolledBack, if that is why.
	Failing  int `json:"failing,omitempty"`
	Migrated int `json:"migrated,omitempty"`

	Rooms   int           `json:"rooms,omitempty"`   // that moved: those that were not hibernating
	Sockets int           `json:"sockets,omitempty"` // in these rooms
	Pause   time.Duration `json:"pause,omitempty"`   // longest wait of one room's events; ns in JSON

	ask int // the question that is answered; of Starting and Refused
}
