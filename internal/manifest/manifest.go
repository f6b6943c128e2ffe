package manifest

import (
	"path/filepath"

	"github.com/goparty-dev/party/internal/diag"
)

// Defaults of keys that other packages name too.
const (
	DefaultPort    = 1999
	DefaultPrefix  = "parties"
	DefaultPersist = ".party/state"
)

// Manifest is a party.json, with the default for every key that is not there.
// Paths in it are slash-separated and relative to its folder; see
// [Manifest.Abs]. It is plain data, and safe for concurrent reading.
type Manifest struct {
	// Path is the file, as it was given to Load or Parse; empty for Default.
	Path string `json:"-"`

	Schema  string            `json:"$schema"` // for editors; without effect
	Name    string            `json:"name"`    // of the project: [a-z0-9-]. May be empty
	Main    string            `json:"main"`    // Go file or package folder. Default "."
	Port    int               `json:"port"`    // of party dev. Default 1999
	Parties map[string]string `json:"parties"` // party name → Go type name. Overrides annotations
	Serve   Serve             `json:"serve"`
	Client  string            `json:"client"` // TypeScript module that is generated; empty: none
	// Persist is the folder of the durable state, the only path that may be
	// absolute. Empty keeps it in memory. Default ".party/state".
	Persist    string            `json:"persist"`
	Vars       map[string]any    `json:"vars"` // JSON values, numbers as float64. See LoadVars
	Define     map[string]string `json:"define"`
	Build      Build             `json:"build"`
	Crons      map[string]string `json:"crons"` // name → checked cron expression, see CheckCron
	Migrations []Migration       `json:"migrations"`
	Limits     Limits            `json:"-"`
	CORS       *CORS             `json:"cors"`    // nil: off, the default
	Prefix     string            `json:"prefix"`  // of room URLs, one or more segments without outer slashes. Default "parties"
	Origins    []string          `json:"origins"` // may open sockets with credentials: "https://host[:port]" in lower case, or "*"
	// TrustedProxies are those before the server that say who the client is: ProxyUnix, ProxyLoopback, IP addresses
	// or networks. Default none. See ProxyNetworks.
	TrustedProxies []string `json:"trustedProxies"`
	Deploy         Deploy   `json:"deploy"`

	places map[string]place // by path, joined by joinPath
}

// Serve says which static assets are served. An empty Path serves none.
type Serve struct {
	Path          string       `json:"path"`          // folder
	Build         *ClientBuild `json:"build"`         // nil: nothing is bundled
	SinglePageApp bool         `json:"singlePageApp"` // index.html answers navigations that match nothing
	BrowserTTL    *int         `json:"browserTTL"`    // seconds; nil: the server decides
	EdgeTTL       *int         `json:"edgeTTL"`       // seconds; nil: the server decides
}

// ClientBuild says how browser code is bundled.
type ClientBuild struct {
	Entry     []string          `json:"entry"`     // files, at least one
	Bundle    bool              `json:"bundle"`    // default true
	Splitting bool              `json:"splitting"` // default true
	Outdir    string            `json:"outdir"`    // default: "dist" below Serve.Path
	Minify    *bool             `json:"minify"`    // nil, the default: not in party dev, else yes
	Format    string            `json:"format"`    // "esm" (the default), "cjs" or "iife"
	Sourcemap bool              `json:"sourcemap"` // default true
	Define    map[string]string `json:"define"`    // names → JavaScript expressions
	External  []string          `json:"external"`  // packages that are left out
	Loader    map[string]string `json:"loader"`    // file extension → esbuild loader
	Alias     map[string]string `json:"alias"`     // package → package
}

// Build is a command of the user's that runs before each build.
type Build struct {
	Command string   `json:"command"` // for the shell; empty: none
	Cwd     string   `json:"cwd"`     // default "."
	Watch   []string `json:"watch"`   // folders or files whose change runs it again; default none
}

// Migration is a recorded change in the set of room types.
type Migration struct {
	Tag     string   `json:"tag"` // unique in the manifest
	New     []string `json:"new,omitempty"`
	Renamed []Rename `json:"renamed,omitempty"`
	Deleted []string `json:"deleted,omitempty"`
}

// Rename is a room type that has a new name.
type Rename struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// CORS says what pages of other origins may read.
type CORS struct {
	Origins []string          `json:"origins"` // as Manifest.Origins; default "*"
	Headers map[string]string `json:"headers"` // sent besides Access-Control-Allow-Origin
}

// Deploy says where party deploy goes.
type Deploy struct {
	Name   string `json:"name"`   // default: Manifest.Name
	Target string `json:"target"` // https://HOST, or USER@SERVER for SSH; checked by who goes there
	Domain string `json:"domain"` // host name that clients use
}

// Default returns the manifest of a project that has none.
func Default() *Manifest {
	m, list := Parse("", []byte("{}"))
	if len(list) > 0 {
		panic("manifest: an empty manifest has diagnostics: " + list.Error())
	}
	return m
}

// Dir returns the manifest's folder; "." for one without a file.
func (m *Manifest) Dir() string { return filepath.Dir(m.Path) }

// Abs returns the place of a path that is written in the manifest, relative to
// what Path is relative to.
func (m *Manifest) Abs(path string) string {
	path = filepath.FromSlash(path)
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(m.Dir(), path)
}

// Has reports whether the manifest itself has a value at path, which consists
// of keys and, for lists, decimal indices from 0.
func (m *Manifest) Has(path ...string) bool {
	_, ok := m.places[joinPath(path)]
	return ok
}

// Pos returns where the value at path stands, or the nearest value around it
// that is there; without any, the file as a whole.
func (m *Manifest) Pos(path ...string) diag.Position {
	for n := len(path); n >= 0; n-- {
		if p, ok := m.places[joinPath(path[:n])]; ok {
			return p.value
		}
	}
	return diag.Position{File: m.Path}
}

// KeyPos is Pos for the key that the value stands behind.
func (m *Manifest) KeyPos(path ...string) diag.Position {
	if p, ok := m.places[joinPath(path)]; ok && p.key.Line > 0 {
		return p.key
	}
	return m.Pos(path...)
}
