package api

import "time"

// DeployRequest asks for a version, or by PlanPath what it would change.
type DeployRequest struct {
	Binary  string `json:"binary"`            // hash of a blob that has been put
	Message string `json:"message,omitempty"` // for people, at most 1 KiB
	// Vars are set before the version starts; what is absent stays. They stay set even if the deploy fails.
	Vars map[string]string `json:"vars,omitempty"`
	// Domains, if not nil, are the app's from then on.
	Domains []string `json:"domains,omitempty"`
	// Destructive allows migrations that delete rooms. Without it they are refused with CodeDestructive.
	Destructive bool `json:"destructive,omitempty"`
	// NoWait ends the stream when the rooms are handed over, not with the probation.
	NoWait bool `json:"no_wait,omitempty"`
}

// RollbackRequest asks for an earlier version. The zero value means the one before.
type RollbackRequest struct {
	// Version is the ID of one that can be gone back to, or "" for the one before. One that cannot is
	// refused with CodeRefused, one that is not known with CodeNotFound.
	Version string `json:"version,omitempty"`
	// NoWait ends the stream when the rooms are handed over.
	NoWait bool `json:"no_wait,omitempty"`
}

// Plan says what a deploy would change.
type Plan struct {
	App     string   `json:"app"`
	New     bool     `json:"new"` // the app is not there yet
	Version Version  `json:"version"`
	Serving *Version `json:"serving,omitempty"`
	Same    bool     `json:"same,omitempty"`    // it is the version that serves
	Refused string   `json:"refused,omitempty"` // why it cannot be put in; the deploy would fail with it
	// Restart says that the app is stopped and started, which closes its sockets with 1012, and why.
	Restart string `json:"restart,omitempty"`

	Migrations     []Migration `json:"migrations,omitempty"` // that are new to the stored data, in order
	Destructive    bool        `json:"destructive,omitempty"`
	PartiesAdded   []string    `json:"parties_added,omitempty"`
	PartiesRemoved []string    `json:"parties_removed,omitempty"`
	// LaterKeys are keys of party.json whose changes need a restart of the app.
	LaterKeys []string `json:"later_keys,omitempty"`
	// Messages are changes of what clients and the app tell each other. A host sees programs, not their
	// source: clients that have it fill this in, or say in MessagesUnknown why they cannot.
	Messages        []MessageChange `json:"messages,omitempty"`
	MessagesUnknown string          `json:"messages_unknown,omitempty"`
	VarsSet         []string        `json:"vars_set,omitempty"`     // names that are new or change
	Domains         []string        `json:"domains_new,omitempty"`  // that the app does not have yet
	Gone            []string        `json:"domains_gone,omitempty"` // that it loses
	URL             string          `json:"url"`                    // where the app will be
}

// Migration is a recorded change in the set of parties.
type Migration struct {
	Tag     string   `json:"tag"`
	New     []string `json:"new,omitempty"`
	Renamed []Rename `json:"renamed,omitempty"`
	Deleted []string `json:"deleted,omitempty"`
	// Rooms is how many rooms with data the deleted and renamed parties have.
	Rooms map[string]int `json:"rooms,omitempty"`
}

// Rename is a party that has another name from then on.
type Rename struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// MessageChange is a difference between the messages of two versions.
type MessageChange struct {
	Where    string `json:"where"`  // message "say" of party "chat", field "text"
	Change   string `json:"change"` // a sentence
	Breaking bool   `json:"breaking"`
}

// EventKind says what an event is about.
type EventKind string

// The kinds of events, in the order in which they come as a rule. A stream ends with Done or Failed; one that ends
// otherwise was cut, and what it was about goes on.
const (
	Checked    EventKind = "checked"     // the binary is what it should be: Version
	Remark     EventKind = "remark"      // something to know: Text
	BackedUp   EventKind = "backed up"   // before a destructive migration: Text is the backup's ID
	Launching  EventKind = "starting"    // Version is being started
	Migrating  EventKind = "migrating"   // the stored data is taken to Version: Text
	HandedOver EventKind = "handed over" // all rooms are with Version: Rooms, Sockets, PauseMS
	Healthy    EventKind = "healthy"     // the app answers as Version at URL
	Probation  EventKind = "probation"   // Version serves; Seconds until it is Done
	RolledBack EventKind = "rolled back" // Version serves again, for Reason
	Done       EventKind = "done"        // all is well, at URL
	Failed     EventKind = "failed"      // for Reason, with Code
)

// Event is something that happens during a deploy, a rollback or a restart.
type Event struct {
	Kind    EventKind `json:"kind"`
	Time    time.Time `json:"time"`
	Version string    `json:"version,omitempty"`
	Text    string    `json:"text,omitempty"`
	Rooms   int       `json:"rooms,omitempty"`    // that moved: those that were not hibernating
	Sockets int       `json:"sockets,omitempty"`  // that were kept, those of hibernating rooms included
	PauseMS float64   `json:"pause_ms,omitempty"` // longest wait of one room's events
	Seconds int       `json:"seconds,omitempty"`
	URL     string    `json:"url,omitempty"`
	Reason  string    `json:"reason,omitempty"`
	Code    Code      `json:"code,omitempty"`
}

// Last reports whether the stream is over.
func (e *Event) Last() bool { return e.Kind == Done || e.Kind == Failed }
