// Package operate is what a running "serve --upgradable" and whoever operates it say to each other, on the control socket
// and by the plan command. Both may be of different versions of this module: fields are only added, and unknown
// ones are ignored.
//
// It is plain data. Package runtime/server answers; its own commands and "party host" ask.
package operate

import (
	"time"

	"github.com/goparty-dev/party/internal/release"
	"github.com/goparty-dev/party/internal/supervise"
	"github.com/goparty-dev/party/runtime/storage"
)

// Socket is the name of the control socket below a data folder. Whoever may open it decides which code
// runs: it belongs to the server's user alone.
const Socket = "control.sock"

// Paths on the control socket. Upgrade takes the new program as ?binary=PATH; without, it is what now is where the
// server's program was started from. ?restart=true restarts the platform with it.
const (
	StatusPath   = "/status"   // GET: Standing
	UpgradePath  = "/upgrade"  // POST: a Progress a line
	RollbackPath = "/rollback" // POST: a Progress a line
)

// Progress is one line of the answer to an upgrade or a rollback.
type Progress struct {
	Notice *supervise.Notice `json:"notice,omitempty"`
	Remark string            `json:"remark,omitempty"`
	Error  string            `json:"error,omitempty"`
	// Restarting is the version that the server goes on as, in a restart: its status says what has become of that.
	Restarting string `json:"restarting,omitempty"`
	Done       bool   `json:"done,omitempty"` // the last line; without Error it went well
}

// Standing is the answer to a question for the status.
type Standing struct {
	PID      int       `json:"pid"`
	Started  time.Time `json:"started"` // when the platform began, also by a restart with the same PID
	Host     int       `json:"host"`    // process of the host, 0 while there is none
	Serving  string    `json:"serving"`
	Starting string    `json:"starting,omitempty"`
	Versions []Version `json:"versions"` // oldest first
	// Unfit are the first 20 rooms that the serving version could not migrate, of UnfitRooms.
	Unfit      []supervise.Unfit `json:"unfit,omitempty"`
	UnfitRooms int               `json:"unfitRooms,omitempty"`
}

// Version is one of the versions of a Standing.
type Version struct {
	ID     string        `json:"id"`
	Proven bool          `json:"proven"`
	Build  release.Build `json:"build"`
}

// Plan says what a program would change if it took over a data folder.
type Plan struct {
	ID      string        `json:"id"`
	Build   release.Build `json:"build"`
	Parties []string      `json:"parties"`

	// Top is the version that serves the folder, or served it last. Absent if there is none.
	Top        *Version            `json:"top,omitempty"`
	Was        []string            `json:"was,omitempty"`        // its parties
	Migrations []storage.Migration `json:"migrations,omitempty"` // that the store has not been through
	Rooms      map[string]int      `json:"rooms,omitempty"`      // with data, of each party
	// Refused is why the program cannot have the folder.
	Refused string `json:"refused,omitempty"`
	// Restart is why it can have it only by a restart of the server.
	Restart string `json:"restart,omitempty"`
	// LaterKeys are keys of party.json whose changes need one too.
	LaterKeys []string `json:"later_keys,omitempty"`
}
