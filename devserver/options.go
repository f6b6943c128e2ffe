package devserver

import (
	"context"
	"io"
	"time"

	"github.com/goparty-dev/party/internal/diag"
	"github.com/goparty-dev/party/internal/manifest"
)

// Options say what is developed and how it is served. Dir is required.
type Options struct {
	// Dir is the folder of the user's main package, absolute.
	Dir string
	// Manifest is the path of party.json, absolute; empty if there is none. Its folder is
	// the project: .env files are read there, the program runs there, and .party is made there.
	// Without a manifest that is Dir.
	Manifest string

	// Host is the name or address to listen on. Default: 127.0.0.1 and ::1, as far as there are any.
	Host string
	// Port to listen on. Default: that of the manifest, 1999. 0 together with
	// PortExplicit means any free one.
	Port int
	// PortExplicit says that another port will not do. Without it the next
	// free one is taken.
	PortExplicit bool

	// Persist is the folder of the durable state. Default: that of the manifest,
	// .party/state in the project; relative paths count from the working directory.
	Persist string
	// NoPersist keeps state in memory.
	NoPersist bool
	// Vars override what the manifest and .env files say.
	Vars map[string]string

	// Admin is the address, host:port, for metrics, health and profiles; without a host it is loopback. Default: none.
	Admin string

	// Generate brings generated code up to date. It is called before every
	// build, one call at a time; nil generates nothing. An error is one of
	// the program, not of the user's source.
	Generate func(ctx context.Context) (GenerateResult, error)

	// Stdin is read for keys if it is a terminal and NoHotkeys is not set.
	Stdin     io.Reader
	NoHotkeys bool
	// Stdout is for everything the dev server and the program say; colours if it is a terminal.
	// Default: nothing is said.
	Stdout io.Writer

	// Go is the go command. Default "go".
	Go string
	// GoBuildOnly never calls the compiler directly.
	GoBuildOnly bool
	// Listening, if set, is called once with the URL, when requests are accepted.
	Listening func(url string)
	// AdminListening, if set, is called once with the URL of Admin, before Listening.
	AdminListening func(url string)
	// Reloaded, if set, is called whenever new code has taken over. It must not block.
	Reloaded func(Reload)
}

// GenerateResult is what came of generating code.
type GenerateResult struct {
	// Diagnostics; errors among them keep the build from running.
	Diagnostics diag.List
	// Changed says that a generated file is not what it was.
	Changed bool
	// Manifest is what the manifest has become, if it was written. It is no reason for another build.
	Manifest []byte
	// Inputs are the files it depends on, absolute; they are watched.
	Inputs []string
	// Searched is the folder, absolute, below which a Go file that gets an annotation matters too. Empty: none.
	Searched string
}

// Reload says where the time went between a change and the new code that has the rooms.
type Reload struct {
	Build    int           // number of the build, from 1
	Total    time.Duration // from the first sign of the change
	Generate time.Duration
	Compile  time.Duration // part of Go, if the compiler was called directly
	Link     time.Duration // as Compile
	Go       time.Duration // the build of the binary as a whole
	Start    time.Duration // of the process, until it answered
	HandOver time.Duration // until the last room had moved
	Pause    time.Duration // longest time for which the events of one room waited
	Direct   bool          // the compiler was called directly
	Rooms    int           // that moved
	Sockets  int           // that were kept
	Restart  bool          // the same code again, after a crash; nothing was built
}

// config is what party.json, .env files and flags say at one moment.
type config struct {
	manifest *manifest.Manifest
	vars     []byte   // JSON object
	varFiles []string // that were read for it
}
