package api

import "time"

// State is how an app is doing.
type State string

// The states of an app.
const (
	Running   State = "running"
	Starting  State = "starting" // the app's process is there and does not answer yet
	Crashed   State = "crashed"  // it has ended, and is started again at App.RetryAt
	Stopped   State = "stopped"  // on purpose: there is nothing to run, or the host is shutting down
	Deploying State = "deploying"
)

// App is an app in a list.
type App struct {
	Name    string     `json:"name"`
	App     string     `json:"app"`               // without the preview
	Preview string     `json:"preview,omitempty"` // "" for the app itself
	URL     string     `json:"url"`               // where clients find it
	State   State      `json:"state"`
	Version *Version   `json:"version,omitempty"` // that serves, or is to
	Created time.Time  `json:"created"`
	Problem string     `json:"problem,omitempty"`  // why it is not running
	RetryAt *time.Time `json:"retry_at,omitempty"` // of a crashed one
}

// AppInfo is all about an app.
type AppInfo struct {
	App
	Domains  []string   `json:"domains"`           // its own ones; the one below Host.Domain is in URL
	Parties  []string   `json:"parties,omitempty"` // of the version that serves
	Env      []string   `json:"env"`               // names of variables
	Settings Settings   `json:"settings"`
	Started  *time.Time `json:"started,omitempty"` // its process
	Restarts int        `json:"restarts"`          // of its process, since the host began
	PID      int        `json:"pid,omitempty"`
	User     int        `json:"user"`              // that it runs as
	Isolated bool       `json:"isolated"`          // that user is the app's alone
	Disk     int64      `json:"disk"`              // bytes in its folder
	Previews []string   `json:"previews"`          // names of its previews
	Sockets  *int       `json:"sockets,omitempty"` // WebSockets open at the moment
}

// Settings are what may be set for an app. A nil field is the default when it is an answer, and stays
// as it is when it is a question.
type Settings struct {
	Memory     *int64  `json:"memory,omitempty"`      // bytes; above it the process is ended and started again. 0: no limit
	OpenFiles  *int64  `json:"open_files,omitempty"`  // of each of its processes
	BodyBytes  *int64  `json:"body_bytes,omitempty"`  // of a request from outside; the app may allow less. 0: as the app says
	LogBytes   *int64  `json:"log_bytes,omitempty"`   // kept
	LogDays    *int    `json:"log_days,omitempty"`    // kept
	LogRate    *int    `json:"log_rate,omitempty"`    // lines per second that are kept; above it they are counted
	BackupCron *string `json:"backup_cron,omitempty"` // as in crontab, UTC; "": none
	BackupKeep *int    `json:"backup_keep,omitempty"` // how many scheduled ones
	Probation  *int    `json:"probation_s,omitempty"` // seconds
	NoRequests *bool   `json:"no_requests,omitempty"` // do not keep lines of requests
	Paused     *bool   `json:"paused,omitempty"`      // do not run it
}

// Version is a version of an app.
type Version struct {
	ID       string    `json:"id"`                 // the beginning of its binary's hash
	Label    string    `json:"label,omitempty"`    // of its module and commit
	Commit   string    `json:"commit,omitempty"`   // of the repository that it was built in
	Modified bool      `json:"modified,omitempty"` // there were changes on top of Commit
	Message  string    `json:"message,omitempty"`  // of the deploy
	Deployed time.Time `json:"deployed"`
	By       string    `json:"by,omitempty"` // name of the token
	State    string    `json:"state"`        // "serving", "on probation", "can be gone back to", "replaced"
}

// Deleted is what has become of an app.
type Deleted struct {
	Name     string   `json:"name"`
	Backup   string   `json:"backup,omitempty"`   // file on the host; empty if there was nothing to keep, or it was purged
	Previews []string `json:"previews,omitempty"` // that are still there
}

// Env are variables with their values.
type Env struct {
	Vars map[string]string `json:"vars"`
}

// EnvNames are variables without them.
type EnvNames struct {
	Names []string `json:"names"`
	// Pending says that the rooms see the change with the next deploy or restart.
	Pending bool `json:"pending"`
}

// Domains are the host names of an app, without the one that the host has given it.
type Domains struct {
	Domains []string `json:"domains"`
}

// Backup is a consistent copy of what an app's rooms have stored.
type Backup struct {
	ID   string    `json:"id"`
	Time time.Time `json:"time"`
	Size int64     `json:"size"` // bytes
	Kind string    `json:"kind"` // "asked", "scheduled", "deploy" (before a destructive one)
}
