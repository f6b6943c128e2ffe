package api

import (
	"slices"
	"time"
)

// Right is what a token allows in the apps of its scope.
type Right string

// The rights. None includes another, except that Admin includes all.
const (
	Read   Right = "read"   // see apps, versions, domains, logs, and that there are backups
	Deploy Right = "deploy" // upload, deploy, roll back, restart, domains, delete (which keeps a last backup)
	EnvVar Right = "env"    // see and change variables, values included
	Data   Right = "data"   // take and put rooms, make and download backups
	Admin  Right = "admin"  // all of these, settings, purge, restore; with all apps in scope also tokens
)

// Rights are all of them.
func Rights() []Right { return []Right{Read, Deploy, EnvVar, Data, Admin} }

// Token is what is told of a token. The secret itself is told once, in TokenMade.
type Token struct {
	ID       string     `json:"id"`
	Name     string     `json:"name"`           // for people
	Apps     []string   `json:"apps,omitempty"` // its scope, previews of them included; empty: all
	Rights   []Right    `json:"rights"`
	Created  time.Time  `json:"created"`
	LastUsed *time.Time `json:"last_used,omitempty"` // to the hour
	Expires  *time.Time `json:"expires,omitempty"`   // absent: never
}

// Allows reports whether the token has a right in an app. It does not look at Expires.
func (t *Token) Allows(r Right, instance string) bool {
	return t.has(r) && t.Covers(instance)
}

// Covers reports whether an app, or what it is a preview of, is in the token's scope.
func (t *Token) Covers(instance string) bool {
	app, _ := SplitInstance(instance)
	return len(t.Apps) == 0 || slices.Contains(t.Apps, app) || slices.Contains(t.Apps, instance)
}

// Everywhere reports whether the token has a right in all apps, also those that are to come.
func (t *Token) Everywhere(r Right) bool { return len(t.Apps) == 0 && t.has(r) }

func (t *Token) has(r Right) bool {
	return slices.Contains(t.Rights, r) || slices.Contains(t.Rights, Admin)
}

// NewToken asks for a token.
type NewToken struct {
	Name   string   `json:"name"`
	Apps   []string `json:"apps,omitempty"`   // empty: all
	Rights []Right  `json:"rights,omitempty"` // empty: read, deploy, env and data
	// ExpiresIn is in seconds from now; 0: never.
	ExpiresIn int64 `json:"expires_in,omitempty"`
}

// TokenMade is a new token with its secret, which cannot be asked for again.
type TokenMade struct {
	Token
	Secret string `json:"secret"`
}

// Whoami says whose token it was and what the host is.
type Whoami struct {
	Token Token `json:"token"`
	Host  Host  `json:"host"`
}

// Host is what a client has to know of the host.
type Host struct {
	API     int    `json:"api"`              // Revision of the server
	Party   string `json:"party"`            // version of its program
	System  string `json:"system"`           // os/arch that apps must be built for
	Domain  string `json:"domain,omitempty"` // apps are at NAME.DOMAIN; empty: only at their own domains
	MaxBlob int64  `json:"max_blob"`         // bytes that an upload may have
}
